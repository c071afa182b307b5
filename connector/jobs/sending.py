"""Messages to citizens: sent once, in order, inside the customer service window or behind a template."""

from __future__ import annotations

from connector.core.address import Address
from connector.core.outgoing import TemplateOut
from connector.storage import buckets, in_lane, ledger, listening, people, templates, work
from connector.storage.buckets import Rate
from connector.storage.sent import ACCEPTED
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit import crash
from connector.toolkit.observe import get_logger
from connector.whatsapp.payloads import build, outgoing_from_json

from . import templating, unsent
from .runtime import FAR, Ending, Later, Runtime

log = get_logger(__name__)

PAIR = Rate(per_second=1 / 6, burst=45)
"""One message every six seconds to a person, and up to 45 at once that are «borrowed» (CLOUD-API.md 5)."""


async def send(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: one message, once. A try without an answer waits for a status that carries our key."""
    payload = row.payload
    who = int(payload["person"])
    if row.tried_at is not None:
        wait = rt.pace.silence - listening.heard(rt.deaf, row.tried_at, now)
        if wait > 0:
            raise Later(now + wait, "it may have been sent: waiting for its status")
    person = await rt.store.read(lambda connection: people.get(connection, rt.store.sealer, who))
    message = outgoing_from_json(payload["message"])
    if isinstance(message, TemplateOut):
        asked = message
        announces = message.name == rt.town.templates.answer
        if announces and not await rt.store.read(lambda c: in_lane.is_open(c, f"held:{who}")):
            return lambda connection, at: "not needed: the person wrote, and what it announces went out"
        template = await rt.store.read(lambda connection: templating.sendable(connection, rt, asked))
        if template is None:
            return lambda connection, at: _wait_for_template(connection, rt, row, asked.name, at)
        message = template
    elif person.window_until <= now:
        return lambda connection, at: hold(connection, rt, row, at)
    elif "note" in payload and await rt.store.read(lambda c: unsent.must_wait(c, rt, row, now)):
        return lambda connection, at: unsent.wait(connection, rt, row, at)
    to = person.address or Address(payload["user_id"], payload["phone"])
    key = row.key or f"work:{row.id}"
    body = build(message, to, key=key)
    wait = await rt.store.write(lambda connection: _permit(connection, rt, row, now))
    if wait:
        raise Later(now + wait, "the number's or the person's rate is used up")
    crash.point("send.trying")
    taken = await rt.whatsapp.send(body)

    def end(connection: Connection, at: float) -> str:
        ledger.note_out(
            connection, town=rt.name, key=rt.store.pseudonyms.of(f"wamid:{rt.name}", taken.id), person_id=who,
            send_key=key, about=payload["about"], state="accepted", now=at,
        )  # fmt: skip
        return ACCEPTED

    return end


def keeps(connection: Connection, rt: Runtime, row: Row) -> bool:
    """Whether the content of a message stays until it is delivered: of nobody who has not accepted anything stays."""
    return people.has_address(connection, int(row.payload["person"]))


def _permit(connection: Connection, rt: Runtime, row: Row, now: float) -> float:
    """Take what the rates allow and store that the call is about to be made; seconds to wait otherwise."""
    rates = {
        f"number:{rt.channel}": rt.rate,
        f"pair:{rt.name}:{row.payload['person']}": PAIR,
    }
    wait = buckets.take(connection, rates, now)
    if not wait:
        work.trying(connection, row, now)
    return wait


def hold(connection: Connection, rt: Runtime, row: Row, now: float, *, untried: bool = False) -> str:
    """The window is closed: the message waits in a lane of its own, and a template asks for a tap."""
    who = int(row.payload["person"])
    about = str(row.payload["about"] or "")
    name = rt.town.templates.answer
    announced = {**row.payload, "announced": bool(name)}
    in_lane.set_aside(
        connection, row, f"held:{who}", now + FAR, untried=untried, sealed=rt.store.sealer.seal(announced)
    )
    person = people.get(connection, rt.store.sealer, who)
    if name and about and not about.startswith("draft:"):
        # one template a closed window, however many answers wait behind it
        message = TemplateOut(
            name, person.state.language or rt.town.languages[0], (("reference", about),), (f"reply:{about}",)
        )
        to = person.address or Address(row.payload["user_id"], row.payload["phone"])
        key = f"template:{who}:{int(person.window_until)}"
        rt.say(connection, who, to, message, key=key, about=about, now=now)
    crash.point("send.held")
    return ""


def shut(connection: Connection, rt: Runtime, row: Row, now: float) -> None:
    """WhatsApp says that the window is closed (131047), though by our clock it was open: it is believed."""
    people.shut_window(connection, int(row.payload["person"]), now)
    hold(connection, rt, row, now, untried=True)


def stop_template(connection: Connection, rt: Runtime, row: Row, code: str, reason: str, now: float) -> None:
    """WhatsApp does not send this template (any more): it waits until that changes, and nothing else does."""
    message = outgoing_from_json(row.payload["message"])
    if not isinstance(message, TemplateOut):
        work.fail(connection, row, reason, now)
        return  # only a template can be stopped: a code that should never come here
    templates.save(connection, rt.name, message.name, message.language, f"REFUSED {code}", reason, now)
    log.error(
        "template stopped", town=rt.name, template=message.name, language=message.language, error=reason
    )
    _wait_for_template(connection, rt, row, message.name, now, untried=True)


def _wait_for_template(
    connection: Connection, rt: Runtime, row: Row, name: str, now: float, *, untried: bool = False
) -> str:
    lane = templating.lane(rt, name, int(row.payload["person"]))
    in_lane.set_aside(connection, row, lane, now + FAR, untried=untried)
    return ""


async def read(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: show a citizen's message as read. A courtesy: when it fails it is left."""
    try:
        await rt.whatsapp.mark_read(row.payload["id"])
    except Exception:
        return lambda connection, at: "could not be marked as read: left"
    return lambda connection, at: "marked as read"

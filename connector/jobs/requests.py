"""A request on its way into the tracker: stored with its reference, created once."""

from __future__ import annotations

import asyncio
from typing import Any

from connector.core.address import Address
from connector.core.errors import Forbidden, Gone, Rejected, Unsettled
from connector.core.events import Submit
from connector.core.menu import buttons
from connector.core.references import reference as make_reference
from connector.core.ticket import Created, NewTicket, Place, Routing
from connector.core.town import say
from connector.storage import files, in_lane, ledger, people, tickets, work
from connector.storage.people import Person
from connector.storage.store import Connection
from connector.storage.tickets import Ticket
from connector.storage.work import Row
from connector.toolkit import crash
from connector.toolkit.observe import current_trace, following, get_logger, trace_of

from . import answers, births, journal
from .runtime import FAR, Ending, Later, Runtime

log = get_logger(__name__)

_SUBJECT = 120
NOT_THERE = "not written: the ticket was deleted, and with it whoever would read it"


def begin(connection: Connection, rt: Runtime, person: Person, sent: Submit, to: Address, now: float) -> None:
    """The citizen said «send»: the request and all that must follow are rows now, and follow its first message."""
    reference = make_reference(rt.town.channel.prefix, rt.noise(8))
    while tickets.taken(connection, reference):
        reference = make_reference(rt.town.channel.prefix, rt.noise(8))
    traces = dict.fromkeys([*map(trace_of, sent.keys), current_trace()])
    with following(next(iter(traces)), reference):
        log.info("request", town=rt.name, messages=" ".join(traces))
        _store(connection, rt, person, sent, reference, now)


def _store(
    connection: Connection, rt: Runtime, person: Person, sent: Submit, reference: str, now: float
) -> None:
    ticket_id = tickets.create(
        connection, rt.store.sealer, town=rt.name, reference=reference, person_id=person.id, option=sent.option,
        language=sent.language, content=_content(rt, person, sent), now=now,
    )  # fmt: skip
    files.belongs_to(connection, sent.files, ticket_id)
    ledger.about_in(connection, rt.name, sent.keys, reference)
    lane = f"t:{reference}"
    rt.put(
        connection,
        lane=lane,
        kind="create",
        payload={"reference": reference},
        now=now,
        key=f"create:{reference}",
    )
    for ref in sent.files:
        payload: dict[str, object] = {"reference": reference, "ref": ref}
        rt.put(connection, lane=lane, kind="attach", payload=payload, now=now, key=f"attach:{ref}")
    rt.put(
        connection, lane=f"r:{reference}", kind="receipt", payload={"reference": reference}, now=now,
        due_at=now + rt.town.timing.receipt_seconds, key=f"receipt:{reference}",
    )  # fmt: skip


def _content(rt: Runtime, person: Person, sent: Submit) -> dict[str, Any]:
    """What the ticket will say, decided now: a mapping changed later does not reroute what was sent before."""
    town = rt.town
    option = town.option(sent.option)
    assert option is not None
    councillor = town.councillor(sent.councillor)
    routing = town.routing(option, councillor)
    if town.tracker.pseudonym_field:
        code = rt.store.pseudonyms.of(f"ticket:{rt.name}", str(person.id))[:12]
        routing_fields = (*routing.fields, (town.tracker.pseudonym_field, code))
    else:
        routing_fields = routing.fields
    lang = town.languages[0]
    facts = []
    if councillor is not None and councillor.neighbourhood:
        facts.append((rt.texts(lang, "staff.neighbourhood"), councillor.neighbourhood))
    if town.tracker.show_name and person.name:
        facts.append((rt.texts(lang, "staff.name"), person.name))
    if town.tracker.show_phone and person.address is not None and person.address.phone:
        facts.append((rt.texts(lang, "staff.phone"), f"+{person.address.phone}"))
    if sent.language != lang:
        facts.append((rt.texts(lang, "staff.language"), sent.language))
    words = sent.words or rt.texts(lang, "staff.no_words")
    first = " ".join(words.split())
    return {
        "subject": first if len(first) <= _SUBJECT else first[: _SUBJECT - 1].rstrip() + "…",
        "words": words,
        "facts": facts,
        "places": [[p.latitude, p.longitude, p.name, p.address] for p in sent.places],
        "councillor": sent.councillor,
        "trace": current_trace(),
        "routing": {
            "project": routing.project, "tracker": routing.tracker, "assignee": routing.assignee,
            "category": routing.category, "priority": routing.priority, "status": routing.status,
            "watchers": list(routing.watchers), "fields": [list(f) for f in routing_fields],
            "private": routing.private,
        },
    }  # fmt: skip


def _new_ticket(ticket: Ticket) -> NewTicket:
    content = ticket.content
    routing = dict(content["routing"])
    routing["watchers"] = tuple(routing["watchers"])
    routing["fields"] = tuple((name, value) for name, value in routing["fields"])
    return NewTicket(
        reference=ticket.reference,
        routing=Routing(**routing),
        subject=content["subject"],
        words=content["words"],
        facts=tuple((label, value) for label, value in content["facts"]),
        places=tuple(Place(*p) for p in content["places"]),
    )


async def create(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: the ticket, exactly one. A try that got no answer is looked for before the next."""
    ticket = await load(rt, row)
    if ticket.tracker_id:
        return lambda connection, at: "created before"
    found: Created | None = None
    if row.payload.get("ticket"):
        found = await _named(rt, ticket, str(row.payload["ticket"]))
    elif row.tried_at is not None:
        searched = rt.tracker.capabilities.find_by_reference
        found = await asyncio.to_thread(rt.tracker.find, ticket.reference) if searched else None
        crash.point("create.looked")
        if found is None and now - row.tried_at < rt.pace.settle:
            # a slow tracker may still commit what it was sent: only after that is «not there» an answer
            raise Later(row.tried_at + rt.pace.settle, "the tracker may still create it")
        if found is None and not searched:
            raise Unsettled(
                f"Whether the tracker took {ticket.reference} is not known, and it has no search by reference. Look for "
                f"it there. Found: connector failed retry {row.id} --ticket NUMBER. Not there: connector failed retry "
                f"{row.id}, and it is sent again",
                code="unsettled",
            )
    if found is None:
        await rt.store.write(lambda connection: work.trying(connection, row, now))
        crash.point("create.trying")
        found = await asyncio.to_thread(rt.tracker.create, _new_ticket(ticket))
    if found.pending:
        token = found.ticket_id
        return lambda connection, at: _numbered_later(connection, rt, row, token, at)
    created = found

    def end(connection: Connection, at: float) -> str:
        return _adopt(connection, rt, ticket, created, at)

    return end


def _numbered_later(connection: Connection, rt: Runtime, row: Row, token: str, now: float) -> str:
    """The tracker has it and will number it: what it is asked with is kept, and it is asked later and later."""
    payload = {**row.payload, "ticket": token}
    work.later(
        connection, rt.store.sealer, row, now + rt.pace.backoff(1), "not numbered yet", payload=payload
    )
    return ""


async def _named(rt: Runtime, ticket: Ticket, tracker_id: str) -> Created:
    """The ticket that a person found in the tracker, or the tracker promised, once it was seen to be there and to be
    nobody else's."""
    try:
        view = await asyncio.to_thread(rt.tracker.read, tracker_id)
    except Gone:
        raise Rejected(f"the tracker has no ticket {tracker_id}: is that its number?") from None
    other = await rt.store.read(lambda c: tickets.by_tracker_id(c, rt.store.sealer, rt.name, view.ticket_id))
    if other is not None and not births.is_another(other, view):
        raise Rejected(f"ticket {view.ticket_id} is that of {other.reference}: not {ticket.reference}'s")
    return Created(view.ticket_id, "", existed=True)


def _adopt(connection: Connection, rt: Runtime, ticket: Ticket, created: Created, now: float) -> str:
    tickets.update_ticket(connection, ticket.id, tracker_id=created.ticket_id, url=created.url)
    for former in tickets.before(connection, rt.store.sealer, created.ticket_id, ticket):
        journal.lost(connection, rt, former, tickets.DELETED)
    in_lane.bring_back(connection, _waiting(ticket.reference), f"t:{ticket.reference}", now)
    lang = rt.town.languages[0]
    if created.dropped:
        text = rt.texts(lang, "staff.dropped", what="; ".join(created.dropped))
        rt.note(connection, ticket.reference, text, key=f"note:dropped:{ticket.reference}", now=now)
    if created.duplicates:
        text = rt.texts(lang, "staff.duplicate", tickets=", ".join(created.duplicates))
        rt.note(connection, ticket.reference, text, key=f"note:duplicate:{ticket.reference}", now=now)
    if created.existed or now - ticket.created_at > 60 or rt.tracker.capabilities.feed == "snapshot":
        # staff may have written on it before we knew that it is ours; and what is compared needs a beginning
        answers.look_at(connection, rt, ticket.reference, now)
    if tickets.advance_receipt(connection, ticket.id, ("none",), "full"):
        _say_receipt(connection, rt, ticket, created.ticket_id, now)
    elif tickets.advance_receipt(connection, ticket.id, ("partial",), "full"):
        person = people.get(connection, rt.store.sealer, ticket.person_id)
        text = rt.texts(
            ticket.language, "receipt.number", reference=ticket.reference, ticket=created.ticket_id
        )
        message = buttons(text, [], rt.texts(ticket.language, "menu.home")).message
        rt.tell(
            connection, person, message, key=f"number:{ticket.reference}", about=ticket.reference, now=now
        )
    return "found by its reference" if created.existed else "created"


def receipt(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: the tracker took too long; the receipt goes without the ticket's number, which follows."""
    ticket = tickets.by_reference(connection, rt.store.sealer, row.payload["reference"])
    if ticket is None or not tickets.advance_receipt(connection, ticket.id, ("none",), "partial"):
        return "the receipt was sent with the number"
    _say_receipt(connection, rt, ticket, "", now)
    return "receipt without the number"


def _say_receipt(connection: Connection, rt: Runtime, ticket: Ticket, number: str, now: float) -> None:
    person = people.get(connection, rt.store.sealer, ticket.person_id)
    lang = ticket.language
    option = rt.town.option(ticket.option)
    councillor = rt.town.councillor(str(ticket.content.get("councillor", "")))
    after = say(option.receipt, lang) if option else ""
    if not after:
        to = rt.conversation.menus.recipient(option, councillor, lang) if option else rt.town.channel.name
        after = rt.texts(lang, "receipt.next", to=to)
    values = {"reference": ticket.reference, "next": after, **({"ticket": number} if number else {})}
    text = rt.texts(lang, "receipt.full" if number else "receipt.partial", **values)
    message = buttons(text, [], rt.texts(lang, "menu.home")).message
    rt.tell(
        connection, person, message, key=f"receipt-say:{ticket.reference}", about=ticket.reference, now=now
    )


def _waiting(reference: str) -> str:
    """The lane of what waits for a ticket whose ``create`` failed for good."""
    return f"w:{reference}"


def await_ticket(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """There is no ticket to write on: wait, without looking, until its ``create`` is retried and done."""
    reference = str(row.payload["reference"])
    ticket = tickets.by_reference(connection, rt.store.sealer, reference)
    if ticket is not None and ticket.tracker_id:
        # it was created after this row was read
        work.later(connection, rt.store.sealer, row, now, counted=False)
    else:
        in_lane.set_aside(connection, row, _waiting(reference), now + FAR)
    return ""


async def note(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: an internal note; where there are none, or the right to them was not seen, none at all."""
    if not rt.tracker.capabilities.internal_notes:
        return lambda connection, at: "not written: the tracker has no notes that only staff see"
    ticket = await load(rt, row)
    if ticket.tracker_id is None:
        return lambda connection, at: await_ticket(connection, rt, row, at)
    if ticket.gone == tickets.DELETED:
        return lambda connection, at: NOT_THERE
    tracker_id, key = ticket.tracker_id, f"c{row.id}"
    await trying(rt, row, now)
    try:
        await asyncio.to_thread(rt.tracker.add_internal_note, tracker_id, row.payload["text"], key)
    except Gone:
        return lambda connection, at: NOT_THERE
    except Forbidden as error:
        if error.code != "no_internal_notes":
            raise
        # where the right was not seen nothing is written: a private note without it would come out public
        return lambda connection, at: "not written: no right to private notes"
    return lambda connection, at: "written"


async def trying(rt: Runtime, row: Row, now: float) -> None:
    """Store that a ticket is about to be written on; a try before that may still be on its way has its time first."""
    if row.tried_at is not None and now - row.tried_at < rt.pace.settle:
        raise Later(row.tried_at + rt.pace.settle, "the tracker may still carry out what it was sent")
    await rt.store.write(lambda connection: work.trying(connection, row, now))


async def load(rt: Runtime, row: Row) -> Ticket:
    """The request a row is about. Raises ``Rejected``."""
    ticket = await rt.store.read(lambda c: tickets.by_reference(c, rt.store.sealer, row.payload["reference"]))
    if ticket is None:
        raise Rejected(f"there is no request {row.payload['reference']} in the database")
    return ticket

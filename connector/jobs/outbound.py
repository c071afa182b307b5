"""Messages to citizens, what becomes of them, and their files at Meta."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import Any

from connector.core.errors import Gone, Rejected
from connector.core.menu import cut
from connector.core.model import Address, TemplateOut
from connector.storage import files, ledger, people, tickets, work
from connector.storage.files import PART, File
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.whatsapp.payloads import build, outgoing_from_json

from .runtime import DAY, MEDIA_LIFE, MEDIA_MAX, Ending, Later, Runtime

_FAR = 3650 * DAY


async def send(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: one message, once. A try without an answer waits for a status that carries our key."""
    payload = row.payload
    who = int(payload["person"])
    if row.tried_at is not None and now - row.tried_at < rt.pace.silence:
        raise Later(row.tried_at + rt.pace.silence, "it may have been sent: waiting for its status")
    person = await rt.store.read(lambda connection: _reach(connection, rt, who))
    message = outgoing_from_json(payload["message"])
    if person.window_until <= now and not isinstance(message, TemplateOut):
        return lambda connection, at: _hold(connection, rt, row, at)
    to = person.address or Address(payload["user_id"], payload["phone"])
    key = row.key or f"work:{row.id}"
    body = build(message, to, key=key)
    await rt.store.write(lambda connection: work.trying(connection, row, now))
    sent = await rt.whatsapp.send(body)

    def end(connection: Connection, at: float) -> str:
        ledger.note_out(
            connection, town=rt.name, key=rt.store.pseudonyms.of(f"wamid:{rt.name}", sent.id), person_id=who,
            send_key=key, about=payload["about"], state="accepted", now=at,
        )  # fmt: skip
        return "accepted by WhatsApp"

    return end


def _reach(connection: Connection, rt: Runtime, person_id: int) -> people.Person:
    return people.get(connection, rt.store.sealer, person_id)


def _hold(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """The window is closed: the message waits in a lane of its own, and a template asks for a tap."""
    who = int(row.payload["person"])
    work.set_aside(connection, row, f"held:{who}", now + _FAR)
    about = str(row.payload["about"] or "")
    name = rt.town.templates.answer
    person = people.get(connection, rt.store.sealer, who)
    if name and about and not about.startswith("draft:"):
        # one template a closed window, however many answers wait behind it
        message = TemplateOut(
            name, person.state.language or rt.town.languages[0], (("reference", about),), (f"reply:{about}",)
        )
        to = person.address or Address(row.payload["user_id"], row.payload["phone"])
        rt.say(
            connection,
            who,
            to,
            message,
            key=f"template:{who}:{int(person.window_until)}",
            about=about,
            now=now,
        )
    return ""


async def read(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: show a citizen's message as read. A courtesy: when it fails it is left."""
    try:
        await rt.whatsapp.mark_read(row.payload["id"])
    except Exception:
        return lambda connection, at: "could not be marked as read: left"
    return lambda connection, at: "marked as read"


async def media(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: fetch a citizen's file from Meta, which keeps it for seven days, and store it encrypted."""
    file = await rt.store.read(lambda connection: files.get(connection, rt.store.sealer, row.payload["ref"]))
    if file is None or file.state != "waiting":
        return lambda connection, at: "no longer needed"
    try:
        link = await rt.whatsapp.media_url(str(file.facts["media_id"]))
        content = await rt.whatsapp.download(link, MEDIA_MAX)
    except (Gone, Rejected):
        if now - file.created_at < MEDIA_LIFE and row.attempts < 4:
            # a link that has just expired looks the same: a new one is asked for
            raise Later(now + rt.pace.backoff(row.attempts), "the link had expired") from None
        return lambda connection, at: _lost(connection, file)
    digest = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
    for n, start in enumerate(range(0, len(content), PART)):
        part = content[start : start + PART]
        await rt.store.write(partial(files.add_part, sealer=rt.store.sealer, file=file, n=n, data=part))

    def end(connection: Connection, at: float) -> str:
        files.arrived(connection, file, len(content), digest)
        return "stored"

    return end


def _lost(connection: Connection, file: File) -> str:
    files.settle(connection, file, "lost")
    return "lost: WhatsApp no longer has it"


def status(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: what became of a message of ours; also the proof that one went whose answer was lost."""
    payload: dict[str, Any] = row.payload
    key = payload.get("key")
    code = rt.store.pseudonyms.of(f"wamid:{rt.name}", payload["id"])
    state = str(payload["state"])
    if key:
        # whatever became of it: a status with our key says that WhatsApp took it, so it is not sent again
        sent = work.open_payload(connection, rt.store.sealer, rt.name, "send", key)
        if sent is not None:
            ledger.note_out(
                connection, town=rt.name, key=code, person_id=int(sent["person"]), send_key=key, about=sent["about"],
                state=state, now=now,
            )  # fmt: skip
            work.settle(connection, key, "accepted by WhatsApp (seen by its status)", now)
    error = " ".join(str(x) for x in (payload.get("error_code"), payload.get("error_title")) if x) or None
    known = ledger.advance(
        connection, town=rt.name, key=code, send_key=key, state=state, error=error, now=now
    )
    if known and state == "failed":
        _failed(connection, rt, code, key, error or "", now)
    return f"status {state}" if known else f"status {state} of a message not ours"


def _failed(connection: Connection, rt: Runtime, code: str, key: str | None, error: str, now: float) -> None:
    """WhatsApp took a message and could not deliver it: staff of its ticket are told, once a message."""
    about = ledger.find(connection, rt.name, "out", code)
    if about and not about.startswith("draft:") and tickets.by_reference(connection, rt.store.sealer, about):
        text = rt.texts(rt.town.languages[0], "staff.answer_failed", reason=cut(error, 200))
        rt.note(connection, about, text, key=f"note:failed:{key or code}", now=now)


def notice(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: any other notification. A new user id is followed; the rest is kept and counted."""
    field = str(row.payload["field"])
    if field == "user_id_update":
        return _user_ids(connection, rt, row.payload["payload"], now)
    return f"kept: {field}"


def _user_ids(connection: Connection, rt: Runtime, value: dict[str, Any], now: float) -> str:
    moved = 0
    for change in value.get("user_id_update") or ():
        ids = change.get("user_id") if isinstance(change, dict) else None
        if not isinstance(ids, dict) or not ids.get("previous") or not ids.get("current"):
            continue
        old = Address(user_id=str(ids["previous"]))
        person = people.find(connection, rt.store.pseudonyms, rt.store.sealer, rt.name, old)
        if person is None:
            continue
        phone = change.get("wa_id") or (person.address.phone if person.address else None)
        new = Address(str(ids["current"]), str(phone) if phone else None)
        moved += people.move(connection, rt.store.pseudonyms, rt.store.sealer, person, new)
    return f"user ids followed: {moved}"


__all__ = ["media", "notice", "read", "send", "status"]

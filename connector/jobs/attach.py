"""Citizens' files onto their ticket, and what is said of those that cannot be on it."""

from __future__ import annotations

import asyncio
from typing import Any

from connector.core.errors import Rejected
from connector.core.menu import buttons
from connector.core.ticket import Upload
from connector.storage import files, in_lane, people, work
from connector.storage.files import File
from connector.storage.store import Connection
from connector.storage.tickets import DELETED, Ticket
from connector.storage.work import Row
from connector.toolkit import media

from .requests import NOT_THERE, await_ticket, load, trying
from .runtime import Ending, Runtime

_NAME, _SHOWN = 100, 40
_KINDS = ("image", "video", "document", "audio")
_HINTS = ("pixels", "macros", "much", "lost")
_SAID = ("tracker", "virus")
"""Reasons of which staff are also told what the other side said."""


async def attach(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: one file onto the ticket; safe to repeat, and no reason to create the ticket again."""
    ticket = await load(rt, row)
    if ticket.tracker_id is None:
        return lambda connection, at: await_ticket(connection, rt, row, at)
    if ticket.gone == DELETED:
        return lambda connection, at: _ended(connection, rt, row, ticket, NOT_THERE, at)
    tracker_id = ticket.tracker_id
    file = await rt.store.read(lambda connection: files.get(connection, rt.store.sealer, row.payload["ref"]))
    if file is None or file.state in ("done", "dropped"):
        return lambda connection, at: _ended(connection, rt, row, ticket, "nothing to attach", at)
    if file.state == "waiting":
        return lambda connection, at: _await_file(connection, rt, row, ticket, at)
    if row.lane != _lane(ticket):
        return lambda connection, at: _go_back(connection, row, ticket, at)
    if file.state in files.LEFT_OUT:
        return lambda connection, at: _without(connection, rt, row, ticket, file, at)
    if not rt.tracker.capabilities.attachments:
        return _refused(rt, row, ticket, file, "no_files")
    content = await rt.store.read(lambda connection: files.content(connection, rt.store.sealer, file))
    upload = Upload(_name(file, ticket.reference), str(file.facts["mime"]), content, digest=file.digest or "")
    await trying(rt, row, now)
    try:
        await asyncio.to_thread(rt.tracker.attach, tracker_id, upload)
    except Rejected as error:
        return _refused(rt, row, ticket, file, "tracker", str(error))

    def end(connection: Connection, at: float) -> str:
        files.settle(connection, file, "done")
        return _ended(connection, rt, row, ticket, "attached", at)

    return end


def _refused(rt: Runtime, row: Row, ticket: Ticket, file: File, why: str, detail: str = "") -> Ending:
    left = files.with_reason(file, "refused", why, detail)

    def end(connection: Connection, at: float) -> str:
        files.leave(connection, rt.store.sealer, left)
        return _without(connection, rt, row, ticket, left, at)

    return end


def _lane(ticket: Ticket) -> str:
    """What is written on a ticket is written one after the other."""
    return f"t:{ticket.reference}"


def hasten(connection: Connection, ref: str, now: float) -> None:
    """Something was decided about a file: if its ticket waits for it, it goes on now."""
    in_lane.bring_back(connection, _aside(ref), _aside(ref), now)


def _aside(ref: str) -> str:
    """The lane of a file that is not here yet: notes on its ticket do not wait for it."""
    return f"f:{ref}"


def _await_file(connection: Connection, rt: Runtime, row: Row, ticket: Ticket, now: float) -> str:
    ref = str(row.payload["ref"])
    file = files.get(connection, rt.store.sealer, ref)
    if file is None or file.state != "waiting":
        # it came after this row was read
        work.later(connection, rt.store.sealer, row, now, counted=False)
        return ""
    # whoever decides about it brings it back; it looks by itself, too, the longer it takes the less often
    wait = min(max(2.0, (now - row.created_at) / 4), rt.pace.longest)
    in_lane.set_aside(connection, row, _aside(ref), now + wait)
    return _ended(connection, rt, row, ticket, "", now)


def _go_back(connection: Connection, row: Row, ticket: Ticket, now: float) -> str:
    in_lane.set_aside(connection, row, _lane(ticket), now)
    return ""


def _without(connection: Connection, rt: Runtime, row: Row, ticket: Ticket, file: File, now: float) -> str:
    """The ticket goes on without a file: staff are told of each."""
    lang, why = rt.town.languages[0], _why(file)
    reason = _reason(rt, lang, why) + (f" ({file.facts['detail']})" if why in _SAID else "")
    text = rt.texts(lang, "staff.file_left", filename=_name(file, ticket.reference), reason=reason)
    rt.note(connection, ticket.reference, text, key=f"note:file:{ticket.reference}:{file.id}", now=now)
    return _ended(connection, rt, row, ticket, f"{file.state}: staff told", now)


def _ended(connection: Connection, rt: Runtime, row: Row, ticket: Ticket, outcome: str, now: float) -> str:
    """When no other file of the ticket is about to be attached, the citizen is told of all that are left out."""
    if in_lane.others(connection, row):
        return outcome
    left = files.left_out(connection, rt.store.sealer, ticket.id)
    if not left:
        return outcome
    person = people.get(connection, rt.store.sealer, ticket.person_id)
    lang = ticket.language
    lines = "\n".join(_lines(rt, lang, left))
    text = rt.texts(lang, "file.left", reference=ticket.reference, files=lines)
    message = buttons(text, [], rt.texts(lang, "menu.home")).message
    key = f"file-left:{ticket.reference}:{left[0].id}"
    rt.tell(connection, person, message, key=key, about=ticket.reference, now=now)
    for file in left:
        files.told(connection, rt.store.sealer, file)
    return outcome


def _lines(rt: Runtime, lang: str, left: list[File]) -> list[str]:
    """A line for each reason, with the files it is about: by name what has one, by number what has none."""
    lines = []
    for why in dict.fromkeys(map(_why, left)):
        about = [f for f in left if _why(f) == why]
        named = [f"«{_cut(own)}»" for f in about if (own := _own(f.facts))]
        counted = [str(f.facts["kind"]) for f in about if not _own(f.facts)]
        counts = [rt.texts(lang, f"count.{k}", n=n) for k in _KINDS if (n := counted.count(k))]
        hint = f". {rt.texts(lang, f'file.hint_{why}')}" if why in _HINTS else ""
        lines.append(f"• {rt.texts.join(lang, [*named, *counts])}: {_reason(rt, lang, why)}{hint}")
    return lines


def _why(file: File) -> str:
    return str(file.facts.get("why") or "lost")


def _reason(rt: Runtime, lang: str, why: str) -> str:
    most = rt.allowed.bytes if why == "much" else rt.files.most
    return rt.texts(lang, f"file.why_{why}", most=most // media.MB)


def _cut(name: str) -> str:
    return name if len(name) <= _SHOWN else name[: _SHOWN - 1] + "…"


def _own(facts: dict[str, Any]) -> str:
    """The name the citizen's file had, on one line; never a path."""
    return " ".join(str(facts.get("filename") or "").replace("\\", "/").rsplit("/", 1)[-1].split()).strip(
        ". "
    )


def _name(file: File, reference: str) -> str:
    """The file's own name, or one made of the reference; of one that was taken the ending says what it is."""
    kind = str(file.facts.get("mime") or "")
    own = _own(file.facts)[:_NAME] or f"{file.facts['kind']}-{reference}-{file.id}{media.suffix(kind)}"
    return media.filename(own, kind) if file.digest else own

"""A request on its way into the tracker: stored with its reference, created once, completed with its files."""

from __future__ import annotations

import asyncio
from typing import Any

from connector.core.errors import Forbidden, Rejected
from connector.core.events import Submit
from connector.core.menu import buttons
from connector.core.model import Address, Created, NewTicket, Place, Routing, Upload
from connector.core.references import reference as make_reference
from connector.core.town import say
from connector.storage import files, ledger, people, tickets, work
from connector.storage.people import Person
from connector.storage.store import Connection
from connector.storage.tickets import Ticket
from connector.storage.work import Row

from .runtime import Ending, Later, Runtime

_SUBJECT = 120
_SUFFIX = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "video/mp4": "mp4", "video/3gpp": "3gp",
    "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/aac": "aac", "audio/amr": "amr",
    "application/pdf": "pdf", "text/plain": "txt",
}  # fmt: skip


def begin(connection: Connection, rt: Runtime, person: Person, sent: Submit, to: Address, now: float) -> None:
    """The citizen said «send»: the request and all that must follow are rows now."""
    reference = make_reference(rt.town.channel.prefix, rt.noise(8))
    while tickets.taken(connection, reference):
        reference = make_reference(rt.town.channel.prefix, rt.noise(8))
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
    ticket = await _load(rt, row)
    if ticket.tracker_id:
        return lambda connection, at: "created before"
    found: Created | None = None
    if row.tried_at is not None:
        found = await asyncio.to_thread(rt.tracker.find, ticket.reference)
        if found is None and now - row.tried_at < rt.pace.settle:
            # a slow tracker may still commit what it was sent: only after that is «not there» an answer
            raise Later(row.tried_at + rt.pace.settle, "the tracker may still create it")
    if found is None:
        await rt.store.write(lambda connection: work.trying(connection, row, now))
        found = await asyncio.to_thread(rt.tracker.create, _new_ticket(ticket))
    created = found

    def end(connection: Connection, at: float) -> str:
        return _adopt(connection, rt, ticket, created, at)

    return end


def _adopt(connection: Connection, rt: Runtime, ticket: Ticket, created: Created, now: float) -> str:
    tickets.update_ticket(connection, ticket.id, tracker_id=created.ticket_id, url=created.url)
    lang = rt.town.languages[0]
    if created.dropped:
        text = rt.texts(lang, "staff.dropped", what="; ".join(created.dropped))
        rt.note(connection, ticket.reference, text, key=f"note:dropped:{ticket.reference}", now=now)
    if created.duplicates:
        text = rt.texts(lang, "staff.duplicate", tickets=", ".join(created.duplicates))
        rt.note(connection, ticket.reference, text, key=f"note:duplicate:{ticket.reference}", now=now)
    if created.existed or now - ticket.created_at > 60:
        # staff may have written on it before we knew that it is ours
        rt.put(
            connection,
            lane=f"look:{ticket.reference}",
            kind="look",
            payload={"reference": ticket.reference},
            now=now,
        )
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


async def attach(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: one file onto the ticket; safe to repeat, and no reason to create the ticket again."""
    ticket = await _load(rt, row)
    if ticket.tracker_id is None:
        raise Later(now + 5, "the ticket is not there yet")
    tracker_id = ticket.tracker_id
    file = await rt.store.read(lambda connection: files.get(connection, rt.store.sealer, row.payload["ref"]))
    if file is None or file.state in ("done", "dropped"):
        return lambda connection, at: "nothing to attach"
    if file.state == "waiting":
        raise Later(now + 2, "the file is still on its way from WhatsApp")
    name = _name(file.facts, ticket.reference, file.id)
    if file.state == "lost":
        return lambda connection, at: _without(connection, rt, ticket, name, "lost", "", at)
    content = await rt.store.read(lambda connection: files.content(connection, rt.store.sealer, file))
    upload = Upload(name, str(file.facts["mime"]), content, digest=file.digest or "")
    try:
        await asyncio.to_thread(rt.tracker.attach, tracker_id, upload)
    except Rejected as error:
        why = str(error)

        def refused(connection: Connection, at: float) -> str:
            files.settle(connection, file, "refused")
            return _without(connection, rt, ticket, name, "refused", why, at)

        return refused

    def end(connection: Connection, at: float) -> str:
        files.settle(connection, file, "done")
        return "attached"

    return end


def _without(
    connection: Connection, rt: Runtime, ticket: Ticket, name: str, what: str, why: str, now: float
) -> str:
    """The ticket goes on without a file: staff are told which, the citizen once."""
    lang = rt.town.languages[0]
    values = {"filename": name, **({"reason": why} if what == "refused" else {})}
    rt.note(connection, ticket.reference, rt.texts(lang, f"staff.file_{what}", **values),
            key=f"note:file:{ticket.reference}:{name}", now=now)  # fmt: skip
    person = people.get(connection, rt.store.sealer, ticket.person_id)
    text = rt.texts(ticket.language, f"file.{what}", reference=ticket.reference)
    message = buttons(text, [], rt.texts(ticket.language, "menu.home")).message
    rt.tell(
        connection, person, message, key=f"file-{what}:{ticket.reference}", about=ticket.reference, now=now
    )
    return f"file {what}: staff and citizen told"


def _name(facts: dict[str, Any], reference: str, number: int) -> str:
    """The file's own name, or one made of the reference; never a path."""
    own = str(facts.get("filename") or "").replace("\\", "/").rsplit("/", 1)[-1].strip(". ")
    if own:
        return own[:120]
    mime = str(facts.get("mime") or "")
    return f"{facts['kind']}-{reference}-{number}.{_SUFFIX.get(mime, mime.rsplit('/', 1)[-1] or 'bin')}"


async def note(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: an internal note; where the right to private notes was not seen, none at all."""
    ticket = await _load(rt, row)
    if ticket.tracker_id is None:
        raise Later(now + 5, "the ticket is not there yet")
    tracker_id, key = ticket.tracker_id, f"c{row.id}"
    try:
        await asyncio.to_thread(rt.tracker.add_internal_note, tracker_id, row.payload["text"], key)
    except Forbidden as error:
        if error.code != "set_notes_private":
            raise
        # where the right was not seen nothing is written: a private note without it would come out public
        return lambda connection, at: "not written: no right to private notes"
    return lambda connection, at: "written"


async def _load(rt: Runtime, row: Row) -> Ticket:
    ticket = await rt.store.read(lambda c: tickets.by_reference(c, rt.store.sealer, row.payload["reference"]))
    if ticket is None:
        raise Rejected(f"there is no request {row.payload['reference']} in the database")
    return ticket

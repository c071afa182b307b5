"""A citizen's message: one conversation step, in one transaction with everything that follows from it."""

from __future__ import annotations

from dataclasses import asdict

from connector.core.events import (
    Consented,
    Effect,
    Event,
    Fetch,
    Forget,
    Message,
    Moved,
    NoteStaff,
    Quiet,
    Say,
    Submit,
    Wake,
)
from connector.core.model import Address, EditIn, Inbound, ReactionIn, RevokeIn
from connector.storage import files, ledger, people, tickets, work
from connector.storage.people import Person
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.whatsapp.payloads import from_json

from . import requests
from .runtime import WINDOW, Runtime


def inbound(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: take in one message. The outcome is what the conversation says became of it."""
    message = from_json(row.payload["message"])
    sealer, pseudonyms = rt.store.sealer, rt.store.pseudonyms
    person = people.find(connection, pseudonyms, sealer, rt.name, message.sender)
    if person is None:
        person = people.create(connection, pseudonyms, sealer, rt.name, message.sender, now)
    people.open_window(connection, person.id, message.at.timestamp() + WINDOW)
    released = 0
    if message.at.timestamp() + WINDOW > now:
        # answers that waited for the customer service window go out, in their order
        released = work.bring_back(connection, f"held:{person.id}", f"out:{person.id}", now)
    event = _event(connection, rt, message, bool(released))
    outcome, spoke = take(connection, rt, person, event, now, origin=str(row.id))
    if spoke:
        rt.put(connection, lane=f"read:{row.id}", kind="read", payload={"id": message.id}, now=now)
    ledger.note_in(
        connection, town=rt.name, key=event.key, person_id=person.id, outcome=outcome,
        about=event.about or None, now=now,
    )  # fmt: skip
    return outcome


def quiet(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: the alarm after a burst of messages."""
    person = people.get(connection, rt.store.sealer, row.payload["person"])
    event = Quiet(row.payload["draft"], row.payload["revision"])
    return take(connection, rt, person, event, now, origin=str(row.id), to=_address(row.payload))[0]


def take(
    connection: Connection,
    rt: Runtime,
    person: Person,
    event: Event,
    now: float,
    *,
    origin: str,
    to: Address | None = None,
) -> tuple[str, bool]:
    """One conversation step and its effects; the outcome, and whether something was said."""
    state, step = rt.conversation.step(person.state, event, now)
    if isinstance(event, Message):
        to = event.inbound.sender
        if rt.conversation.consent.given(person.state):
            _remember(connection, rt, person, event.inbound)
    address = to or person.address or Address()
    spoke = False
    for n, effect in enumerate(step.effects):
        spoke = isinstance(effect, Say) or spoke
        _carry(connection, rt, person, effect, now, address, event, f"{origin}.{n}")
    if state != person.state:
        people.save_state(connection, rt.store.sealer, person.id, state, now)
    return step.outcome, spoke


def _carry(
    connection: Connection,
    rt: Runtime,
    person: Person,
    effect: Effect,
    now: float,
    to: Address,
    event: Event,
    key: str,
) -> None:
    match effect:
        case Say(message, about):
            rt.say(connection, person.id, to, message, key=f"say:{key}", about=about, now=now)
        case Fetch(ref, media):
            files.create(
                connection,
                rt.store.sealer,
                town=rt.name,
                person_id=person.id,
                ref=ref,
                facts={**asdict(media), "kind": str(media.kind)},
                now=now,
            )
            rt.put(
                connection,
                lane=f"media:{ref}",
                kind="media",
                payload={"ref": ref},
                now=now,
                key=f"media:{ref}",
            )
        case Forget(refs):
            for ref in refs:
                file = files.get(connection, rt.store.sealer, ref)
                if file is not None:
                    files.settle(connection, file, "dropped")
        case Wake(seconds, draft, revision):
            work.put_or_move(
                connection, rt.store.sealer, town=rt.name, lane=f"quiet:{person.id}", kind="quiet", now=now,
                payload={"person": person.id, "draft": draft, "revision": revision, "user_id": to.user_id, "phone": to.phone},
                due_at=now + seconds, key=f"quiet:{person.id}",
            )  # fmt: skip
        case Submit():
            requests.begin(connection, rt, person, effect, to, now)
        case Consented(given=given):
            name = event.inbound.profile_name if isinstance(event, Message) else None
            people.save_contact(
                connection, rt.store.sealer, person.id, to if given else None, (name or "") if given else ""
            )
        case Moved(new):
            _move(connection, rt, person, new, key, now)
        case NoteStaff(reference, text):
            rt.note(connection, reference, text, key=f"note:{key}", now=now)


def _event(connection: Connection, rt: Runtime, message: Inbound, released: bool) -> Message:
    def code(wamid: str) -> str:
        return rt.store.pseudonyms.of(f"wamid:{rt.name}", wamid)

    about = ledger.find(connection, rt.name, "out", code(message.quoted)) if message.quoted else ""
    content = message.content
    if isinstance(content, ReactionIn):
        about = ledger.find(connection, rt.name, "out", code(content.to))
    original = original_key = ""
    if isinstance(content, EditIn | RevokeIn):
        original_key = code(content.original)
        original = ledger.find(connection, rt.name, "in", original_key)
        original = "" if original.startswith("draft:") else original
    return Message(message, code(message.id), about, original, original_key, released)


def _remember(connection: Connection, rt: Runtime, person: Person, message: Inbound) -> None:
    """Keep the newest address and name of somebody who consented."""
    old = person.address or Address()
    new = Address(message.sender.user_id or old.user_id, message.sender.phone or old.phone)
    name = message.profile_name or person.name
    if (new, name) != (person.address, person.name):
        people.save_contact(connection, rt.store.sealer, person.id, new, name)


def _move(connection: Connection, rt: Runtime, person: Person, new: Address, key: str, now: float) -> None:
    moved = people.move(connection, rt.store.pseudonyms, rt.store.sealer, person, new)
    text = rt.texts(rt.town.languages[0], "staff.moved" if moved else "staff.moved_taken")
    for reference in tickets.of_person(connection, person.id):
        rt.note(connection, reference, text, key=f"note:{key}:{reference}", now=now)


def _address(payload: dict[str, object]) -> Address:
    user_id, phone = payload.get("user_id"), payload.get("phone")
    return Address(str(user_id) if user_id else None, str(phone) if phone else None)

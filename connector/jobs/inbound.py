"""A citizen's message: one conversation step, in one transaction with everything that follows from it."""

from __future__ import annotations

from dataclasses import asdict

from connector.core.address import Address
from connector.core.events import (
    Consented,
    Effect,
    Event,
    Fetch,
    Forget,
    Joined,
    Left,
    Message,
    Moved,
    NoteStaff,
    Quiet,
    Say,
    Shown,
    Submit,
    Wake,
)
from connector.core.incoming import AddressChangedIn, EditIn, Inbound, ReactionIn, ReplyIn, RevokeIn, TextIn
from connector.storage import consents, files, in_lane, ledger, people, sent, subscriptions, tickets, work
from connector.storage.consents import Terms
from connector.storage.people import Person
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit import crash
from connector.whatsapp.payloads import from_json

from . import feeds, moving, requests, templating
from .runtime import DAY, WINDOW, Runtime


def inbound(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: take in one message. The outcome is what the conversation says became of it."""
    message = from_json(row.payload["message"])
    sealer, pseudonyms = rt.store.sealer, rt.store.pseudonyms
    person = people.find(connection, pseudonyms, sealer, rt.name, message.sender)
    written = not isinstance(message.content, AddressChangedIn)
    if person is None and not written:
        # followed before, by the other notification of it, or never known: nobody is made of a former address
        code = pseudonyms.of(f"wamid:{rt.name}", message.id)
        outcome = "address changed: nobody is known by the former one"
        ledger.note_in(
            connection, town=rt.name, key=code, person_id=None, outcome=outcome, about=None, now=now
        )
        return outcome
    if person is None:
        person = people.create(connection, pseudonyms, sealer, rt.name, message.sender, now)
    if written:
        # what WhatsApp itself says of a person is no message of theirs: it opens no customer service window
        people.open_window(connection, person.id, message.at.timestamp() + WINDOW)
    released = 0
    if written and message.at.timestamp() + WINDOW > now:
        # answers that waited for the customer service window go out, in their order
        released = in_lane.bring_back(connection, f"held:{person.id}", f"out:{person.id}", now)
        if rt.town.templates.answer:
            waiting = templating.lane(rt, rt.town.templates.answer, person.id)
            in_lane.end_lane(
                connection, waiting, "not needed: the person wrote, and what it announces went out", now
            )
        if released:
            crash.point("inbound.released")
    event = _event(connection, rt, message, person, bool(released), now)
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
    talk = rt.conversation.seeing(feeds.board(connection, rt, now), now)
    state, step = talk.step(person.state, event, now)
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
        case Shown(version, language, digest, text):
            consents.show(connection, rt.name, version, language, digest, text, now)
        case Consented():
            _consented(connection, rt, person, effect, event, to, now)
        case Joined():
            terms = Terms(effect.version, effect.language, effect.digest, _key(event))
            if subscriptions.join(connection, rt.name, person.id, effect.topic, terms.message_key, now):
                consents.note(connection, rt.name, person.id, "news", "given", terms, now)
        case Left(topics, version, language, last):
            subscriptions.leave(connection, person.id, topics)
            if last:
                terms = Terms(version, language, "", _key(event))
                consents.withdraw(connection, rt.name, person.id, terms, now)
        case Moved(new):
            _move(connection, rt, person, new, key, now)
        case NoteStaff(reference, text):
            rt.note(connection, reference, text, key=f"note:{key}", now=now)


def _consented(
    connection: Connection,
    rt: Runtime,
    person: Person,
    said: Consented,
    event: Event,
    to: Address,
    now: float,
) -> None:
    """The evidence, and the address that is kept from now on or not any more."""
    terms = Terms(said.version, said.language, said.digest, _key(event))
    consents.catch_up(connection, rt.name, person.id, person.state)
    consents.note(connection, rt.name, person.id, "service", said.action, terms, now)
    if said.given:
        name = event.inbound.profile_name if isinstance(event, Message) else None
        people.save_contact(connection, rt.store.sealer, person.id, to, name or "")
        return
    # without an address nothing else can be sent either, and what was sent holds it until it is delivered
    consents.withdraw(connection, rt.name, person.id, terms, now, purpose="news")
    subscriptions.leave(connection, person.id)
    people.save_contact(connection, rt.store.sealer, person.id, None)
    sent.forget_person(connection, person.id)


def _key(event: Event) -> str | None:
    return event.key if isinstance(event, Message) else None


def _event(
    connection: Connection, rt: Runtime, message: Inbound, person: Person, released: bool, now: float
) -> Message:
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
    withdrawn = False
    if not released and isinstance(content, ReplyIn) and content.id.startswith("reply:"):
        ticket = tickets.by_reference(connection, rt.store.sealer, content.id.removeprefix("reply:"))
        withdrawn = ticket is not None and tickets.withdrawn(connection, ticket.id)
    # only what is said or chosen can ask for it
    asks = isinstance(content, TextIn | ReplyIn | EditIn)
    open_requests = tuple(tickets.of_person(connection, person.id)) if asks else ()
    left = not asks or tickets.sent_since(connection, person.id, now - DAY) < rt.allowed.requests
    topics = tuple(s.topic for s in subscriptions.of(connection, person.id)) if asks else ()
    return Message(
        message, code(message.id), about, original, original_key, released, withdrawn, open_requests, left, topics,
        blocked=person.stopped_at is not None,
    )  # fmt: skip


def _remember(connection: Connection, rt: Runtime, person: Person, message: Inbound) -> None:
    """Keep the newest address and name of somebody who consented."""
    old = person.address or Address()
    new = Address(message.sender.user_id or old.user_id, message.sender.phone or old.phone)
    name = message.profile_name or person.name
    if (new, name) != (person.address, person.name):
        people.save_contact(connection, rt.store.sealer, person.id, new, name)


def _move(connection: Connection, rt: Runtime, person: Person, new: Address, key: str, now: float) -> None:
    moved = moving.follow(connection, rt, person, new, now)
    text = rt.texts(rt.town.languages[0], "staff.moved" if moved else "staff.moved_taken")
    for reference in tickets.of_person(connection, person.id):
        rt.note(connection, reference, text, key=f"note:{key}:{reference}", now=now)


def _address(payload: dict[str, object]) -> Address:
    user_id, phone = payload.get("user_id"), payload.get("phone")
    return Address(str(user_id) if user_id else None, str(phone) if phone else None)

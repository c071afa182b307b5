"""People: found by pseudonym, remembered only as far as they agreed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from connector.core.address import Address
from connector.core.state import State
from connector.toolkit.privacy import Pseudonyms, Sealer

from .tables import person

# those of every message, put together once (see dialect.py)
_BY_ID = select(person).where(person.c.id == bindparam("who")).with_for_update()
_IN_TOWN = select(person).where(person.c.town == bindparam("in_town")).with_for_update()
_BY_USER = _IN_TOWN.where(person.c.user_key == bindparam("user"))
_BY_PHONE = _IN_TOWN.where(person.c.phone_key == bindparam("number"))
_HAS_ADDRESS = select(person.c.id).where(person.c.id == bindparam("who"), person.c.contact.is_not(None))
_ONE = update(person).where(person.c.id == bindparam("who"))
_SAVE = _ONE.values(state=bindparam("sealed"), updated_at=bindparam("at"))
_OPEN = _ONE.where(person.c.window_until < bindparam("until")).values(window_until=bindparam("until"))


@dataclass(frozen=True, slots=True)
class Person:
    """A person of one town. ``address`` and ``name`` are only there after consent."""

    id: int
    town: str
    state: State
    address: Address | None
    name: str
    window_until: float
    stopped_at: float | None = None
    """Since when WhatsApp lets no marketing message of ours through to them."""


def keys_of(pseudonyms: Pseudonyms, town: str, address: Address) -> tuple[str | None, str | None]:
    """Pseudonyms of the user id and of the number; None for what the address lacks."""
    user = pseudonyms.of(f"user:{town}", address.user_id) if address.user_id else None
    phone = pseudonyms.of(f"phone:{town}", address.phone) if address.phone else None
    return user, phone


def lane_of(pseudonyms: Pseudonyms, town: str, address: Address) -> str:
    """The lane in which this person's messages are taken in, one after the other."""
    user, phone = keys_of(pseudonyms, town, address)
    return f"in:{town}:{user or phone}"


def _person(sealer: Sealer, row: Row[tuple[object, ...]]) -> Person:
    contact = sealer.open(row.contact) if row.contact is not None else None
    return Person(
        id=row.id,
        town=row.town,
        state=State.model_validate(sealer.open(row.state)),
        address=Address(contact["user_id"], contact["phone"]) if contact else None,
        name=contact["name"] if contact else "",
        window_until=row.window_until,
        stopped_at=row.stopped_at,
    )


def get(connection: Connection, sealer: Sealer, person_id: int) -> Person:
    """The person, locked until the transaction ends."""
    return _person(sealer, connection.execute(_BY_ID, {"who": person_id}).one())


def has_address(connection: Connection, person_id: int) -> bool:
    """Whether it is remembered how the person is reached."""
    return connection.execute(_HAS_ADDRESS, {"who": person_id}).first() is not None


def id_of(connection: Connection, pseudonyms: Pseudonyms, town: str, address: Address) -> int | None:
    """Number of the person with that address, None when nobody is known by it. Nothing is locked or opened."""
    user, phone = keys_of(pseudonyms, town, address)
    by = person.c.user_key == user if user is not None else person.c.phone_key == phone
    found = connection.execute(select(person.c.id).where(person.c.town == town, by)).first()
    return None if found is None else int(found.id)


def find(
    connection: Connection, pseudonyms: Pseudonyms, sealer: Sealer, town: str, address: Address
) -> Person | None:
    """Who this address belongs to: by user id where there is one, otherwise by the number.

    Somebody who was known by the number alone is the same person when a user id comes with it for the first
    time. A number whose owner has another user id is somebody else's now: numbers are recycled.
    """
    user, phone = keys_of(pseudonyms, town, address)
    if user is not None:
        row = connection.execute(_BY_USER, {"in_town": town, "user": user}).first()
        if row is not None:
            if phone is not None and row.phone_key != phone:
                _take_number(connection, town, row.id, phone)
            return _person(sealer, row)
    if phone is None:
        return None
    row = connection.execute(_BY_PHONE, {"in_town": town, "number": phone}).first()
    if row is None:
        return None
    if user is not None:
        if row.user_key is not None:
            connection.execute(update(person).where(person.c.id == row.id).values(phone_key=None))
            return None
        connection.execute(update(person).where(person.c.id == row.id).values(user_key=user))
    return _person(sealer, row)


def _take_number(connection: Connection, town: str, person_id: int, phone: str) -> None:
    connection.execute(
        update(person).where(person.c.town == town, person.c.phone_key == phone).values(phone_key=None)
    )
    connection.execute(update(person).where(person.c.id == person_id).values(phone_key=phone))


def create(
    connection: Connection, pseudonyms: Pseudonyms, sealer: Sealer, town: str, address: Address, now: float
) -> Person:
    """Somebody new, of whom nothing but pseudonyms is kept."""
    user, phone = keys_of(pseudonyms, town, address)
    state = State()
    created = connection.execute(
        person.insert().values(
            town=town, user_key=user, phone_key=phone, state=sealer.seal(state.model_dump(mode="json")),
            created_at=now, updated_at=now,
        )
    )  # fmt: skip
    key = created.inserted_primary_key
    assert key is not None
    return Person(int(key[0]), town, state, None, "", 0.0)


def save_state(connection: Connection, sealer: Sealer, person_id: int, state: State, now: float) -> None:
    """Store where the conversation is."""
    sealed = sealer.seal(state.model_dump(mode="json", exclude_defaults=True))
    connection.execute(_SAVE, {"who": person_id, "sealed": sealed, "at": now})


def save_contact(
    connection: Connection, sealer: Sealer, person_id: int, address: Address | None, name: str = ""
) -> None:
    """Store how the person is reached (after consent), or erase it (``None``)."""
    sealed = (
        sealer.seal({"user_id": address.user_id, "phone": address.phone, "name": name})
        if address is not None
        else None
    )
    connection.execute(update(person).where(person.c.id == person_id).values(contact=sealed))


def open_window(connection: Connection, person_id: int, until: float) -> None:
    """The customer service window is open until then (Unix seconds); it never shrinks."""
    connection.execute(_OPEN, {"who": person_id, "until": until})


def shut_window(connection: Connection, person_id: int, now: float) -> None:
    """WhatsApp says that the customer service window is closed, whatever we thought."""
    connection.execute(
        update(person).where(person.c.id == person_id, person.c.window_until > now).values(window_until=now)
    )


def stop_marketing(connection: Connection, person_id: int, at: float | None) -> None:
    """WhatsApp says that the person wants no marketing messages of ours since ``at``; None: that they do (again)."""
    connection.execute(update(person).where(person.c.id == person_id).values(stopped_at=at))


def move(connection: Connection, pseudonyms: Pseudonyms, sealer: Sealer, who: Person, new: Address) -> bool:
    """The person is reached at ``new`` from now on. False, and nothing changes, when somebody else already is."""
    merged = Address(
        new.user_id or (who.address.user_id if who.address and not new.phone else None), new.phone
    )
    user, phone = keys_of(pseudonyms, who.town, merged)
    for column, key in ((person.c.user_key, user), (person.c.phone_key, phone)):
        if key is None:
            continue
        other = connection.execute(
            select(person.c.id).where(person.c.town == who.town, column == key, person.c.id != who.id)
        ).first()
        if other is not None:
            return False
    connection.execute(update(person).where(person.c.id == who.id).values(user_key=user, phone_key=phone))
    if who.address is not None:
        save_contact(connection, sealer, who.id, merged, who.name)
    return True


def forget(connection: Connection, person_id: int) -> None:
    """Remove a person of whom nothing else is held."""
    connection.execute(delete(person).where(person.c.id == person_id))

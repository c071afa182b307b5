"""Everything that is encrypted, encrypted anew with the first key: in small batches, beside a service that writes.

A value is replaced only when it still is what was read: whoever wrote it meanwhile has encrypted it anew already, or
the next pass does it. Nothing of where it has got to is stored: what is under the first key is left as it is, so that
it can be killed and begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, func, or_, select, update

from connector.toolkit import crash
from connector.toolkit.privacy import Sealer, WrongKey

from .store import Store
from .tables import keep, media, media_part, person, ticket, work

TEXTS: Sequence[Column[Any]] = (
    person.c.contact, person.c.state, ticket.c.content, media.c.facts, work.c.payload,
)  # fmt: skip
"""Columns that hold a ciphertext of ``Sealer.seal``; their tables have an ``id``."""
PARTS = media_part.c.data
"""Holds ciphertexts of ``Sealer.seal_bytes``, as does the pepper, which comes last."""
_BATCH, _PARTS = 200, 8


@dataclass(frozen=True, slots=True)
class Batch:
    """A few values that were looked at: how many, how many of them were under another key and how many are not any
    more (the rest was in somebody's hands: the next pass finds it), and how many are under a key nobody gave us."""

    table: str
    seen: int
    stale: int
    resealed: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class _Value:
    """One ciphertext: the column and the row it is in, and what it is bound to ("" for a text)."""

    column: Column[Any]
    row: tuple[Any, ...]
    sealed: bytes
    label: str = ""


def total(connection: Connection) -> int:
    """How many values a pass looks at, the pepper aside."""
    columns = (*TEXTS, PARTS)
    counts = (select(func.count()).select_from(c.table).where(c.is_not(None)) for c in columns)
    return sum(int(connection.execute(query).scalar_one()) for query in counts)


def reseal(store: Store) -> Iterator[Batch]:
    """One pass over everything but the pepper, a batch at a time."""
    for values in _pages(store):
        found = {value: sealed for value in values if (sealed := _again(store.sealer, value)) is not None}
        fresh = {value: sealed for value, sealed in found.items() if sealed}
        resealed = _replace(store, fresh) if fresh else 0
        yield Batch(values[0].column.table.name, len(values), len(fresh), resealed, len(found) - len(fresh))


def left(store: Store) -> int:
    """How many values can be read and are under another key than the first, the pepper counted."""
    found = 0 if store.sealer.current_bytes(_pepper(store), "pepper") else 1
    return found + sum(bool(_again(store.sealer, value)) for values in _pages(store) for value in values)


def reseal_pepper(store: Store) -> None:
    """The pepper, which tells at every start whether the key is right: once all else is under the first key."""
    old = _pepper(store)
    if store.sealer.current_bytes(old, "pepper"):
        return
    new = store.sealer.seal_bytes(store.sealer.open_bytes(old, "pepper"), "pepper")
    change = update(keep).where(keep.c.name == "pepper", keep.c.value == old).values(value=new)
    store.write_now(lambda connection: connection.execute(change))


def _pepper(store: Store) -> bytes:
    query = select(keep.c.value).where(keep.c.name == "pepper")
    return bytes(store.read_now(lambda connection: connection.execute(query).scalar_one()))


def _pages(store: Store) -> Iterator[list[_Value]]:
    """Every value, column by column, a few at a time."""
    for column in TEXTS:
        key = column.table.c.id
        query = select(key, column.label("sealed")).where(column.is_not(None)).order_by(key).limit(_BATCH)

        def ids(after: _Value, query: Select[Any] = query, key: Any = key) -> Select[Any]:
            return query.where(key > after.row[0])

        yield from _page_by_page(store, column, query, ids)
    file, n = media_part.c.media_id, media_part.c.n
    parts = (
        select(file, n, PARTS.label("sealed"), media.c.ref)
        .join_from(media_part, media)
        .order_by(file, n)
        .limit(_PARTS)
    )

    def parts_after(after: _Value) -> Select[Any]:
        return parts.where(or_(file > after.row[0], and_(file == after.row[0], n > after.row[1])))

    yield from _page_by_page(store, PARTS, parts, parts_after)


def _page_by_page(
    store: Store, column: Column[Any], query: Select[Any], beyond: Callable[[_Value], Select[Any]]
) -> Iterator[list[_Value]]:
    width = len(column.table.primary_key)

    def page(connection: Connection) -> list[_Value]:
        return [
            _Value(column, tuple(r[:width]), bytes(r.sealed), f"{r.ref}/{r.n}" if column is PARTS else "")
            for r in connection.execute(query)
        ]

    while values := store.read_now(page):
        yield values
        query = beyond(values[-1])


def _again(sealer: Sealer, value: _Value) -> bytes | None:
    """The value under the first key; None when it is, b"" when it cannot be read."""
    try:
        if value.label:
            if sealer.current_bytes(value.sealed, value.label):
                return None
            return sealer.seal_bytes(sealer.open_bytes(value.sealed, value.label), value.label)
        return None if sealer.current(value.sealed) else sealer.seal(sealer.open(value.sealed))
    except WrongKey:
        return b""


def _replace(store: Store, fresh: Mapping[_Value, bytes]) -> int:
    """Write the new ciphertexts of values that still are what was read; the number of those."""

    def write(connection: Connection) -> int:
        done = 0
        for value, sealed in fresh.items():
            table = value.column.table
            row = (c == v for c, v in zip(table.primary_key.columns, value.row, strict=True))
            still = and_(*row, value.column == value.sealed)
            # a row that a service has in hand is left to the next pass: who waits for nobody is in no deadlock
            free = select(value.column.is_not(None)).where(still).with_for_update(skip_locked=True)
            if connection.execute(free).first() is not None:
                connection.execute(update(table).where(still).values({value.column.name: sealed}))
                done += 1
        return done

    done = store.write_now(write)
    crash.point("key.batch")
    return done

"""The last good copy of each public source, and since when each of its items is known.

Nothing here is encrypted: it is what everybody can read on the town's website, and says nothing of any person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select

from connector.core.board import Board, Copy, Item

from .dialect import upsert
from .tables import feed, feed_item

_OFTEN = 6
"""Failures in a row after which a source that never answered is not only slow to begin: half an hour."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of a source. Times are Unix seconds, None for never."""

    town: str
    name: str
    """Key of its page."""
    address: str
    etag: str
    modified: str
    digest: str
    began_at: float | None
    """When its first copy was taken: what it held then is no news."""
    whole_at: float | None
    """When it was last read whole."""
    good_at: float | None
    """When it last said that the copy is how it is."""
    due_at: float
    failures: int
    """In a row."""
    problem: str
    """Why the last look failed, "" when it did not."""


@dataclass(frozen=True, slots=True)
class Known:
    """An item, and when it was first seen."""

    item: Item
    first_at: float


def _feed(row: Any) -> Feed:
    return Feed(
        row.town,
        row.name,
        row.address,
        row.etag or "",
        row.modified or "",
        row.digest or "",
        row.began_at,
        row.whole_at,
        row.good_at,
        row.due_at,
        row.failures,
        row.problem or "",
    )


def every(connection: Connection, town: str | None = None) -> list[Feed]:
    """All sources that were ever looked at, of one town or of all."""
    query = select(feed).order_by(feed.c.town, feed.c.name)
    if town is not None:
        query = query.where(feed.c.town == town)
    return [_feed(row) for row in connection.execute(query)]


def get(connection: Connection, town: str, name: str, address: str) -> Feed | None:
    """What is known of a source; None when nothing is, or when it was another address then."""
    row = connection.execute(select(feed).where(feed.c.town == town, feed.c.name == name)).first()
    return _feed(row) if row is not None and row.address == address else None


def failed(
    connection: Connection, town: str, name: str, address: str, problem: str, failures: int, due_at: float
) -> None:
    """A look at a source went wrong: the copy stays as it is."""
    _begin(connection, town, name, address)
    values = {"address": address, "problem": problem, "failures": failures, "due_at": due_at}
    upsert(connection, feed, {"town": town, "name": name}, values)


def unchanged(connection: Connection, town: str, name: str, now: float, due_at: float) -> None:
    """A source says that the copy is still how it is."""
    values = {"good_at": now, "due_at": due_at, "failures": 0, "problem": None}
    connection.execute(feed.update().where(feed.c.town == town, feed.c.name == name).values(**values))
    listed = and_(feed_item.c.town == town, feed_item.c.feed == name, feed_item.c.position.is_not(None))
    connection.execute(feed_item.update().where(listed).values(last_at=now))


def save(
    connection: Connection,
    town: str,
    name: str,
    address: str,
    items: Sequence[Item],
    *,
    now: float,
    due_at: float,
    etag: str = "",
    modified: str = "",
    digest: str = "",
) -> int:
    """A new good copy takes the place of the last one. Returns how many of its items are news."""
    _begin(connection, town, name, address)
    here = and_(feed_item.c.town == town, feed_item.c.feed == name)
    fresh = 0
    known = {row.item for row in connection.execute(select(feed_item.c.item).where(here))}
    connection.execute(feed_item.update().where(here).values(position=None))
    for position, item in enumerate(items):
        values = {
            "position": position,
            "title": item.title,
            "summary": item.summary,
            "text": item.text,
            "url": item.url,
            "at": item.at,
            "until": item.until,
            "whole_day": int(item.whole_day),
            "place": item.place,
            "categories": json.dumps(item.categories, ensure_ascii=False),
            "last_at": now,
        }
        where = {"town": town, "feed": name, "item": item.id}
        if item.id in known:
            connection.execute(feed_item.update().where(here, feed_item.c.item == item.id).values(**values))
        else:
            connection.execute(feed_item.insert().values(**where, **values, first_at=now))
            known.add(item.id)
            fresh += 1
    old = get(connection, town, name, address)
    began = old.began_at if old and old.began_at is not None else now
    upsert(
        connection,
        feed,
        {"town": town, "name": name},
        {
            "address": address,
            "etag": etag or None,
            "modified": modified or None,
            "digest": digest or None,
            "began_at": began,
            "whole_at": now,
            "good_at": now,
            "due_at": due_at,
            "failures": 0,
            "problem": None,
        },
    )
    return fresh if old and old.began_at is not None else 0


def _begin(connection: Connection, town: str, name: str, address: str) -> None:
    """Another address under the same name is another source: nothing of the old one is its own."""
    row = connection.execute(
        select(feed.c.address).where(feed.c.town == town, feed.c.name == name).with_for_update()
    ).first()
    if row is not None and row.address != address:
        connection.execute(feed_item.delete().where(feed_item.c.town == town, feed_item.c.feed == name))
        connection.execute(feed.delete().where(feed.c.town == town, feed.c.name == name))


def _item(row: Any) -> Item:
    return Item(
        row.item,
        row.title,
        row.summary,
        row.text,
        row.url,
        row.at,
        row.until,
        bool(row.whole_day),
        row.place,
        tuple(json.loads(row.categories)),
    )


def board(connection: Connection, town: str, addresses: Mapping[str, str]) -> Board:
    """The copies of the sources with these names and addresses; those without a good copy are left out."""
    good = {
        f.name: f.good_at
        for f in every(connection, town)
        if f.good_at is not None and addresses.get(f.name) == f.address
    }
    listed: dict[str, list[Item]] = {name: [] for name in good}
    query = select(feed_item).where(feed_item.c.town == town, feed_item.c.position.is_not(None))
    for row in connection.execute(query.order_by(feed_item.c.feed, feed_item.c.position)):
        if row.feed in listed:
            listed[row.feed].append(_item(row))
    return Board({name: Copy(tuple(items), good[name]) for name, items in listed.items()})


def news(connection: Connection, town: str, name: str, since: float) -> list[Known]:
    """Items that a source listed for the first time after ``since``, oldest first.

    What its first copy held is no news, neither is what came back, nor what only changed: an item is known by its id
    for as long as it is listed and ``forget`` allows.
    """
    query = (
        select(feed_item)
        .join(feed, and_(feed.c.town == feed_item.c.town, feed.c.name == feed_item.c.feed))
        .where(
            feed_item.c.town == town,
            feed_item.c.feed == name,
            feed_item.c.first_at > since,
            feed_item.c.first_at > feed.c.began_at,
        )
        .order_by(feed_item.c.first_at, feed_item.c.position)
    )
    return [Known(_item(row), row.first_at) for row in connection.execute(query)]


def away(connection: Connection, before: float) -> list[Feed]:
    """Sources that fail and gave no good copy since ``before``, or never did: a person has to look."""
    return [
        f
        for f in every(connection)
        if f.problem and (f.failures >= _OFTEN if f.good_at is None else f.good_at < before)
    ]


def forget(connection: Connection, before: float) -> int:
    """Erase items that no source has listed since ``before``. Returns how many."""
    gone = and_(feed_item.c.position.is_(None), feed_item.c.last_at < before)
    return connection.execute(feed_item.delete().where(gone)).rowcount

"""Meta's webhooks: the whole notification, part by part (CLOUD-API.md 1.3 and 2).

One bad part never takes others with it: what cannot be understood becomes a ``Notice`` of field
``UNPARSED`` with the raw part, so that it is kept and counted. Pure; the arrival time comes in as argument.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from connector.core.address import Address
from connector.core.incoming import DeliveryState, Inbound, Notice, Status, UnknownIn, UnsupportedIn

from .codec import from_json, outgoing_from_json, to_json
from .content import (
    BSUID,
    Object,
    content,
    error_code,
    former_user_id,
    items,
    number,
    obj,
    phone,
    text,
    type_of,
)
from .outgoing import build, mark_read

__all__ = ["UNPARSED", "Parsed", "build", "from_json", "mark_read", "outgoing_from_json", "parse", "to_json"]

UNPARSED = "unparsed"
"""Field of the notices that hold what could not be understood."""

_DEEPEST = 64
_LONGEST_INT = 100
_LONGEST_TITLE = 200
_LAST_SECOND = 253_402_300_799  # 9999-12-31, the last a datetime can hold
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")
_RANK = {state: rank for rank, state in enumerate(DeliveryState)}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A notification taken apart; messages and statuses in order of Meta's timestamps, ties as they came."""

    inbound: tuple[Inbound, ...] = ()
    statuses: tuple[Status, ...] = ()
    notices: tuple[Notice, ...] = ()
    problems: tuple[str, ...] = ()
    """What was not as expected, for the log: places and kinds only, nothing of a person."""


def parse(body: bytes, received: datetime) -> Parsed:
    """Take a webhook's body apart. Never raises, whatever the bytes.

    ``received`` is when it arrived: the time of a message whose own timestamp (and the entry's) is not
    readable. The same message or status twice in one body comes out once. Messages of types nobody knows
    come out as ``UnknownIn`` without their raw content: what people write is not kept before it has a place.
    """
    try:
        root = json.loads(body, parse_constant=lambda _: None, parse_int=_int, parse_float=_float)
        if b"\\u" in body:
            root = _storable(root)
    except RecursionError:
        return Parsed(problems=("the body is nested too deeply",))
    except ValueError:
        return Parsed(problems=("the body is no JSON",))
    reader = _Reader(received.astimezone(UTC).replace(microsecond=0))
    reader.root(root)
    return reader.result()


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INT else digits


def _float(digits: str) -> float | None:
    found = float(digits)
    return found if math.isfinite(found) else None


def _storable(value: Any) -> Any:
    """Without NUL and lone surrogates, which JSON can escape and neither UTF-8 nor PostgreSQL can hold."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(v) for v in value]
    if isinstance(value, dict):
        return {_storable(k): _storable(v) for k, v in value.items()}
    return value


def _moment(stamp: Any) -> datetime | None:
    """Unix seconds, as a string or a number (CLOUD-API.md 1.3)."""
    seconds = number(stamp)
    if seconds is None or not 0 < seconds <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _too_deep(value: Any, levels: int = _DEEPEST) -> bool:
    if levels == 0:
        return True
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else items(value)
    return any(_too_deep(v, levels - 1) for v in inner)


@dataclass(slots=True)
class _People:
    """The ``contacts`` of one change, found by id: never by position (CLOUD-API.md 1.3)."""

    contacts: list[Object]

    def join(self, sender: Address) -> tuple[Address, Object]:
        """The sender with what its own contact adds, and that contact ({} when none is surely its)."""
        found = [c for c in self.contacts if sender.user_id and text(c.get("user_id")) == sender.user_id]
        if not found and sender.phone:
            found = [
                c
                for c in self.contacts
                if phone(c.get("wa_id")) == sender.phone
                and (not sender.user_id or not text(c.get("user_id")))
            ]
        if not found or len({text(c.get("user_id")) for c in found}) > 1:
            return sender, {}
        contact = found[0]
        joined = replace(
            sender,
            user_id=sender.user_id or text(contact.get("user_id")),
            phone=sender.phone or phone(contact.get("wa_id")),
        )
        return joined, contact


@dataclass(slots=True)
class _Reader:
    received: datetime
    inbound: dict[str, Inbound] = field(default_factory=dict)
    statuses: dict[tuple[object, ...], Status] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def result(self) -> Parsed:
        return Parsed(
            tuple(sorted(self.inbound.values(), key=lambda m: m.at)),
            tuple(sorted(self.statuses.values(), key=lambda s: (s.at, _RANK[s.state]))),
            tuple(self.notices),
            tuple(self.problems),
        )

    # --- the envelope ---

    def root(self, root: Any) -> None:
        if not isinstance(root, dict) or not isinstance(root.get("entry"), list):
            self.keep(UNPARSED, None, root, "the body has no entry list")
            return
        for i, entry in enumerate(root["entry"]):
            where = f"entry[{i}]"
            if not isinstance(entry, dict):
                self.keep(UNPARSED, None, entry, f"{where} is no object")
            elif not isinstance(entry.get("changes"), list):
                if set(entry) - {"id", "time"}:
                    self.keep(UNPARSED, None, entry, f"{where} has no change list")
            else:
                for j, change in enumerate(entry["changes"]):
                    self.guarded(self.change, change, f"{where}.changes[{j}]", None, entry.get("time"))

    def guarded(self, read: Any, part: Any, where: str, channel: str | None, *more: Any) -> None:
        """Read one part; whatever happens in it, the other parts go on and this one is kept."""
        try:
            read(part, where, *more)
        except Exception as error:
            self.keep(UNPARSED, channel, part, f"{where}: {type(error).__name__}")

    def keep(self, name: str, channel: str | None, part: Any, problem: str = "") -> None:
        payload = dict(part) if isinstance(part, dict) else {"value": part}
        if _too_deep(payload):
            payload, problem = {}, (problem or name) + ", nested too deeply to keep"
        self.notices.append(Notice(name, channel, payload))
        if problem:
            self.problems.append(problem)

    def change(self, change: Any, where: str, time: Any) -> None:
        value = obj(change).get("value")
        name = text(obj(change).get("field")) or ""
        if not isinstance(value, dict) or (not name and not (value.get("messages") or value.get("statuses"))):
            self.keep(name or UNPARSED, None, change, f"{where} is not field and value")
            return
        channel = text(obj(value.get("metadata")).get("phone_number_id"))
        if name not in ("messages", ""):
            self.keep(name, channel, value)
            return
        self.messages_field(value, where, time, channel)

    def messages_field(self, value: Object, where: str, time: Any, channel: str | None) -> None:
        people = _People([obj(c) for c in items(value.get("contacts"))])
        rest = {k: v for k, v in value.items() if k not in ("messages", "statuses", "contacts")}
        if channel is None and (value.get("messages") or value.get("statuses")):
            self.problems.append(f"{where}: no phone_number_id")
        for name, read in (("messages", self.message), ("statuses", self.status)):
            parts = value.get(name)
            if parts and not isinstance(parts, list):
                self.keep(UNPARSED, channel, {name: parts}, f"{where}.{name} is no list")
            for k, part in enumerate(items(parts)):
                self.guarded(read, part, f"{where}.{name}[{k}]", channel, channel, people, time)
        # value.errors explains a message of this change that has no content (sample 28); alone it is news.
        ids = {text(obj(part).get("id")) for part in items(value.get("messages"))}
        explained = any(
            isinstance(m.content, UnknownIn | UnsupportedIn) for m in self.inbound.values() if m.id in ids
        )
        if explained:
            rest.pop("errors", None)
        if any(rest[k] for k in rest.keys() - {"messaging_product", "metadata"}):
            self.keep("messages", channel, rest)

    # --- messages ---

    def message(self, part: Any, where: str, channel: str | None, people: _People, time: Any) -> None:
        wamid = text(obj(part).get("id"))
        if wamid is None:
            self.keep(UNPARSED, channel, part, f"{where} has no id")
            return
        if wamid in self.inbound:
            return
        said = content(part)
        if said is None:
            self.keep("system", channel, part)
            return
        sender, contact = people.join(self.sender(part))
        if sender.user_id is None and sender.phone is None:
            self.keep(UNPARSED, channel, part, f"{where} ({type_of(part)}) has no sender")
            return
        if isinstance(said, UnknownIn):
            self.problems.append(f"{where}: {type_of(part)[:40]!a} message that is not understood")
        profile = obj(contact.get("profile"))
        self.inbound[wamid] = Inbound(
            id=wamid,
            at=self.when(part.get("timestamp"), time, where),
            sender=sender,
            channel=channel or "",
            content=said,
            profile_name=text(profile.get("name")),
            username=text(profile.get("username")) or text(contact.get("username")),
            quoted=text(obj(part.get("context")).get("id")),
            group=bool(part.get("group_id")),
        )

    def sender(self, part: Object) -> Address:
        user_id, origin = text(part.get("from_user_id")), text(part.get("from"))
        if user_id is None and origin and BSUID.fullmatch(origin):
            user_id = origin
        number = phone(origin)
        if user_id is None and number is None:
            user_id = former_user_id(part)
        return Address(user_id, number)

    def when(self, stamp: Any, entry_time: Any, where: str) -> datetime:
        """Meta's timestamp; else the entry's; else the arrival."""
        found = _moment(stamp)
        if found is None:
            self.problems.append(f"{where}: timestamp not readable")
            found = _moment(entry_time) or self.received
        return found

    # --- statuses ---

    def status(self, part: Any, where: str, channel: str | None, people: _People, time: Any) -> None:
        wamid, state = text(obj(part).get("id")), text(obj(part).get("status"))
        if wamid is None or state not in _STATES:
            self.keep(UNPARSED, channel, part, f"{where} has no id or a state nobody knows")
            return
        user_id = text(part.get("recipient_user_id"))
        number = phone(part.get("recipient_id"))
        if part.get("recipient_type") == "group" or part.get("recipient_participant_id"):
            user_id = text(part.get("recipient_participant_user_id"))
            number = phone(part.get("recipient_participant_id"))
        recipient, _ = people.join(Address(user_id, number))
        pricing, error = obj(part.get("pricing")), next(map(obj, items(part.get("errors"))), {})
        billable = pricing.get("billable")
        found = Status(
            id=wamid,
            state=DeliveryState(state),
            at=self.when(part.get("timestamp"), time, where),
            channel=channel or "",
            recipient=recipient,
            key=text(part.get("biz_opaque_callback_data")),
            error_code=error_code(part.get("errors")),
            error_title=(text(error.get("title")) or "")[:_LONGEST_TITLE] or None,
            category=text(pricing.get("category")),
            billable=billable if isinstance(billable, bool) else None,
        )
        self.statuses.setdefault((wamid, state, recipient), found)


_STATES = frozenset(state.value for state in DeliveryState)

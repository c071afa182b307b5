"""Queues and people by the names that the settings give their numbers; statuses, priorities and fields as the API offers
them.

The API lists neither queues nor people. Whether a number exists, and is one our account may use, it says of a ticket that
lacks its title: then it names all that is wrong with it and makes nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.core.errors import Forbidden, Unavailable
from connector.trackers.similar import norm, pick

from .config import Config
from .http import WHO, Connection

KEEP_SECONDS = 300.0
"""So long what was looked up is believed."""
CUSTOM = "custom_"
"""How the API begins the name of a custom field."""
_RANK = re.compile(r"^\d+\.\s*")


@dataclass(frozen=True)
class Field:
    """A custom field. ``key`` is the API's name for it, ``choices`` what it takes (None: anything)."""

    key: str
    label: str
    text: bool
    choices: tuple[str, ...] | None
    longest: int | None

    def taken(self, value: str) -> str:
        """A value as the field takes it: an offered one in its own writing, any other cut to what fits."""
        for choice in self.choices or ():
            if norm(choice) == norm(value):
                return choice
        return value[: self.longest]


@dataclass(frozen=True)
class Form:
    """What a ticket can have: numbers and names of statuses and priorities, and the custom fields."""

    statuses: Mapping[int, str]
    priorities: Mapping[int, str]
    fields: tuple[Field, ...]
    needs_title: bool


class Names:
    """Looks names up over one connection, for all threads."""

    def __init__(self, config: Config, connection: Connection) -> None:
        self._config = config
        self._http = connection
        self._form: tuple[float, Form] | None = None
        self._called: dict[int, str] = {}

    # --- queues and people -------------------------------------------------------------------------

    def queue(self, name: str) -> int:
        """Number of a queue by its name in ``tracker.queues``, or the number itself. Raises ``Forbidden``."""
        number = _number(name, self._config.queues)
        if number is None:
            raise Forbidden(f"tracker.queues does not say which number the queue «{name}» has", code="queue")
        self._called[number] = name
        return number

    def queue_called(self, number: int) -> str:
        """A queue as the mapping calls it; else by its name in the settings, or its number."""
        return self._called.get(number) or _name(number, self._config.queues)

    def person(self, name: str) -> int | None:
        """Number of somebody by their name in ``tracker.people``, or the number itself."""
        return _number(name, self._config.people)

    def person_called(self, number: int) -> str:
        """Somebody's name in the settings, else their number."""
        return _name(number, self._config.people)

    # --- what a ticket can have --------------------------------------------------------------------

    def form(self, *, fresh: bool = False) -> Form:
        """What the API offers for a new ticket, as it was asked lately."""
        held = self._form
        if held is None or fresh or time.monotonic() - held[0] > KEEP_SECONDS:
            held = self._form = (time.monotonic(), _form(self._http.options("/tickets/")))
        return held[1]

    def status(self, name: str) -> int | None:
        """Number of a status by its name or number, asking once more on a miss."""
        return pick(name, self.form().statuses) or pick(name, self.form(fresh=True).statuses)

    def status_called(self, number: int) -> str:
        """Name of a status."""
        known = self.form().statuses
        return known.get(number) or self.form(fresh=True).statuses.get(number, str(number))

    def priority(self, name: str) -> int | None:
        """Number of a priority by its name, with or without the rank before it («2. High»), or its number. With "" what
        django-helpdesk itself takes for normal: the third, or the one in the middle."""
        known = self.form().priorities
        if not name:
            return 3 if 3 in known or not known else sorted(known)[len(known) // 2]
        return pick(name, known) or pick(name, {n: _RANK.sub("", said) for n, said in known.items()})

    def field(self, name: str, *, fresh: bool = False) -> Field | None:
        """A custom field by its label or name."""
        wanted = (norm(name), norm(f"{CUSTOM}{name}"))
        hits = [f for f in self.form(fresh=fresh).fields if norm(f.label) in wanted or norm(f.key) in wanted]
        return hits[0] if len(hits) == 1 else None

    def reference_key(self) -> str:
        """The API's name of our reference field, "" when there is none. Raises ``Unavailable`` when it does not exist:
        then no ticket has it, and that proves nothing."""
        name = self._config.reference_field
        if not name:
            return ""
        found = self.field(name) or self.field(name, fresh=True)
        if found is None:
            raise Unavailable(
                f"{WHO} has no custom field «{name}», so a search by reference proves nothing. Make it, or correct "
                "tracker.reference_field in the mapping",
                code="no_reference_field",
            )
        return found.key

    # --- a try that makes nothing ------------------------------------------------------------------

    def refused(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The fields of a new ticket that would be refused."""
        if not self.form().needs_title:
            raise Unavailable(f"{WHO} takes tickets without a title: nothing can be tried", code="no_title")
        return self._http.refusal("/tickets/", values)

    def sees(self, queue: int) -> None:
        """Raise ``Forbidden`` where our account has no right in a queue, or there is none of that number."""
        if "queue" in self.refused({"queue": queue}):
            raise Forbidden(
                f"{WHO} shows our account no queue {queue}, «{self.queue_called(queue)}»: give it the right "
                "«Permission for queue», or correct the number in tracker.queues",
                code="queue",
            )


def _number(name: str, known: Mapping[str, int]) -> int | None:
    hits = {number for called, number in known.items() if norm(called) == norm(name)}
    if len(hits) == 1:
        return hits.pop()
    return int(name) if name.isascii() and name.isdigit() and int(name) else None


def _name(number: int, known: Mapping[str, int]) -> str:
    return next((name for name, n in known.items() if n == number), str(number))


def _form(offered: Mapping[str, Any]) -> Form:
    """What OPTIONS says, which differs with what our account may do: without ``POST`` it may make no tickets."""
    parts = offered.get("actions", {}).get("POST")
    if not isinstance(parts, dict) or "title" not in parts:
        raise Forbidden(
            f"{WHO} lets our account make no tickets: mark it as staff (is_staff)", code="no_post"
        )
    fields = []
    for key, part in parts.items():
        if not key.startswith(CUSTOM):
            continue
        choices = tuple(str(c["value"]) for c in part["choices"]) if "choices" in part else None
        plain = part.get("type") == "string"
        fields.append(Field(key, str(part.get("label") or key), plain, choices, part.get("max_length")))
    return Form(
        statuses=_choices(parts.get("status")),
        priorities=_choices(parts.get("priority")),
        fields=tuple(fields),
        needs_title=parts["title"].get("required") is True,
    )


def _choices(part: Mapping[str, Any] | None) -> dict[int, str]:
    return {int(c["value"]): str(c["display_name"]) for c in (part or {}).get("choices", ())}

"""What a Roundup calls its people, places, statuses, priorities and keywords; who we are in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.core.errors import Forbidden
from connector.trackers import similar

from .config import Config
from .http import Api

_FRESH = 300.0
"""Seconds for which names are believed; a name that is not among them is asked for at once."""
_HASTE = 10.0
"""Seconds for which an unknown name is not asked for again."""
_CHOICES = ("status", "priority", "keyword")


@dataclass(frozen=True, slots=True)
class Person:
    login: str
    name: str
    """What the person is called: the real name, where there is one."""


@dataclass(frozen=True, slots=True)
class Names:
    """By id."""

    me: str
    """Our own id."""
    home: str
    """Address of the tracker as Roundup itself knows it, with a slash at the end."""
    classes: frozenset[str]
    """Classes of which our account may see something."""
    people: Mapping[int, Person]
    projects: Mapping[int, str]
    choices: Mapping[str, Mapping[int, str]]
    sees_issues: bool
    """Whether our account sees any issue at all: where it sees none an empty list proves nothing."""

    def person(self, wanted: str) -> int | None:
        """By real name, login or id; None when unknown, or when two have that name."""
        by_name = similar.pick(wanted, {i: p.name for i, p in self.people.items()})
        return by_name or similar.pick(wanted, {i: p.login for i, p in self.people.items()})

    def choice(self, kind: str, wanted: str) -> int | None:
        """A status, priority or keyword by name or id."""
        return similar.pick(wanted, self.choices[kind])

    def name_of(self, person: str | None) -> str:
        found = self.people.get(int(person)) if person else None
        return found.name if found else (f"user{person}" if person else "")

    def status(self, status: str | None) -> str:
        return self.choices["status"].get(int(status), f"status{status}") if status else ""


class Directory:
    """The names, asked for when they are needed and not known, or old."""

    def __init__(self, api: Api, config: Config) -> None:
        self._api, self._config = api, config
        self._lock = threading.Lock()
        self._names: Names | None = None
        self._at = 0.0
        self._called: dict[int, str] = {}

    def now(self, *, younger_than: float = _FRESH) -> Names:
        """The names, asked for again if they are older than so many seconds. Raises what reading raises."""
        with self._lock:
            if self._names is None or time.monotonic() - self._at >= younger_than:
                self._names, self._at = self._ask(), time.monotonic()
            return self._names

    def resolve(self, pick: Callable[[Names], int | None]) -> int | None:
        """What ``pick`` finds in the names; if it is nothing, in those of this moment."""
        found = pick(self.now())
        return found if found is not None else pick(self.now(younger_than=_HASTE))

    def project(self, wanted: str) -> int | None:
        """The place a mapping means, by name or id; from now on it is called as the mapping does."""
        found = self.resolve(lambda names: similar.pick(wanted, names.projects))
        if found is not None:
            self._called[found] = wanted
        return found

    def place(self, project: str | None) -> str:
        """What the mapping calls a place, or else Roundup."""
        if not project:
            return ""
        return self._called.get(int(project)) or self.now().projects.get(int(project), f"project{project}")

    def _ask(self) -> Names:
        api, own = self._api, self._config
        home, classes = api.look()
        people = {
            int(row["id"]): Person(
                row.get("username") or "", row.get("realname") or row.get("username") or ""
            )
            for row in api.listed("user", [], ["username", "realname"])
        }
        me = next((str(i) for i, p in people.items() if p.login == own.login), "")
        if not me:
            raise Forbidden("Roundup does not let our account see its own name: give it the right to")
        # none of them is more than a name, and one that is missing is found where it is asked for
        lists = {kind: self._list(kind, classes) for kind in _CHOICES}
        return Names(
            me=me, home=home, classes=classes, people=people,
            projects=self._list(own.project_property, classes), choices=lists,
            sees_issues=bool(api.read("/issue", [("@page_size", "1")]).get("collection")),
        )  # fmt: skip

    def _list(self, klass: str, classes: frozenset[str]) -> dict[int, str]:
        if klass not in classes:
            return {}
        return {int(row["id"]): str(row.get("name") or "") for row in self._api.listed(klass, [], ["name"])}

"""What a ticket system has to choose from, as ``connector init`` asks it: an adapter brings its own ``Survey``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen: how a mapping names it, and what people call it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field our account can fill; ``text`` says whether any text is taken, as a reference needs it."""

    id: str
    name: str
    text: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What one project (queue …) has, by the names that a mapping takes; empty where the system has no such thing."""

    kinds: tuple[str, ...] = ()
    """Kinds of tickets."""
    people: tuple[str, ...] = ()
    """Persons and groups a ticket can be assigned to."""
    categories: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    """Statuses in which a ticket is done."""
    fields: tuple[Field, ...] = ()


class Survey(Protocol):
    """Looks around in a ticket system with the connector's own account. Raises the errors of ``core/errors.py``."""

    def account(self) -> str:
        """Who we are there, in words; proves address and key."""
        ...

    def projects(self) -> list[Choice]:
        """Where our account may make tickets."""
        ...

    def offer(self, project: str) -> Offer:
        """What there is in a project."""
        ...

    def takes(self, project: str, field: str, value: str) -> bool:
        """Whether a custom field takes a value; True where that cannot be known."""
        ...

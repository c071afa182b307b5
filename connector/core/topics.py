"""The tables of a mapping about news that are sent: topics people subscribe to, and how broadcasts are sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from . import hours
from .parts import Key, Localized, Part

RESERVED = ("home", "stop")
"""Keys that no topic can have: ``topic:home`` is the list of topics, ``topic:stop`` leaves all of them."""


def _checked_hours(value: str) -> str:
    hours.spans([value])
    return value


class Area(Part):
    """A part of a topic: one neighbourhood."""

    key: Key
    """Becomes the id ``topic:<topic>/<key>``."""
    title: Localized
    """Its name, at most 24 characters together with its number («1. »)."""
    categories: tuple[str, ...] = ()
    """Items of a feed in one of these categories are about it, besides those in the category of its name."""


class Topic(Part):
    """Something to subscribe to."""

    key: Key
    """Becomes the id ``topic:<key>``; never reuse one for something else."""
    title: Localized
    """Its name, at most 24 characters together with its number («1. »)."""
    description: Localized = Field(default_factory=dict)
    """Second line of the row in the list, at most 72 characters."""
    category: Literal["marketing", "utility"] = "marketing"
    """WhatsApp's category of what is sent: utility for notices people need to know of, marketing for the rest."""
    pages: tuple[Key, ...] = ()
    """Keys of pages (feeds, the tracker's news): each new item there is sent to this topic by itself."""
    areas: tuple[Area, ...] = ()
    """When given, people choose one or more of these, and only what is about them is sent to them."""

    def area(self, key: str) -> Area | None:
        """The area with that key."""
        return next((a for a in self.areas if a.key == key), None)

    @property
    def names(self) -> tuple[str, ...]:
        """What can be subscribed to: its key, or one ``<key>/<area>`` each."""
        return tuple(f"{self.key}/{a.key}" for a in self.areas) or (self.key,)


class Broadcasts(Part):
    """How news and notices are sent."""

    hours: Annotated[str, AfterValidator(_checked_hours)] = "8:00-21:00"
    """When they may be sent, local time; alerts go at any hour."""
    a_day: Annotated[int, Field(ge=1, le=10)] = 2
    """So many may begin a day; alerts do not count."""
    approval: Literal["none", "news", "all"] = "none"
    """Whether a second person has to agree before: never, before news and notices, or before alerts too."""
    marketing_price: Annotated[float, Field(ge=0)] = 0
    """What a message of the category marketing costs, from Meta's rate card; 0: not known, no price is shown."""
    utility_price: Annotated[float, Field(ge=0)] = 0
    """What a message of the category utility costs, and one without a template; 0: not known."""
    currency: str = "EUR"
    """Currency of the prices."""

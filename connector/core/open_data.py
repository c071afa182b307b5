"""What of a request anybody may know: which ones, when to the day, where to a grid. Nothing unless the mapping says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Annotated

from pydantic import Field

from .parts import Key, Localized, Part, say

FINEST = 50
"""Metres; a place rounded to less says which house it is."""
_DEGREE = 111_320.0
"""Metres of a degree of latitude."""


class OpenData(Part):
    """``[open_data]``: requests that are published, for programs (Open311 GeoReport v2)."""

    options: tuple[Key, ...] = ()
    """Keys of the menu options whose requests are published. None: nothing is."""
    jurisdiction: str = ""
    """Who publishes, as the town's web address without www («santcebria.cat»)."""
    contact: str = ""
    """Whom to ask about the data: an address or a telephone."""
    metres: Annotated[int, Field(ge=0, le=5000)] = 0
    """Places are rounded to a grid of so many metres, 50 to 5000; 0: no place is published."""
    statuses: dict[str, Localized] = Field(default_factory=dict)
    """When given: only requests in these statuses (the tracker's names) are published, with this text."""
    words_since: date | None = None
    """Also what people wrote, of requests made from this day on. Only when they were told so before they wrote."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request that could be published. Times in Unix seconds."""

    id: str
    """Its public id: it says nothing, and leads nobody to the request."""
    option: str
    status: str | None
    """The tracker's name of its status, None as long as it is the one it was made with."""
    created_at: float
    closed_at: float | None
    answered_at: float | None
    """When its citizen was last told something of it."""
    place: tuple[float, float] | None
    words: str
    private: bool


@dataclass(frozen=True, slots=True)
class Published:
    """A request as anybody may see it. Days are midnights of the town."""

    id: str
    option: str
    closed: bool
    requested: datetime
    updated: datetime
    notes: str = ""
    place: tuple[float, float] | None = None
    words: str = ""


def publish(facts: Facts, rules: OpenData, zone: tzinfo, language: str, now: float) -> Published | None:
    """The request as it is published, None when it is not, or not yet.

    It appears when its day is over: who looks every minute would know the minute otherwise.
    """
    if facts.private or facts.option not in rules.options:
        return None
    said: Mapping[str, str] = {}
    if rules.statuses and facts.status is not None:
        if facts.status not in rules.statuses:
            return None
        said = rules.statuses[facts.status]
    requested = midnight(facts.created_at, zone)
    if requested >= midnight(now, zone):
        return None
    moved = max(filter(None, (facts.created_at, facts.answered_at, facts.closed_at)))
    open_words = rules.words_since is not None and requested.date() >= rules.words_since
    return Published(
        id=facts.id,
        option=facts.option,
        closed=facts.closed_at is not None,
        requested=requested,
        updated=midnight(moved if facts.closed_at is None else facts.closed_at, zone),
        notes=say(said, language),
        place=rounded(facts.place, rules.metres) if facts.place and rules.metres else None,
        words=facts.words if open_words else "",
    )


def midnight(at: float, zone: tzinfo) -> datetime:
    """The beginning of the day: an hour would say who it was that stood there."""
    return datetime.combine(datetime.fromtimestamp(at, zone).date(), time(), zone)


def rounded(place: tuple[float, float], metres: int) -> tuple[float, float]:
    """The nearest point of a grid. It is the same for all, so that many requests of one place do not give it away."""
    latitude, longitude = place
    up = metres / _DEGREE
    row = round(latitude / up) * up
    along = up / max(math.cos(math.radians(row)), 0.01)
    return round(row, 5), round(round(longitude / along) * along, 5)

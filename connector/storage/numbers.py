"""What WhatsApp last said of a town's business number. The number itself is not kept."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from . import cursors

_NAME = "number"


@dataclass(frozen=True, slots=True)
class Number:
    """Meta's words, "" where it said nothing: ``quality`` is GREEN, YELLOW, RED or UNKNOWN, ``limit`` TIER_2K and the like."""

    quality: str = ""
    limit: str = ""
    name_status: str = ""
    problem: str = ""
    """Why WhatsApp does not let us in, "" when it does."""
    at: float = 0.0
    """When it was asked, in Unix seconds."""

    @property
    def grade(self) -> int:
        """3 for high quality, 2 medium, 1 low, 0 not known."""
        return {"GREEN": 3, "YELLOW": 2, "RED": 1}.get(self.quality, 0)

    @property
    def people(self) -> float | None:
        """Whom templates may reach a day (``TIER_2K``: 2000); None where it was not said."""
        name = self.limit.removeprefix("TIER_")
        if name == "UNLIMITED":
            return math.inf
        digits, thousand = name.removesuffix("K"), name.endswith("K")
        return float(digits) * (1000 if thousand else 1) if digits.isdecimal() else None


def save(connection: Connection, town: str, told: Number, now: float) -> None:
    """Store what was said just ``now``."""
    values = asdict(told)
    del values["at"]
    cursors.save(connection, town, _NAME, json.dumps(values), now)


def get(connection: Connection, town: str) -> Number | None:
    """What was said last, None when WhatsApp was not asked yet."""
    value, at = cursors.get(connection, town, _NAME), cursors.age(connection, town, _NAME)
    return None if value is None or at is None else Number(**json.loads(value), at=at)

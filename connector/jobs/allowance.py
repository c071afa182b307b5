"""How many more people templates may reach today: WhatsApp sets a limit, and may take a template out of use."""

from __future__ import annotations

from connector.storage import broadcasts, numbers, recipients, templates
from connector.storage.broadcasts import Broadcast
from connector.storage.store import Connection
from connector.toolkit.observe import get_logger

from .halting import stop
from .runtime import DAY

log = get_logger(__name__)

_UNKNOWN_LIMIT = 250.0
"""People a day whom templates may reach when WhatsApp has not said how many: its lowest limit (CLOUD-API.md 5)."""
_RESERVE = 0.1
"""So much of that is left to templates that announce answers."""
_LOOK = 60.0
"""Seconds until a template that is not approved yet is looked at again."""
_GONE = ("PAUSED", "DISABLED", "REJECTED")


class Allowance:
    """What is left for one broadcast, while a slice of it is sent."""

    def __init__(self, one: Broadcast) -> None:
        self._one = one
        self._room: float | None = None

    def spend(self, connection: Connection, name: str, states: dict[str, str], now: float) -> bool:
        """Whether one more person may get the template ``name`` now, and one fewer afterwards; ``states``: by language.

        If not, the broadcast says why, and until when it waits.
        """
        one = self._one
        if states and templates.APPROVED not in states.values():
            said = ", ".join(sorted({s.lower() for s in states.values()}))
            why = f"WhatsApp does not let the template {name} be sent ({said})"
            if any(state in _GONE or state.startswith("REFUSED") for state in states.values()):
                stop(connection, one, why, now)
            else:
                broadcasts.change(connection, one.id, now, due_at=now + _LOOK, why=why)
            return False
        if self._room is None:
            self._room = self._limit(connection, now)
        if self._room < 1:
            sent = broadcasts.recent(connection, one.town, now)
            _, first = recipients.written_to(connection, sent, now)
            due_at = (first or now) + DAY
            why = "WhatsApp's limit of people a day is used up (it grows by itself: WhatsApp Manager)"
            broadcasts.change(connection, one.id, now, due_at=due_at, why=why)
            log.warning("broadcast waits", town=one.town, work=one.id, reason=why, due_in=round(due_at - now))
            return False
        self._room -= 1
        return True

    def _limit(self, connection: Connection, now: float) -> float:
        """How many more people templates may reach today."""
        number = numbers.get(connection, self._one.town)
        limit = number.people if number is not None and number.people is not None else _UNKNOWN_LIMIT
        if limit == float("inf"):
            return limit
        sent = broadcasts.recent(connection, self._one.town, now)
        return limit * (1 - _RESERVE) - recipients.written_to(connection, sent, now)[0]

"""Where messages come from and go to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """How a person is reached. ``user_id`` is Meta's business-scoped user id (BSUID); ``phone`` digits only.

    At least one is set; the number may be hidden for good (CLOUD-API.md 2.3).
    """

    user_id: str | None = None
    phone: str | None = None

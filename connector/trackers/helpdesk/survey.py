"""What a django-helpdesk has to choose from, as far as its API tells: queues by their numbers, statuses and fields."""

from __future__ import annotations

from collections.abc import Mapping

from connector.core.survey import Choice, Field, Offer
from connector.trackers.similar import norm

from .adapter import HelpdeskTracker
from .config import Config

_MOST = 40
"""Numbers of queues that are tried: there is no list of them."""


class HelpdeskSurvey:
    """Looks around with the token of the connector's own account."""

    def __init__(self, url: str, api_key: str, settings: Mapping[str, str]) -> None:
        # whose the token is does not matter here
        given = {"url": url, "api_key": api_key, "timeout": 60, "account": 1, **settings}
        self._tracker = HelpdeskTracker(Config.model_validate(given))
        self._names = self._tracker.names

    def account(self) -> str:
        self._names.form(fresh=True)
        return "a staff account (which one, tracker.account has to say)"

    def projects(self) -> list[Choice]:
        tried = range(1, _MOST + 1)
        seen = [n for n in tried if "queue" not in self._names.refused({"queue": n})]
        return [Choice(str(n), f"queue {n}") for n in seen]

    def offer(self, project: str) -> Offer:
        form, own = self._names.form(), self._tracker.config.open_statuses
        return Offer(
            closed=tuple(name for number, name in form.statuses.items() if number not in own),
            fields=tuple(Field(f.label, f.label, f.text) for f in form.fields),
        )

    def takes(self, project: str, field: str, value: str) -> bool:
        found = self._names.field(field)
        return found is None or not found.choices or norm(value) in map(norm, found.choices)

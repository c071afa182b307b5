"""What a Request Tracker has to choose from, as far as an ordinary account sees it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from connector.core.survey import Choice, Field, Offer
from connector.trackers.similar import norm

from .adapter import RequestTracker
from .config import Config

_NOBODY = ("Nobody", "RT_System")
_CLOSED = ("resolved", "rejected")
"""Of RT's own lifecycle; it tells of none which statuses are closed."""


class RTSurvey:
    """Looks around with a token of the connector's own account."""

    def __init__(self, url: str, api_key: str, settings: Mapping[str, str]) -> None:
        self._tracker = RequestTracker(Config.model_validate({"url": url, "api_key": api_key, **settings}))
        self._names = self._tracker.names

    def account(self) -> str:
        me = self._names.me()
        return str(self._tracker.http.get(f"/user/{quote(me, safe='')}").get("RealName") or me)

    def projects(self) -> list[Choice]:
        names = self._names.queue_names()
        return [Choice(name, name) for name in names if self._names.queue(name).may_create]

    def offer(self, project: str) -> Offer:
        queue = self._names.queue(project, fresh=True)
        away = (*_NOBODY, self._names.me_lately())
        people = tuple(who.name for who in self._names.people("LIKE", "") if who.id not in away)
        fields = tuple(Field(n, n, self._names.values(i) is None) for i, n in queue.fields.items())
        return Offer(people=people, closed=_CLOSED, fields=fields)

    def takes(self, project: str, field: str, value: str) -> bool:
        number = self._names.field(self._names.queue(project), field)
        offered = self._names.values(number) if number is not None else None
        return offered is None or norm(value) in map(norm, offered)

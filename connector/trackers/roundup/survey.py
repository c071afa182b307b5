"""What a Roundup has to choose from, for ``connector init``."""

from __future__ import annotations

from collections.abc import Mapping

from connector.core.errors import Unavailable
from connector.core.survey import Choice, Field, Offer

from .config import Config
from .http import Api
from .names import Directory

_STOCK = {
    "activity", "actor", "assignedto", "creation", "creator", "files", "id", "keyword", "messages", "nosy", "priority",
    "status", "superseder", "title",
}  # fmt: skip


class RoundupSurvey:
    """See ``core/survey.Survey``. The key is login and password, with a colon between them."""

    def __init__(self, url: str, api_key: str, settings: Mapping[str, str]) -> None:
        self._config = Config.model_validate({"url": url, "api_key": api_key, **settings})
        self._api = Api(self._config)
        self._directory = Directory(self._api, self._config)

    def account(self) -> str:
        names = self._directory.now()
        return names.people[int(names.me)].name

    def projects(self) -> list[Choice]:
        return [Choice(name, name) for name in self._directory.now().projects.values()]

    def offer(self, project: str) -> Offer:
        names = self._directory.now()
        statuses = names.choices["status"].values()
        return Offer(
            people=tuple(p.name for i, p in names.people.items() if str(i) != names.me),
            categories=tuple(names.choices["keyword"].values()),
            closed=tuple(s for s in statuses if s in self._config.closed),
            fields=tuple(self._fields()),
        )

    def takes(self, project: str, field: str, value: str) -> bool:
        try:
            self._api.read("/issue", [("id", "0"), (field, value)])
        except Unavailable as error:
            return error.code != "http_400"
        return True

    def _fields(self) -> list[Field]:
        """Roundup says what properties issues have only with one of them: any."""
        some = self._api.read("/issue", [("@page_size", "1")]).get("collection", [])
        if not some:
            return []
        shown = self._api.read(f"/issue/{some[0]['id']}")["attributes"]
        own = {
            name: value
            for name, value in shown.items()
            if name not in _STOCK and name != self._config.project_property
        }
        return [
            Field(name, name, text=value is None or isinstance(value, str))
            for name, value in sorted(own.items())
        ]

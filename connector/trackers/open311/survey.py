"""What an Open311 server has to choose from: its services, and what each wants to be told. It names nobody."""

from __future__ import annotations

from collections.abc import Mapping

from connector.core.survey import Choice, Field, Offer

from .adapter import Open311Tracker
from .config import IN_WORDS, Config


class Open311Survey:
    """Looks around; reading needs no key by the standard, so that none is proven here."""

    def __init__(self, url: str, api_key: str, settings: Mapping[str, str]) -> None:
        config = Config.model_validate({"url": url, "api_key": api_key, **settings})
        self._services = Open311Tracker(config).services

    def account(self) -> str:
        return f"whoever reads ({len(self._services.all(fresh=True))} services): the key is tried by the first request"

    def projects(self) -> list[Choice]:
        return [Choice(s.code, f"{s.name} ({s.code})") for s in self._services.all().values()]

    def offer(self, project: str) -> Offer:
        wanted = self._services.attributes(self._services.get(project))
        fields = [Field(a.code, a.code, not a.values and not a.several) for a in wanted]
        # last: an attribute for the reference is better
        return Offer(
            closed=("closed",), fields=(*fields, Field(IN_WORDS, "the description, for the reference", True))
        )

    def takes(self, project: str, field: str, value: str) -> bool:
        wanted = self._services.attributes(self._services.get(project))
        return next((a.key_of(value) is not None for a in wanted if a.code == field), True)

"""What a Redmine has to choose from, as far as an ordinary account sees it.

Custom fields may be listed by administrators only. But a filter that exists refuses an empty value and says its name,
and a ticket without a subject is refused with everything else that is wrong with it: so they can be asked one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connector.core.errors import ConnectorError, Forbidden, Gone
from connector.core.survey import Choice, Field, Offer

from .adapter import RedmineTracker
from .config import Config
from .http import Refused
from .names import Project

_MOST = 60
"""Numbers of custom fields that are tried; a Redmine of a town hall has a dozen."""
_TRIAL = "connector init"


class RedmineSurvey:
    """Looks around with the key of the connector's own account."""

    def __init__(self, url: str, api_key: str, settings: Mapping[str, str]) -> None:
        self._tracker = RedmineTracker(Config.model_validate({"url": url, "api_key": api_key, **settings}))
        self._names = self._tracker.names
        self._http = self._tracker.http

    def account(self) -> str:
        user = self._http.get("/users/current.json")["user"]
        return " ".join(filter(None, (str(user.get("firstname", "")), str(user.get("lastname", "")))))

    def projects(self) -> list[Choice]:
        me = self._names.me()
        rows = self._names.projects()
        return [
            Choice(str(p["identifier"]), str(p["name"])) for p in rows if me.admin or int(p["id"]) in me.roles
        ]

    def offer(self, project: str) -> Offer:
        found = self._names.project(project, fresh=True)
        return Offer(
            kinds=tuple(found.trackers.values()),
            people=tuple(name for i, name in found.people.items() if i in found.assignable),
            categories=tuple(found.categories.values()),
            closed=tuple(name for name, closed in self._names.statuses().values() if closed),
            fields=self._fields(found),
        )

    def takes(self, project: str, field: str, value: str) -> bool:
        found = self._names.project(project)
        number = self._names.resolve(found, "field", field)
        return number is None or set(self._refusals(found, {number: value})) <= set(self._refusals(found, {}))

    # --- custom fields -----------------------------------------------------------------------------

    def _fields(self, project: Project) -> tuple[Field, ...]:
        names = self._called() or dict(project.fields)
        always = self._refusals(project, {})
        ending = _common_ending([*names.values(), *always])
        found = []
        for number, said in names.items():
            text = set(self._refusals(project, {number: _TRIAL})) <= set(always)
            found.append(Field(str(number), said.removesuffix(ending), text))
        return tuple(found)

    def _called(self) -> dict[int, str]:
        """By number, Redmine's complaint about an empty filter, which begins with the field's name."""
        numbers = range(1, _MOST + 1)
        there = len(self._complaints(numbers))
        found: dict[int, str] = {}
        for number in numbers:
            if len(found) == there:
                break
            if said := self._complaints([number]):
                found[number] = said[0]
        return found

    def _complaints(self, numbers: Iterable[int]) -> tuple[str, ...]:
        asked = [("limit", "1")]
        for name in (f"cf_{number}" for number in numbers):
            asked += [("f[]", name), (f"op[{name}]", "="), (f"v[{name}][]", "")]
        try:
            self._http.get("/issues.json", asked)
        except Refused as refused:
            return refused.reasons
        except (Forbidden, Gone):
            pass
        return ()

    def _refusals(self, project: Project, values: Mapping[int, str]) -> list[str]:
        """What Redmine has against a ticket without subject, and with these values; the subject comes first or last."""
        fields = [{"id": number, "value": value} for number, value in values.items()]
        issue: dict[str, Any] = {"project_id": project.id, "subject": "", "custom_fields": fields}
        if project.trackers:
            issue["tracker_id"] = next(iter(project.trackers))
        try:
            url = f"{self._http.url}/issues.json"
            self._http.redmine.engine.request("post", url, data={"issue": issue})
        except Refused as refused:
            return list(refused.reasons)
        except ConnectorError:
            pass
        return []


def _common_ending(sentences: list[str]) -> str:
    """« can't be blank» of sentences that all end so, in whatever language."""
    if len(sentences) < 2:
        return ""
    ending = min(sentences, key=len)
    while ending and not all(s.endswith(ending) for s in sentences):
        ending = ending[1:]
    # a whole word: names may end alike, too
    return ending[ending.find(" ") :] if " " in ending else ""

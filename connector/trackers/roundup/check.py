"""What ``connector check`` asks of a Roundup: login, rights, properties, and each route of the mapping. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.core.errors import ConnectorError, Finding, Forbidden, Gone, Unavailable
from connector.core.ticket import Routing
from connector.trackers import similar

from .config import Config
from .http import Api, Params
from .names import Directory, Names

_DOCS = "docs/trackers/roundup.md says how"


class Check:
    def __init__(self, api: Api, directory: Directory, config: Config) -> None:
        self._api, self._directory, self._config = api, directory, config

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        """See ``Tracker.verify``."""
        try:
            names = self._directory.now(younger_than=0)
        except Gone:
            problem = "there is no Roundup at this address, or its REST interface is switched off"
            return [
                _error(
                    "tracker.url",
                    problem,
                    "the address as staff open it; enable_rest in Roundup's config.ini",
                )
            ]
        except Forbidden as error:
            mend = (
                ""
                if error.code == "http_401"
                else "its role needs «Rest Access», «Web Access» and to see users"
            )
            return [_error("tracker.api_key", str(error), mend)]
        findings = [*self._account(names), *self._properties(), *self._notes(), *self._closed(names)]
        return findings + [
            finding for key, routing in routings for finding in self._routing(key, routing, names)
        ]

    def _account(self, names: Names) -> list[Finding]:
        found = []
        if self._known("/user/roles", ()) is None:  # only an administrator is told
            problem = (
                "the connector's account is an administrator's: whoever has its password can do everything"
            )
            found.append(
                Finding("warning", problem, f"give it a role of its own, {_DOCS}", key="tracker.api_key")
            )
        if not names.sees_issues:
            problem = (
                "our account sees no ticket in Roundup, or there is none: an empty search proves nothing then"
            )
            found.append(
                Finding("warning", problem, "open one by hand, and look again", key="tracker.api_key")
            )
        return found

    def _properties(self) -> list[Finding]:
        own, found = self._config, []
        for key in (
            "reference_field",
            "latitude_field",
            "longitude_field",
            "address_field",
            "project_property",
        ):
            name = getattr(own, key)
            why = self._known("/issue", [("id", "0"), (f"{name}:", "1"), ("@fields", name)]) if name else None
            if why is not None:
                found.append(_lacking(f"tracker.{key}", f"issues have no property «{name}»", why))
        return found

    def _notes(self) -> list[Finding]:
        key, name = "tracker.public_property", self._config.public_property
        if not name:
            problem = "no message is marked as public: citizens are told the status of their requests and nothing else"
            return [Finding("warning", problem, f"a Boolean property of msg, {_DOCS}", key=key)]
        why = self._known("/msg", [("id", "0"), (name, "1")])
        if why is None:
            return []
        if isinstance(why, Forbidden):
            return [_error(key, f"our account may not see msg.{name}, and can write no internal notes", f"its role needs View and Create of it, {_DOCS}")]  # fmt: skip
        return [_lacking(key, f"messages have no property «{name}»", why)]

    def _closed(self, names: Names) -> list[Finding]:
        known = names.choices["status"].values()
        wanted = set(map(similar.norm, self._config.closed))
        if wanted & set(map(similar.norm, known)):
            return []
        mend = similar.did_you_mean(next(iter(self._config.closed), ""), known)
        return [
            _error(
                "tracker.closed", "Roundup has none of these statuses: no ticket would ever be closed", mend
            )
        ]

    def _routing(self, key: str, routing: Routing, names: Names) -> list[Finding]:
        found = []
        if self._directory.project(routing.project) is None:
            found.append(_unknown(f"{key}.project", "project", routing.project, names.projects.values()))
        if routing.tracker:
            found.append(
                _error(
                    f"{key}.tracker", "Roundup has no kinds of tickets", "leave it out: a project for each"
                )
            )
        if routing.private:
            found.append(
                _error(
                    f"{key}.private",
                    "Roundup has no private tickets",
                    "a project that only those see who may",
                )
            )
        if routing.assignee and names.person(routing.assignee) is None:
            found.append(_nobody(f"{key}.assignee", routing.assignee, names))
        for watcher in routing.watchers:
            if names.person(watcher) is None:
                found.append(_nobody(f"{key}.watchers", watcher, names))
        for part, kind in (("category", "keyword"), ("priority", "priority"), ("status", "status")):
            wanted = getattr(routing, part)
            if wanted and names.choice(kind, wanted) is None:
                found.append(_unknown(f"{key}.{part}", kind, wanted, names.choices[kind].values()))
        for name, value in routing.fields:
            found += self._field(f"{key}.fields.{name}", name, value)
        return found

    def _field(self, key: str, name: str, value: str) -> list[Finding]:
        why = self._known("/issue", [("id", "0"), ("@fields", name)])
        if why is not None:
            return [_lacking(key, f"issues have no property «{name}»", why)]
        why = self._known("/issue", [("id", "0"), (name, value)]) if value else None
        return [] if why is None else [_lacking(key, f"«{name}» does not take «{value}»", why)]

    def _known(self, path: str, params: Params) -> ConnectorError | None:
        """Why Roundup does not answer this, None when it does. Raises when it is away."""
        try:
            self._api.read(path, params)
        except Unavailable as error:
            if error.code != "http_400":
                raise
            return error
        except (Forbidden, Gone) as error:
            return error
        return None


def _error(key: str, problem: str, mend: str = "") -> Finding:
    return Finding("error", problem, mend, key=key)


def _lacking(key: str, problem: str, why: ConnectorError) -> Finding:
    if isinstance(why, Forbidden):
        return _error(
            key, f"{problem} that our account may search and see", f"give its role the right, {_DOCS}"
        )
    return _error(key, problem, f"in Roundup's schema.py, {_DOCS}")


def _unknown(key: str, what: str, wanted: str, known: Iterable[str]) -> Finding:
    return _error(key, f"there is no {what} «{wanted}» in Roundup", similar.did_you_mean(wanted, known))


def _nobody(key: str, wanted: str, names: Names) -> Finding:
    called: Mapping[int, str] = {i: p.name for i, p in names.people.items()}
    if sum(similar.norm(name) == similar.norm(wanted) for name in called.values()) > 1:
        return _error(key, f"several people in Roundup are called «{wanted}»", "write the login")
    return _error(
        key, f"nobody in Roundup is called «{wanted}»", similar.did_you_mean(wanted, called.values())
    )

"""What ``connector check`` asks an Open311 server: services, attributes, updates. Its key only shows when it is used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from connector.core.errors import ConnectorError, Finding, Forbidden, Unavailable
from connector.core.ticket import Routing
from connector.trackers.similar import did_you_mean, norm

from .config import IN_WORDS, Config
from .feed import Feed
from .http import WHO
from .services import BLACKBOX, Attribute, Service, Services
from .view import STATUSES

_LACKS = {
    "tracker": "kind of request but the service",
    "assignee": "person a request belongs to",
    "category": "category but the service",
    "priority": "priority",
    "watchers": "watchers",
}


class Check:
    """One look at a server."""

    def __init__(self, config: Config, services: Services, feed: Feed) -> None:
        self._config = config
        self._services = services
        self._feed = feed
        self._found: list[Finding] = []

    def run(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        """All findings, each once. Raises ``Unavailable`` only."""
        try:
            self._services.all(fresh=True)
        except Unavailable:
            raise
        except Forbidden as error:
            self._add("tracker.api_key", str(error), "ask who runs the server for a key")
            return self._found
        except ConnectorError as error:
            mend = "check tracker.url (without /services.json) and tracker.jurisdiction"
            self._add("tracker.url", f"this is no Open311 server that answers as it should: {error}", mend)
            return self._found
        for key, routing in routings:
            self._routing(key, routing)
        self._answers()
        return list(dict.fromkeys(self._found))

    def people(self, people: Sequence[tuple[str, str]]) -> list[Finding]:
        """Names of the mapping: nobody has one here."""
        for key, name in people:
            only = key.startswith("answers.only_from")
            problem = f"{WHO} does not say who answers, so nobody is ever «{name}»"
            mend = "take it out" + (": with it no answer reaches anybody" if only else "")
            self._add(key, problem, mend, "error" if only else "warning")
        return self._found

    def _routing(self, key: str, routing: Routing) -> None:
        if routing.status and "statuses." in key:
            self._said(key, routing.status)
            return
        for part, what in _LACKS.items():
            if getattr(routing, part):
                self._add(f"{key}.{part}", f"Open311 has no {what}", "take it out")
        if routing.status:
            self._add(f"{key}.status", "Open311 lets nobody but the server set a status", "take it out")
        if routing.private:
            mend = "take it out, or send such requests elsewhere"
            self._add(f"{key}.private", "Open311 has no private requests: everybody may read them", mend)
        service = self._services.all().get(routing.project)
        if service is None:
            codes = {code: code for code in self._services.all()}
            named = {s.name: code for code, s in self._services.all().items()}
            near = next((code for name, code in named.items() if norm(name) == norm(routing.project)), "")
            mend = f"did you mean «{near}»?" if near else did_you_mean(routing.project, codes)
            self._add(f"{key}.project", f"{WHO} has no service «{routing.project}»", mend)
            return
        if service.kind == BLACKBOX:
            self._add(
                f"{key}.project",
                f"the service «{service.code}» never tells the number of a request (blackbox): no answer would be found",
                "use another service",
            )
        self._attributes(key, routing, service)

    def _said(self, key: str, status: str) -> None:
        """A status that the mapping has a sentence for. With updates a server may have its own."""
        if self._config.answers != "updates" and status not in STATUSES:
            mend = f"write one of: {', '.join(STATUSES)}"
            self._add(key, f"a request is never «{status}» here", mend)
        elif status != status.casefold():
            self._add(key, "statuses are compared in small letters here", f"write «{status.casefold()}»")

    def _attributes(self, key: str, routing: Routing, service: Service) -> None:
        try:
            wanted = {a.code: a for a in self._services.attributes(service)}
        except ConnectorError as error:
            self._add(f"{key}.project", f"what the service «{service.code}» wants is not known: {error}")
            return
        for name, value in routing.fields:
            self._attribute(f"{key}.fields.{name}", service, wanted.get(name), name, value, sorted(wanted))
        own = self._config.reference_field
        if own != IN_WORDS and own not in wanted:
            mend = did_you_mean(own, wanted) or f"write «{IN_WORDS}»: it stands in the description then"
            problem = f"the service «{service.code}» has no attribute «{own}»"
            self._add("tracker.reference_field", problem, mend)
        given = {name for name, _ in routing.fields} | {own}
        for code, attribute in wanted.items():
            if attribute.required and code not in given:
                mend = f'add fields = {{ {code} = "…" }} to the route' + _one_of(attribute)
                problem = f"the service «{service.code}» takes no request without the attribute «{code}»"
                self._add(f"{key}.fields", problem, mend)

    def _attribute(
        self,
        key: str,
        service: Service,
        attribute: Attribute | None,
        name: str,
        value: str,
        known: Sequence[str],
    ) -> None:
        if attribute is None:
            mend = did_you_mean(name, known) or "take it out"
            self._add(key, f"the service «{service.code}» has no attribute «{name}»", mend)
        elif attribute.key_of(value) is None:
            mend = did_you_mean(value, [*attribute.values, *attribute.values.values()])
            self._add(key, f"«{name}» has no value «{value}»", mend)

    def _answers(self) -> None:
        key = "tracker.answers"
        if self._config.answers == "none":
            mend = 'write answers = "status_notes", or "updates" where the server has them'
            self._add(key, "citizens are told of statuses only, never of an answer", mend, "warning")
        if self._config.answers == "updates":
            try:
                self._feed.updates(datetime.now(UTC))
            except Unavailable:
                raise
            except ConnectorError as error:
                mend = 'ask who runs it for «service request updates», or write answers = "status_notes"'
                self._add(key, f"{WHO} has no feed of updates: {error}", mend)

    def _add(self, key: str, problem: str, mend: str = "", severity: str = "error") -> None:
        self._found.append(Finding(severity, problem, mend, key=key))


def _one_of(attribute: Attribute) -> str:
    return f", one of: {', '.join(attribute.values)}" if attribute.values else ""

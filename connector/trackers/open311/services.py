"""The services of a server, and what each wants to be told: looked up once, and again on a miss."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connector.core.errors import Forbidden, Unavailable
from connector.trackers.similar import norm

from .http import WHO, Connection, text, truth

_KEEP_SECONDS = 300.0
BLACKBOX, BATCH = "blackbox", "batch"


@dataclass(frozen=True)
class Service:
    """One kind of request. ``kind`` is ``realtime``, ``batch`` (a token first) or ``blackbox`` (never a number)."""

    code: str
    name: str
    kind: str
    described: bool
    """Whether it has attributes."""


@dataclass(frozen=True)
class Attribute:
    """What a service wants to be told, ``attribute[code]`` of a request."""

    code: str
    required: bool
    several: bool
    values: Mapping[str, str]
    """Of a list: names by key; empty when anything can be written."""

    def key_of(self, value: str) -> str | None:
        """A value as it is sent, None when the list has none such. By its key, or the name people see."""
        if not self.values:
            return value
        return next((k for k, name in self.values.items() if norm(value) in (norm(k), norm(name))), None)


class Services:
    """Looks services up over one connection, for all threads."""

    def __init__(self, connection: Connection) -> None:
        self._http = connection
        self._known: dict[str, Service] = {}
        self._attributes: dict[str, tuple[Attribute, ...]] = {}
        self._at = 0.0

    def all(self, *, fresh: bool = False) -> Mapping[str, Service]:
        """Services by code. Never empty: a server that offers none says nothing of any request either."""
        if fresh or not self._known or time.monotonic() - self._at > _KEEP_SECONDS:
            found = {s.code: s for s in map(_service, self._http.rows("services")) if s.code}
            if not found:
                raise Unavailable(f"{WHO} offers no services; is tracker.url right?", code="no_services")
            self._known, self._attributes, self._at = found, {}, time.monotonic()
        return self._known

    def get(self, code: str) -> Service:
        """A service by its code. Raises ``Forbidden`` when there is none."""
        found = self.all().get(code) or self.all(fresh=True).get(code)
        if found is None:
            raise Forbidden(f"{WHO} has no service «{code}»: correct the code in the mapping", code="service")
        return found

    def attributes(self, service: Service) -> tuple[Attribute, ...]:
        """What a service wants to be told, without what it only shows."""
        if not service.described:
            return ()
        if service.code not in self._attributes:
            rows = self._http.one(f"services/{quote(service.code, safe='')}").get("attributes") or []
            found = [_attribute(row) for row in rows if isinstance(row, dict) and truth(row, "variable")]
            self._attributes[service.code] = tuple(found)
        return self._attributes[service.code]


def _service(row: Mapping[str, Any]) -> Service:
    return Service(
        text(row, "service_code"), text(row, "service_name"), text(row, "type"), truth(row, "metadata")
    )


def _attribute(row: Mapping[str, Any]) -> Attribute:
    listed = [value for value in row.get("values") or () if isinstance(value, dict)]
    return Attribute(
        text(row, "code"),
        truth(row, "required"),
        text(row, "datatype") == "multivaluelist",
        {text(value, "key"): text(value, "name") for value in listed},
    )

"""GeoReport v2 on our HTTP client: one connection a thread, and errors that say whether anything was written."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Unavailable
from connector.toolkit import http
from connector.trackers import rest

from . import xml

WHO = "the Open311 server"
Form = Mapping[str, str | list[str]]


class Connection:
    """One HTTP client a thread for one endpoint.

    The key goes with what is sent in, in the body. Reading needs none by the standard, and an address would show it
    to every proxy and log on the way.
    """

    def __init__(self, url: str, key: str, jurisdiction: str, form: str, timeout: float) -> None:
        """``form`` is ``json`` or ``xml``."""
        self.url = url
        self.form = form
        self._key = key
        self._who = {"jurisdiction_id": jurisdiction} if jurisdiction else {}
        self._timeout = timeout
        self._local = threading.local()
        self.answered_at = 0.0
        """``time.monotonic()`` of the last proper answer to any thread, 0 before the first."""

    @property
    def served_at(self) -> datetime | None:
        """The server's time of this thread's last answer, UTC."""
        return getattr(self._local, "served_at", None)

    def rows(self, path: str, **params: str) -> list[dict[str, Any]]:
        """A list of objects: bare, or the only thing in an object, as some servers have it in JSON."""
        found = self._read(self._call("GET", path, params), wrote=False)
        return _rows(found, wrote=False)

    def one(self, path: str) -> dict[str, Any]:
        """One object."""
        found = self._read(self._call("GET", path, {}), wrote=False)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if not isinstance(found, dict):
            raise rest.garbled(who=WHO, wrote=False)
        return found

    def send(self, path: str, form: Form) -> list[dict[str, Any]]:
        """Send a form in, with the key; the list that comes back."""
        response = self._call("POST", path, form={"api_key": self._key, **self._who, **form})
        return _rows(self._read(response, wrote=True), wrote=True)

    @property
    def _client(self) -> http.Client:
        client: http.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = http.sync_client(self.url, timeout=self._timeout)
        return client

    def _call(
        self, method: str, path: str, params: Mapping[str, str] | None = None, form: Form | None = None
    ) -> http.Response:
        how: dict[str, Any] = (
            {"data": form} if form is not None else {"params": {**self._who, **(params or {})}}
        )
        client, wrote = self._client, form is not None
        try:
            response = client.request(method, f"/{path}.{self.form}", **how)
        except http.HTTPError as error:
            raise http.translate(error, wrote=wrote, who=WHO) from error
        self._local.served_at = rest.served_at(response)
        failure = self._failed(response, wrote=wrote)
        if not isinstance(failure, Unavailable | Ambiguous):
            self.answered_at = time.monotonic()
        if failure is not None:
            raise failure
        return response

    def _failed(self, response: http.Response, *, wrote: bool) -> ConnectorError | None:
        if response.status_code in (401, 403):
            # the standard knows one account: the key, or none
            return Forbidden(
                f"{WHO} does not accept our key, or does not let it do this. Check tracker.api_key, and whether it was "
                "withdrawn",
                code=f"http_{response.status_code}",
            )
        words = self._words(response) if response.status_code in (400, 422) else ""
        return rest.failed(response, who=WHO, wrote=wrote, words=words)

    def _words(self, response: http.Response) -> str:
        """What the server says of an error: a list of codes and descriptions."""
        try:
            told = _rows(self._read(response, wrote=False), wrote=False)
        except ConnectorError:
            return ""
        return "; ".join(text(row, "description") for row in told)

    def _read(self, response: http.Response, *, wrote: bool) -> Any:
        try:
            return response.json() if self.form == "json" else xml.read(response.content)
        except ValueError:
            raise rest.garbled(who=WHO, wrote=wrote) from None


def _rows(found: Any, *, wrote: bool) -> list[dict[str, Any]]:
    if isinstance(found, dict) and len(found) == 1:
        (found,) = found.values()
    if found is None:  # an empty list, in XML
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise rest.garbled(who=WHO, wrote=wrote)
    return found


def text(row: Mapping[str, Any], name: str) -> str:
    """A field as text: servers give ids as numbers, and what is empty as null or "", as they like."""
    value = row.get(name)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def truth(row: Mapping[str, Any], name: str) -> bool:
    """A field that says yes or no, which in XML is a text."""
    return text(row, name).casefold() in ("true", "1", "yes")

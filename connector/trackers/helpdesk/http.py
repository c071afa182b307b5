"""django-helpdesk's API on our HTTP client: a token, JSON, and errors that say whether anything was written."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.toolkit import http
from connector.trackers import rest

WHO = "django-helpdesk"
EVERYTHING = 100_000
"""Rows asked for at once: each page costs the server as much as all of them."""
Params = Mapping[str, str | int]
_API = "/api"
_QUOTED = re.compile(r"[\"«“].*[\"»”]", re.DOTALL)


class Refused(Rejected):
    """400, with the fields it is about."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.fields = tuple(said)
        # a message may quote what was sent
        words = "; ".join(f"{name}: {_QUOTED.sub('…', _first(why))}" for name, why in said.items())
        super().__init__(f"{WHO} refuses the data: {words[: rest.LONGEST_WORDS]}", code="http_400")


class Connection:
    """One HTTP client a thread for one django-helpdesk and one account."""

    def __init__(self, url: str, token: str, timeout: float, media_url: str = "") -> None:
        self.url = url
        self.timeout = timeout
        parts = urlsplit(media_url or url)
        self._media = f"{parts.scheme}://{parts.netloc}"
        self._token = token
        self._local = threading.local()
        self.answered_at = 0.0
        """``time.monotonic()`` of the last proper answer to any thread, 0 before the first."""

    @property
    def served_at(self) -> datetime:
        """The server's time of this thread's last answer, UTC. Raises ``Unavailable`` when it said none."""
        at: datetime | None = getattr(self._local, "served_at", None)
        if at is None:
            raise Unavailable(
                f"{WHO}, or a proxy before it, does not say what time it is (Date)", code="no_date"
            )
        return at

    # --- calls -------------------------------------------------------------------------------------

    def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """A JSON object, or an error of ``core/errors.py``."""
        return _object(self._call("GET", path, params=params), wrote=False)

    def options(self, path: str) -> dict[str, Any]:
        """What can be sent to an address: fields, their types and values, as far as our account may."""
        return _object(self._call("OPTIONS", path, wrote=False), wrote=False)

    def page(self, path: str, **params: str | int) -> tuple[list[dict[str, Any]], int]:
        """One page of a list, and how many rows the list has."""
        found = self.get(path, params)
        rows, count = found.get("results"), found.get("count")
        if not isinstance(rows, list) or not isinstance(count, int):
            raise rest.garbled(who=WHO, wrote=False)
        return rows, count

    def rows(self, path: str, **params: str | int) -> list[dict[str, Any]]:
        """All rows of a list. Raises ``Unavailable`` when it is cut."""
        rows, count = self.page(path, **params, page_size=EVERYTHING)
        if len(rows) != count:
            raise Unavailable(f"{WHO} gives {len(rows)} of {count} rows", code="cut")
        return rows

    def refusal(self, path: str, body: Mapping[str, Any]) -> tuple[str, ...]:
        """The fields of ``body`` that are refused, sent without something that must be there: nothing is made of it."""
        try:
            self._call("POST", path, json=dict(body), wrote=False)
        except Refused as refused:
            return refused.fields
        raise Unavailable(f"{WHO} took what it should have refused", code="not_refused")

    def post(
        self, path: str, body: Mapping[str, Any], file: tuple[str, bytes, str] | None = None
    ) -> dict[str, Any]:
        """Make something, with a file (name, content, type) or without; the JSON that comes back."""
        if file is None:
            return _object(self._call("POST", path, json=dict(body)), wrote=True)
        parts = {"attachments": file}
        response = self._call("POST", path, size=len(file[1]), data=dict(body), files=parts)
        return _object(response, wrote=True)

    def patch(self, path: str, body: Mapping[str, Any], params: Params | None = None) -> dict[str, Any]:
        """Change something; how it is now."""
        return _object(self._call("PATCH", path, json=dict(body), params=params), wrote=True)

    def content(self, address: str, max_bytes: int, too_large: str) -> bytes:
        """A file on a ticket, ``address`` being what an answer says. ``Rejected`` with ``too_large`` past ``max_bytes``.

        Files are no part of the API: anybody can read them who knows the address. It is asked without the key, and only
        where files are said to be.
        """
        parts = urlsplit(address)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        found = bytearray()
        for piece in self._stream(path, max_bytes):
            found += piece
            if len(found) > max_bytes:
                raise Rejected(too_large, code="too_large")
        return bytes(found)

    # --- one call ----------------------------------------------------------------------------------

    @property
    def _client(self) -> http.Client:
        client: http.Client | None = getattr(self._local, "client", None)
        if client is None:
            head = {"Authorization": f"Token {self._token}", "Accept": "application/json"}
            client = self._local.client = http.sync_client(self.url, timeout=self.timeout, headers=head)
        return client

    @property
    def _files(self) -> http.Client:
        client: http.Client | None = getattr(self._local, "files", None)
        if client is None:
            client = self._local.files = http.sync_client(self._media, timeout=self.timeout)
        return client

    def _call(
        self, method: str, path: str, *, size: int = 0, wrote: bool | None = None, **how: Any
    ) -> http.Response:
        wrote = method != "GET" if wrote is None else wrote
        seconds = rest.seconds_for(self.timeout, size)
        how |= {"timeout": http.waits(seconds), "extensions": {"deadline": seconds}}
        try:
            response = self._client.request(method, f"{_API}{path}", **how)
        except http.HTTPError as error:
            raise http.translate(error, wrote=wrote, who=WHO) from error
        self._local.served_at = rest.served_at(response)
        failure = _failed(response, wrote=wrote)
        if not isinstance(failure, Unavailable | Ambiguous):
            self.answered_at = time.monotonic()
        if failure is not None:
            raise failure
        return response

    def _stream(self, path: str, max_bytes: int) -> Iterator[bytes]:
        seconds = rest.seconds_for(self.timeout, max_bytes)
        client = self._files
        try:
            request = client.build_request("GET", path, extensions={"deadline": seconds})
            response = client.send(request, stream=True)
            try:
                if response.status_code != 200:
                    response.read()
                    raise _not_served(response)
                yield from response.iter_bytes()
            finally:
                response.close()
        except http.HTTPError as error:
            raise http.translate(error, wrote=False, who=WHO) from error


def _not_served(response: http.Response) -> ConnectorError:
    if response.status_code in (301, 302, 303, 307, 308, 401, 403):
        return Forbidden(
            f"{WHO} does not serve its files to us: let this machine read MEDIA_URL, or set tracker.media_url",
            code="media",
        )
    return rest.failed(response, who=WHO, wrote=False) or rest.garbled(who=WHO, wrote=False)


def _failed(response: http.Response, *, wrote: bool) -> ConnectorError | None:
    if response.status_code == 400:
        try:
            said = response.json()
        except ValueError:
            said = None
        if isinstance(said, dict):
            return Refused(said)
    if response.status_code == 403:
        return Forbidden(f"{WHO} does not let our account in: mark it as staff (is_staff)", code="http_403")
    if response.status_code == 404:
        return Gone(f"{WHO} does not have this ticket (any more), or does not show it to us", code="http_404")
    return rest.failed(response, who=WHO, wrote=wrote)


def _object(response: http.Response, *, wrote: bool) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise rest.garbled(who=WHO, wrote=wrote)
    return found


def _first(why: Any) -> str:
    """The first of the sentences about a field."""
    while isinstance(why, list | dict) and why:
        why = why[0] if isinstance(why, list) else next(iter(why.values()))
    return str(why)

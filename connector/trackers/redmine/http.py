"""python-redmine's engine on our HTTP client: real deadlines, and errors that say whether anything was
written.

python-redmine sets ``timeout`` as an attribute of its session, where requests ignores it: a silent server
blocks it for ever. An engine is its documented way to bring another client.
"""

from __future__ import annotations

import email.utils
import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote

from redminelib import Redmine
from redminelib.engines import BaseEngine

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.toolkit import http

WHO = "Redmine"
_SLOW_BYTES_PER_SECOND = 50_000
"""What the slowest line is trusted with: a transfer gets so much more time for its size."""
_LONGEST_TEXT = 400

PAGE = 100
"""Rows in a list; Redmine cuts a larger limit to this without a word."""
Params = Sequence[tuple[str, str]]


class HttpxEngine(BaseEngine):  # type: ignore[misc]
    """Raises the errors of ``core/errors.py`` instead of python-redmine's."""

    served_at: datetime | None = None
    """The server's own time of its last answer (``Date`` header), UTC, whole seconds."""

    @staticmethod
    def create_session(**params: Any) -> http.Client:
        return http.sync_client(params["base_url"], timeout=params["timeout"], headers=params["headers"])

    def request(
        self, method: str, url: str, headers: Any = None, params: Any = None, data: Any = None
    ) -> Any:
        """One call; ``data`` a dict (sent as JSON), bytes or a file. Returns the JSON, or True for no
        content."""
        wrote = method.lower() not in ("get", "head")
        content, kind = _body(data)
        seconds = float(self.requests["timeout"]) + len(content) / _SLOW_BYTES_PER_SECOND
        head = {**({"Content-Type": kind} if wrote else {}), **(headers or {})}
        try:
            response = self.session.request(
                method.upper(),
                url,
                params=params or None,
                headers=head,
                content=content if wrote else None,
                timeout=http.waits(seconds),
                extensions={"deadline": seconds},
            )
        except Exception as error:
            raise http.translate(error, wrote=wrote, who=WHO) from error
        self.served_at = _server_time(response)
        failure = failed(response, wrote=wrote)
        if failure is not None:
            raise failure
        if not response.content.strip():
            return True
        try:
            return response.json()
        except ValueError:
            raise _garbled(wrote) from None

    def process_bulk_request(self, method: str, url: str, container: str, bulk_params: Any) -> Any:
        return [x for params in bulk_params for x in self.request(method, url, params=params)[container]]


class Connection:
    """One python-redmine client per thread for one Redmine and one key."""

    def __init__(self, url: str, key: str, timeout: float) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._key = key
        self._local = threading.local()

    @property
    def redmine(self) -> Any:
        """This thread's python-redmine client."""
        client = getattr(self._local, "client", None)
        if client is None:
            options = {"base_url": self.url, "timeout": self.timeout}
            client = Redmine(self.url, key=self._key, engine=HttpxEngine, requests=options)
            self._local.client = client
        return client

    @property
    def served_at(self) -> datetime | None:
        """The server's time of this thread's last answer, UTC."""
        return cast("datetime | None", self.redmine.engine.served_at)

    def get(self, path: str, params: Params = ()) -> dict[str, Any]:
        """GET ``path`` (with its ``.json``); a JSON object or an error of ``core/errors.py``."""
        # A list, because filters repeat a parameter (v[cf_2][]), which a dict cannot say.
        answer = self.redmine.engine.request("get", self.url + path, params=list(params))
        if not isinstance(answer, dict):
            raise _garbled(wrote=False)
        return answer

    def stream(self, path: str, max_bytes: int, too_large: str) -> Iterator[bytes]:
        """The bytes under ``path``, in pieces; ``Rejected`` with ``too_large`` past ``max_bytes``."""
        seconds = self.timeout + max_bytes / _SLOW_BYTES_PER_SECOND
        client: http.Client = self.redmine.engine.session
        seen = 0
        try:
            with client.stream("GET", self.url + path, extensions={"deadline": seconds}) as response:
                failure = failed(response, wrote=False)
                if failure is not None:
                    raise failure
                for piece in response.iter_bytes():
                    seen += len(piece)
                    if seen > max_bytes:
                        raise Rejected(too_large, code="too_large")
                    yield piece
        except http.HTTPError as error:
            raise http.translate(error, wrote=False, who=WHO) from error


def attachment_path(file_id: str, filename: str) -> str:
    """Where a file's bytes are. Never the ``content_url`` of an answer: that host is a setting of the server,
    may be wrong, and would get our key."""
    return f"/attachments/download/{quote(file_id, safe='')}/{quote(filename, safe='')}"


def failed(response: http.Response, *, wrote: bool) -> ConnectorError | None:
    """The error an answer means, or None. 422 carries the server's own words, in the language of our
    account."""
    status = response.status_code
    if status in (200, 201, 204):
        return None
    code = f"http_{status}"
    if status == 429 or (status == 503 and response.headers.get("retry-after")):
        return http.throttled(response.headers, who=WHO)
    if status >= 500:
        if wrote:
            return Ambiguous(
                f"Redmine failed ({status}) and may have kept what was sent. It is looked up", code=code
            )
        return Unavailable(f"Redmine failed ({status}). It is tried again later", code=code)
    if status == 401:
        return Forbidden(
            "Redmine does not accept our API key: the key is wrong or was withdrawn, or the account is locked. "
            "Check tracker.api_key and the account",
            code=code,
        )
    if status == 403:
        return Forbidden(
            "Redmine does not let our account do this: give its role the right, or make it a member there",
            code=code,
        )
    if status == 404:
        return Gone("Redmine does not have this (any more): deleted, or the address is wrong", code=code)
    if status == 422:
        return Rejected(f"Redmine refuses the data: {_server_words(response)}", code=code)
    if status == 413:
        return Rejected("What was sent is too large for Redmine or the proxy before it", code=code)
    if 300 <= status < 400:
        return Unavailable(
            "Redmine sends us to another address; check tracker.url (https, no www…)", code=code
        )
    if status in (408, 425):
        return Unavailable(f"Redmine did not take the request ({status}). It is tried again later", code=code)
    return Rejected(f"Redmine does not understand the request ({status})", code=code)


def _server_words(response: http.Response) -> str:
    try:
        response.read()
        errors = response.json()["errors"]
        words = "; ".join(": ".join(map(str, e)) if isinstance(e, list) else str(e) for e in errors)
    except (ValueError, KeyError, TypeError):
        words = ""
    return words[:_LONGEST_TEXT] or "it gave no reason"


def _garbled(wrote: bool) -> ConnectorError:
    if wrote:
        return Ambiguous("Redmine answered with something else than JSON. It is looked up", code="garbled")
    return Unavailable(
        "Redmine answered with something else than JSON; is tracker.url right?", code="garbled"
    )


def _body(data: Any) -> tuple[bytes, str]:
    if data is None:
        return b"", "application/json"
    if isinstance(data, bytes):
        return data, "application/octet-stream"
    if hasattr(data, "read"):
        return bytes(data.read()), "application/octet-stream"
    return json.dumps(data).encode(), "application/json"


def _server_time(response: http.Response) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
    except (TypeError, ValueError):
        return None

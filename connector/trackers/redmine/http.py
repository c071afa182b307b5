"""python-redmine's engine on our HTTP client: real deadlines, and errors that say whether anything was
written.

python-redmine sets ``timeout`` as an attribute of its session, where requests ignores it: a silent server
blocks it for ever. An engine is its documented way to bring another client.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from connector.core.errors import Ambiguous, ConnectorError, Rejected, Unavailable
from connector.toolkit import http
from connector.toolkit.lean import later
from connector.trackers import rest

with later("requests"):
    from redminelib import Redmine
    from redminelib.engines import BaseEngine

WHO = "Redmine"

PAGE = 100
"""Rows in a list; Redmine cuts a larger limit to this without a word."""
MOST_PAGES = 200
"""Pages of a list that are read in one go: a count that says there are more is not believed."""
Params = Sequence[tuple[str, str]]


class Refused(Rejected):
    """A 422. ``reasons`` are Redmine's own sentences, in the language of our account."""

    def __init__(self, reasons: Sequence[str]) -> None:
        words = "; ".join(reasons)[: rest.LONGEST_WORDS]
        super().__init__(f"Redmine refuses the data: {words or 'it gave no reason'}", code="http_422")
        self.reasons = tuple(reasons)


class HttpxEngine(BaseEngine):  # type: ignore[misc]
    """Raises the errors of ``core/errors.py`` instead of python-redmine's."""

    served_at: datetime | None = None
    """The server's own time of its last answer (``Date`` header), UTC, whole seconds."""
    answered: Callable[[], None] | None = None
    """Called after each proper answer."""

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
        seconds = rest.seconds_for(float(self.requests["timeout"]), len(content))
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
        self.served_at = rest.served_at(response)
        failure = _failed(response, wrote=wrote)
        if self.answered is not None and not isinstance(failure, Unavailable | Ambiguous):
            self.answered()
        if failure is not None:
            raise failure
        if not response.content.strip():
            return True
        try:
            return response.json()
        except ValueError:
            raise rest.garbled(who=WHO, wrote=wrote) from None

    def process_bulk_request(self, method: str, url: str, container: str, bulk_params: Any) -> Any:
        return [x for params in bulk_params for x in self.request(method, url, params=params)[container]]


class Connection:
    """One python-redmine client per thread for one Redmine and one key."""

    def __init__(self, url: str, key: str, timeout: float) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._key = key
        self._local = threading.local()
        self.answered_at = 0.0
        """``time.monotonic()`` of the last proper answer to any thread, 0 before the first."""

    @property
    def redmine(self) -> Any:
        """This thread's python-redmine client."""
        client = getattr(self._local, "client", None)
        if client is None:
            options = {"base_url": self.url, "timeout": self.timeout}
            client = Redmine(self.url, key=self._key, engine=HttpxEngine, requests=options)
            client.engine.answered = self._answered
            self._local.client = client
        return client

    def _answered(self) -> None:
        self.answered_at = time.monotonic()

    @property
    def served_at(self) -> datetime | None:
        """The server's time of this thread's last answer, UTC."""
        return cast("datetime | None", self.redmine.engine.served_at)

    def get(self, path: str, params: Params = ()) -> dict[str, Any]:
        """GET ``path`` (with its ``.json``); a JSON object or an error of ``core/errors.py``."""
        # A list, because filters repeat a parameter (v[cf_2][]), which a dict cannot say.
        answer = self.redmine.engine.request("get", self.url + path, params=list(params))
        if not isinstance(answer, dict):
            raise rest.garbled(who=WHO, wrote=False)
        return answer

    def stream(self, path: str, max_bytes: int, too_large: str) -> Iterator[bytes]:
        """The bytes under ``path``, in pieces; ``Rejected`` with ``too_large`` past ``max_bytes``."""
        seconds = rest.seconds_for(self.timeout, max_bytes)
        client: http.Client = self.redmine.engine.session
        seen = 0
        try:
            with client.stream("GET", self.url + path, extensions={"deadline": seconds}) as response:
                failure = _failed(response, wrote=False)
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


def _failed(response: http.Response, *, wrote: bool) -> ConnectorError | None:
    """The error an answer means. 422 carries the server's own words, in the language of our account."""
    if response.status_code == 422:
        return Refused(_server_words(response))
    return rest.failed(response, who=WHO, wrote=wrote)


def _server_words(response: http.Response) -> tuple[str, ...]:
    try:
        errors = http.whole(response).json()["errors"]
        return tuple(": ".join(map(str, e)) if isinstance(e, list) else str(e) for e in errors)
    except (ValueError, KeyError, TypeError):
        return ()


def _body(data: Any) -> tuple[bytes, str]:
    if data is None:
        return b"", "application/json"
    if isinstance(data, bytes):
        return data, "application/octet-stream"
    if hasattr(data, "read"):
        return bytes(data.read()), "application/octet-stream"
    return json.dumps(data).encode(), "application/json"

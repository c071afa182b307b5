"""RT's REST2 on our HTTP client: one session a thread, and errors that say whether anything was written.

With a user and a password each thread logs in by the page for people and keeps its cookie, which REST2 takes
as well. A call whose session is over is answered with 302 and was not carried out: we log in and repeat it.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Rejected, Unavailable
from connector.toolkit import http
from connector.trackers import rest

WHO = "Request Tracker"
PAGE = 100
"""Rows in a list; REST2 gives no more than this."""
MOST_PAGES = 200
"""Pages of a list that are read in one go: a server that gives full ones for ever does not look at the number."""
Params = Mapping[str, str | int]
_API = "/REST/2.0"
_LOGIN = "/NoAuth/Login.html"
_SESSION_OVER = 302
_BASE64 = 4 / 3
_AROUND = 100_000
"""Bytes of JSON around the content of a file."""


class Connection:
    """One HTTP client a thread for one RT and one account."""

    def __init__(self, url: str, user: str, secret: str, timeout: float) -> None:
        """``secret`` is the password of ``user``, or a token when there is no user."""
        self.url = url.rstrip("/")
        self.user = user
        self.timeout = timeout
        self._secret = secret
        self._local = threading.local()
        self.answered_at = 0.0
        """``time.monotonic()`` of the last proper answer to any thread, 0 before the first."""

    @property
    def token_owner(self) -> str:
        """The number of the account a token belongs to, which stands in the token; "" when that is not one."""
        parts = self._secret.split("-")
        return parts[1] if len(parts) == 3 and parts[1].isdigit() else ""

    @property
    def served_at(self) -> datetime | None:
        """The server's time of this thread's last answer, UTC."""
        return getattr(self._local, "served_at", None)

    # --- calls -------------------------------------------------------------------------------------

    def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """A JSON object, or an error of ``core/errors.py``."""
        answer = _json(self._call("GET", path, params=dict(params or {})), wrote=False)
        if not isinstance(answer, dict):
            raise rest.garbled(who=WHO, wrote=False)
        return answer

    def some(self, path: str, **params: str | int) -> list[dict[str, Any]]:
        """The rows of one page of a list. Of what our account does not see, rows may be missing in it."""
        items = self.get(path, params).get("items")
        if not isinstance(items, list):
            raise rest.garbled(who=WHO, wrote=False)
        return items

    def rows(self, path: str, **params: str | int) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page until one is not full."""
        for page in range(1, MOST_PAGES + 1):
            found = self.some(path, **params, per_page=PAGE, page=page)
            yield from found
            if len(found) < PAGE:
                return
        raise rest.garbled(who=WHO, wrote=False)

    def etag(self, path: str) -> tuple[dict[str, Any], int]:
        """A ticket, with the number of its last transaction, which is its ETag."""
        response = self._call("GET", path)
        number = response.headers.get("etag", "").strip('W/"')
        return _json(response, wrote=False), int(number) if number.isdigit() else 0

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Change something. 200 says nothing of what was taken: look at it afterwards."""
        self._call("PUT", path, body=body)

    def post(self, path: str, body: Mapping[str, Any], file: tuple[str, bytes, str] | None = None) -> Any:
        """Make something, with a file (name, content, type) or without; the JSON that comes back.

        A file goes as a part of its own: in JSON, names beyond ASCII come back broken or are answered with 500.
        """
        return _json(self._call("POST", path, body=body, file=file), wrote=True)

    def content(self, attachment: str, max_bytes: int, too_large: str) -> bytes:
        """The bytes of an attachment. ``Rejected`` with ``too_large`` past ``max_bytes``."""
        most = int(max_bytes * _BASE64) + _AROUND
        raw = bytearray()
        for piece in self._stream(f"/attachment/{attachment}", most):
            raw += piece
            if len(raw) > most:
                raise Rejected(too_large, code="too_large")
        try:
            content = base64.b64decode(json.loads(raw).get("Content") or "")
        except (ValueError, binascii.Error, AttributeError):
            raise rest.garbled(who=WHO, wrote=False) from None
        if len(content) > max_bytes:
            raise Rejected(too_large, code="too_large")
        return content

    # --- the session -------------------------------------------------------------------------------

    @property
    def _client(self) -> http.Client:
        client: http.Client | None = getattr(self._local, "client", None)
        if client is None:
            head = {} if self.user else {"Authorization": f"token {self._secret}"}
            client = self._local.client = http.sync_client(self.url, timeout=self.timeout, headers=head)
        return client

    def _log_in(self) -> None:
        form = {"user": self.user, "pass": self._secret}
        client = self._client
        client.cookies.clear()
        try:
            page = client.post(_LOGIN, data=form)
            # a wrong password is answered with 200 as well, and the page again
            proof = client.get(f"{_API}/rt") if page.status_code == 200 else page
        except http.HTTPError as error:
            raise http.translate(error, wrote=False, who=WHO) from error
        if proof.status_code in (_SESSION_OVER, 401) and page.status_code == 200:
            raise Forbidden(
                f"{WHO} does not let us in: user or password is wrong, or the account is disabled. "
                "Check tracker.user and tracker.api_key",
                code="http_401",
            )
        failure = rest.failed(proof, who=WHO, wrote=False)
        if failure is not None:
            raise failure
        self._local.inside = True

    def _inside(self, ask: Callable[[], http.Response]) -> http.Response:
        """The answer to a call within a session, which is begun or renewed where it is needed."""
        if not self.user:
            return ask()
        if not getattr(self._local, "inside", False):
            self._log_in()
        response = ask()
        if response.status_code == _SESSION_OVER:
            response.close()
            self._log_in()
            response = ask()
        return response

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        file: tuple[str, bytes, str] | None = None,
    ) -> http.Response:
        wrote = method != "GET"
        seconds = rest.seconds_for(self.timeout, len(file[1]) if file else 0)
        how: dict[str, Any] = {"timeout": http.waits(seconds), "extensions": {"deadline": seconds}}
        if file:
            how |= {"data": {"JSON": json.dumps(body)}, "files": {"Attachments": file}}
        elif body is not None:
            how["json"] = body
        client = self._client
        try:
            response = self._inside(lambda: client.request(method, f"{_API}{path}", params=params, **how))
        except http.HTTPError as error:
            raise http.translate(error, wrote=wrote, who=WHO) from error
        self._hear(response, wrote=wrote)
        return response

    def _stream(self, path: str, max_bytes: int) -> Iterator[bytes]:
        seconds = rest.seconds_for(self.timeout, max_bytes)
        client = self._client

        def ask() -> http.Response:
            request = client.build_request("GET", f"{_API}{path}", extensions={"deadline": seconds})
            return client.send(request, stream=True)

        try:
            response = self._inside(ask)
            try:
                if response.status_code != 200:
                    http.whole(response)
                self._hear(response, wrote=False)
                yield from response.iter_bytes()
            finally:
                response.close()
        except http.HTTPError as error:
            raise http.translate(error, wrote=False, who=WHO) from error

    def _hear(self, response: http.Response, *, wrote: bool) -> None:
        self._local.served_at = rest.served_at(response)
        failure = _failed(response, wrote=wrote)
        if not isinstance(failure, Unavailable | Ambiguous):
            self.answered_at = time.monotonic()
        if failure is not None:
            raise failure


def _failed(response: http.Response, *, wrote: bool) -> ConnectorError | None:
    words = ""
    if response.status_code in (400, 422):
        try:
            words = str(response.json()["message"])
        except (ValueError, KeyError, TypeError):
            words = ""
    return rest.failed(response, who=WHO, wrote=wrote, words=words)


def _json(response: http.Response, *, wrote: bool) -> Any:
    try:
        return response.json()
    except ValueError:
        raise rest.garbled(who=WHO, wrote=wrote) from None


def quoted(text: str) -> str:
    """A value in RT's query language."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def any_of(field: str, values: Sequence[str]) -> str:
    """A condition of RT's query language: the field has one of these values."""
    return "(" + " OR ".join(f"{field} = {quoted(value)}" for value in values) + ")"

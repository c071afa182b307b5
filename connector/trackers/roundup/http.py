"""Calls of Roundup's REST interface, and what its answers mean.

https://www.roundup-tracker.org/docs/rest.html. Each call carries login and password: a session would cost less, but one
that is over is anonymous in Roundup, with a 200 and whatever an anonymous visitor may see.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Rejected, Unavailable
from connector.toolkit import http
from connector.trackers import rest

from .config import Config

WHO = "Roundup"
Item = dict[str, Any]
Params = Sequence[tuple[str, str]]
_ATTEMPTS = 6
"""How often a change is tried that others came before with theirs."""
_IDS = 200
"""Ids in one question: with more of them its address gets too long."""
_SERVER_FAILED = "check the server log"
"""In the 400 that stands for an exception nobody foresaw in Roundup: a locked database, for instance."""
_WRONG_ADDRESS = re.compile(r"Invalid (HOST|ORIGIN|Referer)|not allowed to use Rest|Required Header", re.I)
_USED_UP = re.compile(r"POE token .* not valid")
_TOTAL = re.compile(r"bytes \d+-\d+/(\d+)")


class Stale(ConnectorError):
    """Somebody else changed an item since it was read: nothing was done."""


class Api:
    """Roundup, seen from several threads: each has a client of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._local = threading.local()
        key = base64.b64encode(config.api_key.get_secret_value().encode()).decode()
        self._headers = {
            "Authorization": f"Basic {key}",
            "X-Requested-With": "rest",
            "Accept": "application/json",
        }
        self._known_as: dict[str, str] = {}
        self.answered_at = 0.0
        self.served_at: datetime | None = None

    # --- reading -----------------------------------------------------------------------------------

    def read(self, path: str, params: Params = ()) -> Item:
        """What stands at a path below ``/rest/data``. Raises ``Gone``, ``Forbidden``, ``Unavailable``; the latter with
        the code ``http_400`` where Roundup does not know a class, a property or a value that was asked for."""
        response = self._send("GET", f"/rest/data{path}", wrote=False, params=list(params))
        error = self._failed(response, wrote=False)
        if isinstance(error, Rejected):
            sentence = "Roundup lacks something of what is asked for; `connector check` says what"
            raise Unavailable(sentence, code=error.code) from error
        if error is not None:
            raise error
        return _data(response, wrote=False)

    def listed(self, klass: str, filters: Params, fields: Iterable[str], *, verbose: int = 0) -> list[Item]:
        """All items of a class that pass the filters and are neither retired nor out of sight, by id; what our account
        may not see of one is not in it. A filter that names several ids has them one by one, as ``("id", "7")``."""
        asked = [*filters, ("@fields", ",".join(["id", *filter(None, fields)])), ("@verbose", str(verbose))]
        data = self.read(f"/{klass}", asked)
        items: list[Item] = data.get("collection", [])
        if data.get("@total_size") != len(items):
            raise Unavailable(
                "Roundup cuts its lists (max_response_row_size in its interfaces.py)", code="cut"
            )
        return sorted(items, key=lambda item: int(item["id"]))

    def by_ids(
        self, klass: str, ids: Iterable[str], fields: Iterable[str], *, name: str = "id", verbose: int = 0,
        filters: Params = (),
    ) -> list[Item]:  # fmt: skip
        """Like ``listed``, for items whose ``name`` is, or holds, one of ``ids``."""
        wanted, fields = sorted(set(ids), key=int), list(fields)
        found: dict[str, Item] = {}
        for start in range(0, len(wanted), _IDS):
            part = [(name, each) for each in wanted[start : start + _IDS]]
            found |= {
                item["id"]: item for item in self.listed(klass, [*filters, *part], fields, verbose=verbose)
            }
        return list(found.values())

    def element(
        self, klass: str, item_id: str, fields: Iterable[str], *, verbose: int = 0
    ) -> tuple[Item, str]:
        """One item, also when it is retired, and its ETag."""
        asked = [("@fields", ",".join(["id", *filter(None, fields)])), ("@verbose", str(verbose))]
        data = self.read(f"/{klass}/{item_id}", asked)
        try:
            return data["attributes"], str(data["@etag"])
        except (KeyError, TypeError):
            raise rest.garbled(who=WHO, wrote=False) from None

    # --- writing -----------------------------------------------------------------------------------

    def look(self) -> tuple[str, frozenset[str]]:
        """The address that Roundup itself is set to, with a slash at the end, and the classes of which our account may see
        something. From then on that address is named in each call: Roundup takes writes for no other one."""
        classes = self.read("")
        link = next((str(c.get("link", "")) for c in classes.values() if isinstance(c, dict)), "")
        home = link.partition("rest/data")[0]
        if not home.startswith("http"):
            raise rest.garbled(who=WHO, wrote=False)
        url = http.URL(home)
        host = url.netloc.decode()
        self._known_as = {"Origin": f"{url.scheme}://{host}", "Host": host}
        return home, frozenset(classes)

    def open_issue(self, properties: Mapping[str, Any]) -> str:
        """A new issue, and its id; by an address that Roundup takes a single time, so that no proxy makes two of one
        (https://www.roundup-tracker.org/docs/rest.html, «post once exactly»)."""
        path = "/rest/data/issue/@poe"
        given = self._written("POST", path, wrote=False, json={})
        token = str(given.get("link", "")).rpartition("/")[2]
        return _id(self._written("POST", f"{path}/{token}", wrote=True, json=dict(properties)), wrote=True)

    def message(self, properties: Mapping[str, Any]) -> str:
        """A new message that is on no issue yet, and its id. Nothing shows it: to do it again does no harm."""
        return _id(self._written("POST", "/rest/data/msg", wrote=False, json=dict(properties)), wrote=False)

    def upload(self, filename: str, media_type: str, content: bytes) -> str:
        """A new file that is on no issue yet, and its id; the same goes for it."""
        parts = {
            "content": (filename, content, media_type),
            "name": (None, filename),
            "type": (None, media_type),
        }
        deadline = rest.seconds_for(self._config.timeout, len(content))
        made = self._written("POST", "/rest/data/file", wrote=False, files=parts, deadline=deadline)
        return _id(made, wrote=False)

    def change(self, item_id: str, asked: Sequence[str], to: Callable[[Item], Mapping[str, Any]]) -> bool:
        """Change an issue: ``to`` gets its properties ``asked`` as they are and says which become what, nothing when
        all is as it should be: then it is False. If somebody else was quicker it is asked again."""
        for _ in range(_ATTEMPTS):
            now, etag = self.element("issue", item_id, asked)
            properties = dict(to(now))
            if not properties:
                return False
            try:
                self._written("PATCH", f"/rest/data/issue/{item_id}", wrote=True, json=properties, etag=etag)
            except Stale:
                continue
            return True
        raise Unavailable(
            "Others keep changing this ticket in Roundup; it is tried again later", code="http_412"
        )

    # --- files -------------------------------------------------------------------------------------

    def size(self, file_id: str) -> int:
        """Bytes of a file. REST does not say it, the page that staff download it from does."""
        response = self._send("GET", f"/file{file_id}/", wrote=False, headers={"Range": "bytes=0-0"})
        if response.status_code == 416:
            return 0
        if response.status_code == 206 and (
            found := _TOTAL.fullmatch(response.headers.get("content-range", ""))
        ):
            return int(found[1])
        error = self._failed(response, wrote=False)
        if error is not None:
            raise error
        return len(response.content)

    def pieces(self, file_id: str, max_bytes: int) -> Iterator[bytes]:
        """The content of a file; ``Rejected`` once it is more than ``max_bytes``."""
        deadline = rest.seconds_for(self._config.timeout, max_bytes)
        so_far = 0
        try:
            with self._client().stream(
                "GET", f"/file{file_id}/", extensions={"deadline": deadline}
            ) as response:
                if response.status_code != 200:
                    response.read()
                    raise self._failed(response, wrote=False) or rest.garbled(who=WHO, wrote=False)
                self._heard(response)
                for piece in response.iter_bytes():
                    so_far += len(piece)
                    if so_far > max_bytes:
                        raise Rejected("The file is larger than is allowed", code="too_large")
                    yield piece
        except http.HTTPError as error:
            raise http.translate(error, wrote=False, who=WHO) from error

    # --- one call ----------------------------------------------------------------------------------

    def _client(self) -> http.Client:
        client: http.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = http.sync_client(self._config.url, timeout=self._config.timeout, headers=self._headers)
            self._local.client = client
        return client

    def _send(
        self, method: str, path: str, *, wrote: bool, deadline: float | None = None,
        headers: Mapping[str, str] | None = None, **sent: Any,
    ) -> http.Response:  # fmt: skip
        extensions = {"deadline": deadline} if deadline else {}
        try:
            response = self._client().request(
                method, path, headers={**self._known_as, **(headers or {})}, extensions=extensions, **sent
            )
        except http.HTTPError as error:
            raise http.translate(error, wrote=wrote, who=WHO) from error
        self._heard(response)
        return response

    def _heard(self, response: http.Response) -> None:
        if response.status_code < 500:
            self.answered_at = time.monotonic()
            self.served_at = rest.served_at(response) or self.served_at

    def _written(self, method: str, path: str, *, wrote: bool, etag: str = "", **sent: Any) -> Item:
        if not self._known_as:
            self.look()
        headers = {"If-Match": etag} if etag else {}
        response = self._send(method, path, wrote=wrote, headers=headers, **sent)
        error = self._failed(response, wrote=wrote)
        if error is not None:
            raise error
        return _data(response, wrote=wrote)

    def _failed(self, response: http.Response, *, wrote: bool) -> ConnectorError | None:
        """What Roundup means by a status: 405 is also what a detector refuses, 409 also a value, 400 also a failure."""
        status = response.status_code
        if status < 400:
            return rest.failed(response, who=WHO, wrote=wrote)
        said, code = _said(response), f"http_{status}"
        if status == 412:
            return Stale(f"{WHO}: somebody else changed this meanwhile", code=code)
        if status == 400 and _SERVER_FAILED in said:
            sentence = f"{WHO} failed; its log says why. It is tried again later"
            return Ambiguous(sentence, code=code) if wrote else Unavailable(sentence, code=code)
        if status == 400 and wrote and _USED_UP.search(said):
            return Ambiguous(f"{WHO} had this before; whether it took it is looked up", code=code)
        if status == 400 and _WRONG_ADDRESS.search(said):
            sentence = f"{WHO} is set to another address than we call it by: compare tracker.url with [tracker] web in its config.ini"
            return Forbidden(sentence, code=code)
        if status in (405, 409):
            return Rejected(
                f"{WHO} refuses the data: {said[: rest.LONGEST_WORDS] or 'it gave no reason'}", code=code
            )
        return rest.failed(response, who=WHO, wrote=wrote, words=said)


def _said(response: http.Response) -> str:
    """Roundup's own words about what went wrong, on one line."""
    try:
        return " ".join(str(response.json()["error"]["msg"]).split())
    except (ValueError, KeyError, TypeError):
        return ""


def _id(made: Item, *, wrote: bool) -> str:
    item_id = str(made.get("id", ""))
    if not item_id.isdecimal():
        raise rest.garbled(who=WHO, wrote=wrote)
    return item_id


def _data(response: http.Response, *, wrote: bool) -> Item:
    try:
        data = response.json()["data"]
    except (ValueError, KeyError, TypeError):
        data = None
    if not isinstance(data, dict):
        raise rest.garbled(who=WHO, wrote=wrote)
    return data

"""Trackers that answer anything at all: what real ones once answered, with one answer spoilt.

A recorded test of the contract is played again; the adapter's calls get what was recorded, but for one. Whatever that
one is, a call of the port ends in the connector's own errors or in a value, after so many calls at most, and what the
tracker did not mark as public is not public.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import yaml
from hypothesis import strategies as st

from connector.core.errors import ConnectorError
from connector.core.ports import Tracker
from connector.core.ticket import Changes, EntryKind, TicketView
from connector.toolkit.transports import DeadlineTransport
from tests import odd

from .contract import TrackerContract
from .system import System

Spoil = Callable[[httpx.Response], httpx.Response]
"""Makes another answer of one."""
MOST_CALLS = 2000
"""More calls than this for one test never end."""
TESTS = (
    "test_a_good_mapping_has_no_findings",
    "test_created_as_asked_and_found_again",
    "test_two_tickets_under_one_reference",
    "test_a_file_is_attached_once",
    "test_an_internal_note_is_written_once_and_private",
    "test_an_internal_note_of_staff_stays_internal",
    "test_a_ticket_is_flagged_once_and_it_is_said_what_was_not_taken",
    "test_one_entry_can_be_note_status_and_file_at_once",
    "test_a_closed_ticket_still_moves",
    "test_a_download_is_limited",
    "test_deleted_and_moved_away",
)
PORT = ("verify", "create", "find", "attach", "add_internal_note", "flag", "start_cursor", "changes", "read")
BODIES: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"0",
    b'"x"',
    b"<!DOCTYPE html><html><title>Sign in</title><form action=/login></form></html>",
    b"[" * 100_000,
    b'{"a":' * 20_000,
    b"\xff\xfe\x00{",
    b'{"issues": [], "issues": {}, "total_count": 1e400}',
    b"9" * 10_000,
)
STATUSES = (
    204,
    206,
    301,
    302,
    307,
    400,
    401,
    403,
    404,
    408,
    409,
    410,
    413,
    415,
    418,
    422,
    425,
    429,
    500,
    502,
    503,
    504,
    599,
)
HEADERS = (
    {"date": "yesterday"},
    {"date": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"date": "Fri, 31 Dec 9999 23:59:59 GMT"},
    {"retry-after": "9" * 300},
    {"retry-after": "-5"},
    {"etag": "9" * 5000},
    {"etag": ""},
    {"location": "http://169.254.169.254/latest/meta-data/"},
    {"content-encoding": "gzip"},
    {"content-type": "text/html; charset=no-such-charset"},
)


@cache
def recorded(file: Path) -> list[tuple[str, str, httpx.Response]]:
    """Method, path with its query, and answer of each call of a cassette, in order."""
    with file.open(encoding="utf-8") as stream:
        data = yaml.load(stream, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found = []
    for one in data["interactions"]:
        body = one["response"]["body"]["string"]
        head = {
            k: v[0]
            for k, v in one["response"]["headers"].items()
            if k not in ("content-length", "transfer-encoding")
        }
        answer = httpx.Response(
            one["response"]["status"]["code"],
            headers=head,
            content=body.encode() if isinstance(body, str) else body,
        )
        found.append(
            (one["request"]["method"], str(httpx.URL(one["request"]["uri"]).raw_path, "ascii"), answer)
        )
    return found


@dataclass
class Spoiler:
    """Answers the calls of one played test; the adapter's call number ``at`` gets ``spoil`` of its answer."""

    calls: list[tuple[str, str, httpx.Response]]
    at: int
    spoil: Spoil
    asked: int = 0
    adapters: int = 0
    served: list[Any] = field(default_factory=list)
    """The JSON that the adapter was given."""

    def answer(self, transport: Any, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked > MOST_CALLS:
            raise Endless(str(request.url.path))
        found = self.found(transport, request)
        if isinstance(transport, DeadlineTransport):
            self.adapters += 1
            if self.adapters == self.at:
                found = self.spoil(found)
            with suppress(ValueError, RecursionError, httpx.HTTPError):
                self.served.append(json.loads(found.content))
        return httpx.Response(found.status_code, headers=found.headers, stream=_Bytes(found))

    def found(self, transport: Any, request: httpx.Request) -> httpx.Response:
        """What was recorded for it."""
        wanted = (request.method, str(request.url.raw_path, "ascii"))
        n = next((n for n, (method, path, _) in enumerate(self.calls) if (method, path) == wanted), None)
        if n is None:
            # it went another way than it was recorded
            recent = [
                r
                for m, p, r in self.calls
                if (m, p.partition("?")[0]) == (wanted[0], wanted[1].partition("?")[0])
            ]
            found = recent[0] if recent else httpx.Response(404, content=b"{}")
        else:
            found = (
                self.calls.pop(n)[2]
                if len([c for c in self.calls if c[:2] == wanted]) > 1
                else self.calls[n][2]
            )
        return found


class _Bytes(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._content = response.extensions.get("raw", response.content)

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), 65536):
            yield self._content[start : start + 65536]


class Endless(BaseException):
    """An adapter that goes on asking: no ``except Exception`` may hide it."""


@dataclass
class Watched:
    """A tracker behind whose calls only the connector's errors come out."""

    tracker: Tracker
    views: list[TicketView] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.tracker, name)
        if name not in PORT:
            return call

        def within(*given: Any, **named: Any) -> Any:
            try:
                result = call(*given, **named)
            except ConnectorError as error:
                if not str(error) or len(str(error)) > 2000:
                    self.wrong.append(f"{name}: a sentence of {len(str(error))} characters")
                raise
            except Exception as error:
                self.wrong.append(f"{name}: {type(error).__name__}: {error}")
                raise
            found = result.tickets if isinstance(result, Changes) else [result]
            self.views += [view for view in found if isinstance(view, TicketView)]
            return result

        return within


def play(
    file: Path,
    test: str,
    make: Callable[[str], System],
    at: int,
    spoil: Spoil,
) -> tuple[Watched, Spoiler]:
    """Play the recorded ``test`` with the adapter's answer number ``at`` spoilt (from 1)."""
    spoiler = Spoiler(list(recorded(file)), at, spoil)
    with _instead(spoiler.answer):
        watched = _watch(make(f"cassette {test}"), test, TrackerContract())
    return watched, spoiler


def play_on(
    system: System, test: str, contract: TrackerContract, at: int, spoil: Spoil
) -> tuple[Watched, Spoiler]:
    """The same where nothing is recorded: ``system`` answers, and its answer number ``at`` is spoilt."""
    asked = httpx.HTTPTransport.handle_request

    class Live(Spoiler):
        def found(self, transport: Any, request: httpx.Request) -> httpx.Response:
            got = asked(transport, request)
            content = b"".join(got.stream)  # type: ignore[arg-type]
            got.close()
            head = [
                (k, v)
                for k, v in got.headers.raw
                if k.lower() not in (b"content-length", b"transfer-encoding")
            ]
            return httpx.Response(got.status_code, headers=head, content=content)

    spoiler = Live([], at, spoil)
    with _instead(spoiler.answer):
        watched = _watch(system, test, contract)
    return watched, spoiler


def _watch(system: System, test: str, contract: TrackerContract) -> Watched:
    """Run ``test`` and see what comes out of the tracker's calls."""
    watched = Watched(system.tracker)
    system.tracker = watched  # type: ignore[assignment]
    try:
        getattr(contract, test)(system)
    except Endless as error:
        watched.wrong.append(f"it goes on asking for {error}")
    except BaseException as error:
        # what the test itself then finds missing is not the question here
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
    return watched


@contextmanager
def _instead(answer: Callable[[Any, httpx.Request], httpx.Response]) -> Iterator[None]:
    def handle(transport: Any, request: httpx.Request) -> httpx.Response:
        return answer(transport, request)

    with mock.patch.object(httpx.HTTPTransport, "handle_request", handle):
        yield


# --- what may be wrong with an answer ---------------------------------------------------------------


def _changed(response: httpx.Response, *, status: int = 0, headers: dict[str, str] | None = None, content: bytes | None = None) -> httpx.Response:  # fmt: skip
    made = httpx.Response(
        status or response.status_code,
        headers={**response.headers, **(headers or {})},
        content=b"",
    )
    made.extensions["raw"] = response.content if content is None else content
    made._content = made.extensions["raw"]
    return made


@st.composite
def spoilt(draw: st.DrawFn) -> Callable[[httpx.Response], httpx.Response]:
    """One way in which an answer is not what it should be."""
    how = draw(
        st.sampled_from(["value", "value", "value", "value", "values", "body", "status", "header", "cut"])
    )
    if how == "body":
        body = draw(st.sampled_from(BODIES) | st.binary(max_size=60))
        return lambda response: _changed(response, content=body)
    if how == "status":
        status = draw(st.sampled_from(STATUSES))
        return lambda response: _changed(response, status=status)
    if how == "header":
        header = draw(st.sampled_from(HEADERS))
        return lambda response: _changed(response, headers=header)
    if how == "cut":
        part = draw(st.floats(0, 1))
        return lambda response: _changed(
            response, content=response.content[: int(len(response.content) * part)]
        )
    changes = draw(odd.changes(1 if how == "value" else 3))
    return lambda response: _changed(response, content=odd.bent(response.content, changes))


def public_keys(views: list[TicketView]) -> set[str]:
    """Keys of the entries that would go to a citizen."""
    return {e.key for view in views for e in view.entries if e.kind is EntryKind.PUBLIC_NOTE}

"""Meta's errors: what each code means, and the error of ``core/errors.py`` it becomes (CLOUD-API.md 10).

The table is ``error_actions.json``. The code decides, never the title; the HTTP status only where a code is
unknown or the answer is not Meta's. Sentences are made of the table alone: Meta's own details can hold
numbers and texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Rejected, Throttled, Unavailable

from .content import number, obj, text

LATER_SECONDS = 600.0
"""Wait of what has to be tried much later, when Meta does not say how long (ours)."""
_MAINTENANCE = 131057
_MAINTENANCE_SECONDS = 60.0  # «about 1 minute», CLOUD-API.md 5


class Action(StrEnum):
    """What to do about an error; an error can ask for several."""

    RETRY = "RETRY"
    """Try again with growing waits."""
    LATER = "LATER"
    """Try again after a long wait, a few times."""
    NEVER = "NEVER"
    """This message failed for good."""
    TEMPLATE = "TEMPLATE"
    """The window is closed: an approved template, or wait for the citizen."""
    PAUSE_USER = "PAUSE_USER"
    """Stop sending to this person only."""
    PAUSE_NUMBER = "PAUSE_NUMBER"
    """Stop the whole sender; the queue stays."""
    STOP_TEMPLATE = "STOP_TEMPLATE"
    """Stop this template only."""
    FIX = "FIX"
    """A bug of ours."""
    OPERATOR = "OPERATOR"
    """A person must act."""


class WhatsAppError(ConnectorError):
    """An answer of Meta that is an error; its other base class says which of ``core/errors.py`` it is.

    ``code`` is Meta's error code as a string, or ``http-<status>``. ``trace`` is Meta's ``fbtrace_id``, which
    their support asks for; it says nothing of a person.
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str,
        actions: frozenset[Action],
        retry_after: float | None = None,
        trace: str = "",
    ) -> None:
        super().__init__(sentence, code=code, retry_after=retry_after)
        self.actions = actions
        self.trace = trace


class WhatsAppUnavailable(WhatsAppError, Unavailable):
    """Not taken; try later."""


class WhatsAppThrottled(WhatsAppError, Throttled):
    """Not taken; too much at once, for the person or the number as ``actions`` say."""


class WhatsAppAmbiguous(WhatsAppError, Ambiguous):
    """Perhaps taken."""


class WhatsAppRejected(WhatsAppError, Rejected):
    """Refused; it will always be."""


class WhatsAppForbidden(WhatsAppError, Forbidden):
    """The account, token or number may not; the whole sender stops until a person has acted."""


@dataclass(frozen=True, slots=True)
class _Row:
    first: int
    last: int
    title: str
    do: str
    actions: frozenset[Action]


@cache
def _table() -> tuple[_Row, ...]:
    raw = json.loads(resources.files(__package__).joinpath("error_actions.json").read_text("utf-8"))
    rows = []
    for entry in raw["codes"]:
        first, _, last = str(entry["code"]).partition("-")
        acts = frozenset(Action(name) for name in entry["actions"])
        rows.append(_Row(int(first), int(last or first), entry["title"], entry["do"], acts))
    return tuple(rows)


@cache
def _row(code: int | None) -> _Row | None:
    fits = [row for row in _table() if code is not None and row.first <= code <= row.last]
    return min(fits, key=lambda row: row.last - row.first, default=None)


def actions(code: int | None, http: int | None = None, transient: bool = False) -> frozenset[Action]:
    """What to do about Meta's ``code``; ``http`` status and ``is_transient`` decide where it is unknown.

    For a status webhook (``failed``) only the code is known.
    """
    row = _row(code)
    if row:
        return row.actions
    if transient or (http is not None and http >= 500):
        return frozenset({Action.RETRY})
    if http in (401, 403):
        return frozenset({Action.PAUSE_NUMBER, Action.OPERATOR})
    if http == 429:
        return frozenset({Action.LATER})
    return frozenset({Action.NEVER, Action.OPERATOR})


def explain(code: int | None) -> str:
    """Meta's title of ``code`` and what to do, for a person who looks after the connector."""
    row = _row(code)
    if row is None:
        return f"error {code}, which is not in our table" if code is not None else "an error without a code"
    title = f"{code} {row.title}"
    return title + (f". {row.do}" if row.do not in ("", "–") else "")


def classify(
    http_status: int,
    body: bytes | Mapping[str, Any],
    *,
    wrote: bool = False,
    retry_after: float | None = None,
) -> ConnectorError:
    """The error for an answer of Meta that is not what was asked for.

    ``wrote`` says that the call was to change something that is seen (a message, a template). Then an answer
    that is not Meta's own error (a gateway's 502, a 200 that is no JSON) is ``Ambiguous``: a server between
    us may have lost the answer after Meta took the message. An error with a code that we know says that
    Meta did not take it. ``retry_after`` is in seconds, from the header.
    """
    error = obj(obj(_parsed(body)).get("error"))
    found = number(error.get("code"))
    code = int(found) if found is not None and found == int(found) else None
    trace = text(error.get("fbtrace_id")) or ""
    if code is None and not 300 <= http_status < 500:
        return _unreadable(http_status, wrote, retry_after)
    if code is None and http_status == 408:
        return _unreadable(http_status, wrote, retry_after)
    transient = error.get("is_transient") is True
    if wrote and http_status >= 500 and _row(code) is None and not transient:
        return _unreadable(http_status, wrote, retry_after, code, trace)
    acts = actions(code, http_status, transient)
    if code == 100 and number(error.get("error_subcode")) == 33:
        # «Object does not exist, cannot be loaded due to missing permissions»: a wrong id or right of ours.
        acts = frozenset({Action.PAUSE_NUMBER, Action.OPERATOR})
    if code is None and 300 <= http_status < 400:
        acts = frozenset({Action.PAUSE_NUMBER, Action.OPERATOR})
    return _error(http_status, code, acts, retry_after, trace)


def _error(
    status: int, code: int | None, acts: frozenset[Action], retry_after: float | None, trace: str
) -> WhatsAppError:
    what = explain(code) if code is not None else f"HTTP {status} without Meta's error"
    if 300 <= status < 400 and code is None:
        what = f"HTTP {status}: it redirects elsewhere, which is not followed. Look at whatsapp.api_url"
    kind: type[WhatsAppError]
    if Action.LATER in acts or (Action.RETRY in acts and acts & {Action.PAUSE_USER, Action.PAUSE_NUMBER}):
        kind, verb = WhatsAppThrottled, "asks us to slow down"
        if retry_after is None:
            retry_after = LATER_SECONDS if Action.LATER in acts else None
            retry_after = _MAINTENANCE_SECONDS if code == _MAINTENANCE else retry_after
    elif Action.RETRY in acts:
        kind, verb = WhatsAppUnavailable, "could not take it now; it is tried again later"
    elif Action.PAUSE_NUMBER in acts:
        kind, verb = WhatsAppForbidden, "does not let this number or account send; a person must act"
    else:
        kind, verb = WhatsAppRejected, "refused it"
    return kind(
        f"WhatsApp {verb} ({what})",
        code=str(code) if code is not None else f"http-{status}",
        actions=acts,
        retry_after=retry_after,
        trace=trace,
    )


def _unreadable(
    status: int, wrote: bool, retry_after: float | None, code: int | None = None, trace: str = ""
) -> WhatsAppError:
    kind: type[WhatsAppError] = WhatsAppAmbiguous if wrote else WhatsAppUnavailable
    result = "whether it was taken is not known; it is looked up" if wrote else "it is tried again later"
    return kind(
        f"WhatsApp gave an answer that cannot be read (HTTP {status}); {result}",
        code=str(code) if code is not None else f"http-{status}",
        actions=frozenset({Action.RETRY}),
        retry_after=retry_after,
        trace=trace,
    )


def _parsed(body: bytes | Mapping[str, Any]) -> Any:
    if not isinstance(body, bytes):
        return dict(body)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None

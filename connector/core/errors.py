"""The errors of the connector, one small tree.

    ConnectorError            retryable?  a sentence for people: what happened, to whom it matters, what to do
    ├── Unavailable           yes         nothing was written on the other side; try later
    │   ├── Throttled         yes         the other side asked us to slow down (``retry_after`` seconds)
    │   └── NotKept           yes         our own database did not take it: nobody outside is at fault
    ├── Ambiguous             yes         the connection was lost after sending: written or not, nobody knows
    ├── LeaseLost             yes         we were away too long: what we were doing may be somebody else's by now
    │   └── Settled           yes         the row came to its end meanwhile: nothing is left to do
    ├── Rejected              no          the other side refuses our data; unchanged it will always refuse it
    ├── Unsettled             no          written or not, and nothing can be looked up: a person decides
    ├── Forbidden             no          account, token or rights; a person has to act, then it can go on
    ├── Gone                  no          what was addressed no longer exists, or is out of our sight
    └── Misconfigured         no          config.toml or the mapping is wrong; raised before anything runs

``retryable`` is all a worker looks at; ``Forbidden`` pauses its whole destination instead of the single row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ConnectorError(Exception):
    """Base of all errors. ``str(error)`` is a sentence for people and never holds personal data or a secret."""

    retryable = False

    def __init__(self, sentence: str, *, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.retry_after = retry_after


class Unavailable(ConnectorError):
    """Nothing was written on the other side; try later."""

    retryable = True


class Throttled(Unavailable):
    """The other side asked us to slow down; ``retry_after`` is in seconds where it said so."""


class NotKept(Unavailable):
    """Our own database could not keep what was to be written; nobody outside is at fault."""


class Ambiguous(ConnectorError):
    """The connection was lost after sending: it may or may not have been written. Look before trying again."""

    retryable = True


class LeaseLost(ConnectorError):
    """A row of work was not ours any more: what was about to be written for it must not be."""

    retryable = True


class Settled(LeaseLost):
    """The row came to its end meanwhile, by what somebody else told us: nothing is left to do, and nothing is wrong."""


class Rejected(ConnectorError):
    """The other side refuses our data; repeating it unchanged is useless."""


class Unsettled(ConnectorError):
    """It may or may not have been written, and the other side cannot be asked: a person looks and decides."""


class Forbidden(ConnectorError):
    """The account, token or a right is missing or was withdrawn; a person has to act."""


class Gone(ConnectorError):
    """What was addressed no longer exists, or is out of our account's sight."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that ``connector check`` has to say.

    ``severity`` is ``"error"`` (it would not run) or ``"warning"``. ``file``/``line``/``column`` (from 1) are where
    to mend it, ``key`` the dotted path there, ``problem`` what is wrong and ``mend`` what to do about it.
    """

    severity: str
    problem: str
    mend: str = ""
    file: str = ""
    line: int | None = None
    key: str = ""
    column: int | None = None

    def __str__(self) -> str:
        where = ":".join(str(p) for p in (self.file, self.line, self.column) if p not in ("", None))
        parts = [p for p in (where, self.key) if p]
        head = ": ".join([*parts, self.problem])
        return head + (f" — {self.mend}" if self.mend else "")


class Misconfigured(ConnectorError):
    """Settings, mapping or texts are wrong. Carries every finding, not only the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(f) for f in self.findings))

"""Every kind of row, and who carries it out: steps in the database alone, errands by calls to a destination."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from connector.storage.work import Row

from . import (
    account,
    answers,
    attach,
    broadcasting,
    feeds,
    inbound,
    media,
    recheck,
    reports,
    requests,
    retention,
    sending,
    statuses,
    sweep,
    templating,
)
from .runtime import Ending, Runtime, Step

Errand = Callable[[Runtime, Row, float], Awaitable[Ending]]

STEPS: Mapping[str, Step] = {
    "inbound": inbound.inbound,
    "quiet": inbound.quiet,
    "receipt": requests.receipt,
    "status": statuses.status,
    "notice": statuses.notice,
    "report": reports.report,
    "retention": retention.retention,
}
ERRANDS: Mapping[str, Mapping[str, Errand]] = {
    "whatsapp": {
        "send": sending.send,
        "media": media.media,
        "read": sending.read,
        "templates": templating.refresh,
        "number": account.look,
    },
    "tracker": {
        "create": requests.create,
        "attach": attach.attach,
        "note": requests.note,
        "poll": answers.poll,
        "look": answers.look,
        "answer": answers.answer,
        "recheck": recheck.recheck,
        "flag": reports.flag,
        "sweep": sweep.sweep,
    },
    "feeds": {"feed": feeds.refresh},
    "broadcasts": {"broadcast": broadcasting.send},
    "clamd": {"scan": media.scan},
}

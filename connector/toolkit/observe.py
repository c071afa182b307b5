"""Logs and metrics.

One line an event. What is done for a citizen's message carries its ``trace``, and what concerns a request its
``reference``: with the two a message can be followed from the webhook to the ticket and to the answer
(docs/operating.md, «Following one message»).

Personal data and secrets are taken out here, at the last step before a line is written, not by the caller's
care: only fields on a short list keep their text, and even in those anything that looks like a number of a
person, a message id or a token is masked.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from .lean import without

with without("rich", "greenlet"):
    import structlog
    from structlog.typing import FilteringBoundLogger

_PLAIN = frozenset(
    {
        "event", "level", "timestamp", "logger", "raised", "kind", "work", "lane", "town", "outcome", "reference",
        "ticket", "attempts", "attempt", "code", "status", "path", "seconds", "count", "error", "reason", "due_in",
        "port", "host", "url", "version", "field", "worker", "file", "line", "revision", "database", "what", "mend",
        "key", "problem", "destination", "since", "size", "cursor", "trace", "messages", "template", "language", "state",
        "missing",
    }
)  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""What would begin a new line, move the cursor or turn the direction: a citizen's words must not be able to forge a line."""
_MASKS = (
    (re.compile(r"wamid\.[A-Za-z0-9+/=_-]+"), "wamid.…"),
    (re.compile(r"\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{8,128}\b"), "user.…"),
    (re.compile(r"(?<![\w.])\+?\d[\d ()-]{7,}\d(?!\w)"), "number.…"),
    (re.compile(r"\b(EA[A-Za-z0-9]{20,}|[A-Fa-f0-9]{32,}|gAAAA[\w=-]{20,})"), "secret.…"),
    (re.compile(r"(?i)(bearer|token|secret|api[_-]?key|password)([\"'=: ]+)[^\s\"',&]+"), r"\1\2…"),
)


_HARMLESS = re.compile(r"[a-z «»,:'_-]{0,31}")
"""What none of them fits unless it names a secret, as most of what we say ourselves: no figures, no capitals, short."""
_WORDS = re.compile("bearer|token|secret|key|password")


def mask(text: str) -> str:
    """``text`` with everything masked that looks like a person's number or id, a message id or a secret."""
    if _HARMLESS.fullmatch(text) and not _WORDS.search(text):
        return text
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return harmless(text)


def harmless(text: str) -> str:
    """``text`` as one line that does nothing to the terminal it is shown on."""
    return _CONTROLS.sub(" ", text)


TRACE = 12
"""Letters of a trace: enough to tell messages apart, and no more of a pseudonym than that."""
_story: ContextVar[Mapping[str, str]] = ContextVar("story", default={})  # noqa: B039  never changed, only replaced


def trace_of(code: str) -> str:
    """The trace of a message, from the pseudonym of its id."""
    return code[:TRACE]


@contextmanager
def following(trace: str, reference: str = "") -> Iterator[None]:
    """Lines that are logged inside, also in threads called from here, carry ``trace`` and ``reference``."""
    before = _story.set({})
    try:
        learned(trace=trace, reference=reference)
        yield
    finally:
        _story.reset(before)


def learned(**known: str) -> None:
    """From here on to the end of ``following`` lines carry this too."""
    _story.set({**_story.get(), **{name: value for name, value in known.items() if value}})


def current_trace() -> str:
    """The trace that is being followed, "" when none is."""
    return _story.get().get("trace", "")


def _tell_story(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: what is being followed; fields that are not known are left out."""
    for name, value in _story.get().items():
        if not event.get(name):
            event[name] = value
    for name in [name for name, value in event.items() if value is None and not name.startswith("_")]:
        del event[name]
    return event


def places(trace: TracebackType | None) -> str:
    """File and line where it happened, without values: a traceback's message may hold a citizen's words."""
    found = []
    while trace is not None:
        found.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(found[-4:]))


def _exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: a traceback becomes one line, the type and the places."""
    info = event.pop("exc_info", None)
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    elif info and not isinstance(info, tuple):
        info = sys.exc_info()
    if info and info[0] is not None:
        event["raised"] = f"{info[0].__name__} at {places(info[2])}"
    return event


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: unknown fields become «…», known ones are masked."""
    for name, value in list(event.items()):
        if name.startswith("_"):
            continue
        if name not in _PLAIN:
            event[name] = "…"
        elif isinstance(value, str):
            event[name] = value if name == "timestamp" else mask(value)
        elif not isinstance(value, int | float | bool | type(None)):
            event[name] = mask(str(value))
    return event


class _Lines:
    """Writes lines to where a handler of ``logging`` writes."""

    def __init__(self, handler: logging.StreamHandler[TextIO]) -> None:
        self._handler = handler

    def msg(self, line: str) -> None:
        handler = self._handler
        # a log that cannot be written must not end what it speaks of
        with handler.lock or nullcontext(), suppress(OSError, ValueError):
            handler.stream.write(line + "\n")
            handler.flush()

    debug = info = warning = error = critical = msg


def configure_logging(level: str = "info", form: str = "text") -> None:
    """Send logs to stderr, one line an event; ``form`` is ``text`` (for people) or ``json``."""
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=lambda event, **_: encode(event))
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=28)
    )
    shared: list[Any] = [
        _tell_story,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exception,
        redact,
    ]
    handler = logging.StreamHandler(sys.stderr)
    lines = _Lines(handler)
    # what libraries log passes through ``logging``; our own lines, many for each message, need nothing of it
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=lambda *_: lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for own in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # a handler of its own would write past redact
        logger = logging.getLogger(own)
        logger.handlers.clear()
        logger.propagate = True
    for noisy in ("httpx", "httpcore", "apscheduler", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose lines pass through ``redact``."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


class Metrics:
    """The Prometheus metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.webhooks = Counter(
            "connector_webhooks_total", "Notifications by answer", ["answer"], registry=self.registry
        )
        self.work = Counter(
            "connector_work_total",
            "Rows carried out, by kind and outcome",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "connector_work_seconds", "Time a row took to carry out", ["kind"], registry=self.registry
        )
        self.waiting = Gauge(
            "connector_work_waiting", "Rows that wait, by kind", ["kind"], registry=self.registry
        )
        self.failed = Gauge(
            "connector_work_failed", "Rows that failed for good, by kind", ["kind"], registry=self.registry
        )
        self.oldest = Gauge(
            "connector_work_oldest_seconds", "Age of the oldest due row", registry=self.registry
        )
        self.paused = Gauge(
            "connector_paused_seconds", "How long a destination has been left alone", ["town", "destination"],
            registry=self.registry,
        )  # fmt: skip
        self.templates = Gauge(
            "connector_template_alarm_seconds", "How long a needed message template cannot be relied on",
            ["town", "template", "language"], registry=self.registry,
        )  # fmt: skip
        self.token = Gauge(
            "connector_token_accepted", "Whether WhatsApp let us in when it was last asked (1) or not (0)", ["town"],
            registry=self.registry,
        )  # fmt: skip
        self.quality = Gauge(
            "connector_number_quality", "Quality of the business number: 3 high, 2 medium, 1 low, 0 not known",
            ["town"], registry=self.registry,
        )  # fmt: skip
        self.limit = Gauge(
            "connector_number_limit", "People a day whom templates may reach; +Inf for any number", ["town"],
            registry=self.registry,
        )  # fmt: skip
        self.left = Gauge(
            "connector_broadcast_left", "People who still wait for news or an alert that is being sent", ["town"],
            registry=self.registry,
        )  # fmt: skip
        self.halted = Gauge(
            "connector_broadcast_stopped_seconds", "How long a broadcast has stood still", ["town", "broadcast"],
            registry=self.registry,
        )  # fmt: skip
        self.build = Gauge(
            "connector_build_info", "The release that runs", ["version"], registry=self.registry
        )
        self.signs = Gauge(
            "connector_last_sign_seconds", "Since the tracker was last read (poll) or WhatsApp last heard (webhook)",
            ["town", "of"], registry=self.registry,
        )  # fmt: skip

"""Logs and metrics.

Personal data and secrets are taken out here, at the last step before a line is written, not by the caller's
care: only fields on a short list keep their text, and even in those anything that looks like a number of a
person, a message id or a token is masked.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PLAIN = frozenset(
    {
        "event", "level", "timestamp", "logger", "exception", "kind", "work", "lane", "town", "outcome", "reference",
        "ticket", "attempts", "attempt", "code", "status", "path", "seconds", "count", "error", "reason", "due_in",
        "port", "host", "url", "version", "field", "worker", "file", "line", "revision", "database", "what", "mend",
        "key", "problem", "destination", "since", "size", "cursor", "trace",
    }
)  # fmt: skip
_MASKS = (
    (re.compile(r"wamid\.[A-Za-z0-9+/=_-]+"), "wamid.…"),
    (re.compile(r"\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{8,128}\b"), "user.…"),
    (re.compile(r"(?<![\w.])\+?\d[\d ()-]{7,}\d(?!\w)"), "number.…"),
    (re.compile(r"\b(EA[A-Za-z0-9]{20,}|[A-Fa-f0-9]{32,}|gAAAA[\w=-]{20,})"), "secret.…"),
    (re.compile(r"(?i)(bearer|token|secret|api[_-]?key|password)([\"'=: ]+)[^\s\"',&]+"), r"\1\2…"),
)


def mask(text: str) -> str:
    """``text`` with everything masked that looks like a person's number or id, a message id or a secret."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


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


def configure_logging(level: str = "info", form: str = "text") -> None:
    """Send logs to stderr, one line an event; ``form`` is ``text`` (for people) or ``json``."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=28)
    )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "apscheduler", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines pass through ``redact``."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


class Metrics:
    """The Prometheus metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
        self.polled = Gauge(
            "connector_poll_last_success", "Unix time of the last good poll", ["town"], registry=self.registry
        )

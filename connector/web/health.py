"""Health and metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from connector.jobs.runtime import Runtime
from connector.storage import overview
from connector.storage.overview import Overview
from connector.storage.store import Store
from connector.toolkit.observe import Metrics
from connector.worker import Worker

_PATIENCE = 5.0
"""Seconds the database gets to answer before the service counts as not ready."""
_STUCK = 60.0
"""Seconds without a sign of a worker's loop after which it counts as dead; it gives one every second."""


def _not_ready(reason: str) -> Response:
    return JSONResponse({"ready": False, "reason": reason}, status_code=503)


def _shown(found: Overview, now: float) -> dict[str, Any]:
    """What anybody may see who can reach the port."""
    return {
        "paused": [
            {"town": p.town, "destination": p.destination, "since": int(p.since), "reason": p.reason}
            for p in found.paused
        ],
        "templates": [
            {"town": t.town, "name": t.name, "language": t.language, "state": t.state, "since": int(t.since)}
            for t in found.alarms
        ],
        "broadcasts": [
            {"town": b.town, "id": b.id, "since": int(b.changed_at), "reason": b.why} for b in found.halted
        ],
        "failed": found.failed_count,
        "towns": {
            town: {name: round(now - at) for name, at in signs.items()} for town, signs in found.signs.items()
        },
    }


class Health:
    """``/health/live``, ``/health/ready``, ``/metrics``."""

    def __init__(self, store: Store, towns: Mapping[str, Runtime], worker: Worker, metrics: Metrics) -> None:
        self.store = store
        self.towns = towns
        self.worker = worker
        self.metrics = metrics

    async def live(self, request: Request) -> Response:
        """The process runs."""
        return PlainTextResponse("ok")

    async def ready(self, request: Request) -> Response:
        """Database and workers are up; what is paused or needs a person is named, with the reason and since when."""
        now = time.time()

        try:
            found = await asyncio.wait_for(self.store.read(lambda c: overview.look(c, now)), _PATIENCE)
        except TimeoutError:
            return _not_ready(f"database: no answer within {_PATIENCE:.0f} s")
        except Exception as error:
            return _not_ready(f"database: {type(error).__name__}")
        if self.store.trouble:
            return _not_ready(f"database: {self.store.trouble}")
        if not self.worker.alive:
            return _not_ready("the workers are not running")
        if still := self.worker.stuck(_STUCK):
            return _not_ready(f"the workers stand still: {', '.join(still)}")
        return JSONResponse({"ready": True, **_shown(found, now)})

    async def prometheus(self, request: Request) -> Response:
        """The metrics of this process."""
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)

"""Health and metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from connector.jobs.runtime import Runtime
from connector.storage import pauses, work
from connector.storage.store import Connection, Store
from connector.toolkit.observe import Metrics
from connector.worker import Worker


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
        """Database and workers are up; paused destinations are named, with the reason and since when."""
        now = time.time()

        def look(connection: Connection) -> tuple[list[pauses.Pause], dict[str, object]]:
            return pauses.every(connection), work.counts(connection, now)

        try:
            paused, counts = await self.store.read(look)
        except Exception as error:
            return JSONResponse(
                {"ready": False, "reason": f"database: {type(error).__name__}"}, status_code=503
            )
        if not self.worker.alive:
            return JSONResponse({"ready": False, "reason": "the workers are not running"}, status_code=503)
        details = [
            {"town": p.town, "destination": p.destination, "since": int(p.since), "reason": p.reason}
            for p in paused
        ]
        return JSONResponse({"ready": True, "paused": details, "failed": counts["failed"]})

    async def prometheus(self, request: Request) -> Response:
        """The metrics of this process."""
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)

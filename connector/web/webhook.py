"""Meta's notifications, and the tracker's optional push. 200 only after everything is on disk."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from connector.jobs.runtime import Runtime
from connector.storage.store import Store
from connector.toolkit import crash
from connector.toolkit.observe import Metrics, get_logger
from connector.whatsapp.payloads import parse
from connector.whatsapp.signature import handshake, verify
from connector.worker import Worker

from .intake import Intake

log = get_logger(__name__)


class Webhooks:
    """The two webhooks. ``secrets`` are those of all towns: Meta signs by app, not by number."""

    def __init__(
        self,
        store: Store,
        towns: Mapping[str, Runtime],
        worker: Worker,
        metrics: Metrics,
        *,
        secrets: tuple[str, ...],
        verify_tokens: tuple[str, ...],
        tracker_secrets: Mapping[str, str],
        max_body: int,
    ) -> None:
        self.intake = Intake(store, towns)
        self.towns = towns
        self.worker = worker
        self.metrics = metrics
        self.secrets = secrets
        self.verify_tokens = verify_tokens
        self.tracker_secrets = tracker_secrets
        self.max_body = max_body

        self._counted = cache(lambda code: metrics.webhooks.labels(str(code)))

    def _answer(self, code: int, text: str = "") -> Response:
        self._counted(code).inc()
        return PlainTextResponse(text, status_code=code)

    def _too_large(self) -> Response:
        answer = self._answer(413, "too large")
        answer.headers["Connection"] = "close"  # the rest is not read
        return answer

    async def verification(self, request: Request) -> Response:
        """GET: Meta asks whether this address is ours."""
        challenge = handshake(request.query_params, self.verify_tokens)
        if challenge is None:
            return self._answer(403, "the verify token is not the one in config.toml")
        return PlainTextResponse(challenge)

    async def _body(self, request: Request) -> bytes | None:
        """The body, or None as soon as it is over the limit."""
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.max_body:
            return None
        parts: list[bytes] = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > self.max_body:
                return None
            parts.append(part)
        return b"".join(parts)

    async def notification(self, request: Request) -> Response:
        """POST: everything in it becomes rows, in one transaction; then, and only then, 200."""
        body = await self._body(request)
        if body is None:
            return self._too_large()
        if not verify(body, request.headers.get("x-hub-signature-256"), self.secrets):
            log.warning("webhook refused: its signature is missing or wrong", path="/webhook/whatsapp")
            return self._answer(401, "the signature is missing or wrong")
        now = self.worker.clock()
        parsed = parse(body, datetime.fromtimestamp(now, UTC))
        for problem in parsed.problems:
            log.warning("part of a notification was not understood; it is kept", problem=problem)
        try:
            taken = await self.intake.take(parsed, now)
        except Exception as error:
            log.error(
                "a notification could not be stored: Meta will deliver it again",
                error=type(error).__name__,
                reason=str(error),
            )
            return self._answer(500, "not stored")
        crash.point("webhook.stored")
        for town, trace, new in taken:
            log.info("message received" if new else "message received again", town=town, trace=trace)
        return self._answer(200)

    async def tracker(self, request: Request) -> Response:
        """POST from the tracker: it only hastens the next poll, so a lost or forged one loses nothing.

        Nothing of what it says is read. One that cannot sign what it sends names the secret in the address.
        """
        body = await self._body(request)
        if body is None:
            return self._too_large()
        # X-<whoever sends it>-Signature-256, as WhatsApp and several trackers have it
        named = (value for name, value in request.headers.items() if name.endswith("-signature-256"))
        signature = next(named, "").removeprefix("sha256=").encode("utf-8", "replace")
        given = request.query_params.get("secret", "").encode("utf-8", "replace")
        for name, secret in self.tracker_secrets.items():
            expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            signed = hmac.compare_digest(expected.encode(), signature)
            if signed or hmac.compare_digest(secret.encode(), given):
                await self.worker.poll_soon(self.towns[name])
                return self._answer(202)
        return self._answer(401, "the signature, or the secret in the address, is missing or wrong")

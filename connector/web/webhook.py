"""Meta's notifications, and the tracker's optional push. 200 only after everything is on disk."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from connector.jobs.runtime import Runtime
from connector.storage import people
from connector.storage.store import Connection, Store
from connector.toolkit.observe import Metrics, get_logger
from connector.whatsapp.payloads import Parsed, parse, to_json
from connector.whatsapp.signature import handshake, verify
from connector.worker import Worker

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
        self.store = store
        self.by_channel = {town.channel: town for town in towns.values()}
        self.towns = towns
        self.worker = worker
        self.metrics = metrics
        self.secrets = secrets
        self.verify_tokens = verify_tokens
        self.tracker_secrets = tracker_secrets
        self.max_body = max_body

    def _answer(self, code: int, text: str = "") -> Response:
        self.metrics.webhooks.labels(str(code)).inc()
        return PlainTextResponse(text, status_code=code)

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
            return self._answer(413, "too large")
        if not verify(body, request.headers.get("x-hub-signature-256"), self.secrets):
            log.warning("webhook refused: its signature is missing or wrong", path="/webhook/whatsapp")
            return self._answer(401, "the signature is missing or wrong")
        received = datetime.now(UTC)
        parsed = parse(body, received)
        for problem in parsed.problems:
            log.warning("part of a notification was not understood; it is kept", problem=problem)
        try:
            await self.store.write(lambda connection: self._keep(connection, parsed, received.timestamp()))
        except Exception as error:
            log.error(
                "a notification could not be stored: Meta will deliver it again",
                error=type(error).__name__,
                reason=str(error),
            )
            return self._answer(500, "not stored")
        return self._answer(200)

    def _keep(self, connection: Connection, parsed: Parsed, now: float) -> None:
        code = self.store.pseudonyms.of
        for message in parsed.inbound:
            town = self._town(message.channel)
            key = f"in:{town.name}:{code(f'wamid:{town.name}', message.id)}"
            lane = people.lane_of(self.store.pseudonyms, town.name, message.sender)
            kind = "inbound" if message.channel in self.by_channel else "notice"
            payload: dict[str, object] = {"message": to_json(message)}
            if kind == "notice":
                payload = {"field": "message for a number that is not configured", **payload}
            town.put(connection, lane=lane, kind=kind, payload=payload, now=now, key=key)
        for status in parsed.statuses:
            town = self._town(status.channel)
            wamid = code(f"wamid:{town.name}", status.id)
            payload = {
                "id": status.id, "state": str(status.state), "key": status.key, "error_code": status.error_code,
                "error_title": status.error_title,
            }  # fmt: skip
            town.put(
                connection,
                lane=f"st:{wamid}",
                kind="status",
                payload=payload,
                now=now,
                key=f"st:{town.name}:{wamid}:{status.state}",
            )
        for notice in parsed.notices:
            town = self._town(notice.channel)
            town.put(connection, lane=f"notice:{town.name}", kind="notice", payload=asdict(notice), now=now)

    def _town(self, channel: str | None) -> Runtime:
        """The town of a business number; what belongs to none is kept with the first."""
        return self.by_channel.get(channel or "") or next(iter(self.towns.values()))

    async def tracker(self, request: Request) -> Response:
        """POST from the tracker: it only hastens the next poll, so a lost or forged one loses nothing."""
        body = await self._body(request)
        if body is None:
            return self._answer(413, "too large")
        signature = request.headers.get("x-redmine-signature-256", "").removeprefix("sha256=")
        for name, secret in self.tracker_secrets.items():
            expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            if hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
                await self.worker.poll_soon(self.towns[name])
                return self._answer(202)
        return self._answer(401, "the signature is missing or wrong")

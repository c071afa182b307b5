"""Who may see the operations page. One password, a signed cookie, and nothing that is remembered but one secret.

The secret that signs is kept in the database, so that any replica knows a cookie, and no restart ends a session.
Logging out makes another one: every cookie that was ever given out is worthless from then on. So does a new password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from connector.storage import buckets, keep
from connector.storage.buckets import Rate
from connector.storage.store import Store

COOKIE = "connector_ops"
PATH = "/ops"
HOURS = 8
"""So long a login lasts."""
_VISIT = 3600
"""Seconds in which the form that asks for the password can be sent."""
_NAME = "ops"
_TRIES = Rate(per_second=1 / 60, burst=5)
"""Tries to log in, from one address; and from all of them together, for who has many."""
_TRIES_OF_ALL = Rate(per_second=1 / 10, burst=30)
_IN, _BEFORE = "in", "before"


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser we know. ``token`` is what its forms have to bring along."""

    cookie: str
    token: str
    logged_in: bool

    def brought(self, form: Mapping[str, str]) -> bool:
        """Whether a form carries the token."""
        return hmac.compare_digest(form.get("token", "").encode(), self.token.encode())


class Sessions:
    """Logging in and out. ``clock`` gives Unix seconds."""

    def __init__(self, store: Store, password: str, clock: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        self._password = hashlib.sha256(password.encode()).digest()

    async def _key(self) -> bytes:
        sealer = self.store.sealer
        secret = await self.store.read(lambda c: keep.find(c, sealer, _NAME))
        if secret is None:
            secret = await self.store.write(
                lambda c: keep.make(c, sealer, _NAME, lambda: secrets.token_bytes(32))
            )
        return hmac.new(secret, self._password, hashlib.sha256).digest()

    async def known(self, request: Request) -> Visit | None:
        """The visit that the cookie speaks of, None when it is no cookie of ours, or too old."""
        cookie = request.cookies.get(COOKIE, "")
        state, _, rest = cookie.partition(".")
        begun, _, rest = rest.partition(".")
        body, _, signature = cookie.rpartition(".")
        key = await self._key()
        if not rest or not hmac.compare_digest(signature.encode(), _sign(key, body).encode()):
            return None
        age = self.clock() - int(begun, 16)
        lasts = HOURS * 3600 if state == _IN else _VISIT
        return self._visit(key, cookie) if 0 <= age < lasts else None

    def _visit(self, key: bytes, cookie: str) -> Visit:
        return Visit(cookie, _sign(key, f"form {cookie}"), cookie.startswith(f"{_IN}."))

    async def begin(self, logged_in: bool = False) -> Visit:
        """A new visit; one that logs in gets another cookie than it had before."""
        key = await self._key()
        body = f"{_IN if logged_in else _BEFORE}.{int(self.clock()):x}.{secrets.token_urlsafe(16)}"
        return self._visit(key, f"{body}.{_sign(key, body)}")

    async def end(self) -> None:
        """Log out: this browser and every other."""
        fresh = secrets.token_bytes(32)
        await self.store.write(lambda c: keep.replace(c, self.store.sealer, _NAME, fresh))

    async def wait(self, request: Request) -> float:
        """Seconds until the next try to log in is looked at; 0.0 for now, and that try counts."""
        host = request.client.host if request.client else ""
        rates = {f"ops:{self.store.pseudonyms.of('ops', host)}": _TRIES, "ops": _TRIES_OF_ALL}
        now = self.clock()
        return await self.store.write(lambda c: buckets.take(c, rates, now))

    def right(self, password: str) -> bool:
        """Whether that is the password."""
        return hmac.compare_digest(hashlib.sha256(password.encode()).digest(), self._password)


def give(response: Response, visit: Visit, request: Request) -> None:
    """Put the cookie on the response."""
    response.set_cookie(
        COOKIE, visit.cookie, path=PATH, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )  # fmt: skip


def _sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

"""What all of the stand-in shares: the account with its number, people, files, templates, webhooks, faults."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from connector.demo.meta import templates, webhooks
from connector.demo.meta.delivery import RETRY_SECONDS, Delivery, Notification
from connector.demo.meta.faults import Fault, Faults, parse
from connector.demo.meta.media import MediaStore
from connector.demo.meta.pair_rate import PairRate
from connector.demo.meta.state import Json, Message, Person, State
from connector.demo.meta.templates import Template, Templates


@dataclass(slots=True)
class App:
    """The Meta app whose token and webhooks are used; the values are those of one that was set up well."""

    id: str = "300000000000001"
    scopes: tuple[str, ...] = ("whatsapp_business_management", "whatsapp_business_messaging")
    expires_at: int = 0
    """Unix seconds at which the access token expires, 0 for never."""
    fields: tuple[str, ...] = (
        "account_update", "message_template_status_update", "messages", "user_id_update", "user_preferences",
    )  # fmt: skip
    """What the app is told of by webhook."""


class Service:
    """A WhatsApp Business Account with one number, its people and their phones, all in memory.

    ``webhook_url`` is where notifications go, ``public_url`` where this stand-in is reached (for media links;
    both may be set later). ``clock`` gives Unix seconds; ``clock_offset`` shifts it. Links to media live
    ``media_seconds``. ``seed`` makes the ids reproducible. ``pair_rate`` turns on the limit per recipient
    (131056). New templates are reviewed at once (``template_review="auto"``) or wait (``"hold"``) for
    ``review_template``. ``check_webhooks`` validates every notification against the contract before it is
    queued. A webhook that was not answered with 200 is delivered again after ``longest_retry`` seconds at most.
    ``transport`` replaces the network for notifications, for an application in the same process.

    All methods may be called from any thread.
    """

    def __init__(
        self,
        *,
        webhook_url: str,
        public_url: str,
        app_secret: str,
        access_token: str,
        verify_token: str,
        phone_number_id: str = "100000000000001",
        business_account_id: str = "200000000000001",
        display_phone_number: str = "34600000100",
        clock: Callable[[], float] = time.time,
        media_seconds: float = 300,
        seed: int | None = None,
        pair_rate: bool = False,
        template_review: str = "auto",
        verified_name: str = "Ajuntament de prova",
        check_webhooks: bool = True,
        longest_retry: float = RETRY_SECONDS[-1],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.access_token = access_token
        self.verify_token = verify_token
        self.verified_name = verified_name
        self.template_review = template_review
        self.check_webhooks = check_webhooks
        self.statuses_together = False
        """Several statuses of a message in one notification, as Meta does under load."""
        self.clock_offset = 0.0
        self.application = App()
        self._clock = clock
        self.number = webhooks.Number(business_account_id, phone_number_id, display_phone_number)
        self.state = State(self.now, seed)
        self.media = MediaStore(self.state, public_url, media_seconds)
        self.templates = Templates(self.state.number, self.now)
        self.faults = Faults()
        self.pair_rate = PairRate() if pair_rate else None
        self.delivery = Delivery(webhook_url, app_secret, self.faults, transport, longest_retry)
        self.failed: deque[Message] = deque(maxlen=10_000)
        self._listeners: dict[asyncio.Queue[Json], asyncio.AbstractEventLoop] = {}

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Start delivering webhooks in the running loop; a second call does nothing."""
        await self.delivery.start()

    async def stop(self) -> None:
        """Stop delivering; undelivered webhooks stay queued for another ``start``."""
        for queue, loop in list(self._listeners.items()):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, {})
        await self.delivery.stop()

    def now(self) -> float:
        """Unix seconds by this stand-in's clock."""
        return self._clock() + self.clock_offset

    @property
    def public_url(self) -> str:
        """Where this stand-in is reached; media links begin with it."""
        return self.media.public_url

    @public_url.setter
    def public_url(self, url: str) -> None:
        self.media.public_url = url

    @property
    def webhook_url(self) -> str:
        """Where notifications go."""
        return self.delivery.url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.delivery.url = url

    async def verify(self, url: str | None = None, token: str | None = None) -> bool:
        """The handshake of Meta's dashboard: True when exactly the challenge comes back."""
        challenge = str(secrets.randbelow(10**10))
        params = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": self.verify_token if token is None else token,
        }
        return await self.delivery.get(url or self.webhook_url, params) == (200, challenge)

    # ------------------------------------------------------------------ people

    def add_person(self, name: str, phone: str | None, hidden: bool = False) -> Person:
        """Somebody with WhatsApp; ``ValueError`` when the number is missing, malformed or taken."""
        return self.state.add_person(name, phone, hidden)

    def transcript(self, person: Person) -> list[Json]:
        """The person's chat, oldest first, as JSON objects."""
        with self.state.lock:
            return [m.as_json() for m in person.messages]

    # ------------------------------------------------------------------ templates

    def add_template(self, body: Json, status: str = "APPROVED") -> Template:
        """Create a template (body as for POST message_templates) and set its status, without a webhook."""
        with self.state.lock:
            template = self.templates.create(body)
            template.status = status
            return template

    def review_template(self, template: Template, event: str, reason: str = "NONE") -> None:
        """Meta changes a template's status (APPROVED, REJECTED, PAUSED …) and says so by webhook."""
        with self.state.lock:
            template.status, template.rejected_reason = event, reason
            value: Json = {
                "event": event,
                "message_template_id": int(template.id),
                "message_template_name": template.name,
                "message_template_language": template.language,
                "reason": reason,
                "message_template_category": template.category,
            }
            payload = self.number.envelope("message_template_status_update", value, at=self.now())
            self.emit(Notification("account", payload))

    def created_template(self, template: Template) -> None:
        """Review a new template, unless reviews are on hold."""
        if self.template_review == "auto":
            reason = templates.review(template)
            self.review_template(template, "APPROVED" if reason == "NONE" else "REJECTED", reason)

    # ------------------------------------------------------------------ what others hear

    def emit(self, notification: Notification) -> None:
        """Queue a webhook; an ``AssertionError`` when it breaks the contract, which is a fault in here."""
        if self.check_webhooks and (wrong := webhooks.problems(notification.payload)):
            raise AssertionError(f"The stand-in made a webhook that breaks the contract: {wrong[0]}")
        self.delivery.emit(notification)

    async def post_raw(self, body: bytes) -> int:
        """Sign and POST exactly these bytes once; returns the HTTP status (0 without an answer)."""
        return await self.delivery.post(body)

    def set_status(self, person: Person, message: Message, status: str) -> None:
        """Change a transcript entry's status and tell the demo page."""
        message.status = status
        self.publish({"person": person.id, "id": message.id, "status": status})

    def add_fault(self, fault: Json) -> Fault:
        """Let something go wrong (see ``faults``); ``ValueError`` when the object is no fault."""
        found = parse(fault)
        if found.webhook == "release":
            self.delivery.release()
        else:
            self.faults.waiting.append(found)
        return found

    def publish(self, event: Json) -> None:
        """Tell everybody who listens at ``/_phone/events``."""
        for queue, loop in list(self._listeners.items()):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, event)

    @contextlib.contextmanager
    def listening(self) -> Any:
        """A queue of events for as long as the context lasts; an empty event means that the service stops."""
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self._listeners[queue] = asyncio.get_running_loop()
        try:
            yield queue
        finally:
            del self._listeners[queue]

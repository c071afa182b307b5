"""Building webhook notifications in Meta's shape, and signing them. Pure: nothing here waits or sends."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from connector.demo.meta.errors import SCHEMAS, status_error
from connector.demo.meta.state import Json, Message, Person


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads((SCHEMAS / "webhook.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def problems(payload: Any) -> list[str]:
    """What in a notification breaks the contract's webhook schema; empty when nothing does."""
    return [f"/{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in _validator().iter_errors(payload)]


def encode(payload: Json) -> bytes:
    """The body as Meta writes it: compact, non-ASCII as ``\\uXXXX``, slashes as ``\\/``."""
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def sign(body: bytes, app_secret: str) -> str:
    """The value of ``X-Hub-Signature-256`` for exactly these bytes."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Number:
    """The business number that notifications are about."""

    business_account_id: str
    phone_number_id: str
    display_phone_number: str

    def envelope(self, field: str, value: Json, at: float | None = None) -> Json:
        """One entry with one change. ``at`` (Unix seconds) only for account and template fields."""
        entry: Json = {"id": self.business_account_id, "changes": [{"value": value, "field": field}]}
        if at is not None:
            entry["time"] = int(at)
        return {"object": "whatsapp_business_account", "entry": [entry]}

    def value(self, **parts: Any) -> Json:
        """The ``value`` of field ``messages`` and its relatives."""
        metadata = {
            "display_phone_number": self.display_phone_number,
            "phone_number_id": self.phone_number_id,
        }
        return {"messaging_product": "whatsapp", "metadata": metadata, **parts}

    def message(self, person: Person, message: Json, errors: list[Json] | None = None) -> Json:
        """A notification of one incoming message; system messages come without ``contacts``."""
        parts: Json = {} if message["type"] == "system" else {"contacts": [contact(person)]}
        parts["messages"] = [message]
        if errors:
            parts["errors"] = errors
        return self.envelope("messages", self.value(**parts))

    def statuses(self, person: Person | None, statuses: Sequence[Json]) -> Json:
        """A notification of statuses of one person; ``failed`` ones come without ``contacts``."""
        failed = any(s["status"] == "failed" for s in statuses)
        parts: Json = {} if person is None or failed else {"contacts": [contact(person)]}
        return self.envelope("messages", self.value(**parts, statuses=list(statuses)))


def contact(person: Person) -> Json:
    """An entry of ``contacts``: what the business may see of the person."""
    profile: Json = {"name": person.name}
    if person.username:
        profile["username"] = person.username
    found: Json = {"profile": profile, "user_id": person.user_id}
    if person.shown_phone:
        found["wa_id"] = person.shown_phone
    return found


def sender(person: Person) -> Json:
    """``from`` and ``from_user_id`` of an incoming message; hidden people have only the latter."""
    found: Json = {"from_user_id": person.user_id}
    if person.shown_phone:
        found["from"] = person.shown_phone
    return found


def status(message: Message, state: str, at: float, *, person: Person | None, input_: str) -> Json:
    """One entry of ``statuses``.

    ``input_`` is what the message was addressed to (``+34…`` or a BSUID). A ``failed`` one sent to a number
    has no ``recipient_user_id``; one sent to the BSUID of somebody whose number is not shown has no
    ``recipient_id``.
    """
    found: Json = {"id": message.id, "status": state, "timestamp": str(int(at))}
    by_user_id = not input_.startswith("+")
    phone = (person.shown_phone if person else None) if by_user_id else input_[1:]
    if phone:
        found["recipient_id"] = phone
    if by_user_id:
        found["recipient_user_id"] = input_
    elif person is not None and state != "failed":
        found["recipient_user_id"] = person.user_id
    if state in ("sent", "delivered") and message.type != "reaction":
        found["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": message.category,
        }
    if state == "failed":
        found["errors"] = [status_error(message.error or 131000)]
    if message.callback is not None:
        found["biz_opaque_callback_data"] = message.callback
    return found

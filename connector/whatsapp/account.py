"""What Meta says of our token, our app and our account. Asked by ``connector check`` and ``init``, never while working.

Shapes are those of Meta's Graph API reference: ``debug_token`` (Debug-Token), ``{app}/subscriptions`` (Application
Subscriptions, asked with the app's own token ``<app id>|<app secret>``), ``{account}/subscribed_apps`` and
``{account}/phone_numbers`` (WhatsApp Business Account).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.core.errors import Rejected

from .client import WhatsAppClient
from .content import items, number, obj, text

OBJECT = "whatsapp_business_account"
"""The kind of object whose webhooks an app subscribes to."""
NEEDED = "messages"
"""Without this field no message ever arrives."""
USEFUL = ("user_id_update", "message_template_status_update", "account_update", "user_preferences")
"""Fields without which we learn late, or never, that a person or a template changed, or that somebody wants no news."""
SCOPES = ("whatsapp_business_messaging", "whatsapp_business_management")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. ``expires_at`` is in Unix seconds, 0 for never; ``scopes`` None when Meta names none."""

    app_id: str
    expires_at: float
    scopes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where an app's notifications go, and of what."""

    callback: str
    fields: frozenset[str]


async def token(client: WhatsAppClient) -> Token | None:
    """What Meta says of the client's token; None where this API does not tell."""
    try:
        answer = await client.ask("debug_token", {"input_token": client.token})
    except Rejected:
        return None
    data = obj(answer.get("data"))
    scopes = [s for s in items(data.get("scopes")) if isinstance(s, str)]
    app_id = text(data.get("app_id"))
    if app_id is None:
        return None
    return Token(app_id, number(data.get("expires_at")) or 0.0, frozenset(scopes) or None)


async def subscribers(client: WhatsAppClient) -> list[str]:
    """Ids of the apps that get the account's notifications; without one no message ever arrives."""
    answer = await client.ask("/subscribed_apps")
    found = [obj(obj(one).get("whatsapp_business_api_data")) for one in items(answer.get("data"))]
    return [text(app.get("id")) or "" for app in found]


async def subscription(client: WhatsAppClient, app_id: str, app_secret: str) -> Subscription | None:
    """Where the app's WhatsApp notifications go; None when the app has no such subscription.

    Raises ``Forbidden`` when ``app_secret`` is not the app's.
    """
    answer = await client.ask(f"{app_id}/subscriptions", bearer=f"{app_id}|{app_secret}")
    for one in items(answer.get("data")):
        row = obj(one)
        if row.get("object") == OBJECT and row.get("active") is not False:
            names = (text(f) or text(obj(f).get("name")) for f in items(row.get("fields")))
            return Subscription(text(row.get("callback_url")) or "", frozenset(filter(None, names)))
    return None


async def numbers(client: WhatsAppClient) -> dict[str, str]:
    """The numbers of the account, as people write them, by phone number id."""
    answer = await client.ask("/phone_numbers", {"fields": "id,display_phone_number"})
    found = [obj(one) for one in items(answer.get("data"))]
    return {text(n.get("id")) or "": text(n.get("display_phone_number")) or "" for n in found}


def callback(phone: Mapping[str, Any]) -> str:
    """Where messages to a number go, "" when nowhere: the number's own address before the account's before the app's."""
    places = obj(phone.get("webhook_configuration"))
    found = (text(places.get(name)) for name in ("phone_number", "whatsapp_business_account", "application"))
    return next(filter(None, found), "")

"""What people do on their phones: write, tap, send photos, open the chat.

Each action becomes a message of the transcript and a webhook notification in Meta's form.
"""

from __future__ import annotations

import base64
from typing import Any

from connector.demo.meta import webhooks
from connector.demo.meta.delivery import Notification
from connector.demo.meta.media import LARGEST_INCOMING, bare
from connector.demo.meta.service import Service
from connector.demo.meta.state import Json, Message, Person

FILE_KINDS = ("image", "video", "audio", "voice", "document", "sticker")
# The smallest WebP there is: one lossless pixel.
_WEBP = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
_UNSUPPORTED = {
    "poll": (131051, "Message type unknown", "Message type is currently not supported."),
    "unavailable": (
        131060,
        "This message is currently unavailable.",
        "This message is currently unavailable.",
    ),
    "too_big": (131052, "Media download error", "Media file size too big."),
}


class PhoneError(ValueError):
    """The phone cannot do that; the text says why and what to do instead."""


def send(service: Service, person: Person, action: Json) -> str:
    """Carry out an action of the control API (``{"type": …}``) and return the new message's id (wamid)."""
    kind = action.get("type")
    builder = _BUILDERS.get(str(kind))
    if builder is None:
        raise PhoneError(f"Unknown type «{kind}». Known are {', '.join(sorted(_BUILDERS))}.")
    with service.state.lock:
        try:
            message = builder(service, person, action)
        except KeyError as error:
            raise PhoneError(f"A message of type «{kind}» needs «{error.args[0]}».") from error
        errors = message.pop("value_errors", None)
        return _deliver(service, person, _complete(service, person, message, action), errors)


def send_file(
    service: Service,
    person: Person,
    data: bytes,
    mime_type: str,
    filename: str | None,
    kind: str | None = None,
    caption: str | None = None,
    context: str | None = None,
) -> str:
    """Send a file as image, video, audio, voice, document or sticker; over 100 MB it becomes error 131052."""
    if kind is None:
        family = mime_type.partition("/")[0]
        kind = family if family in ("image", "video", "audio") else "document"
    if kind not in FILE_KINDS:
        raise PhoneError(f"Unknown kind of file «{kind}». Known are {', '.join(FILE_KINDS)}.")
    if len(data) > LARGEST_INCOMING:
        return send(service, person, {"type": "too_big"})
    if kind == "voice" and bare(mime_type) in ("audio/ogg", "application/ogg"):
        mime_type = "audio/ogg; codecs=opus"
    with service.state.lock:
        fragment = service.media.fragment(service.media.add(data, mime_type, filename, "webhook"))
        if caption and kind in ("image", "video", "document"):
            fragment["caption"] = caption
        if kind == "document":
            fragment["filename"] = filename or "document"
        if kind in ("audio", "voice"):
            fragment["voice"] = kind == "voice"
        if kind == "sticker":
            fragment["animated"] = False
        name = "audio" if kind == "voice" else kind
        message = {"type": name, name: fragment}
        return _deliver(service, person, _complete(service, person, message, {"context": context}), None)


def open_chat(service: Service, person: Person) -> list[str]:
    """The person opens the chat: what was delivered is read now, reported in one POST. Returns the ids."""
    with service.state.lock:
        unread = [m for m in person.messages if m.direction == "out" and m.status in ("sent", "delivered")]
        unread = [m for m in unread if m.type != "reaction"]
        if not unread or not person.read_receipts:
            return []
        now = service.state.now()
        for message in unread:
            service.set_status(person, message, "read")
        reports = [webhooks.status(m, "read", now, person=person, input_=m.addressed) for m in unread]
        service.emit(Notification(person.id, service.number.statuses(person, reports)))
        return [m.id for m in unread]


def _complete(service: Service, person: Person, message: Json, action: Json) -> Json:
    """Sender, id, time and context around a fragment."""
    address = person.shown_phone or person.user_id
    # System messages name nobody but the old number: what else is in them is news.
    common = {
        **({} if message["type"] == "system" else webhooks.sender(person)),
        "id": service.state.wamid(address, incoming=True),
        "timestamp": str(int(service.state.now())),
    }
    context = _context(service, person, action)
    return {**common, **message, **({"context": context} if context and "context" not in message else {})}


def _context(service: Service, person: Person, action: Json) -> Json | None:
    if action.get("forwarded"):
        return {"frequently_forwarded": True} if action["forwarded"] == "many" else {"forwarded": True}
    quoted = action.get("context")
    if not quoted:
        return None
    if not str(quoted).startswith("wamid."):
        raise PhoneError("«context» is the id of a message, which starts with «wamid.».")
    owner = service.state.owners.get(quoted)
    if owner is not None and owner[0] is not person:
        raise PhoneError("«context» is a message of somebody else's chat.")
    if owner is not None and owner[1].direction == "in":
        return {"id": quoted, **({"from": person.shown_phone} if person.shown_phone else {})}
    # Ids that are not known here may be older than this stand-in: people tap buttons that are weeks old.
    return {"from": service.number.display_phone_number, "id": quoted}


def _deliver(service: Service, person: Person, message: Json, errors: list[Json] | None) -> str:
    kind = message["type"]
    record = Message(
        id=message["id"],
        direction="in",
        at=service.state.now(),
        type=kind,
        content=message.get(kind)
        if kind in message
        else {k: message[k] for k in ("errors",) if k in message},
        status="sent",
        context=message.get("context", {}).get("id"),
    )
    service.state.add_message(person, record)
    service.publish({"person": person.id, "message": record.as_json()})

    def arrived() -> None:
        if record.status == "sent":
            service.set_status(person, record, "delivered")

    service.emit(Notification(person.id, service.number.message(person, message, errors), arrived))
    return record.id


# ---------------------------------------------------------------------- one builder an action


def _offered(service: Service, action: Json, kind: str) -> Json | None:
    """The option of the quoted message that is tapped; None when that message is not known here."""
    owner = service.state.owners.get(str(action.get("context")))
    if owner is None:
        return None
    message = owner[1]
    options: list[Json]
    if kind == "button":
        options = [b for b in (message.shown or {}).get("buttons", []) if b["type"] == "QUICK_REPLY"]
        found = next((o for o in options if o["payload"] == action["payload"]), None)
    else:
        offer = message.content.get("action", {}) if message.type == "interactive" else {}
        if kind == "list_reply":
            options = [row for section in offer.get("sections", []) for row in section["rows"]]
        else:
            options = [button["reply"] for button in offer.get("buttons", [])]
        found = next((o for o in options if o["id"] == action["id"]), None)
    if found is None:
        raise PhoneError(f"The message that «context» names does not offer this {kind.replace('_', ' ')}.")
    return found


def _reply(service: Service, person: Person, action: Json) -> Json:
    kind = action["type"]
    offered = _offered(service, action, kind) or {}
    reply = {"id": action["id"], "title": action.get("title") or offered.get("title")}
    if reply["title"] is None:
        raise KeyError("title")
    description = action.get("description") or offered.get("description")
    if kind == "list_reply" and description:
        reply["description"] = description
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def _button(service: Service, person: Person, action: Json) -> Json:
    offered = _offered(service, action, "button") or {}
    text = action.get("text") or offered.get("text") or action["payload"]
    return {"type": "button", "button": {"payload": action["payload"], "text": text}}


def _text(service: Service, person: Person, action: Json) -> Json:
    extra = {"referral": action["referral"]} if "referral" in action else {}
    return {"type": "text", "text": {"body": str(action["body"])}, **extra}


def _location(service: Service, person: Person, action: Json) -> Json:
    place: Json = {"latitude": float(action["latitude"]), "longitude": float(action["longitude"])}
    place |= {k: action[k] for k in ("name", "address", "url") if action.get(k)}
    return {"type": "location", "location": place}


def _reaction(service: Service, person: Person, action: Json) -> Json:
    emoji = {"emoji": action["emoji"]} if action.get("emoji") else {}
    return {"type": "reaction", "reaction": {"message_id": action["message_id"], **emoji}}


def _sticker(service: Service, person: Person, action: Json) -> Json:
    fragment = service.media.fragment(service.media.add(_WEBP, "image/webp", None, "webhook"))
    return {"type": "sticker", "sticker": {**fragment, "animated": bool(action.get("animated", False))}}


def _contacts(service: Service, person: Person, action: Json) -> Json:
    if action.get("own"):
        if person.phone is None:
            raise PhoneError("This person has no number to share.")
        phones = [{"phone": "+" + person.phone, "wa_id": person.phone, "type": "CELL"}]
        return {"type": "contacts", "contacts": [{"origin": "contact_request", "phones": phones}]}
    shared = {"name": {"formatted_name": "Maria Prova"}, "phones": [{"phone": "+34 600 00 00 03"}]}
    return {"type": "contacts", "contacts": action.get("contacts") or [shared]}


def _unsupported(service: Service, person: Person, action: Json) -> Json:
    code, title, details = _UNSUPPORTED[action["type"]]
    error = {"code": code, "title": title, "message": title, "error_data": {"details": details}}
    extra = {"unsupported": {"type": "poll_creation"}} if action["type"] == "poll" else {}
    return {"type": "unsupported", **extra, "errors": [error]}


def _edit(service: Service, person: Person, action: Json) -> Json:
    message = {"context": {"id": "M0"}, "type": "text", "text": {"body": action["body"]}}
    return {"type": "edit", "edit": {"original_message_id": action["message_id"], "message": message}}


def _revoke(service: Service, person: Person, action: Json) -> Json:
    return {"type": "revoke", "revoke": {"original_message_id": action["message_id"]}}


def _unknown(service: Service, person: Person, action: Json) -> Json:
    return {"type": "hologram", "hologram": {"id": "1", "frames": 3}}


def _order(service: Service, person: Person, action: Json) -> Json:
    item = {"product_retailer_id": "sku-1", "quantity": 1, "item_price": 3, "currency": "EUR"}
    order = {"catalog_id": "300000000000001", "text": action.get("body", ""), "product_items": [item]}
    return {"type": "order", "order": order}


def _flow(service: Service, person: Person, action: Json) -> Json:
    reply = {"name": "flow", "body": "Sent", "response_json": action["response_json"]}
    return {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}


def _empty(service: Service, person: Person, action: Json) -> Json:
    title = "Something went wrong"
    details = {"details": "Unsupported webhook payload"}
    error = {"code": 131000, "title": title, "message": title, "error_data": details}
    return {"type": "interactive", "value_errors": [error]}


def _system_number(service: Service, person: Person, action: Json) -> Json:
    new = "".join(c for c in str(action["phone"]) if c.isdigit())
    if service.state.by_phone(new, hidden=None):
        raise PhoneError("Another person already has this number.")
    old, person.phone = person.phone, new
    body = f"User {person.name} changed from {old} to {new}"
    origin: Json = {"from": old} if old and not person.hidden else {}
    return {**origin, "type": "system", "system": {"body": body, "wa_id": new, "type": "user_changed_number"}}


def _system_user_id(service: Service, person: Person, action: Json) -> Json:
    old, person.user_id = person.user_id, str(action.get("user_id") or service.state.user_id())
    at = service.state.now()
    detail = f"User id for {person.name} has been updated."
    update: Json = {"detail": detail, "user_id": {"previous": old, "current": person.user_id}}
    if person.shown_phone:
        update["wa_id"] = person.shown_phone
    value = service.number.value(
        contacts=[{"profile": {"name": person.name}}],
        user_id_update=[{**update, "timestamp": str(int(at))}],
    )
    service.emit(Notification(person.id, service.number.envelope("user_id_update", value)))
    body = f"User {person.name} changed from {old} to {person.user_id}"
    system = {"body": body, "user_id": person.user_id, "type": "user_changed_user_id"}
    return {"type": "system", "system": system}


def _raw(service: Service, person: Person, action: Json) -> Json:
    message: Any = action["message"]
    if not isinstance(message, dict) or "type" not in message:
        raise PhoneError("«message» is a JSON object with a «type».")
    return dict(message)


_BUILDERS = {
    "text": _text,
    "list_reply": _reply,
    "button_reply": _reply,
    "button": _button,
    "location": _location,
    "reaction": _reaction,
    "sticker": _sticker,
    "contacts": _contacts,
    "poll": _unsupported,
    "unavailable": _unsupported,
    "too_big": _unsupported,
    "edit": _edit,
    "revoke": _revoke,
    "unknown": _unknown,
    "order": _order,
    "flow": _flow,
    "empty_interactive": _empty,
    "system_number": _system_number,
    "system_user_id": _system_user_id,
    "raw": _raw,
}

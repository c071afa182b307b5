"""The content of one message of a webhook, by Meta's ``type`` (CLOUD-API.md 2).

Pure and liberal: what Meta left out, sent as "" or in another JSON type is absent. Nothing here raises; a
message of a known type without what makes it one is ``UnknownIn`` of that type.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from connector.core.address import Address
from connector.core.incoming import (
    AddressChangedIn,
    ContactsIn,
    Content,
    EditIn,
    MediaIn,
    MediaKind,
    PlaceIn,
    ReactionIn,
    ReplyIn,
    RevokeIn,
    TextIn,
    UnknownIn,
    UnsupportedIn,
)

BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""Business-scoped user id (CLOUD-API.md 2.3)."""

_BETWEEN = re.compile(r"[\s().+-]")

Object = Mapping[str, Any]


def obj(value: Any) -> Object:
    """``value`` when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """``value`` when it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """``value`` as a string; numbers become their digits; "" and everything else is absent."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def phone(value: Any) -> str | None:
    """The digits of a phone number, or None when it is no number (a group id, a user id)."""
    raw = text(value)
    if raw is None:
        return None
    digits = raw if raw.isdigit() else _BETWEEN.sub("", raw)
    return digits if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None


def number(value: Any) -> float | None:
    """A finite number, from a JSON number or a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def error_code(errors: Any) -> int | None:
    """Meta's code of the first of ``errors``."""
    for error in items(errors):
        code = number(obj(error).get("code"))
        if code is not None and code == int(code):
            return int(code)
    return None


def media_type(value: Any) -> str:
    """MIME type in lower case without its parameters (``audio/ogg; codecs=opus`` is ``audio/ogg``), or ""."""
    return (text(value) or "").partition(";")[0].strip().lower()


def hex_digest(value: Any) -> str:
    """SHA-256 as lower-case hex from base64 (webhooks) or hex (GET media; CLOUD-API.md 4), else ""."""
    raw = (text(value) or "").strip()
    if re.fullmatch(r"[0-9A-Fa-f]{64}", raw):
        return raw.lower()
    try:
        found = base64.b64decode(raw.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return found.hex() if len(found) == 32 else ""


def content(message: Object) -> Content | None:
    """What a message says; None for a system message that is no message of the person.

    Raises nothing for parsed JSON.
    """
    kind = type_of(message)
    reader = _READERS.get(kind)
    found = reader(message) if reader else None
    if found is not None:
        return found
    if kind == "system":
        return None
    if message.get("errors"):
        # Also a photo that Meta could not fetch: known type, no id, code 131052.
        return UnsupportedIn(kind, error_code(message.get("errors")))
    return UnknownIn(kind)


def type_of(message: Object) -> str:
    """Meta's ``type``; where it is missing, the one known key that the message has."""
    kind = text(message.get("type"))
    if kind:
        return kind
    known = [k for k in _READERS if message.get(k)]
    return known[0] if len(known) == 1 else "missing"


def _text(message: Object) -> Content | None:
    body = text(obj(message.get("text")).get("body"))
    return TextIn(body) if body else None


def _interactive(message: Object) -> Content | None:
    part = obj(message.get("interactive"))
    for kind in ("list_reply", "button_reply"):
        reply = obj(part.get(kind))
        chosen = text(reply.get("id"))
        if chosen:
            return ReplyIn(chosen, text(reply.get("title")) or "")
    kind = text(part.get("type")) or ""
    return UnknownIn(kind) if kind not in ("", "list_reply", "button_reply") else None


def _button(message: Object) -> Content | None:
    part = obj(message.get("button"))
    title = text(part.get("text")) or ""
    # Without a payload of ours Meta sends the label as payload.
    chosen = text(part.get("payload")) or title
    return ReplyIn(chosen, title) if chosen else None


def _media(kind: MediaKind) -> Callable[[Object], Content | None]:
    def read(message: Object) -> Content | None:
        part = obj(message.get(kind.value))
        media_id = text(part.get("id"))
        if not media_id:
            return None
        return MediaIn(
            kind=kind,
            media_id=media_id,
            mime=media_type(part.get("mime_type")),
            sha256=hex_digest(part.get("sha256")),
            filename=text(part.get("filename")),
            caption=text(part.get("caption")),
            voice=part.get("voice") is True,
        )

    return read


def _location(message: Object) -> Content | None:
    part = obj(message.get("location"))
    latitude, longitude = number(part.get("latitude")), number(part.get("longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return PlaceIn(latitude, longitude, text(part.get("name")), text(part.get("address")))


def _contacts(message: Object) -> Content | None:
    cards = [obj(card) for card in items(message.get("contacts"))]
    if not cards:
        return None
    names = []
    for card in cards:
        name = obj(card.get("name"))
        given = " ".join(filter(None, (text(name.get("first_name")), text(name.get("last_name")))))
        found = text(name.get("formatted_name")) or given
        if found:
            names.append(found)
    own = [p for card in cards if card.get("origin") == "contact_request" for p in items(card.get("phones"))]
    numbers = (phone(obj(p).get("wa_id")) or phone(obj(p).get("phone")) for p in own)
    return ContactsIn(tuple(names), next(filter(None, numbers), None))


def _reaction(message: Object) -> Content | None:
    part = obj(message.get("reaction"))
    to = text(part.get("message_id"))
    return ReactionIn(text(part.get("emoji")) or "", to) if to else None


def _unsupported(message: Object) -> Content | None:
    what = text(obj(message.get("unsupported")).get("type")) or ""
    return UnsupportedIn(what, error_code(message.get("errors")))


def _edit(message: Object) -> Content | None:
    part = obj(message.get("edit"))
    original = text(part.get("original_message_id"))
    if not original:
        return None
    inner = obj(part.get("message"))
    new = content(inner)
    if not isinstance(new, TextIn | MediaIn | UnknownIn):
        new = UnknownIn(type_of(inner))
    return EditIn(original, new)


def _revoke(message: Object) -> Content | None:
    original = text(obj(message.get("revoke")).get("original_message_id"))
    return RevokeIn(original) if original else None


def _system(message: Object) -> Content | None:
    part = obj(message.get("system"))
    kind = text(part.get("type")) or ""
    if kind == "user_changed_number":
        new = Address(text(part.get("user_id")), phone(part.get("wa_id")) or phone(part.get("new_wa_id")))
        return AddressChangedIn(new) if new.phone or new.user_id else None
    if kind == "user_changed_user_id":
        new = Address(text(part.get("user_id")), phone(part.get("wa_id")))
        return AddressChangedIn(new) if new.user_id else None
    return None


def former_user_id(message: Object) -> str | None:
    """The old user id of a ``user_changed_user_id`` message, which Meta says in words only (sample 31).

    The sentence holds the name the person chose: only its very end counts, and only when it names the new
    id that the message also gives as data.
    """
    part = obj(message.get("system"))
    body, new = text(part.get("body")) or "", text(part.get("user_id"))
    found = re.search(rf"\bfrom ({BSUID.pattern}) to ({BSUID.pattern})\W*\Z", body)
    return found[1] if found and found[2] == new else None


_READERS: dict[str, Callable[[Object], Content | None]] = {
    "text": _text,
    "interactive": _interactive,
    "button": _button,
    **{kind.value: _media(kind) for kind in MediaKind},
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "unsupported": _unsupported,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
}

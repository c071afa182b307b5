"""Bodies of ``POST /{version}/{phone_number_id}/messages`` (CLOUD-API.md 3). Pure.

Everything that Meta's limits forbid is a ``ValueError`` here: it is a bug of the caller, and as an answer of
Meta it would be a message that never arrives. The sentence names the limit, never the text.
"""

from __future__ import annotations

import re
from typing import Any, assert_never

from connector.core.address import Address
from connector.core.incoming import MediaKind
from connector.core.outgoing import (
    AskPlaceOut,
    ButtonsOut,
    Choice,
    LinkOut,
    ListOut,
    MediaOut,
    Outgoing,
    TemplateOut,
    TextOut,
)

from . import limits
from .content import BSUID

Json = dict[str, Any]

_PHONE = re.compile(r"[1-9][0-9]{6,14}")
_WAMID = re.compile(r"wamid\.\S{1,1000}")
_URL = re.compile(r"https?://\S+")
_ID = re.compile(r"\S(?:.*\S)?")
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2,3})?")
_PARAMETER = re.compile(r"[a-z_][a-z0-9_]*")


def build(message: Outgoing, to: Address, *, key: str, quote: str | None = None) -> Json:
    """The JSON body that sends ``message`` to ``to``.

    ``key`` comes back in every status of the message (``biz_opaque_callback_data``). ``quote`` is the wamid
    the message answers; one that is no wamid is left out, as the words matter more than the quote.
    Raises ``ValueError`` naming the limit that the message breaks.
    """
    body: Json = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_recipient(to),
        **_content(message),
        "biz_opaque_callback_data": _within("key", key, limits.KEY),
    }
    if quote and _WAMID.fullmatch(quote):
        body["context"] = {"message_id": quote}
    return body


def mark_read(wamid: str, typing: bool = False) -> Json:
    """The body that shows an incoming message as read and, with ``typing``, «typing…» for up to 25 s."""
    if not _WAMID.fullmatch(wamid):
        raise ValueError("what is marked as read must be a message id of WhatsApp")
    body: Json = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    if typing:
        body["typing_indicator"] = {"type": "text"}
    return body


def _recipient(to: Address) -> Json:
    if to.user_id and BSUID.fullmatch(to.user_id):
        return {"recipient": to.user_id}
    if to.phone and _PHONE.fullmatch(to.phone):
        # Without the plus Meta puts the business number's country code in front (CLOUD-API.md 3).
        return {"to": f"+{to.phone}"}
    raise ValueError("the address has neither a user id nor a phone number in international form")


def _content(message: Outgoing) -> Json:
    match message:
        case TextOut():
            body = _within("text body", message.body, limits.TEXT_BODY)
            return {"type": "text", "text": {"body": body, "preview_url": message.preview_url}}
        case ListOut():
            return _interactive(_list(message))
        case ButtonsOut():
            return _interactive(_buttons(message))
        case LinkOut():
            return _interactive(_link(message))
        case AskPlaceOut():
            body = _within("body of a location request", message.body, limits.ASK_PLACE_BODY)
            action = {"name": "send_location"}
            return _interactive(
                {"type": "location_request_message", "body": {"text": body}, "action": action}
            )
        case MediaOut():
            return {"type": message.kind.value, message.kind.value: _media(message)}
        case TemplateOut():
            return {"type": "template", "template": _template(message)}
        case _:
            assert_never(message)


def _interactive(part: Json) -> Json:
    return {"type": "interactive", "interactive": part}


def _list(message: ListOut) -> Json:
    _count("list rows", len(message.rows), limits.LIST_ROWS)
    _unique("ids of list rows", [row.id for row in message.rows])
    rows = [_row(row) for row in message.rows]
    body = _within("list body", message.body, limits.LIST_BODY)
    button = _within("list button", message.button, limits.LIST_BUTTON)
    action = {"button": button, "sections": [{"rows": rows}]}
    return {
        "type": "list",
        **_frame(message.header, message.footer),
        "body": {"text": body},
        "action": action,
    }


def _row(row: Choice) -> Json:
    found = {
        "id": _within("row id", row.id, limits.ROW_ID),
        "title": _within("row title", row.title, limits.ROW_TITLE),
    }
    if row.description:
        found["description"] = _within("row description", row.description, limits.ROW_DESCRIPTION)
    return found


def _buttons(message: ButtonsOut) -> Json:
    _count("buttons", len(message.buttons), limits.BUTTONS)
    _unique("ids of buttons", [b.id for b in message.buttons])
    _unique("titles of buttons", [b.title for b in message.buttons])
    buttons = []
    for button in message.buttons:
        if not _ID.fullmatch(button.id):
            raise ValueError("a button id must be one line without spaces at its ends")
        reply = {
            "id": _within("button id", button.id, limits.BUTTON_ID),
            "title": _within("button title", button.title, limits.BUTTON_TITLE),
        }
        buttons.append({"type": "reply", "reply": reply})
    body = _within("body over buttons", message.body, limits.BUTTONS_BODY)
    frame = _frame(message.header, message.footer)
    return {"type": "button", **frame, "body": {"text": body}, "action": {"buttons": buttons}}


def _link(message: LinkOut) -> Json:
    if not _URL.fullmatch(message.url):
        raise ValueError(
            "the address of a link button must start with http:// or https:// and have no spaces"
        )
    label = _within("link button", message.button, limits.LINK_BUTTON)
    body = _within("body over a link button", message.body, limits.LINK_BODY)
    parameters = {"display_text": label, "url": message.url}
    return {
        "type": "cta_url",
        "body": {"text": body},
        "action": {"name": "cta_url", "parameters": parameters},
    }


def _frame(header: str, footer: str) -> Json:
    found: Json = {}
    if header:
        found["header"] = {"type": "text", "text": _within("header", header, limits.HEADER)}
    if footer:
        found["footer"] = {"text": _within("footer", footer, limits.FOOTER)}
    return found


def _media(message: MediaOut) -> Json:
    found = {"id": _within("media id", message.media_id, limits.MEDIA_ID)}
    if message.caption:
        if message.kind in (MediaKind.AUDIO, MediaKind.STICKER):
            raise ValueError(f"{message.kind.value} takes no caption")
        found["caption"] = _within("caption", message.caption, limits.CAPTION)
    if message.filename and message.kind is MediaKind.DOCUMENT:
        found["filename"] = _within("file name", message.filename, limits.FILENAME)
    return found


def _template(message: TemplateOut) -> Json:
    if not _TEMPLATE.fullmatch(message.name):
        raise ValueError("a template name is 1 to 512 lower-case letters, digits and underscores")
    if not _LANGUAGE.fullmatch(message.language):
        raise ValueError("a template language is a code like ca, es or es_MX")
    _count("template buttons", len(message.buttons), limits.TEMPLATE_BUTTONS, least=0)
    components: list[Json] = []
    if message.parameters:
        components.append({"type": "body", "parameters": [_parameter(n, v) for n, v in message.parameters]})
    for index, payload in enumerate(message.buttons):
        one = {"type": "payload", "payload": _within("button payload", payload, limits.TEMPLATE_PAYLOAD)}
        components.append(
            {"type": "button", "sub_type": "quick_reply", "index": str(index), "parameters": [one]}
        )
    found: Json = {"name": message.name, "language": {"code": message.language}}
    if components:
        found["components"] = components
    return found


def _parameter(name: str, value: str) -> Json:
    """One parameter of the body; without a name it is a positional one (CLOUD-API.md 6)."""
    if re.search(r"[\n\r\t\v\f]| {5}", value):
        raise ValueError("a template parameter has no line ends, no tabs and at most four spaces in a row")
    found = {"type": "text", "text": _within("template parameter", value, limits.TEMPLATE_PARAMETER)}
    if name:
        if not _PARAMETER.fullmatch(name):
            raise ValueError("the name of a template parameter is lower-case letters, digits and underscores")
        found["parameter_name"] = name
    return found


def _within(what: str, value: str, limit: int) -> str:
    length = limits.measure(value)
    if not value.strip():
        raise ValueError(f"{what} is empty")
    if length > limit:
        raise ValueError(f"{what} has {length} characters, WhatsApp takes {limit}")
    return value


def _count(what: str, number: int, most: int, least: int = 1) -> None:
    if not least <= number <= most:
        raise ValueError(f"{number} {what}, WhatsApp takes {least} to {most}")


def _unique(what: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{what} are not unique")

"""Errors in the shape of Meta's Graph API.

Codes, HTTP values and titles come from ``schemas/error-actions.json`` (the contract's copy of Meta's error
page); the shape ``{"error": {message, type, code, error_data, error_subcode, fbtrace_id}}`` from Meta's
OpenAPI file.
"""

from __future__ import annotations

import json
import secrets
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parent / "schemas"
DOCUMENTATION = "/documentation/business-messaging/whatsapp/support/error-codes"

# Codes after which Meta itself says that the same call may succeed later.
_TRANSIENT = {1, 2}
# Codes of the Graph API itself, whose message carries no "(#code)" and no error_data.
_PLAIN = {0, 2, 190}
_MESSAGES = {
    2: "An unexpected error has occurred. Please retry your request later.",
    190: "Error validating access token: Session has expired",
    131056: "(#131056) (Business Account, Consumer Account) pair rate limit hit",
    132001: "(#132001) Template name does not exist in the translation",
    132000: "(#132000) Number of parameters does not match the expected number of params",
}
_DETAILS = {
    130429: "Cloud API message throughput has been reached.",
    131026: "Message Undeliverable.",
    131042: "Message failed to send because there were one or more errors related to your payment method.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied "
    "to this number.",
    131049: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    131056: "Message failed to send because there were too many messages sent from this phone number to the "
    "same phone number in a short period of time.",
    80007: "The WhatsApp Business Account has reached its rate limit.",
}


@cache
def table() -> dict[int, dict[str, Any]]:
    """The known error codes: code -> {"http": int | None, "title": str, …}; ranges are unfolded."""
    found: dict[int, dict[str, Any]] = {}
    for row in json.loads((SCHEMAS / "error-actions.json").read_text(encoding="utf-8"))["codes"]:
        first, _, last = str(row["code"]).partition("-")
        for code in range(int(first), int(last or first) + 1):
            found[code] = row
    return found


class GraphError(Exception):
    """A refusal by the stand-in, with what Meta would answer.

    ``code`` is Meta's error code, ``details`` the sentence for developers, ``subcode`` Meta's
    ``error_subcode``, ``http`` the status (by default the table's), ``retry_after`` whole seconds for the
    ``Retry-After`` header.
    """

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        subcode: int | None = None,
        http: int | None = None,
        message: str = "",
        retry_after: float | None = None,
    ) -> None:
        row = table().get(code, {})
        self.code = code
        self.title = str(row.get("title", "Unknown error"))
        self.details = details or _DETAILS.get(code, "")
        self.subcode = 463 if code == 190 and subcode is None and not message else subcode
        self.http = http or int(row.get("http") or 400)
        default = _MESSAGES.get(code) or (self.title if code in _PLAIN else f"(#{code}) {self.title}")
        self.message = message or default
        self.retry_after = retry_after
        super().__init__(f"{self.message}: {self.details}" if self.details else self.message)

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        error: dict[str, Any] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.code in _TRANSIENT:
            error["is_transient"] = True
        if self.details and self.code not in _PLAIN:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}

    def headers(self) -> dict[str, str]:
        """Extra headers of the answer."""
        return {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}


def status_error(code: int, details: str = "") -> dict[str, Any]:
    """One entry of ``statuses[].errors`` in a ``failed`` status webhook."""
    title = str(table().get(code, {}).get("title", "Unknown error"))
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or _DETAILS.get(code, title + ".")},
        "href": DOCUMENTATION,
    }

"""The sample payloads of ``contract_data`` (synthetic people and numbers)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "contract_data" / "samples"
SCHEMAS = Path(__file__).parent / "contract_data" / "schemas"
WEBHOOKS = sorted(path.name for path in (FOLDER / "webhooks").glob("*.json"))
RECEIVED = datetime(2026, 11, 23, 12, 0, 7, tzinfo=UTC)
AT = datetime.fromtimestamp(1795426800, UTC)
CHANNEL = "100000000000001"


def webhook(name: str) -> bytes:
    """The bytes of a webhook, by the beginning of its file name."""
    (path,) = (FOLDER / "webhooks").glob(f"{name}*.json")
    return path.read_bytes()


def load(kind: str, name: str) -> Any:
    """A sample of another kind, by the beginning of its file name."""
    (path,) = (FOLDER / kind).glob(f"{name}*.json")
    return json.loads(path.read_bytes())


def envelope(*messages: Any, field: str = "messages", **value: Any) -> bytes:
    """A webhook around ``messages``."""
    metadata = {"display_phone_number": "34600000100", "phone_number_id": CHANNEL}
    full = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    if messages:
        full["messages"] = list(messages)
    entry = {"id": "200000000000001", "changes": [{"field": field, "value": full}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def message(**parts: Any) -> dict[str, Any]:
    """A text message, with ``parts`` replaced; None leaves one out."""
    full = {
        "from": "34600000001",
        "from_user_id": "ES.10000000000000000001",
        "id": "wamid.A",
        "timestamp": "1795426800",
        "type": "text",
        "text": {"body": "bon dia"},
        **parts,
    }
    return {key: value for key, value in full.items() if value is not None}

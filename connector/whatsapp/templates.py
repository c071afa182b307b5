"""The message templates the connector needs, as Meta's API wants to be told of them (CLOUD-API.md 6)."""

from __future__ import annotations

from typing import Any


def answer_template(name: str, language: str, body: str, button: str, example: str) -> dict[str, Any]:
    """«There is an answer»: a utility template with the reference and one quick reply that brings the answer.

    ``body`` holds ``{{reference}}`` (not at its start or end: Meta refuses that), ``example`` a sample of it.
    """
    return {
        "name": name,
        "language": language,
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "BODY",
                "text": body,
                "example": {"body_text_named_params": [{"param_name": "reference", "example": example}]},
            },
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": button}]},
        ],
    }

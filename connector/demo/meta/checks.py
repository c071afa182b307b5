"""Whether a body may be sent as a message: the contract's schema, and what a schema cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from connector.demo.meta.errors import SCHEMAS, GraphError
from connector.demo.meta.state import Json

TYPES = (
    "audio", "contacts", "document", "image", "interactive", "location", "reaction", "sticker", "template",
    "text", "video",
)  # fmt: skip
MOST_ROWS = 10


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((SCHEMAS / "outgoing-message.schema.json").read_text(encoding="utf-8"))
    )


def check(body: Any) -> Json:
    """The body itself when it may be sent, otherwise a ``GraphError``.

    Codes as Meta uses them: 131008 something is missing, 100 unknown key, type or a text that is too long,
    131009 a value that is not valid, 132001 no such template name, 132012 a template parameter's form.
    """
    if not isinstance(body, dict):
        raise GraphError(100, "The body is not a JSON object.")
    if "status" not in body:
        if "type" not in body:
            raise GraphError(131008, "Parameter 'type' is mandatory.")
        if body["type"] not in TYPES:
            raise GraphError(
                100, message=f"(#100) Param type must be one of {{{', '.join(t.upper() for t in TYPES)}}}"
            )
    first = _first(_validator().iter_errors(_lower_sub_types(body)))
    if first is not None:
        raise _refusal(first)
    if body.get("type") == "interactive":
        _check_interactive(body["interactive"])
    return body


def _lower_sub_types(body: Json) -> Json:
    """Meta takes ``QUICK_REPLY`` as well as ``quick_reply`` (clients send both); the schema has one."""
    template = body.get("template")
    components = template.get("components") if isinstance(template, dict) else None
    if not isinstance(components, list):
        return body
    lowered = [
        {**c, "sub_type": c["sub_type"].lower()}
        if isinstance(c, dict) and isinstance(c.get("sub_type"), str)
        else c
        for c in components
    ]
    return {**body, "template": {**body["template"], "components": lowered}}


def _first(errors: Iterable[ValidationError]) -> ValidationError | None:
    """The most telling violation: inside alternatives, the one of the alternative that was meant."""
    found = sorted(errors, key=lambda e: [str(p) for p in e.absolute_path])
    if not found:
        return None
    error = found[0]
    if error.validator not in ("oneOf", "anyOf") or not error.context:
        return error
    branches: dict[Any, list[ValidationError]] = {}
    for sub in error.context:
        branches.setdefault(sub.schema_path[0], []).append(sub)
    meant = [
        subs
        for subs in branches.values()
        if not any(s.validator == "const" and s.path[-1] == "type" for s in subs)
    ]
    return _first(meant[0]) if len(meant) == 1 else error


def _refusal(error: ValidationError) -> GraphError:
    path = [str(p) for p in error.absolute_path]
    where = ".".join(path) or "message"
    value: Any = error.validator_value
    if error.validator == "required":
        missing = next(k for k in value if k not in error.instance)
        return GraphError(131008, f"Parameter '{'.'.join([*path, missing])}' is mandatory.")
    if error.validator == "anyOf" and not path:
        return GraphError(131008, "Parameter 'to' is mandatory.")
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        extra = next(k for k in error.instance if k not in known)
        return GraphError(100, message=f'(#100) Unexpected key "{extra}" on param "{where}".')
    if path[:2] in (["template", "name"], ["template", "language"]):
        return GraphError(132001, f"{where} is not the name or language of a template")
    if path[:1] == ["template"]:
        return GraphError(132012, f"{where} has a format that is not allowed in a template")
    if error.validator == "maxLength" and path[:1] != ["interactive"]:
        return GraphError(100, message=f"(#100) Param {where} must be at most {value} characters long.")
    reasons = {
        "minLength": f"is shorter than {value}",
        "maxLength": f"is longer than {value}",
        "maxItems": f"has more than {value} entries",
        "minItems": f"has fewer than {value} entries",
        "type": f"is not of type {value}",
        "pattern": "has a form that is not allowed",
        "oneOf": "fits none, or more than one, of the allowed forms",
    }
    return GraphError(131009, f"{where} {reasons.get(str(error.validator), 'is not valid')}.")


def _check_interactive(interactive: Json) -> None:
    action = interactive["action"]
    if interactive["type"] == "list":
        rows = [row for section in action["sections"] for row in section["rows"]]
        if len(rows) > MOST_ROWS:
            raise GraphError(131009, f"Total row count exceed max allowed count: {MOST_ROWS}")
        _unique("row id", [row["id"] for row in rows])
        if len(action["sections"]) > 1 and any(not s.get("title") for s in action["sections"]):
            raise GraphError(131009, "Section title is required when there is more than one section")
    elif interactive["type"] == "button":
        _unique("button id", [b["reply"]["id"] for b in action["buttons"]])
        _unique("button title", [b["reply"]["title"] for b in action["buttons"]])


def _unique(what: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise GraphError(131009, f"Duplicated {what}")

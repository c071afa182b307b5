"""Filling in a template's parameters, as the phone will show it (errors 132000, 132005, 132012, 131008)."""

from __future__ import annotations

from collections.abc import Iterator

from connector.demo.meta.errors import GraphError
from connector.demo.meta.state import Json
from connector.demo.meta.templates import VARIABLE, Template


def fill(template: Template, sent: list[Json]) -> Json:
    """The template as the phone shows it, with the parameters of a message put in.

    Returns ``{"header", "body", "footer", "buttons": [{"type", "text", "payload"?, "url"?}]}``. Raises
    ``GraphError`` 132000 when the number of parameters differs, 132012 when their form does.
    """
    by_kind: dict[str, Json] = {}
    buttons: dict[int, Json] = {}
    for part in sent:
        kind = part["type"].upper()
        if kind == "BUTTON":
            if int(part["index"]) in buttons:
                raise GraphError(132012, f"button: index {part['index']} is given twice")
            buttons[int(part["index"])] = part
        elif kind in by_kind:
            raise GraphError(132012, f"{kind.lower()}: component is given twice")
        else:
            by_kind[kind] = part
    shown: Json = {"header": None, "body": "", "footer": None, "buttons": []}
    for kind in ("HEADER", "BODY"):
        component, given = template.component(kind), by_kind.get(kind)
        parameters = (given or {}).get("parameters", [])
        if component is None:
            if given is not None:
                raise GraphError(132012, f"{kind.lower()}: the template has no such component")
        elif kind == "HEADER" and component["format"].upper() != "TEXT":
            wanted = component["format"].lower()
            if [p["type"] for p in parameters] != [wanted]:
                raise GraphError(
                    132012, f"header: Format mismatch, expected {wanted.upper()}, received UNKNOWN"
                )
            shown["header"] = parameters[0]
        else:
            named = template.parameter_format == "NAMED"
            shown[kind.lower()] = _fill_text(kind.lower(), component["text"], parameters, named)
    footer = template.component("FOOTER")
    shown["footer"] = footer["text"] if footer else None
    shown["buttons"] = list(_fill_buttons(template.component("BUTTONS"), buttons))
    return shown


def _fill_text(kind: str, text: str, parameters: list[Json], named: bool) -> str:
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    if len(parameters) != len(names):
        raise GraphError(
            132000,
            f"{kind}: number of localizable_params ({len(parameters)}) does not match the expected number of "
            f"params ({len(names)})",
        )
    if any(p["type"] != "text" for p in parameters):
        raise GraphError(132012, f"{kind}: parameters of another type than text are not supported here")
    values: dict[str, str] = {}
    for name, parameter in zip(names, parameters, strict=True):
        if named != ("parameter_name" in parameter):
            raise GraphError(
                132012, f"{kind}: Parameter name is {'missing or empty' if named else 'not expected'}"
            )
        values[parameter["parameter_name"] if named else name] = parameter["text"]
    if set(values) != set(names):
        raise GraphError(132012, f"{kind}: Parameter names do not match those of the template")
    filled = VARIABLE.sub(lambda m: values[m.group(1)], text)
    if len(filled) > 1024:
        raise GraphError(
            132005, f"{kind}: the text with its parameters has {len(filled)} characters, limit 1024"
        )
    return filled


def _fill_buttons(component: Json | None, sent: dict[int, Json]) -> Iterator[Json]:
    buttons = component["buttons"] if component else []
    for index, part in sent.items():
        if index >= len(buttons) or buttons[index]["type"].upper() != part["sub_type"].upper():
            raise GraphError(132012, f"button: there is no {part['sub_type']} button at index {index}")
    for index, button in enumerate(buttons):
        kind, given = button["type"].upper(), sent.get(index)
        found: Json = {"type": kind, "text": button.get("text", "")}
        parameters = given["parameters"] if given else []
        if kind == "QUICK_REPLY":
            if any(p["type"] != "payload" for p in parameters) or len(parameters) > 1:
                raise GraphError(132012, f"button: index {index} takes one parameter of type payload")
            found["payload"] = parameters[0]["payload"] if parameters else button["text"]
        elif kind == "URL":
            wanted = len(VARIABLE.findall(button["url"]))
            if len(parameters) != wanted:
                raise GraphError(
                    132000 if wanted and parameters else 131008,
                    f"Button at index {index} of type Url requires {wanted} parameters",
                )
            found["url"] = VARIABLE.split(button["url"])[0] + "".join(p["text"] for p in parameters)
        yield found

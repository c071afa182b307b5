"""Message templates: creating, reviewing and listing them.

Rules: Meta pages "Utility templates" and "message_template_status_update" (2026), and the limits that Meta's
own dashboard enforces: name 512, header 60, body 1024, footer 60, button label 25, 10 buttons, variables
neither at an end nor too many for the text, an example for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connector.demo.meta.errors import GraphError
from connector.demo.meta.state import Json

NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
NAMED = re.compile(r"[a-z_][a-z0-9_]*")
CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")
MEDIA_HEADERS = ("IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
BUTTON_TYPES = ("QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "FLOW", "REQUEST_CONTACT_INFO")
MOST_TEMPLATES = 250
BLOCKED_SECONDS = 30 * 24 * 3600
FIELDS = ("id", "name", "language", "status", "category", "parameter_format", "components")
# Fields that exist but have no value here: Meta leaves them out of the answer.
EMPTY_FIELDS = (
    "correct_category", "cta_url_link_tracking_opted_out", "degrees_of_freedom_spec", "library_template_name",
    "message_send_ttl_seconds", "previous_category", "sub_category",
)  # fmt: skip


@dataclass(eq=False)
class Template:
    """One template in one language. ``components`` as they were created; ``status`` as Meta names it."""

    id: str
    name: str
    language: str
    category: str
    components: list[Json]
    parameter_format: str = "POSITIONAL"
    status: str = "PENDING"
    rejected_reason: str = "NONE"
    at: float = 0.0

    def component(self, kind: str) -> Json | None:
        """The component HEADER, BODY, FOOTER or BUTTONS, if there is one."""
        return next((c for c in self.components if c["type"].upper() == kind), None)

    def fields(self, wanted: list[str] | None) -> Json:
        """The template as ``GET`` answers it; error 100 on a field that does not exist."""
        everything = {
            **vars(self),
            "quality_score": {
                "score": "GREEN" if self.status == "APPROVED" else "UNKNOWN",
                "date": int(self.at),
            },
        }
        everything |= dict.fromkeys(EMPTY_FIELDS)
        for name in wanted or ():
            if name not in everything:
                raise GraphError(
                    100, message=f"(#100) Tried accessing nonexisting field ({name}) on node type (HSM)"
                )
        chosen = [*dict.fromkeys([*(wanted or FIELDS), "id"])]
        return {name: everything[name] for name in chosen if everything[name] is not None}


@dataclass
class Templates:
    """The templates of one WhatsApp Business Account."""

    number: Callable[[int], str]
    now: Callable[[], float]
    all: list[Template] = field(default_factory=list)
    blocked: dict[tuple[str, str], float] = field(default_factory=dict)

    def find(self, name: str, language: str) -> Template | None:
        """The template of this name in exactly this language: there is no fallback."""
        return next((t for t in self.all if (t.name, t.language) == (name, language)), None)

    def by_id(self, template_id: str) -> Template | None:
        """The template with this id."""
        return next((t for t in self.all if t.id == template_id), None)

    def create(self, body: Any) -> Template:
        """A new template, PENDING. Raises ``GraphError`` 100 or 2388xxx when it breaks a rule."""
        checked = check(body)
        if self.find(checked.name, checked.language):
            raise GraphError(
                100,
                "There is already content in this language for this template.",
                subcode=2388024,
                message="Invalid parameter",
            )
        since = self.blocked.get((checked.name, checked.language))
        if since is not None and self.now() - since < BLOCKED_SECONDS:
            raise GraphError(2388023, "A template of this name was deleted less than 30 days ago.")
        if len(self.all) >= MOST_TEMPLATES:
            raise GraphError(2388019, f"The account has {MOST_TEMPLATES} templates already.")
        checked.id, checked.at = self.number(15), self.now()
        self.all.append(checked)
        return checked

    def edit(self, template: Template, body: Any) -> None:
        """Replace components or category; PENDING again. Approved, rejected and paused ones can be edited."""
        if template.status not in ("APPROVED", "REJECTED", "PAUSED"):
            raise GraphError(100, f"A template that is {template.status} cannot be edited.")
        if not isinstance(body, dict) or not body:
            raise GraphError(100, "The body is a JSON object with components or category.")
        if template.status == "APPROVED" and body.get("category", template.category) != template.category:
            raise GraphError(100, "The category of an approved template cannot be changed.")
        whole = {
            "name": template.name,
            "language": template.language,
            "category": template.category,
            "components": template.components,
            "parameter_format": template.parameter_format,
        }
        checked = check({**whole, **body})
        template.components, template.category = checked.components, checked.category
        template.parameter_format, template.status = checked.parameter_format, "PENDING"

    def delete(self, name: str, template_id: str | None = None) -> list[Template]:
        """Delete a name in all languages, or one id; the name is blocked for 30 days. Returns what went."""
        gone = [t for t in self.all if t.name == name and template_id in (None, t.id)]
        if not gone:
            raise GraphError(100, f"Message template {name} does not exist.", subcode=2593002)
        for template in gone:
            self.all.remove(template)
            self.blocked[template.name, template.language] = self.now()
        return gone


def review(template: Template) -> str:
    """What Meta's reviewers would say: NONE when there is nothing against it, else the reason."""
    texts = [str(c.get("text", "")) for c in template.components]
    return "INVALID_FORMAT" if any(re.search(r"\}\}\s*\{\{", text) for text in texts) else "NONE"


# ---------------------------------------------------------------------- creating


def check(body: Any) -> Template:
    """A template from the body of POST message_templates; ``GraphError`` when it breaks a rule."""
    if not isinstance(body, dict):
        raise GraphError(100, "The body is not a JSON object.")
    known = {
        "name", "language", "category", "components", "parameter_format", "allow_category_change",
        "message_send_ttl_seconds",
    }  # fmt: skip
    for key in body:
        if key not in known:
            raise GraphError(100, message=f'(#100) Unexpected key "{key}" on param "message_template".')
    name, language, category = (body.get(k) for k in ("name", "language", "category"))
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise GraphError(100, "Param name: 1 to 512 lower-case letters, digits and underscores.")
    if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
        raise GraphError(100, "Param language: a code such as ca, es or en_US.")
    if category not in CATEGORIES:
        raise GraphError(100, f"Param category must be one of {{{', '.join(CATEGORIES)}}}.")
    form = str(body.get("parameter_format", "POSITIONAL")).upper()
    if form not in ("POSITIONAL", "NAMED"):
        raise GraphError(100, "Param parameter_format must be one of {POSITIONAL, NAMED}.")
    components = body.get("components")
    if not isinstance(components, list) or not all(isinstance(c, dict) for c in components):
        raise GraphError(100, "Param components: a list of objects.")
    kinds = [str(c.get("type", "")).upper() for c in components]
    if "BODY" not in kinds or len(set(kinds)) != len(kinds):
        raise GraphError(100, "Param components: exactly one BODY, and at most one of each other type.")
    for kind, component in zip(kinds, components, strict=True):
        _check_component(kind, component, named=form == "NAMED")
    return Template("", name, language, category, components, form)


def _check_component(kind: str, component: Json, *, named: bool) -> None:
    if kind == "BODY":
        _check_text("BODY", component, 1024, named=named, most=None)
    elif kind == "HEADER":
        form = str(component.get("format", "")).upper()
        if form == "TEXT":
            _check_text("HEADER", component, 60, named=named, most=1)
        elif form not in MEDIA_HEADERS:
            raise GraphError(100, "Header format must be one of {TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION}.")
    elif kind == "FOOTER":
        _check_text("FOOTER", component, 60, named=named, most=0)
    elif kind == "BUTTONS":
        _check_buttons(component)
    else:
        raise GraphError(100, "Component type must be one of {HEADER, BODY, FOOTER, BUTTONS}.")


def _check_text(kind: str, component: Json, limit: int, *, named: bool, most: int | None) -> None:
    text = component.get("text")
    if not isinstance(text, str) or not text.strip():
        raise GraphError(100, f"{kind} needs a text.")
    if len(text) > limit:
        raise GraphError(2388040, f"{kind} has {len(text)} characters, the limit is {limit}.")
    names = VARIABLE.findall(text)
    if most is not None and len(names) > most:
        code = 2388073 if kind == "FOOTER" else 2388047
        raise GraphError(code, f"{kind} may have {most} variables.")
    if kind == "HEADER" and re.search(r"[\n*_~`]", text):
        raise GraphError(2388047, "HEADER may have no new lines and no formatting.")
    if "{{" in VARIABLE.sub("", text) or "}}" in VARIABLE.sub("", text):
        raise GraphError(2388047, f"{kind} has a malformed variable.")
    if named and not all(NAMED.fullmatch(n) for n in names):
        raise GraphError(100, f"{kind}: variable names are lower-case letters, digits and underscores.")
    if not named and list(dict.fromkeys(names)) != [str(i + 1) for i in range(len(set(names)))]:
        raise GraphError(100, f"{kind}: variables are {{{{1}}}}, {{{{2}}}} … in order.")
    if kind == "BODY" and names:
        if VARIABLE.match(text.strip()) or re.search(r"\{\{[^{}]*\}\}[\s.,;:!?]*$", text):
            raise GraphError(2388299, "Variables can't be at the start or end of the body.")
        if len(re.findall(r"\w+", VARIABLE.sub(" ", text))) < 2 * len(names) + 1:
            raise GraphError(2388293, "The body has too many variables for its length.")
    if names:
        _check_examples(kind, component, list(dict.fromkeys(names)), named=named)


def _check_examples(kind: str, component: Json, names: list[str], *, named: bool) -> None:
    raw = component.get("example")
    example: Json = raw if isinstance(raw, dict) else {}
    key = f"{kind.lower()}_text" + ("_named_params" if named else "")
    given = example.get(key)
    if named:
        rows = given if isinstance(given, list) else []
        right = {r.get("param_name") for r in rows if isinstance(r, dict) and r.get("example")} == set(names)
    elif kind == "BODY":
        right = bool(isinstance(given, list) and given and isinstance(given[0], list)) and all(
            len(row) == len(names) for row in given or ()
        )
    else:
        right = isinstance(given, list) and len(given) == len(names)
    if not right:
        raise GraphError(100, f"{kind}: every variable needs an example, in example.{key}.")


def _check_buttons(component: Json) -> None:
    buttons = component.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 10:
        raise GraphError(100, "BUTTONS: 1 to 10 buttons.")
    for button in buttons:
        kind = str(button.get("type", "")).upper()
        if kind not in BUTTON_TYPES:
            raise GraphError(100, f"Button type must be one of {{{', '.join(BUTTON_TYPES)}}}.")
        text = button.get("text")
        if kind not in ("REQUEST_CONTACT_INFO", "COPY_CODE"):
            if not isinstance(text, str) or not text:
                raise GraphError(100, f"A {kind} button needs a text.")
            if len(text) > 25:
                raise GraphError(
                    2388040, f"Button text «{text}» has {len(text)} characters, the limit is 25."
                )
        if kind == "URL":
            url = str(button.get("url", ""))
            if not re.match(r"https?://[^\s{]", url) or len(url) > 2000:
                raise GraphError(100, "A URL button needs an http(s) url of at most 2000 characters.")
            names = VARIABLE.findall(url)
            if names and (names != ["1"] or not url.endswith("}}")):
                raise GraphError(100, "A URL button may have one variable, {{1}}, at its end.")
            if names and not (isinstance(button.get("example"), list) and len(button["example"]) == 1):
                raise GraphError(100, "A URL button with a variable needs an example, as a list of one.")

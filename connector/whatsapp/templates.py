"""The message templates the connector needs, as Meta's API wants to be told of them (CLOUD-API.md 6), and how they
compare with what Meta has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.core.texts import Texts
from connector.core.town import Town

from . import bulletins
from .content import obj

MISSING, APPROVED, PENDING = "MISSING", "APPROVED", "PENDING"
_STILL = frozenset({PENDING, "IN_APPEAL"})
"""States that end by themselves."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One needed template, by name and language. ``state`` is Meta's word or ``MISSING``; ``mend`` what to do, or ""."""

    name: str
    language: str
    state: str
    category: str
    problem: str
    mend: str

    @property
    def usable(self) -> bool:
        """Whether it can be sent now."""
        return self.state == APPROVED

    @property
    def alarming(self) -> bool:
        """Whether a person has to act, now or later."""
        return bool(self.problem) and self.state not in _STILL


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


def needed(town: Town, texts: Texts) -> list[dict[str, Any]]:
    """Every template the mapping needs, one a language of the channel: for answers, and where there are topics for news
    and notices."""
    name, own = town.templates.answer, town.templates
    sent = [(own.news, "marketing"), (own.notice, "utility")] if town.topics else []
    return [
        answer_template(
            name,
            language,
            texts(language, "template.answer"),
            texts(language, "template.button"),
            f"{town.channel.prefix}-7K3F-9Q",
        )
        for language in (town.languages if name else ())
    ] + [
        bulletins.needed(named, category, language, texts)
        for named, category in sent
        for language in (town.languages if named else ())
    ]


def compare(wanted: Sequence[Mapping[str, Any]], found: Iterable[Mapping[str, Any]]) -> list[Compared]:
    """Each needed template against Meta's list (``WhatsAppClient.templates``)."""
    there = {(str(t.get("name")), str(t.get("language"))): t for t in found}
    return [_one(body, there.get((body["name"], body["language"]))) for body in wanted]


def _one(body: Mapping[str, Any], there: Mapping[str, Any] | None) -> Compared:
    name, language = str(body["name"]), str(body["language"])
    if there is None:
        return Compared(name, language, MISSING, "", "WhatsApp does not have it", "connector templates push")
    state, category = str(there.get("status") or "").upper(), str(there.get("category") or "").upper()
    problem = mend = ""
    if state == "REJECTED":
        problem = f"WhatsApp rejected it ({str(there.get('rejected_reason') or 'no reason given').lower()})"
        mend = "change its text in the mapping ([texts]) and its name in [templates], then connector templates push"
    elif state in _STILL:
        problem = "WhatsApp is still reviewing it (minutes, at most a day or two)"
    elif state != APPROVED:
        problem = f"WhatsApp does not let it be sent ({state.lower()})"
        mend = "see WhatsApp Manager, Message templates: quality and what people reported"
    elif str(obj(there.get("quality_score")).get("score")).upper() == "RED":
        problem = "its quality is low: people block or report it, and WhatsApp may stop it"
        mend = "see WhatsApp Manager, Message templates; send it less often, or change its text and its name"
    elif category and category != body["category"]:
        problem = f"WhatsApp moved it to the category {category.lower()}: it costs more and may be withheld"
        mend = "ask for a review in WhatsApp Manager, or change its text and its name"
    elif _texts(there) != _texts(body):
        problem = "its text at WhatsApp is another than in the mapping"
        mend = "edit it in WhatsApp Manager, or give it a new name in [templates] and push"
    return Compared(name, language, state, category, problem, mend)


def _texts(body: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in body.get("components") or ():
        kind = str(part.get("type", "")).upper()
        if kind == "BUTTONS":
            found[kind] = [(str(b.get("type", "")).upper(), b.get("text")) for b in part.get("buttons") or ()]
        else:
            found[kind] = part.get("text")
    return found

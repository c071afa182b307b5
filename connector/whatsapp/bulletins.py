"""A bulletin as WhatsApp gets it: with a template, or in a message of its own where the window is open. Pure.

Both say the same in the same frame. A template's parameters hold no line ends, and the whole of it 1024 characters.
"""

from __future__ import annotations

import re
from typing import Any

from connector.core.bulletin import Bulletin
from connector.core.outgoing import ButtonsOut, Choice, TemplateOut
from connector.core.parts import say
from connector.core.subscriptions import STOP
from connector.core.texts import Texts

from . import limits

FRAMES = {"marketing": "template.news", "utility": "template.notice"}
"""The text of the template of each category."""
TITLE = 120
"""Longest title, in characters; a longer one is cut."""
_BUTTON = "template.stop"
_PLACES = re.compile(r"\{\{(title|text)\}\}")


def template(bulletin: Bulletin, name: str, language: str, texts: Texts) -> TemplateOut:
    """With the template ``name`` in ``language``."""
    title, text = _parts(bulletin, language, texts, plain=True)
    return TemplateOut(name, language, (("title", title), ("text", text)), (STOP,))


def message(bulletin: Bulletin, language: str, texts: Texts) -> ButtonsOut:
    """Without a template, for somebody who wrote within 24 hours."""
    title, text = _parts(bulletin, language, texts, plain=False)
    return ButtonsOut(
        shown(bulletin, language, texts, title, text),
        (Choice(STOP, limits.fit(texts(language, _BUTTON), 20)),),
    )


def shown(bulletin: Bulletin, language: str, texts: Texts, title: str, text: str) -> str:
    """The whole text as it is on the phone."""
    given = {"title": title, "text": text}
    return _PLACES.sub(lambda place: given[place[1]], texts(language, FRAMES[bulletin.category]))


def body(bulletin: Bulletin, name: str, language: str, texts: Texts) -> str:
    """What a phone shows of ``template``."""
    parameters = dict(template(bulletin, name, language, texts).parameters)
    return shown(bulletin, language, texts, parameters["title"], parameters["text"])


def _parts(bulletin: Bulletin, language: str, texts: Texts, *, plain: bool) -> tuple[str, str]:
    """Title and text with the link, as long as the frame leaves room for."""
    title = limits.fit(limits.one_line(say(bulletin.title, language)).replace("*", ""), TITLE)
    text = say(bulletin.text, language).strip()
    text = limits.one_line(text) if plain else text
    room = limits.BUTTONS_BODY - limits.measure(shown(bulletin, language, texts, title, ""))
    link = (" " if plain else "\n\n") + bulletin.url if bulletin.url else ""
    text = limits.fit(text, room - limits.measure(link)) + link
    return title, text.strip() or title


def needed(name: str, category: str, language: str, texts: Texts) -> dict[str, Any]:
    """The template of a category as Meta's API wants to be told of it (CLOUD-API.md 6)."""
    example = texts(language, "template.example_title"), texts(language, "template.example_text")
    named = [
        {"param_name": what, "example": value} for what, value in zip(("title", "text"), example, strict=True)
    ]
    return {
        "name": name,
        "language": language,
        "category": category.upper(),
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "BODY",
                "text": texts(language, FRAMES[category]),
                "example": {"body_text_named_params": named},
            },
            {
                "type": "BUTTONS",
                "buttons": [{"type": "QUICK_REPLY", "text": texts(language, _BUTTON)}],
            },
        ],
    }

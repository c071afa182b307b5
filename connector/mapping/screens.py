"""What a mapping puts on the citizen's screen: whether it fits, and whether it can be typed.

Limits are Meta's for lists, buttons and texts, counted in UTF-16 units: Meta does not say how it counts an
emoji, and this way a text is never too long. The conversation cuts what does not fit; that must never happen
to the data-protection message, and looks careless anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connector.config.findings import Report
from connector.config.toml_file import KeyPath
from connector.core import words
from connector.core.menu import ROWS
from connector.core.texts import Texts
from connector.core.town import Option, Page, Topic, Town, say
from connector.texts import available, catalogues

from .rules import texts_of

ROW_TITLE, ROW_DESCRIPTION, BUTTON = 24, 72, 20
BUTTONS_BODY, TEXT_BODY = 1024, 4096
PAGE_ROOM = 80
"""Kept free under a page for the ways back that are written there."""
PROMPT_ROOM = 124
"""Kept free beside a prompt, a receipt or a status for what the conversation says around it."""

_BRACES = re.compile(r"\{[a-z_]*\}")


def check(town: Town, report: Report) -> None:
    """Put every finding about ``town`` into ``report``."""
    for rule in (_length, _rows, _bodies, _consent, _braces, _typed):
        rule(town, report)


def units(text: str) -> int:
    """Length in UTF-16 units: letters count one, most emoji two or more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _length(town: Town, report: Report) -> None:
    """A menu that does not fit into one list is turned over like pages."""
    languages = len(town.languages) > 1
    if len(town.menu) + languages <= ROWS:
        return
    size = ROWS - 2
    language = " and the choice of language" if languages else ""
    problem = f"the menu has {len(town.menu)} options{language}, and a list of WhatsApp has {ROWS} rows"
    mend = f"from here on people find them behind «more»: {size} options stay in sight; join some, or make them pages"
    report.warning(("menu", size), problem, mend)


def _rows(town: Town, report: Report) -> None:
    """Titles and descriptions of list rows; the number shown in front of a title counts."""
    tables: tuple[tuple[str, tuple[Option | Page | Topic, ...]], ...] = (
        ("menu", town.menu), ("pages", town.pages), ("topics", town.topics),
    )  # fmt: skip
    for table, items in tables:
        for i, item in enumerate(items):
            for code, title in item.title.items():
                _row_title(report, _at((table, i, "title"), code), i, title)
            for code, text in item.description.items():
                _limit(
                    report, _at((table, i, "description"), code), text, ROW_DESCRIPTION, "in a row of a list"
                )
    for i, topic in enumerate(town.topics):
        for j, area in enumerate(topic.areas):
            for code, title in area.title.items():
                _row_title(report, _at(("topics", i, "areas", j, "title"), code), j, title)
    for i, person in enumerate(town.councillors):
        _row_title(report, ("councillors", i, "name"), i, person.name)
        for code, role in (person.role or {"*": ""}).items():
            line = " · ".join(filter(None, [role, person.neighbourhood]))
            path = _at(("councillors", i, "role"), code) if role else ("councillors", i, "neighbourhood")
            _limit(report, path, line, ROW_DESCRIPTION, "in a row of a list (role and neighbourhood)")


def _row_title(report: Report, path: KeyPath, i: int, title: str) -> None:
    number = f"{i + 1}. "
    length = len(number) + units(title)
    if length > ROW_TITLE:
        problem = (
            f"with «{number}» in front it has {length} characters, at most {ROW_TITLE} fit in a row of a list"
        )
        report.error(path, problem, f"shorten it by {length - ROW_TITLE}")
    if "\n" in title:
        report.error(path, "a title is one line", "take the line break out")


def _bodies(town: Town, report: Report) -> None:
    for i, page in enumerate(town.pages):
        for code, body in page.body.items():
            room = PAGE_ROOM + units(say(page.title, code)) + units(page.url)
            _limit(report, _at(("pages", i, "body"), code), body, TEXT_BODY - room, "in a message")
    for i, option in enumerate(town.menu):
        for name in ("prompt", "receipt"):
            for code, text in getattr(option, name).items():
                _limit(report, _at(("menu", i, name), code), text, BUTTONS_BODY - PROMPT_ROOM, "over buttons")
    for status, texts in town.statuses.items():
        for code, text in texts.items():
            _limit(report, _at(("statuses", status), code), text, BUTTONS_BODY - PROMPT_ROOM, "over buttons")


def _limit(report: Report, path: KeyPath, text: str, most: int, where: str) -> None:
    length = units(text)
    if length > most:
        report.error(
            path, f"it has {length} characters, at most {most} fit {where}", f"shorten it by {length - most}"
        )


def _at(path: KeyPath, code: str) -> KeyPath:
    return path if code == "*" else (*path, code)


def _consent(town: Town, report: Report) -> None:
    """The data-protection message and the answer to «no» as citizens get them, in every language."""
    for code, text in town.consent.text.items():
        path = _at(("consent", "text"), code)
        _limit(report, path, text, BUTTONS_BODY, "over the buttons yes and no")
        if text.strip() and town.consent.policy_url not in text:
            report.warning(
                path, "it does not say where the full notice is", "add the address of policy_url to it"
            )
    spoken = [code for code in dict.fromkeys(town.languages) if code in available()]
    if not spoken:
        return
    texts = Texts(catalogues(spoken, _sound(town.texts)))
    values = {
        "channel": town.channel.name,
        "e_office": town.channel.e_office,
        "controller": town.consent.controller,
        "contact": town.consent.contact,
        "authority": town.consent.authority,
        "policy_url": town.consent.policy_url,
    }
    for key, path in (("consent.text", ("consent",)), ("consent.refused", ("channel", "other_ways"))):
        lengths = {}
        for code in spoken:
            if key == "consent.text" and say(town.consent.text, code):
                continue
            local = {"keep": say(town.consent.keep, code), "other_ways": say(town.channel.other_ways, code)}
            try:
                lengths[code] = units(texts(code, key, **values, **local))
            except (KeyError, ValueError, IndexError, AttributeError):
                continue  # a replaced text with wrong braces: texts.py says so
        code = max(lengths, key=lambda c: lengths[c], default="")
        if code and lengths[code] > BUTTONS_BODY:
            much = lengths[code]
            problem = f"the message «{key}» has {much} characters in «{code}», at most {BUTTONS_BODY} fit"
            mend = f"shorten what the mapping adds to it by {much - BUTTONS_BODY}"
            report.error(path, problem, mend)


def _sound(overrides: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    return {code: {k: v for k, v in texts.items() if isinstance(v, str)} for code, texts in overrides.items()}


def _braces(town: Town, report: Report) -> None:
    """Only the built-in texts are filled in; braces anywhere else reach the citizen as they are."""
    for path, text in texts_of(town):
        for code, sentence in text.items():
            for name in sorted(set(_BRACES.findall(sentence))):
                report.warning(
                    _at(path, code), f"{name} is not filled in here, citizens see it so", "write it out"
                )


def _typed(town: Town, report: Report) -> None:
    """Two things typed the same way, or like a command: the second could not be reached by typing."""
    seen: dict[str, tuple[KeyPath, KeyPath]] = {}
    for owner, path, name in _names(town):
        folded = words.fold(name)
        if not folded:
            continue
        if words.number(name) is not None:
            report.error(path, f"«{name}» is a number, and numbers choose by position", "use a word")
        elif (
            folded in words.MENU | words.LANGUAGE | words.LEAVE
            or words.named_language(name) in town.languages
        ):
            report.error(path, f"«{name}» is a command in every conversation", "use another word")
        first_owner, first = seen.setdefault(folded, (owner, path))
        if first_owner != owner:
            problem = f"«{name}» is typed like the one on {report.line(first)}"
            report.error(path, problem, "change one of them: accents, case and signs make no difference")


def _names(town: Town) -> Iterator[tuple[KeyPath, KeyPath, str]]:
    """(owner, path, name) of all that can be typed. Roles and neighbourhoods may well be shared: left out."""
    for i, person in enumerate(town.councillors):
        yield ("councillors", i), ("councillors", i, "name"), person.name
    tables: tuple[tuple[str, tuple[Option | Page, ...]], ...] = (("menu", town.menu), ("pages", town.pages))
    for table, items in tables:
        for i, item in enumerate(items):
            for code, title in item.title.items():
                yield (table, i), _at((table, i, "title"), code), title
            for j, word in enumerate(item.words):
                yield (table, i), (table, i, "words", j), word

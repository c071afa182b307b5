"""What must hold in a mapping beyond the type of each value: references, languages, addresses, routes.

What citizens see and type has a file of its own, ``screens.py``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator

from connector.config.findings import Report, did_you_mean
from connector.config.toml_file import KeyPath
from connector.core import parts
from connector.core.town import Councillor, Option, Page, Town
from connector.texts import available

_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")


def check(town: Town, report: Report) -> None:
    """Put every finding about ``town`` into ``report``."""
    for rule in (
        _blank, _keys, _kinds, _languages, _localized, _addresses, _statuses, _fields, _routes, _answers,
    ):  # fmt: skip
        rule(town, report)


def texts_of(town: BaseModel, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Mapping[str, str]]]:
    """Every text of the mapping that may differ by language, with where it stands."""
    for name, info in type(town).model_fields.items():
        value, here = getattr(town, name), (*path, name)
        if any(isinstance(m, BeforeValidator) and m.func is parts.localized for m in info.metadata):
            yield here, value
        elif isinstance(value, BaseModel):
            yield from texts_of(value, here)
        elif isinstance(value, tuple):
            for i, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from texts_of(item, (*here, i))
        elif name in ("statuses", "authors"):
            for key, text in value.items():
                yield (*here, key), text


def _models(model: BaseModel, path: KeyPath = ()) -> Iterator[tuple[KeyPath, BaseModel]]:
    yield path, model
    for name in type(model).model_fields:
        value = getattr(model, name)
        for i, item in enumerate(value) if isinstance(value, tuple) else [(-1, value)]:
            if isinstance(item, BaseModel):
                yield from _models(item, (*path, name) if i < 0 else (*path, name, i))


def _blank(town: Town, report: Report) -> None:
    """Required texts that are there and say nothing."""
    for path, model in _models(town):
        for name, field in type(model).model_fields.items():
            value = getattr(model, name)
            if not field.is_required() or not isinstance(value, str | dict):
                continue
            if not (value.strip() if isinstance(value, str) else any(t.strip() for t in value.values())):
                report.error(
                    (*path, name), "it is empty", (field.description or "give it a text").rstrip(".")
                )


def _keys(town: Town, report: Report) -> None:
    tables: tuple[tuple[str, tuple[Option | Councillor | Page, ...]], ...] = (
        ("menu", town.menu),
        ("councillors", town.councillors),
        ("pages", town.pages),
    )
    for table, items in tables:
        seen: dict[str, int] = {}
        for i, item in enumerate(items):
            if item.key in seen:
                first = report.line((table, seen[item.key], "key"))
                report.error(
                    (table, i, "key"), f"«{item.key}» is already the key on {first}", "give each its own key"
                )
            seen.setdefault(item.key, i)


def _kinds(town: Town, report: Report) -> None:
    kinds = {option.kind for option in town.menu}
    for i, option in enumerate(town.menu):
        if option.kind == "councillor" and not town.councillors:
            report.error(
                ("menu", i, "kind"), "there are no councillors to choose from", "add [[councillors]]"
            )
        if option.kind == "info" and not town.pages:
            report.error(("menu", i, "kind"), "there are no pages to show", "add [[pages]]")
    for table, kind in (("councillors", "councillor"), ("pages", "info")):
        if getattr(town, table) and kind not in kinds:
            mend = f'add a [[menu]] option with kind = "{kind}"'
            report.warning((table, 0), "no menu option leads here, so nobody sees it", mend)
    for i in [i for i, option in enumerate(town.menu) if option.kind == "councillor"][1:]:
        report.error(("menu", i, "kind"), "only one option can lead to the councillors", "join the two")


def _languages(town: Town, report: Report) -> None:
    seen = set()
    for i, code in enumerate(town.languages):
        if code in seen:
            report.error(("channel", "languages", i), f"«{code}» is there twice", "keep one")
        seen.add(code)
    zones = available_timezones()
    zone = town.channel.time_zone
    if zones and zone not in zones:
        near = did_you_mean(zone, zones, 0.85)
        mend = f"did you mean «{near}»?" if near else "write an IANA name like Europe/Madrid"
        report.error(("channel", "time_zone"), f"there is no time zone «{zone}»", mend)


def _localized(town: Town, report: Report) -> None:
    used = {code for _, text in texts_of(town) for code in text}
    mute = [code for code in town.languages if code not in used and used != {"*"}]
    for code in filter(available().__contains__, mute):  # others have a finding of their own
        path: KeyPath = ("channel", "languages", town.languages.index(code))
        report.warning(path, f"this file says nothing in «{code}»", f'add {code} = "…" to its texts')
    for path, text in texts_of(town):
        for code in text:
            if code != "*" and code not in town.languages:
                near = did_you_mean(code, town.languages)
                mend = f"did you mean «{near}»?" if near else "add it to channel.languages, or take it out"
                report.warning(
                    (*path, code), f"the channel does not speak «{code}», so nobody reads this", mend
                )
        spoken = [code for code in town.languages if code not in mute]
        missing = [code for code in spoken if not text.get(code, text.get("*", "")).strip()]
        if text and missing and len(missing) < len(spoken):
            shown = next(code for code in (*town.languages, *text) if text.get(code, "").strip())
            problem = f"no text in {', '.join(missing)}, so «{shown}» is shown there"
            report.warning(path, problem, f'add {missing[0]} = "…"')


def _addresses(town: Town, report: Report) -> None:
    wanted: list[tuple[KeyPath, str]] = [
        (("channel", "e_office"), town.channel.e_office),
        (("consent", "policy_url"), town.consent.policy_url),
        (("tracker", "map_url"), town.tracker.map_url),
        *((("pages", i, "url"), page.url) for i, page in enumerate(town.pages)),
    ]
    for path, address in wanted:
        if address.strip() and not is_web(address):
            report.error(path, "this is no web address", "write it whole: https://host.example/page")
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(town.tracker.map_url) if name is not None}
    except ValueError:
        names = set()
    if town.tracker.map_url and names != {"latitude", "longitude"}:
        mend = "it must hold {latitude} and {longitude}, and nothing else in braces"
        report.error(("tracker", "map_url"), "it does not say the place", mend)


def is_web(address: str) -> bool:
    """Whether a text is an address that a browser opens."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", address)
    except ValueError:
        return False


def _statuses(town: Town, report: Report) -> None:
    seen: dict[str, str] = {}
    for name, text in town.statuses.items():
        path: KeyPath = ("statuses", name)
        if not any(t.strip() for t in text.values()):
            report.error(
                path, "it is empty", "give it a text, or take it out: then the citizen is told nothing"
            )
        if (first := seen.setdefault(name.casefold().strip(), name)) != name:
            problem = (
                f"it differs only in case or spaces from «{first}» on {report.line(('statuses', first))}"
            )
            report.error(path, problem, "keep the one that the tracker shows")


def _fields(town: Town, report: Report) -> None:
    """Custom fields the connector fills itself must differ, and have no fixed value besides."""
    own: dict[str, str] = {}
    for name in type(town.tracker).model_fields:
        value = getattr(town.tracker, name)
        if not name.endswith("_field") or not value:
            continue
        if value in own:
            problem = f"«{value}» is already the {own[value]}"
            report.error(("tracker", name), problem, "give each its own custom field")
        own.setdefault(value, name)
    tables: list[tuple[KeyPath, Mapping[str, str]]] = [(("tracker", "fields"), town.tracker.fields)]
    tables += [(("menu", i, "route", "fields"), option.route.fields) for i, option in enumerate(town.menu)]
    tables += [
        (("councillors", i, "route", "fields"), c.route.fields) for i, c in enumerate(town.councillors)
    ]
    for path, fields in tables:
        for field in fields:
            if field in own and own[field] != "neighbourhood_field":
                problem = f"the connector fills this field itself (tracker.{own[field]})"
                report.error((*path, field), problem, "take it out here")


def _routes(town: Town, report: Report) -> None:
    for i, option in enumerate(town.menu):
        if option.kind == "info" and option.route.model_fields_set:
            report.warning(
                ("menu", i, "route"),
                "an information option sends nothing, so this is never used",
                "take it out",
            )
        if option.kind == "councillor" and not option.route.assignee:
            for j, person in enumerate(town.councillors):
                # a project of their own is a place where they see it
                if not person.route.assignee and not person.route.project:
                    problem = f"what is written to {person.name} is assigned to nobody"
                    report.warning(("councillors", j, "route"), problem, 'add assignee = "…" to its route')


def _answers(town: Town, report: Report) -> None:
    answers = town.answers
    if answers.authors and answers.author != "office":
        mend = 'write author = "office", or take the authors out'
        report.warning(("answers", "authors"), f'never used, as author is "{answers.author}"', mend)
    for i, name in enumerate(answers.only_from):
        if not name.strip():
            report.error(("answers", "only_from", i), "it is empty", "write the name as the tracker shows it")
    if town.templates.answer and not _TEMPLATE.fullmatch(town.templates.answer):
        mend = "small letters, digits and _, as WhatsApp Manager shows it"
        report.error(("templates", "answer"), "this is no name of a template", mend)

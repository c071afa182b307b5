"""What must hold for the requests a mapping publishes."""

from __future__ import annotations

from connector.config.findings import Report, suggest
from connector.core.open_data import FINEST
from connector.core.town import Option, Town


def check(town: Town, report: Report) -> None:
    """Put every finding about ``[open_data]`` into ``report``."""
    for rule in (_options, _who, _places, _words):
        rule(town, report)


def _options(town: Town, report: Report) -> None:
    possible = [option.key for option in town.menu if option.kind != "info"]
    seen = set()
    for i, key in enumerate(town.open_data.options):
        at, option = ("open_data", "options", i), town.option(key)
        if key not in possible:
            what = "there is no option" if option is None else "nobody writes a request to"
            report.error(at, f"{what} «{key}»", suggest(key, possible, "options that take requests"))
        elif key in seen:
            report.error(at, f"«{key}» is there twice", "keep one")
        elif option is not None and all(_private(town, option)):
            mend = "take it out here, or private out of its routes"
            report.warning(at, f"all requests to «{key}» are private, and those are never published", mend)
        seen.add(key)
    if not town.open_data.options and town.open_data.model_fields_set:
        mend = 'add options = ["…"], the keys of the menu options whose requests are published'
        report.warning(("open_data",), "nothing is published: it names no options", mend)


def _private(town: Town, option: Option) -> list[bool]:
    if option.kind == "councillor":
        return [town.routing(option, person).private for person in town.councillors]
    return [town.routing(option).private]


def _who(town: Town, report: Report) -> None:
    rules = town.open_data
    for name, mend in (
        ("jurisdiction", "the town's web address without www: «santcebria.cat»"),
        ("contact", "an address or a telephone where somebody answers questions about the data"),
    ):
        if rules.options and not getattr(rules, name).strip():
            report.error(("open_data", name), "is missing", mend)


def _places(town: Town, report: Report) -> None:
    if 0 < town.open_data.metres < FINEST:
        problem = "a place rounded so little says which house it is"
        report.error(("open_data", "metres"), problem, f"{FINEST} at least, better 100; 0 publishes no place")


def _words(town: Town, report: Report) -> None:
    """The built-in message, which people accept, says nothing of publishing what they write."""
    if town.open_data.words_since is not None and not town.consent.text:
        problem = "what people write is published, and the message they accept does not say so"
        mend = (
            "say it in consent.text and give consent.version another value; words_since is the day after that"
        )
        report.error(("open_data", "words_since"), problem, mend)

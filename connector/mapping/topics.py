"""What must hold for the topics of a mapping, for their templates and for how broadcasts are sent."""

from __future__ import annotations

import re

from connector.config.findings import Report, did_you_mean
from connector.config.toml_file import KeyPath
from connector.core.parts import say
from connector.core.texts import Texts
from connector.core.topics import RESERVED, Topic
from connector.core.town import Town
from connector.texts import available, catalogues

from .screens import BUTTONS_BODY, units

FEEDS = ("feed", "tracker-news")
"""Sources whose new items can be sent by themselves."""
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")


def check(town: Town, report: Report) -> None:
    """Put every finding about ``town`` into ``report``."""
    for rule in (_keys, _pages, _menu, _templates, _offer):
        rule(town, report)


def _keys(town: Town, report: Report) -> None:
    seen: dict[str, int] = {}
    for i, topic in enumerate(town.topics):
        at: KeyPath = ("topics", i, "key")
        if topic.key in RESERVED:
            report.error(at, f"«{topic.key}» is a word of the connector's own", "use another key")
        if topic.key in seen:
            first = report.line(("topics", seen[topic.key], "key"))
            report.error(at, f"«{topic.key}» is already the key on {first}", "give each its own key")
        seen.setdefault(topic.key, i)
        inside: dict[str, int] = {}
        for j, area in enumerate(topic.areas):
            here: KeyPath = ("topics", i, "areas", j, "key")
            if area.key in inside:
                first = report.line(("topics", i, "areas", inside[area.key], "key"))
                report.error(here, f"«{area.key}» is already the key on {first}", "give each its own key")
            inside.setdefault(area.key, j)


def _pages(town: Town, report: Report) -> None:
    keys = [page.key for page in town.pages]
    for i, topic in enumerate(town.topics):
        for j, key in enumerate(topic.pages):
            at: KeyPath = ("topics", i, "pages", j)
            page = town.page(key)
            if page is None:
                near = did_you_mean(key, keys)
                mend = f"did you mean «{near}»?" if near else f"pages are: {', '.join(keys) or 'none yet'}"
                report.error(at, f"there is no page «{key}»", mend)
            elif page.source not in FEEDS:
                problem = f"nothing new is ever seen on «{key}», as its source is «{page.source}»"
                report.error(
                    at, problem, "name pages that are feeds or the tracker's news; send the rest by hand"
                )


def _menu(town: Town, report: Report) -> None:
    leads = [i for i, option in enumerate(town.menu) if option.kind == "topics"]
    if town.topics and not leads:
        mend = 'add a [[menu]] option with kind = "topics"'
        report.warning(("topics", 0), "no menu option leads here, so hardly anybody subscribes", mend)
    for i in leads:
        if not town.topics:
            report.error(("menu", i, "kind"), "there are no topics to subscribe to", "add [[topics]]")


def _wanted(town: Town) -> dict[str, Topic]:
    """By key of ``[templates]``, the first topic that needs it."""
    found: dict[str, Topic] = {}
    for topic in town.topics:
        found.setdefault("news" if topic.category == "marketing" else "notice", topic)
    return found


def _templates(town: Town, report: Report) -> None:
    own = town.templates
    names = {key: name for key in ("answer", "news", "notice") if (name := str(getattr(own, key)))}
    for key in ("news", "notice"):
        if key in names and not _TEMPLATE.fullmatch(names[key]):
            mend = "small letters, digits and _, as WhatsApp Manager shows it"
            report.error(("templates", key), "this is no name of a template", mend)
        twice = [other for other, name in names.items() if other < key and name == names.get(key)]
        if twice:
            problem = f"it is the name of templates.{twice[0]}, too, and their texts differ"
            report.error(("templates", key), problem, "give each its own name")
    for key, topic in _wanted(town).items():
        if key not in names:
            i = town.topics.index(topic)
            problem = (
                f"there is no template for it: it reaches only who wrote within 24 hours (templates.{key})"
            )
            report.warning(
                ("topics", i), problem, f'add {key} = "…" to [templates], then connector templates push'
            )


def _offer(town: Town, report: Report) -> None:
    """The text that is agreed to must be whole in every language."""
    spoken = [code for code in dict.fromkeys(town.languages) if code in available()]
    if not spoken or not town.topics:
        return
    own = {code: {k: v for k, v in texts.items() if isinstance(v, str)} for code, texts in town.texts.items()}
    texts = Texts(catalogues(spoken, own))
    for i, topic in enumerate(town.topics):
        for code in spoken:
            longest = max((say(a.title, code) for a in topic.areas), key=len, default="")
            try:
                text = texts(
                    code, "topic.offer", topic=f"{say(topic.title, code)}: {longest}", channel=town.channel.name,
                    most=town.broadcasts.a_day, hours=town.broadcasts.hours, policy_url=town.consent.policy_url,
                )  # fmt: skip
            except (KeyError, ValueError, IndexError, AttributeError):
                return  # a replaced text with wrong braces: texts.py says so
            if (much := units(text)) > BUTTONS_BODY:
                problem = f"what is agreed to has {much} characters in «{code}», at most {BUTTONS_BODY} fit"
                report.error(("topics", i, "title"), problem, f"shorten it by {much - BUTTONS_BODY}")
                return

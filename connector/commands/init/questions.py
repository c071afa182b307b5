"""The questions of ``connector init``, in order; each answer may come from a flag, from a person, or be the default."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from connector.config.settings import Settings
from connector.core.errors import ConnectorError, Finding, Misconfigured
from connector.core.survey import Choice, Offer, Survey
from connector.texts import available

from .answers import (
    FIELDS,
    OPTIONS,
    Answers,
    Given,
    Person,
    Where,
    guess_fields,
    like,
    people,
    prefix,
    slug,
    verify_token,
)

Surveys = Callable[[str, str, str, Mapping[str, str]], Survey | None]
"""From kind, address, key and other settings of a tracker: who looks around in it, None for a kind that has nobody for it."""
Numbers = Callable[[str, str, str], dict[str, str]]
"""From API address, account and token: the numbers of a WhatsApp account, by id."""


class Talk(Protocol):
    """Somebody who answers, or nobody (``interactive`` is False): then ``ask`` returns the default."""

    interactive: bool

    def ask(self, question: str, default: str = "", *, hidden: bool = False) -> str: ...

    def tell(self, sentence: str) -> None: ...


@dataclass
class _Asking:
    given: Given
    talk: Talk
    missing: list[Finding] = field(default_factory=list)
    _shown: Sequence[Choice] = ()

    def one(
        self,
        flag: str,
        question: str,
        default: str = "",
        *,
        needed: bool = True,
        wrong: Callable[[str], str] | None = None,
        hidden: bool = False,
    ) -> str:
        """One answer; asked again until ``wrong`` says nothing. A flag that is wrong, or lacks, is a finding."""
        by_flag = self.given.values.get(flag)
        while True:
            answer = (
                by_flag if by_flag is not None else self.talk.ask(question, default, hidden=hidden)
            ).strip()
            problem = (wrong(answer) if wrong and answer else "") or (
                "is needed" if needed and not answer else ""
            )
            if not problem:
                return answer
            if by_flag is not None or not self.talk.interactive:
                self.missing.append(Finding("error", problem, question, key=f"--{flag}"))
                return answer
            self.talk.tell(f"  {problem}")

    def choose(
        self, flag: str, question: str, choices: Sequence[Choice], default: str = "", *, needed: bool = True
    ) -> str:
        """One of several, by number or name; anything may be typed where there is nothing to choose from."""
        if not choices:
            return self.one(flag, question, default, needed=needed)
        flagged = flag in self.given.values
        if not flagged:
            self.show(choices, none=not needed)
        shown = next((c.name for c in choices if c.id == default), "")

        def wrong(answer: str) -> str:
            return (
                ""
                if (answer == "-" and not needed) or _pick(answer, choices, flagged)
                else "there is no such one"
            )

        found = self.one(flag, question, shown, needed=needed, wrong=wrong)
        return _pick(found, choices, flagged or not self.talk.interactive)

    def show(self, choices: Sequence[Choice], *, none: bool = False) -> None:
        """The numbered choices, unless they are those just shown."""
        if self._shown != choices:
            for n, choice in enumerate(choices, 1):
                self.talk.tell(f"  {n:2}  {choice.name}")
            if none:
                self.talk.tell("   -  nobody, nothing")
        self._shown = choices


def _pick(answer: str, choices: Sequence[Choice], by_id: bool) -> str:
    """The id of the choice that was meant, "" for none; a number is a place in the list, in a flag it is an id."""
    if not by_id and answer.isdecimal():
        return choices[int(answer) - 1].id if 1 <= int(answer) <= len(choices) else ""
    return next((c.id for c in choices if answer.casefold() in (c.id.casefold(), c.name.casefold())), "")


def gather(
    given: Given, talk: Talk, kinds: Sequence[str], surveys: Surveys, numbers: Numbers, *, month: str
) -> Answers:
    """Ask everything. ``kinds`` of trackers there are; ``month`` («2026-11») is the first version of the consent text.

    Raises ``Misconfigured`` with all that is needed and was not given, where nobody can be asked.
    """
    asking = _Asking(given, talk)
    talk.tell("The town")
    name = asking.one("name", "Name of the town hall, as citizens know it")
    short = asking.one("prefix", "Prefix of references", prefix(name), wrong=_no_prefix)
    languages = asking.one(
        "languages", "Languages, the first one greets", ",".join(_usual()), wrong=_no_languages
    )
    # what the law wants to be right is suggested to a person, and never assumed
    web = asking.one("web", "Web site of the town hall", needed=False, wrong=_no_address)
    e_office = asking.one(
        "e-office",
        "Electronic office (seu electrònica), where things get a registry entry",
        web if talk.interactive else "",
        wrong=_no_address,
    )
    policy = asking.one(
        "policy-url",
        "Page with the full data-protection notice",
        _under(web, "/proteccio-de-dades") if talk.interactive else "",
        wrong=_no_address,
    )
    contact = asking.one(
        "contact",
        "Where people exercise their data-protection rights (e-mail)",
        f"dpd@{_host(web)}" if web and talk.interactive else "",
    )
    other = asking.one("telephone", "Telephone, counter and hours of the citizens' office")

    talk.tell("The ticket system")
    kind = asking.one("tracker", "Kind of ticket system", kinds[0], wrong=lambda a: _no_kind(a, kinds))
    url, key, survey = _sign_in(asking, surveys, kind)
    if asking.missing:
        raise Misconfigured(asking.missing)
    offer, project = _look_around(asking, survey)
    found = guess_fields(offer)
    fields = {p: f.id for p, f in found.items()}
    fields["reference"] = asking.choose(
        "reference-field", "Custom field for the reference (a text field, used as a filter)",
        [Choice(f.id, f"{f.name} ({f.id})") for f in offer.fields if f.text], fields.get("reference", ""),
    )  # fmt: skip
    options = _options(asking, offer)
    councillors = _councillors(asking, offer)
    if not councillors:
        options.pop("councillor", None)
    _leave_out_what_is_refused(talk, survey, project, fields, councillors)

    whatsapp = _whatsapp(asking, numbers)
    talk.tell("This machine")
    database = asking.one("database", "Database", "sqlite:///var/connector.db", wrong=_no_database)
    port = asking.one("port", "Port of the web server, behind your proxy", "8080", wrong=_no_port)
    if asking.missing:
        raise Misconfigured(asking.missing)
    names = {f.id: f.name for f in offer.fields}
    secret = {"tracker__api_key": key, **whatsapp.secrets}
    if urlsplit(database).password:
        secret["database"], database = database, ""
    return Answers(
        name=name, prefix=short, slug=slug(name), languages=tuple(re.split(r"[, ]+", languages)), time_zone="Europe/Madrid",
        e_office=e_office, other_ways=other, contact=contact, policy_url=policy, version=month, kind=kind, url=url.rstrip("/"),
        project=project, fields=dict.fromkeys(FIELDS, "") | fields, options=options, councillors=councillors, closed=offer.closed,
        phone_number_id=whatsapp.number, business_account_id=whatsapp.account, host=given.values.get("host", "127.0.0.1"),
        port=int(port), database=database, api_url=given.values.get("whatsapp-api-url", ""),
        adapter=given.adapter,
        secrets=secret, field_names={p: names.get(i, "") for p, i in fields.items()},
    )  # fmt: skip


# --- the tracker -----------------------------------------------------------------------------------


def _sign_in(asking: _Asking, surveys: Surveys, kind: str) -> tuple[str, str, Survey | None]:
    """Address, key, and who looks around with them: nobody when the tracker cannot be reached, then all is typed."""
    while True:
        url = asking.one("tracker-url", "Its address, as staff open it", wrong=_no_address)
        key = asking.one("api-key", "API key of the connector's own account there", hidden=True)
        if asking.missing:
            return url, key, None
        try:
            survey = surveys(kind, url, key, asking.given.adapter)
            if survey is not None:
                asking.talk.tell(f"  signed in as {survey.account()}")
            return url, key, survey
        except ConnectorError as error:
            asking.talk.tell(f"  {error}")
            fixed = {"tracker-url", "api-key"} <= set(asking.given.values)
            if (
                fixed
                or not asking.talk.interactive
                or asking.talk.ask("Another address or key? (y/n)", "y") != "y"
            ):
                asking.talk.tell("  names have to be typed as the tracker shows them, then")
                return url, key, None


def _look_around(asking: _Asking, survey: Survey | None) -> tuple[Offer, str]:
    """What there is to choose from, and the project that was chosen."""
    projects: list[Choice] = []
    offer = Offer()
    try:
        projects = survey.projects() if survey is not None else []
    except ConnectorError as error:
        asking.talk.tell(f"  {error}")
    default = projects[0].id if projects else ""
    project = asking.choose("project", "Project that requests go to", projects, default)
    try:
        offer = survey.offer(project) if survey is not None and project else offer
    except ConnectorError as error:
        asking.talk.tell(f"  {error}")
    return offer, project


def _options(asking: _Asking, offer: Offer) -> dict[str, Where]:
    """The menu's options for requests, to the kinds and people whose names fit."""
    questions = {
        "mayor": "Who gets what is written to the mayor",
        "incident": "Who gets incidents in the street",
        "mailbox": "Who gets everything else (the citizens' office)",
    }
    somebody = [Choice(n, n) for n in offer.people]
    found = {}
    for key, words in OPTIONS.items():
        kind = like(offer.kinds, words)
        if key == "councillor":
            found[key] = Where(kind)
            continue
        assignee = asking.choose(key, questions[key], somebody, like(offer.people, words), needed=False)
        if assignee or not somebody:
            found[key] = Where(kind, assignee)
    return found


def _councillors(asking: _Asking, offer: Offer) -> tuple[Person, ...]:
    """Those of the flags; else chosen from the project's people, with the neighbourhood of each."""
    if asking.given.councillors is not None:
        pairs = [tuple(map(str.strip, given.partition("=")[::2])) for given in asking.given.councillors]
        unknown = [name for name, _ in pairs if offer.people and name not in offer.people]
        for name in unknown:
            mend = "names as the tracker shows them: " + ", ".join(offer.people)
            asking.missing.append(
                Finding("error", f"nobody there is called «{name}»", mend, key="--councillor")
            )
        return people([(name, neighbourhood) for name, neighbourhood in pairs], offer)
    guessed = [n for n in offer.people if like([n], OPTIONS["councillor"])]
    if not asking.talk.interactive:
        return people([(n, "") for n in guessed], offer)
    asking.show([Choice(n, n) for n in offer.people])
    numbers = ",".join(str(offer.people.index(n) + 1) for n in guessed)
    while True:
        said = asking.talk.ask(
            "Councillors people can write to (numbers or names with commas, - for none)", numbers or "-"
        )
        parts = [p.strip() for p in said.split(",") if p.strip() not in ("", "-")]
        choices = [Choice(n, n) for n in offer.people]
        chosen = [_pick(p, choices, by_id=False) if choices else p for p in parts]
        if all(chosen):
            break
        asking.talk.tell("  there is no such one")
    suggested = {p.name: p.neighbourhood for p in people([(n, "") for n in chosen], offer)}
    named = [
        (n, asking.talk.ask(f"Neighbourhood of {n} (- for none)", suggested[n] or "-").strip("- "))
        for n in chosen
    ]
    return people(named, offer)


def _leave_out_what_is_refused(
    talk: Talk, survey: Survey | None, project: str, fields: dict[str, str], councillors: Sequence[Person]
) -> None:
    """A list of the tracker may not have the neighbourhoods, or the channel: then its field is left out."""
    wanted = {
        "neighbourhood": [p.neighbourhood for p in councillors if p.neighbourhood],
        "channel": ["WhatsApp"],
    }
    for purpose, values in wanted.items():
        if purpose not in fields:
            continue
        refused = [v for v in values if survey is not None and not survey.takes(project, fields[purpose], v)]
        if refused:
            talk.tell(f"  the tracker's list does not have {', '.join(refused)}: that field is left out")
        if refused or not values:
            del fields[purpose]


# --- WhatsApp --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _WhatsApp:
    account: str
    number: str
    secrets: dict[str, str]


def _whatsapp(asking: _Asking, numbers: Numbers) -> _WhatsApp:
    """The account and its number; all of it can be left for later."""
    asking.talk.tell(
        "WhatsApp (developers.facebook.com, your app, WhatsApp, API Setup); Enter leaves it for later"
    )
    account = asking.one("business-account-id", "WhatsApp Business Account ID", needed=False, wrong=_no_id)
    token = asking.one("access-token", "Access token of a system user", needed=False, hidden=True)
    there: dict[str, str] = {}
    if account and token and "phone-number-id" not in asking.given.values:
        try:
            there = numbers(asking.given.values.get("whatsapp-api-url", ""), account, token)
        except ConnectorError as error:
            asking.talk.tell(f"  WhatsApp cannot be asked now ({error})")
    choices = [Choice(i, shown) for i, shown in there.items()]
    number = asking.choose("phone-number-id", "Phone number ID", choices, next(iter(there), ""), needed=False)
    secret = asking.one("app-secret", "App secret (App settings, Basic)", needed=False, hidden=True)
    made = asking.given.values.get("verify-token") or verify_token()
    kept = {"whatsapp__access_token": token, "whatsapp__app_secret": secret, "whatsapp__verify_token": made}
    return _WhatsApp(account, number, kept)


# --- what is wrong with an answer, "" for nothing --------------------------------------------------


def _usual() -> list[str]:
    return [code for code in ("ca", "es", "en") if code in available()]


def _no_languages(answer: str) -> str:
    unknown = [code for code in re.split(r"[, ]+", answer) if code not in available()]
    return (
        f"there are no texts in {', '.join(unknown)}; there are: {', '.join(available())}" if unknown else ""
    )


def _no_kind(answer: str, kinds: Sequence[str]) -> str:
    return "" if answer in kinds else f"there is no such one; there are: {', '.join(kinds)}"


def _no_prefix(answer: str) -> str:
    return "" if re.fullmatch(r"[A-Z0-9]{2,6}", answer) else "it has 2 to 6 capitals or digits"


def _no_address(answer: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(answer)
        if parts.scheme in ("http", "https") and parts.hostname and " " not in answer:
            return ""
    return "write the address whole: https://…"


def _no_port(answer: str) -> str:
    return "" if answer.isdecimal() and 0 < int(answer) < 65536 else "it is a number, 1 to 65535"


def _no_database(answer: str) -> str:
    try:
        Settings(database=SecretStr(answer))
    except ValidationError as error:
        return str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    return ""


def _no_id(answer: str) -> str:
    return "" if answer.isdecimal() else "it has digits only"


def _under(web: str, path: str) -> str:
    return web.rstrip("/") + path if web else ""


def _host(web: str) -> str:
    return (urlsplit(web).hostname or "").removeprefix("www.")

"""What a town's settings and mapping need to know, and what can be guessed from names."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.core.survey import Field, Offer

MAX_NAME = 24 - len("99. ")
"""Characters of a name in a row of WhatsApp's list, with its number in front."""
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "mayor": ("alcald", "mayor"),
    "councillor": ("regid", "concej", "councillor"),
    "incident": ("inciden", "avar", "averi", "brigada", "obres", "obras", "manteniment", "mantenimiento"),
    "mailbox": ("bustia", "buzon", "suggeri", "sugeren", "queix", "queja", "oac", "atencio", "mailbox", "oficina"),
}  # fmt: skip
"""The options of the first menu, and what kinds of tickets and people for them tend to be called."""
FIELDS: Mapping[str, tuple[str, ...]] = {
    "reference": ("referencia", "reference"),
    "pseudonym": ("pseudonim", "seudonim", "pseudonym"),
    "latitude": ("latitud",),
    "longitude": ("longitud",),
    "address": ("adreca", "direccio", "address"),
    "neighbourhood": ("barri", "neighbourhood", "districte", "distrito"),
    "channel": ("canal", "channel"),
}
"""Custom fields, and what they tend to be called."""
_SMALL = {"de", "del", "d", "la", "les", "el", "els", "las", "los", "l", "i", "y", "sa", "en", "of", "the"}
_TOWN_HALLS = {
    "ajuntament",
    "ayuntamiento",
    "town",
    "hall",
    "council",
    "city",
    "consell",
    "comarcal",
    "diputacio",
}


@dataclass(frozen=True, slots=True)
class Where:
    """Where the requests of a menu option go; "" is left to the tracker."""

    kind: str = ""
    assignee: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A councillor: key in the menu, name in the tracker, and as citizens see it."""

    key: str
    name: str
    shown: str
    neighbourhood: str = ""
    category: str = ""


@dataclass
class Given:
    """What came by flags; None where nothing did."""

    values: dict[str, str] = field(default_factory=dict)
    councillors: list[str] | None = None

    @property
    def adapter(self) -> dict[str, str]:
        """Settings of the tracker's adapter, by their names."""
        return {k.removeprefix("set-"): v for k, v in self.values.items() if k.startswith("set-")}


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything the files say."""

    name: str
    prefix: str
    slug: str
    languages: tuple[str, ...]
    time_zone: str
    e_office: str
    other_ways: str
    contact: str
    policy_url: str
    version: str
    kind: str
    url: str
    project: str
    fields: Mapping[str, str]
    options: Mapping[str, Where]
    councillors: tuple[Person, ...]
    closed: tuple[str, ...]
    phone_number_id: str
    business_account_id: str
    host: str
    port: int
    database: str
    api_url: str = ""
    adapter: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By the name of their file."""
    field_names: Mapping[str, str] = field(default_factory=dict)


def plain(text: str) -> str:
    """Small letters without accents."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in split if not unicodedata.combining(c)).replace("·", "")


def _own_words(name: str) -> list[str]:
    found = re.findall(r"[a-z0-9]+", plain(name).replace("'", " ").replace("’", " "))
    return [w for w in found if w not in _SMALL and w not in _TOWN_HALLS] or found


def slug(name: str) -> str:
    """«Ajuntament de Sant Feliu de Guíxols» → ``sant-feliu-de-guixols``."""
    found = re.findall(r"[a-z0-9]+", plain(name).replace("'", " ").replace("’", " "))
    while len(found) > 1 and (
        found[0] in _TOWN_HALLS or found[0] in _SMALL - {"la", "el", "les", "els", "l", "las", "los"}
    ):
        found.pop(0)
    return "-".join(found)[:40].strip("-") or "town"


def prefix(name: str) -> str:
    """Initials of a town («SFG»), or its first letters when it is one word («GIR»)."""
    found = _own_words(name)
    made = "".join(w[0] for w in found) if len(found) > 1 else "".join(found)[:3]
    return made[:4].upper().ljust(2, "X")


def verify_token() -> str:
    """A word of our own for Meta's form."""
    return secrets.token_urlsafe(12)


def like(names: Iterable[str], words: Sequence[str]) -> str:
    """The first name that has one of ``words`` in it, the earlier words before the later ones; "" for none."""
    there = list(names)
    return next((n for w in words for n in there if w in plain(n)), "")


def guess_fields(offer: Offer) -> dict[str, Field]:
    """Custom fields by what they are for, as far as their names tell; a reference needs one that takes any text."""
    found = {}
    for purpose, words in FIELDS.items():
        fit = [f for f in offer.fields if f.text or purpose not in ("reference", "pseudonym", "address")]
        chosen = like((f.name for f in fit), words)
        if chosen:
            found[purpose] = next(f for f in fit if f.name == chosen)
    return found


def people(named: Sequence[tuple[str, str]], offer: Offer) -> tuple[Person, ...]:
    """Councillors of (name in the tracker, neighbourhood); a category of that name is theirs."""
    found: list[Person] = []
    for name, neighbourhood in named:
        words = set(re.findall(r"\w+", plain(name)))
        category = next((c for c in offer.categories if plain(c) == plain(neighbourhood or "?")), "")
        category = category or next((c for c in offer.categories if plain(c) in words), "")
        key = slug(neighbourhood or category or name)
        while key in [p.key for p in found]:
            key += "-2"
        found.append(Person(key, name, _fitting(name), neighbourhood or category, category))
    return tuple(found)


def _fitting(name: str) -> str:
    """A name in the room a row has: whole, else without its last words."""
    words = name.split()
    while len(" ".join(words)) > MAX_NAME and len(words) > 1:
        words.pop()
    return " ".join(words)[:MAX_NAME]

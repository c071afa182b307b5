"""What is held about one person, its erasure, and what is forgotten by rule.

A person is named by a reference, a phone number in any usual form, or WhatsApp's user id. All of it is done in the
database, while the service runs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import phonenumbers
from babel.core import get_global

from connector import wiring
from connector.commands.town_database import TownDatabase
from connector.core import references
from connector.core.address import Address
from connector.core.errors import Rejected
from connector.core.texts import Texts
from connector.storage import dossier, erasing, notices, retention, subjects, tickets, work
from connector.storage.retention import RULES, Progress, Run
from connector.storage.store import Connection
from connector.storage.subjects import Subject
from connector.texts import catalogues
from connector.toolkit import crash

_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_PATIENCE = 40.0
"""Seconds that what is being carried out for somebody gets before they are erased: a lease is shorter."""
ELSEWHERE = (
    "the tracker: the tickets named under requests, with what was written and attached, and staff's answers",
    "WhatsApp (Meta): the chat on the person's phone, and what Meta keeps by its own terms",
    "backups of the database, until they are replaced",
)


WHAT = {name: rule.what for name, rule in RULES.items()}
"""The rules by which things are forgotten, each in a line."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that staff must look at: its ticket, or that there may be one under its reference."""

    reference: str
    ticket: str
    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased; ``number`` is that of the entry in the log."""

    number: int
    counts: dict[str, int]
    tickets: list[Ticket]


class Desk(TownDatabase):
    """One municipality's database, as the data-protection officer sees it."""

    # --- who

    def named(self, text: str) -> Callable[[Connection], Subject]:
        """How to find who is meant. Raises ``Rejected`` for what names nobody."""
        text = text.strip()
        found = references.pattern(self.town.channel.prefix).fullmatch(text)
        if found:
            reference = f"{self.town.channel.prefix}-{found[1].upper()}-{found[2].upper()}"
            return lambda connection: self._by_reference(connection, reference)
        address = Address(user_id=text) if _USER_ID.fullmatch(text) else Address(phone=self._phone(text))
        return lambda connection: subjects.by_address(connection, self.store.pseudonyms, self.name, address)

    def _by_reference(self, connection: Connection, reference: str) -> Subject:
        found = subjects.by_reference(connection, self.name, reference)
        if found is None:
            raise Rejected(f"there is no request {reference} in this database")
        return found

    def _phone(self, text: str) -> str:
        """The digits WhatsApp knows the number by. Without a country code it is one of the town's country."""
        country = get_global("zone_territories").get(self.town.channel.time_zone, "ES")
        digits = re.sub(r"\D", "", text)
        for attempt in (text, f"+{digits}"):
            try:
                number = phonenumbers.parse(attempt, country)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_possible_number(number):
                return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
        raise Rejected(
            f"this names nobody: write a reference ({self.town.channel.prefix}-7K3F-9Q), a phone number "
            "(+34 600 000 001), or WhatsApp's user id (ES.1234…)"
        )

    def _words(self, connection: Connection, who: Subject, text: str) -> tuple[str, ...]:
        """Number and user id, kept or given."""
        given: tuple[str, ...] = ()
        if not references.pattern(self.town.channel.prefix).fullmatch(text.strip()):
            given = (text.strip() if _USER_ID.fullmatch(text.strip()) else self._phone(text),)
        return tuple(dict.fromkeys((*dossier.addresses(connection, self.store.sealer, who), *given)))

    # --- what

    def export(self, text: str) -> dict[str, Any]:
        """Everything held about the person that ``text`` names."""
        find, now = self.named(text), self.clock()

        def look(connection: Connection) -> dict[str, Any]:
            who = find(connection)
            words = self._words(connection, who, text)
            found = dossier.of(connection, self.store.sealer, who, words, now)
            return {
                "municipality": self.name,
                "made_at": dossier.when(now),
                **found,
                "elsewhere": list(ELSEWHERE),
            }

        return self._do(look)

    def tickets(self, text: str) -> list[Ticket]:
        """The requests of the person that ``text`` names."""
        find = self.named(text)
        return self._do(lambda connection: self._tickets(connection, find(connection)))

    def _tickets(self, connection: Connection, who: Subject) -> list[Ticket]:
        found = []
        for reference in (*who.under_way, *who.there):
            one = tickets.by_reference(connection, self.store.sealer, reference)
            assert one is not None
            tried = work.tried(connection, f"create:{reference}")
            state = "closed" if one.closed_at else "open"
            if one.tracker_id is None:
                state = "perhaps there: search for the reference" if tried else "not in the tracker"
            elif one.gone:
                state = one.gone
            found.append(Ticket(reference, one.tracker_id or "", one.url or "", state))
        return found

    def erase(self, text: str) -> Erased:
        """Erase the person that ``text`` names. Raises ``Rejected`` when nothing is held."""
        find, now = self.named(text), self.clock()
        until = time.monotonic() + _PATIENCE
        while self._do(lambda c: erasing.busy(c, find(c), self.clock())) and time.monotonic() < until:
            time.sleep(0.5)

        def wipe(connection: Connection) -> Erased:
            who = find(connection)
            listed = self._tickets(connection, who)
            words = self._words(connection, who, text)
            counts = erasing.erase(connection, self.store.sealer, who, now, wish=True)
            found = notices.naming(connection, self.store.sealer, self.name, words, now)
            notices.empty(connection, [n.id for n in found])
            counts.waiting += len(found)
            if not counts.data():
                raise Rejected("nothing is held about whom this names, besides the evidence of consent")
            number = erasing.log(connection, self.name, "asked for", counts.data(), now)
            for one in listed:
                if one.state == "open":
                    self._tell(connection, one.reference, number, now)
            crash.point("person.erased")
            return Erased(number, counts.data(), listed)

        return self._do(wipe)

    def _tell(self, connection: Connection, reference: str, number: int, now: float) -> None:
        """Staff read on the ticket that answers will not arrive, and that it holds what has to be looked at."""
        lang = self.town.languages[0]
        text = Texts(catalogues(self.town.languages, self.town.texts))(lang, "staff.erased")
        work.put(
            connection, self.store.sealer, town=self.name, lane=f"t:{reference}", kind="note", now=now,
            payload={"reference": reference, "text": text}, key=f"note:erased:{number}:{reference}",
        )  # fmt: skip

    def retention(self, *, dry_run: bool) -> dict[str, int]:
        """What would be forgotten by rule now; unless ``dry_run`` it is. By rule, how much."""
        limits = wiring.limits_of(self.settings)

        def run(connection: Connection) -> Run:
            return Run(connection, self.store.sealer, self.name, limits, self.clock())

        found = self._do(lambda connection: retention.count(run(connection)))
        progress: Progress | None = None if dry_run else Progress()
        while progress is not None:
            progress = self._do(
                partial(lambda connection, at: retention.step(run(connection), at), at=progress)
            )
        return found

    def log(self) -> list[erasing.Entry]:
        """What was erased when, as numbers."""
        return self.store.read_now(lambda connection: erasing.entries(connection, self.name))

"""``connector check``: the files and this machine first, then, unless offline, WhatsApp and the tracker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from connector import wiring
from connector.config.findings import spoken
from connector.config.settings import Settings
from connector.config.toml_file import KeyPath, TomlFile, parse
from connector.core.errors import ConnectorError, Finding, Misconfigured
from connector.core.ports import Tracker
from connector.core.ticket import NewTicket, Place, Routing
from connector.core.town import Town, TrackerMap
from connector.feeds import check as feeds_check
from connector.feeds.fetching import Fetcher
from connector.whatsapp.client import WhatsAppClient

from . import files, machine, media, whatsapp

_STATUS = "statuses."
_NO_WAY_IN = ("tracker.url", "tracker.api_key")
_CODE = "k7q2w9e4r1t6"
"""As long as a person's pseudonym on a ticket."""


@dataclass(frozen=True, slots=True)
class Checked:
    """All findings, what could not be asked because of them, and what was looked at, in words."""

    findings: list[Finding]
    not_asked: str = ""
    looked_at: str = ""

    @property
    def errors(self) -> int:
        """How many of them keep the service from running as it should."""
        return sum(f.severity == "error" for f in self.findings)


def everything(path: Path, *, offline: bool) -> Checked:
    """Look at everything, as far as one mistake leaves the next to be seen. Nothing is raised."""
    seen = files.look(path)
    findings = list(seen.findings)
    settings, town = seen.settings, seen.town
    if settings is None:
        return Checked(
            findings, "" if offline else "WhatsApp and the tracker were not asked: mend the settings first"
        )
    findings += machine.findings(settings)
    looked_at = machine.looked_at(settings)
    tracker, problems = _tracker(settings, town)
    findings += problems
    if offline:
        return Checked(findings, looked_at=looked_at)
    findings += asyncio.run(_whatsapp(settings, town))
    findings += media.findings(wiring.make_clamd(settings), settings)
    if tracker is None or town is None:
        return Checked(
            findings, "the tracker was not asked: mend its settings and the mapping first", looked_at
        )
    return Checked([*findings, *_asked(tracker, settings, town)], looked_at=looked_at)


def _tracker(settings: Settings, town: Town | None) -> tuple[Tracker | None, list[Finding]]:
    if town is None:
        return None, []
    try:
        return wiring.make_tracker(wiring.Municipality(settings.mapping.stem, settings, town)), []
    except Misconfigured as error:
        return None, list(error.findings)


async def _whatsapp(settings: Settings, town: Town | None) -> list[Finding]:
    try:
        client: WhatsAppClient = wiring.make_whatsapp(settings)
    except Misconfigured as error:
        return list(error.findings)
    async with client:
        return await whatsapp.findings(client, settings, town)


# --- the tracker -----------------------------------------------------------------------------------


def _asked(tracker: Tracker, settings: Settings, town: Town) -> list[Finding]:
    try:
        seen = tracker.verify([*town.routings(), *_statuses(town)])
        if not any(f.key in _NO_WAY_IN and f.severity == "error" for f in seen):
            seen += tracker.rehearse(_tickets(town), _people(town))
    except ConnectorError as error:
        mend = "is the address right, is it running, and is this machine allowed to reach it?"
        seen = [settings.finding("error", ("tracker", "url"), spoken(error), mend)]
    seen += asyncio.run(feeds_check.findings(town, tracker, Fetcher(settings.feeds.hosts)))
    file = TomlFile.read(settings.mapping)
    return list(dict.fromkeys(_placed(f, settings, file) for f in seen))


def _statuses(town: Town) -> list[tuple[str, Routing]]:
    """Statuses the mapping names, as something that a route asks for."""
    tables = ((_STATUS, town.statuses), (f"open_data.{_STATUS}", town.open_data.statuses))
    return [
        (table + name, Routing(project=town.tracker.project, status=name))
        for table, names in tables
        for name in names
    ]


def _tickets(town: Town) -> list[tuple[str, NewTicket]]:
    """A ticket of every route, as full as one can get."""
    found = []
    for key, routing in town.routings():
        if key.startswith("answers."):
            continue
        if town.tracker.pseudonym_field:
            routing = replace(routing, fields=(*routing.fields, (town.tracker.pseudonym_field, _CODE)))
        place = Place(41.62, 2.6, "Plaça de la Vila", "Plaça de la Vila, 1")
        reference = f"{town.channel.prefix}-7K3F-9Q"
        found.append(
            (key, NewTicket(reference, routing, "connector check", "connector check", places=(place,)))
        )
    return found


def _people(town: Town) -> list[tuple[str, str]]:
    """Everybody the mapping knows by the name the tracker shows."""
    answers = town.answers
    named = [(f"answers.only_from[{i}]", name) for i, name in enumerate(answers.only_from)]
    return [*named, *(("answers.authors." + name, name) for name in answers.authors)]


def _placed(finding: Finding, settings: Settings, file: TomlFile) -> Finding:
    """A finding of the tracker at the key it speaks of: of ``config.toml``, or of the mapping."""
    if finding.file or not finding.key:
        return finding
    path = _path(finding.key)
    if path[0] == "tracker" and path[-1] not in {"tracker", *TrackerMap.model_fields}:
        return settings.finding(finding.severity, path, finding.problem, finding.mend)
    if path[0] not in file.data:
        return finding
    return file.finding(finding.severity, path, finding.problem, finding.mend)


def _path(key: str) -> KeyPath:
    for table in (("statuses",), ("open_data", "statuses"), ("answers", "authors")):
        prefix = ".".join(table) + "."
        if key.startswith(prefix):  # names of the tracker, which may have dots
            return (*table, key.removeprefix(prefix).removesuffix(".status"))
    return parse(key)

"""``connector check``: the files first, then, unless offline, WhatsApp and the tracker."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

from connector import check_files, config, mapping, wiring
from connector.core.errors import ConnectorError, Finding, Forbidden, Misconfigured
from connector.core.town import Town
from connector.settings import Settings
from connector.toml_file import KeyPath, TomlFile


def everything(path: Path, *, offline: bool) -> list[Finding]:
    """All findings. Servers are asked only when the files hold."""
    findings = check_files.findings(path)
    if any(f.severity == "error" for f in findings):
        return findings
    settings = config.load(path)
    town = mapping.load(settings.mapping)
    municipality = wiring.Municipality(settings.mapping.stem, settings, town)
    try:
        tracker = wiring.make_tracker(municipality)
    except Misconfigured as error:
        return [*findings, *error.findings]
    if offline:
        return findings
    findings += asyncio.run(_whatsapp(settings, town))
    try:
        seen = tracker.verify(town.routings())
    except ConnectorError as error:
        seen = [
            settings.finding(
                "error", ("tracker", "url"), str(error), "is the address right, and is it running?"
            )
        ]
    findings += [_placed(f, settings) for f in seen]
    return findings


def _placed(finding: Finding, settings: Settings) -> Finding:
    """A finding of the tracker with the file and line of the mapping key it speaks of."""
    if finding.file or not finding.key:
        return finding
    return replace(finding, file=str(settings.mapping), line=_line(settings.mapping, finding.key))


def _line(path: Path, key: str) -> int | None:
    """The line of ``menu[1].route`` in a mapping, or of what holds it."""
    parts = tuple(int(p) if p.isdecimal() else p for p in re.findall(r"[^.\[\]]+", key))
    return TomlFile.read(path).line(parts)


async def _whatsapp(settings: Settings, town: Town) -> list[Finding]:
    findings: list[Finding] = []

    def say(severity: str, key: KeyPath, problem: str, mend: str) -> None:
        findings.append(settings.finding(severity, key, problem, mend))

    async with wiring.make_whatsapp(settings) as client:
        try:
            number = await client.phone()
        except Forbidden as error:
            say(
                "error",
                ("whatsapp", "access_token"),
                str(error),
                "make a new token of the system user, with both permissions",
            )
            return findings
        except ConnectorError as error:
            say(
                "error",
                ("whatsapp", "phone_number_id"),
                str(error),
                "compare it with WhatsApp Manager, API Setup",
            )
            return findings
        if str(number.get("quality_rating", "")).upper() == "RED":
            say(
                "warning",
                ("whatsapp", "phone_number_id"),
                "the number's quality is low",
                "see WhatsApp Manager",
            )
        try:
            if not await client.subscribed():
                say("error", ("whatsapp", "business_account_id"), "no app is subscribed to this account: no message would arrive",
                    "subscribe the app (POST /<account>/subscribed_apps, or the dashboard's webhook page)")  # fmt: skip
            if town.templates.answer:
                findings += _templates(settings, town, await client.templates())
        except ConnectorError as error:
            say(
                "error",
                ("whatsapp", "business_account_id"),
                str(error),
                "compare it with WhatsApp Manager, API Setup",
            )
    return findings


def _templates(settings: Settings, town: Town, found: list[dict[str, object]]) -> list[Finding]:
    name = town.templates.answer
    states = {str(t.get("language")): str(t.get("status")) for t in found if t.get("name") == name}
    return [
        Finding(
            "warning",
            f"template {name} ({language}) is {states.get(language, 'missing').lower()}: answers after 24 hours wait",
            "create it in WhatsApp Manager, or leave templates.answer empty",
            str(settings.mapping),
            _line(settings.mapping, "templates.answer"),
            "templates.answer",
        )
        for language in town.languages
        if states.get(language) != "APPROVED"
    ]

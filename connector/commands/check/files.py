"""Everything ``connector check --offline`` looks at in files: settings, secrets, mapping and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector import config, mapping
from connector.config.layers import Layers
from connector.config.settings import Settings
from connector.core.errors import Finding, Misconfigured
from connector.core.town import Town

from . import secrets


@dataclass(frozen=True, slots=True)
class Files:
    """What the files of a municipality say; ``settings`` and ``town`` as far as they can be used."""

    settings: Settings | None
    town: Town | None
    """The mapping, also when there are mistakes in it that leave its shape."""
    findings: list[Finding]


def look(path: Path, env: Mapping[str, str] | None = None) -> Files:
    """The files of a municipality, from its ``config.toml`` on; nothing is raised.

    The mapping is looked at even when the settings do not hold, as long as they say where it is.
    """
    settings, found = config.read(path, env)
    try:
        found += secrets.findings(Layers.read(path, Settings, env))
    except Misconfigured:
        return Files(None, None, found)  # the file itself cannot be read, which ``found`` says
    place = settings.mapping if settings else config.mapping_path(path, env)
    if place is None:
        return Files(settings, None, found)
    town, more = mapping.look(place)
    return Files(settings, town, [*found, *more, *_published(settings, town)])


def _published(settings: Settings | None, town: Town | None) -> list[Finding]:
    """Publishing is said in two places, so that neither of two people does it alone."""
    if settings is None or town is None:
        return []
    where = ("server", "open_data_url")
    if settings.server.open_data_url and not town.open_data.options:
        mend = "say in the mapping what is published ([open_data] options), or leave this empty"
        return [settings.finding("warning", where, "the mapping publishes nothing", mend)]
    if town.open_data.options and not settings.server.open_data_url:
        mend = "set it to the address of /open311/v2 as seen from outside, or take [open_data] out of the mapping"
        return [
            settings.finding("warning", where, "the mapping publishes requests, and this keeps it off", mend)
        ]
    return []


def findings(path: Path, env: Mapping[str, str] | None = None) -> list[Finding]:
    """All findings of ``look``, errors and warnings."""
    return look(path, env).findings

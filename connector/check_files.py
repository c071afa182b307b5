"""Everything ``connector check --offline`` looks at: settings, mapping and texts; no server is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connector.core.errors import Finding

from . import config, mapping


def findings(path: Path, env: Mapping[str, str] | None = None) -> list[Finding]:
    """All findings of a municipality, errors and warnings, from its ``config.toml`` on; nothing is raised.

    The mapping is looked at even when the settings do not hold, as long as they say where it is.
    """
    settings, found = config.read(path, env)
    place = settings.mapping if settings else config.mapping_path(path, env)
    if place is None:
        return found
    _, more = mapping.read(place)
    return [*found, *more]

"""How secrets are kept: who else on this machine can read them, and whether they can be guessed. Shows no value."""

from __future__ import annotations

import os
import stat
from itertools import pairwise
from pathlib import Path

from connector.config.findings import get
from connector.config.layers import SECRETS, Layers, file_name
from connector.config.settings import MIN_KEY
from connector.config.toml_file import KeyPath, dotted
from connector.core.errors import Finding

_SIGNS = 10
"""Different characters a key of chance has at least: 32 hexadecimal digits have fewer once in ten thousand times."""
_RUN = Path("/run")
"""Where containers and systemd put secrets: their modes are not ours to judge."""


def findings(layers: Layers) -> list[Finding]:
    """Warnings about the secrets of one ``config.toml``."""
    return [*_in_clear(layers), *_open_files(layers), *_guessable(layers), *_shared(layers)]


def _in_clear(layers: Layers) -> list[Finding]:
    inside = [path for path in SECRETS if get(layers.toml.data, path)]
    if not inside or any(f.key == dotted(inside[0]) for f in layers.findings):
        return []  # that everybody can read them weighs more
    names = ", ".join(map(dotted, inside))
    folder = layers.secrets_dir or Path("secrets")
    mend = (
        f"move each into a file of its own in {folder} ({', '.join(map(file_name, inside))}), mode 600: this file "
        "then can be copied and kept like any other"
    )
    return [layers.toml.finding("warning", inside[0], f"secrets stand here in plain text: {names}", mend)]


def _open_files(layers: Layers) -> list[Finding]:
    folder = layers.secrets_dir
    if os.name != "posix" or folder is None or _RUN in folder.parents:
        return []
    found = []
    if folder.is_dir() and folder.stat().st_mode & stat.S_IWOTH:
        mend = f"chmod 700 {folder}"
        found.append(Finding("warning", "everybody on this machine can put secrets here", mend, str(folder)))
    for path, file in layers.files.items():
        if file.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            problem = "others on this machine can read this secret"
            found.append(Finding("warning", problem, f"chmod 600 {file}", str(file), key=dotted(path)))
    return found


def _value(layers: Layers, path: KeyPath) -> str:
    value = next((v for layer in layers.values if (v := get(layer, path))), "")
    return value if isinstance(value, str) else ""


def _guessable(layers: Layers) -> list[Finding]:
    path: KeyPath = ("privacy", "key")
    keys = [part.strip() for part in _value(layers, path).split(",") if part.strip()]
    if not any(weak(key) for key in keys) or any(len(key) < MIN_KEY for key in keys):
        return []
    mend = "make one with `connector key new`; put it in front of the old one, with a comma, where data is stored already"
    return [layers.finding("warning", path, "this key can be guessed: it was not made by chance", mend)]


def weak(key: str) -> bool:
    """Whether a key has few different characters, repeats itself, counts up or down, or is made of words."""
    if len(set(key)) < _SIGNS or key in (key + key)[1:-1] or " " in key:
        return True
    steps = [ord(b) - ord(a) for a, b in pairwise(key)]
    return max(steps.count(1), steps.count(-1)) > len(steps) / 2


def _shared(layers: Layers) -> list[Finding]:
    """The verify token travels in addresses, the others do not: none may be another one's twin."""
    seen: dict[str, KeyPath] = {}
    found = []
    for path in SECRETS:
        value = _value(layers, path).strip()
        if value and (first := seen.setdefault(value, path)) != path:
            problem = f"this is the same secret as {dotted(first)}"
            found.append(layers.finding("warning", path, problem, "give each its own"))
    return found

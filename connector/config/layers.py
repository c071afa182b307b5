"""Where settings come from: environment, secret files and ``config.toml``, and where each value was set."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from connector.core.errors import Finding

from .findings import did_you_mean, get, model_at
from .toml_file import KeyPath, TomlFile, dotted

PREFIX = "CONNECTOR_"
MAX_SECRET_BYTES = 65_536
DEFAULT_SECRETS_DIR = "secrets"


def env_name(path: KeyPath) -> str:
    """The environment variable of a setting: ``CONNECTOR_WHATSAPP__ACCESS_TOKEN``."""
    return PREFIX + "__".join(str(part) for part in path).upper()


def file_name(path: KeyPath) -> str:
    """The name of a setting's secret file: ``whatsapp__access_token``."""
    return "__".join(str(part) for part in path)


@dataclass(frozen=True, slots=True)
class Layers:
    """What was set, and where. ``values`` are nested tables: environment, secret files, ``config.toml``."""

    toml: TomlFile
    secrets_dir: Path | None
    values: tuple[dict[str, Any], ...] = field(repr=False)
    variables: Mapping[KeyPath, str]
    files: Mapping[KeyPath, Path]
    findings: tuple[Finding, ...] = ()

    @classmethod
    def read(cls, path: Path, model: type[BaseModel], env: Mapping[str, str] | None) -> Layers:
        """Read all three. Raises ``Misconfigured`` when ``path`` itself cannot be read."""
        toml = TomlFile.read(path)
        findings: list[Finding] = []
        names = _from_environment(os.environ if env is None else env, model, findings)
        variables = {at: name for at, (name, _) in names.items()}
        folder = _secrets_dir(toml, names, findings)
        files = _from_folder(folder, model, findings) if folder else {}
        values = (
            _nested((at, value) for at, (_, value) in names.items()),
            _nested((at, value) for at, (_, value) in files.items()),
            toml.data,
        )
        findings += _open_to_all(toml)
        return cls(
            toml, folder, values, variables, {at: file for at, (file, _) in files.items()}, tuple(findings)
        )

    def finding(self, severity: str, path: KeyPath, problem: str, mend: str = "") -> Finding:
        """A finding about a setting, at the place its value came from."""
        if path in self.variables:
            return Finding(severity, problem, mend, "environment", None, self.variables[path])
        if path in self.files:
            return Finding(severity, problem, mend, str(self.files[path]), None, dotted(path))
        return self.toml.finding(severity, path, problem, mend)

    def without_values(self) -> Layers:
        """The places alone, safe to keep."""
        return replace(self, values=(), toml=replace(self.toml, data={}))


def _known(model: type[BaseModel]) -> set[KeyPath]:
    """Every setting that a variable or file can set."""
    known: set[KeyPath] = set()
    for name in model.model_fields:
        inner = model_at(model, (name,))
        known |= {(name, key) for key in inner.model_fields} if inner else {(name,)}
    return known


def _accepts(model: type[BaseModel], path: KeyPath) -> bool:
    if path in _known(model):
        return True
    table = model_at(model, path[:1]) if len(path) == 2 else None
    return bool(table and table.model_config.get("extra") == "allow" and path[1])


def _from_environment(
    env: Mapping[str, str], model: type[BaseModel], findings: list[Finding]
) -> dict[KeyPath, tuple[str, str]]:
    """Path → (name, value). Empty variables count as not set: that is what ``X=${Y:-}`` leaves behind."""
    found: dict[KeyPath, tuple[str, str]] = {}
    for name, value in sorted(env.items()):
        if not name.upper().startswith(PREFIX):
            continue
        path: KeyPath = tuple(name[len(PREFIX) :].lower().split("__"))
        if not _accepts(model, path):
            # A warning only: container platforms put variables of their own into a service's environment.
            near = did_you_mean(name, map(env_name, _known(model)))
            mend = (
                f"did you mean {near}?" if near else "take it out, or see config.example.toml for the names"
            )
            findings.append(Finding("warning", "no setting has this name", mend, "environment", None, name))
        elif value.strip():
            found[path] = (name, value)
    return found


def _secrets_dir(
    toml: TomlFile, names: Mapping[KeyPath, tuple[str, str]], findings: list[Finding]
) -> Path | None:
    """The folder with secret files. One that was named must exist; the default need not."""
    variable = names.get(("secrets_dir",))
    chosen = variable[1] if variable else toml.data.get("secrets_dir", DEFAULT_SECRETS_DIR)
    if not isinstance(chosen, str) or not chosen:
        return None
    folder = toml.path.parent.absolute() / chosen
    if not folder.is_dir() and chosen != DEFAULT_SECRETS_DIR:
        place = Finding("error", "", "", "environment", None, variable[0]) if variable else None
        problem, mend = f"there is no folder {folder}", "make it, or take this setting out"
        finding = replace(place, problem=problem, mend=mend) if place else None
        findings.append(finding or toml.finding("error", ("secrets_dir",), problem, mend))
    return folder


def _from_folder(
    folder: Path, model: type[BaseModel], findings: list[Finding]
) -> dict[KeyPath, tuple[Path, str]]:
    """Path → (file, content without the line end). Files that are plainly for others are left alone."""
    found: dict[KeyPath, tuple[Path, str]] = {}
    try:
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        findings.append(
            Finding(
                "error",
                f"this folder cannot be read ({error.strerror})",
                "let this account read it",
                str(folder),
            )
        )
        return found
    for file in entries:
        name = file.name.lower()
        prefixed = name.startswith(PREFIX.lower())
        path: KeyPath = tuple((name[len(PREFIX) :] if prefixed else name).split("__"))
        if not _accepts(model, path):
            if prefixed or (len(path) > 1 and path[0] in model.model_fields):
                near = did_you_mean(name.removeprefix(PREFIX.lower()), map(file_name, _known(model)))
                mend = f"did you mean {near}?" if near else "see config.example.toml for the names"
                findings.append(Finding("warning", "no setting has the name of this file", mend, str(file)))
            continue
        if file.is_dir():
            continue
        if path in found:
            mend = "keep one of the two"
            findings.append(
                Finding("error", f"{found[path][0].name} sets the same", mend, str(file), None, dotted(path))
            )
            continue
        try:
            content = _content(file)
        except ValueError as error:
            findings.append(
                Finding(
                    "error",
                    str(error),
                    "write the secret into it, and nothing else",
                    str(file),
                    None,
                    dotted(path),
                )
            )
            continue
        if content:
            found[path] = (file, content)
        else:
            findings.append(
                Finding(
                    "warning", "this file is empty", "write the secret into it", str(file), None, dotted(path)
                )
            )
    return found


def _content(file: Path) -> str:
    """The text of a secret file. Raises ``ValueError`` with a sentence, never with content."""
    try:
        if not file.is_file():
            raise ValueError("this is no file but a device or a pipe")
        if file.stat().st_size > MAX_SECRET_BYTES:
            raise ValueError(f"this file is larger than {MAX_SECRET_BYTES} bytes")
        raw = file.read_bytes()
    except OSError as error:
        raise ValueError(f"this file cannot be read ({error.strerror})") from None
    try:
        return raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        pass
    raise ValueError("this file is not text")


def _nested(flat: Iterable[tuple[KeyPath, Any]]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for path, value in flat:
        *around, last = [str(part) for part in path]
        table = tables
        for part in around:
            table = table.setdefault(part, {})
        table[last] = value
    return tables


SECRETS: tuple[KeyPath, ...] = (
    ("server", "ops_password"),
    ("whatsapp", "access_token"),
    ("whatsapp", "app_secret"),
    ("whatsapp", "verify_token"),
    ("tracker", "api_key"),
    ("tracker", "webhook_secret"),
    ("privacy", "key"),
)


def _open_to_all(toml: TomlFile) -> list[Finding]:
    """A warning when everybody on this machine can read secrets in ``config.toml``."""
    inside = next((path for path in SECRETS if get(toml.data, path)), None)
    if inside is None or os.name != "posix" or not toml.path.stat().st_mode & stat.S_IROTH:
        return []
    mend = f"chmod o-r {toml.path.name}, or put secrets into files of their own"
    return [toml.finding("warning", inside, "everybody on this machine can read this secret", mend)]

"""Reads ``config.toml``, the environment and secret files into one typed ``Settings``.

A value is looked for in this order: environment (``CONNECTOR_WHATSAPP__ACCESS_TOKEN``), a file of that name
in ``secrets_dir`` (``whatsapp__access_token`` does too), ``config.toml``, the default. Every mistake is a
finding with file, line, key and mend. No value of a setting is ever part of a finding.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import InitSettingsSource

from connector.core.errors import Finding, Misconfigured

from .findings import did_you_mean, explain, get, model_at, suggest, without_echoes
from .layers import Layers, env_name, file_name
from .settings import Privacy, Settings, Tracker
from .toml_file import KeyPath

_TELEPHONE = range(9, 13)
"""Digits that telephone numbers have; an id of Meta has more."""
AnyModel = TypeVar("AnyModel", bound=BaseModel)

REQUIRED: dict[KeyPath, str] = {
    ("mapping",): "",
    ("whatsapp", "phone_number_id"): "",
    ("whatsapp", "business_account_id"): "",
    ("whatsapp", "access_token"): "",
    ("whatsapp", "app_secret"): "without it nobody could tell Meta's notifications from forged ones",
    ("whatsapp", "verify_token"): "",
    ("tracker", "url"): "",
    ("tracker", "api_key"): "",
    ("privacy", "key"): "`connector key new` prints one",
}
"""Settings without which nothing runs, each with a word on why or how."""


def load(path: Path, env: Mapping[str, str] | None = None) -> Settings:
    """The settings of ``path``; ``env`` stands for the process environment.

    Raises ``Misconfigured`` with every error found. Paths and a SQLite file come back absolute.
    """
    settings, findings = read(path, env)
    errors = [f for f in findings if f.severity == "error"]
    if settings is None or errors:
        raise Misconfigured(errors)
    return settings


def read(path: Path, env: Mapping[str, str] | None = None) -> tuple[Settings | None, list[Finding]]:
    """The settings (None when they cannot be used) with everything there is to say, warnings too."""
    try:
        layers = Layers.read(path, Settings, env)
    except Misconfigured as error:
        return None, list(error.findings)
    findings = [*layers.findings, *_missing(layers)]
    found = {f.key for f in findings}
    sources = tuple(InitSettingsSource(Settings, values) for values in layers.values)
    settings: Settings | None = None
    errors = []
    try:
        settings = Settings(_build_sources=(sources, {}))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    for details in errors:
        where, problem, mend = explain(Settings, details)
        finding = layers.finding("error", where, problem, mend)
        if finding.key not in found:
            findings.append(finding)
    if settings is None:
        return None, without_echoes(findings)
    settings = _anchor(settings, path.parent)
    settings._layers = layers.without_values()
    findings += [f for f in _sense(settings) if f.key not in found]
    return (None if any(f.severity == "error" for f in findings) else settings), findings


def privacy_key(path: Path, env: Mapping[str, str] | None = None) -> str:
    """``privacy.key`` as it is set at this moment, wherever that is. Raises ``Misconfigured``."""
    layers = Layers.read(path, Settings, env)
    where: KeyPath = ("privacy", "key")
    value = next((v for layer in layers.values if (v := get(layer, where)) is not None), "")
    try:
        return Privacy(key=value).key.get_secret_value()
    except ValidationError as error:
        (details,) = error.errors(include_url=False, include_input=False)
        _, problem, mend = explain(Privacy, details)
        raise Misconfigured([layers.finding("error", where, problem, mend)]) from None


def mapping_path(path: Path, env: Mapping[str, str] | None = None) -> Path | None:
    """Where the mapping is, though other settings may be wrong; None when that is not known or no file."""
    try:
        layers = Layers.read(path, Settings, env)
    except Misconfigured:
        return None
    named = next((v for layer in layers.values if (v := layer.get("mapping"))), None)
    place = path.parent.absolute() / named if isinstance(named, str) else None
    return place if place and place.is_file() else None


def unknown_tracker_keys(settings: Settings, allowed: Collection[str]) -> list[Finding]:
    """Errors for the keys of ``[tracker]`` that are neither common nor among the adapter's ``allowed``."""
    known = {*Tracker.model_fields, *allowed}
    return [
        settings.finding("error", ("tracker", name), "unknown key", suggest(name, known))
        for name in settings.tracker.extras()
        if name not in known
    ]


def tracker_config(
    settings: Settings, config: type[AnyModel], given: Mapping[str, Any] | None = None
) -> AnyModel:
    """An adapter's own ``Config`` (pydantic) from ``[tracker]``: the common keys it has, and its extras.

    ``given`` are values that come from elsewhere, such as the mapping's field ids; they are no keys of
    ``[tracker]``. Raises ``Misconfigured`` with where each wrong or unknown key was set.
    """
    given = given or {}
    allowed = {name for name in config.model_fields if name not in given}
    findings = unknown_tracker_keys(settings, allowed)
    values = {name: value for name, value in settings.tracker.extras().items() if name in allowed}
    for name in allowed & set(Tracker.model_fields):
        value = getattr(settings.tracker, name)
        values[name] = _bare_where_wanted(value, config.model_fields[name].annotation)
    made: AnyModel | None = None
    errors = []
    try:
        made = config.model_validate({**values, **given})
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    for details in errors:
        where, problem, mend = explain(config, details)
        findings.append(settings.finding("error", ("tracker", *where), problem, mend))
    if made is None or findings:
        raise Misconfigured(findings)
    return made


def _bare_where_wanted(value: Any, annotation: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) and annotation is str else value


def _missing(layers: Layers) -> list[Finding]:
    """What is required and nowhere set, with all three places where it could be."""
    findings = []
    for path, why in REQUIRED.items():
        values = [v for v in (get(layer, path) for layer in layers.values) if v is not None]
        if values and values[0] != [] and str(values[0]).strip():
            continue
        *table, name = (str(part) for part in path)
        places = [
            f"set {name} in [{table[0]}]" if table else f"set {name}",
            f"or the variable {env_name(path)}",
        ]
        if layers.secrets_dir:
            places.append(f"or the file {layers.secrets_dir / file_name(path)}")
        model = model_at(Settings, path[:-1]) or Settings
        described = (model.model_fields[name].description or "").rstrip(".")
        mend = ". ".join(filter(None, [", ".join(places), described, why[:1].upper() + why[1:]]))
        findings.append(layers.toml.finding("error", path, "is missing", mend))
    return findings


def _anchor(settings: Settings, folder: Path) -> Settings:
    """Relative paths, seen from the folder of ``config.toml``."""
    folder = folder.absolute()
    url = settings.database_url
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        url = f"sqlite:///{folder / url.removeprefix('sqlite:///')}"
    return settings.model_copy(
        update={
            "mapping": folder / settings.mapping,
            "secrets_dir": folder / settings.secrets_dir,
            "database": SecretStr(url),
        }
    )


def _sense(settings: Settings) -> list[Finding]:
    """What is possible by itself and wrong all the same."""
    findings = []
    if settings.mapping.name and not settings.mapping.is_file():
        problem = f"there is no file {settings.mapping}"
        findings.append(settings.finding("error", ("mapping",), problem, _other_file(settings)))
    own = settings.whatsapp.phone_number_id
    if len(own) in _TELEPHONE:
        problem = "this looks like the telephone number itself; its id is longer"
        mend = "the id stands under it: WhatsApp Manager, API Setup"
        findings.append(settings.finding("warning", ("whatsapp", "phone_number_id"), problem, mend))
    if settings.server.ops and not settings.server.ops_password.get_secret_value():
        problem, mend = "is missing: /ops asks for it", "set it, best as a secret file, or write ops = false"
        findings.append(settings.finding("error", ("server", "ops_password"), problem, mend))
    if settings.server.open_data_url and not settings.server.open_data_url.endswith("/open311/v2"):
        problem = "programs are told this address, and this service answers under /open311/v2"
        mend = "let it end in /open311/v2, unless a proxy changes the path"
        findings.append(settings.finding("warning", ("server", "open_data_url"), problem, mend))
    if _in_clear(settings.whatsapp.api_url):
        problem = "the access token would travel unencrypted"
        findings.append(settings.finding("error", ("whatsapp", "api_url"), problem, "write https://"))
    if _in_clear(settings.tracker.url):
        problem = "the tracker's key and the citizens' words travel unencrypted"
        findings.append(
            settings.finding(
                "warning", ("tracker", "url"), problem, "use https:// unless that network is safe"
            )
        )
    return findings


def _other_file(settings: Settings) -> str:
    """What else the mapping could be."""
    place = settings._layers.toml.path.parent if settings._layers else Path()
    there = {str(f.relative_to(place)): f for f in (*place.glob("*.toml"), *place.glob("mappings/*.toml"))}
    there.pop(settings._layers.toml.path.name if settings._layers else "", None)
    same = next((shown for shown, f in there.items() if f.name == settings.mapping.name), "")
    near = same or did_you_mean(settings.mapping.name, there)
    hint = f"did you mean «{near}»? " if near else ""
    return f"{hint}paths are seen from this file's folder"


def _in_clear(url: str) -> bool:
    """Whether an address is plain http to another machine."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return False
    host = parts.hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"

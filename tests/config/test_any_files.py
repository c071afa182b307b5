"""Whatever stands in the files, the check says something of it and never breaks."""

from __future__ import annotations

import contextlib
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector import mapping
from connector.commands.check import files
from connector.commands.init.files import toml
from connector.core.errors import Finding
from tests.fuzz import examples

from .sides import BASE, SECRETS

QUIET = settings(deadline=None, max_examples=examples(80), suppress_health_check=list(HealthCheck))
PIECES = st.sampled_from(
    ['"', "'", "[", "]", "{", "}", "=", "\n", ",", "#", "\\", '"""', "\x00", "\ufeff", "·", "[[menu]]", "true", "1e999", "1979-05-27", "-0x1", "key", "\r"]
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["ca", "es", "key", "x.y"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@st.composite
def spoilt(draw: Any, text: str) -> str:
    """The text with a few pieces put in, taken out or written twice."""
    for _ in range(draw(st.integers(1, 3))):
        at, much = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        how = draw(st.sampled_from(["in", "out", "twice"]))
        piece = draw(PIECES) if how == "in" else text[at : at + much] * (2 if how == "twice" else 0)
        text = text[:at] + piece + text[at + (0 if how == "in" else much) :]
    return text


@st.composite
def bent(draw: Any) -> dict[str, Any]:
    """The values of the mapping, with some replaced by others of any type."""
    data: dict[str, Any] = tomllib.loads(BASE["town.toml"])
    for _ in range(draw(st.integers(1, 2))):
        around: Any = data
        while True:
            keys = list(around) if isinstance(around, dict) else list(range(len(around)))
            key = draw(st.sampled_from(keys))
            if isinstance(around[key], dict | list) and around[key] and draw(st.booleans()):
                around = around[key]
                continue
            around[key] = draw(VALUES)
            break
    return data


def written(value: Any) -> str:
    """As TOML in braces, with keys in quotation marks; what TOML cannot say is left out."""
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{toml(str(k))} = {written(v)}" for k, v in value.items() if v is not None)
            + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(written(v) for v in value if v is not None) + "]"
    return toml(value)


def look(folder: Path, config: str, town: str) -> list[Finding]:
    (folder / "config.toml").write_bytes(config.encode("utf-8", "surrogatepass"))
    (folder / "town.toml").write_bytes(town.encode("utf-8", "surrogatepass"))
    (folder / "secrets").mkdir(exist_ok=True)
    for name, value in SECRETS.items():
        (folder / "secrets" / name).write_text(value)
        (folder / "secrets" / name).chmod(0o600)
    found = files.findings(folder / "config.toml", {})
    for finding in found:
        assert finding.problem and finding.severity in ("error", "warning")
        assert str(finding)
        assert finding.column is None or finding.line is not None
    return found


@QUIET
@given(spoilt(BASE["config.toml"]), spoilt(BASE["town.toml"]))
def test_spoilt_files(tmp_path: Path, config: str, town: str) -> None:
    look(tmp_path, config, town)


@QUIET
@given(bent())
def test_values_of_any_type(tmp_path: Path, data: dict[str, Any]) -> None:
    text = "\n".join(f"{key} = {written(value)}" for key, value in data.items() if value is not None)
    found = look(tmp_path, BASE["config.toml"], text)
    if not any(f.severity == "error" for f in found):
        assert mapping.load(tmp_path / "town.toml") is not None


@QUIET
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, raw: bytes) -> None:
    for name in ("config.toml", "town.toml"):
        with contextlib.suppress(FileNotFoundError):
            (tmp_path / name).unlink()
        (tmp_path / name).write_bytes(raw)
    assert files.findings(tmp_path / "config.toml", {})
    assert mapping.read(tmp_path / "town.toml")[1]


MADE = {
    "nested lists": lambda p: p.write_text("x = " + "[" * 5000 + "]" * 5000),
    "nested tables": lambda p: p.write_text("[" + ".".join(["a"] * 1000) + "]\nx = 1"),
    "nested inline": lambda p: p.write_text("x = " + "{a=" * 5000 + "1" + "}" * 5000),
    "a long number": lambda p: p.write_text("port = " + "9" * 10_000),
    "far too large": lambda p: p.write_bytes(b"#" * 5_000_000),
    "far too many keys": lambda p: p.write_text("\n".join(f"k{n} = 1" for n in range(11_000))),
    "a folder": Path.mkdir,
    "a link to itself": lambda p: p.symlink_to(p),
    "a link to nothing": lambda p: p.symlink_to(p.with_suffix(".gone")),
    "a link without an end": lambda p: p.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_no_settings_file_is_one_error(tmp_path: Path, name: str) -> None:
    for file in ("config.toml", "town.toml"):
        MADE[name](tmp_path / file)  # type: ignore[operator]
    for found in (
        files.findings(tmp_path / "config.toml", {}),
        mapping.read(tmp_path / "town.toml")[1],
    ):
        assert [f.severity for f in found] == ["error"] and found[0].mend


def test_a_secret_that_is_a_pipe_or_a_device_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    os.mkfifo(tmp_path / "secrets" / "privacy__key")
    (tmp_path / "secrets" / "tracker__api_key").symlink_to("/dev/zero")
    (tmp_path / "config.toml").write_text(BASE["config.toml"])
    (tmp_path / "town.toml").write_text(BASE["town.toml"])
    found = [f for f in files.findings(tmp_path / "config.toml", {}) if "pipe" in f.problem]
    assert sorted(f.key for f in found) == ["privacy.key", "tracker.api_key"]

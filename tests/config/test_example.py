"""``config.example.toml`` shows every setting there is, with its default, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from connector import config
from connector.config.settings import Section, Settings
from connector.trackers.redmine import config as redmine

ROOT = Path(__file__).parents[2]
EXAMPLE = tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8"))


def defaults() -> dict[str, Any]:
    """Every setting with its default, as ``table.key``; tables themselves left out."""
    found: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, Section):
            found |= {
                f"{name}.{key}": inner.default for key, inner in type(field.default).model_fields.items()
            }
        else:
            found[name] = field.default
    bare = {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in found.items()}
    toml = {k: str(v) if isinstance(v, Path) else v for k, v in bare.items()}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in toml.items()}


def test_the_example_shows_every_setting_with_its_default() -> None:
    shown = {k: v for k, v in EXAMPLE.items() if not isinstance(v, dict)}
    for table, keys in EXAMPLE.items():
        if isinstance(keys, dict):
            shown |= {f"{table}.{key}": value for key, value in keys.items()}
    expected = defaults() | {"mapping": "mappings/sant-cebria.toml"}  # required; the town the repository has
    assert shown == expected
    assert list(shown) == list(expected)


def test_the_example_says_what_is_required() -> None:
    found = config.read(ROOT / "config.example.toml", {})[1]
    required = {".".join(map(str, path)) for path in config.REQUIRED} - {"mapping"}
    assert {f.key for f in found} == required
    rows = (ROOT / "config.example.toml").read_text(encoding="utf-8").splitlines()
    for finding in found:
        above = "\n".join(rows[: finding.line]).rsplit("\n\n", 1)[-1]
        assert "required" in above, finding.key


def test_the_examples_adapter_keys_are_the_adapters() -> None:
    rows = (ROOT / "config.example.toml").read_text(encoding="utf-8").splitlines()
    own = tomllib.loads(
        "\n".join(r.removeprefix("# ") for r in rows if r.startswith(("# text_", "# time", "# over")))
    )
    assert own == {
        name: redmine.Config.model_fields[name].default for name in ("text_format", "timeout", "overlap")
    }


def test_every_setting_is_described() -> None:
    for field in Settings.model_fields.values():
        if isinstance(field.default, Section):
            assert all(inner.description for inner in type(field.default).model_fields.values())
        else:
            assert field.description

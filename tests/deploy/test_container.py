"""What compose.yml and the Containerfile name is there, and the container's settings are settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from connector import config

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "container"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text(encoding="utf-8"))


def test_compose_names_only_what_there_is() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys(), name
        assert set(service.get("depends_on", ())) <= services.keys(), name
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert source in COMPOSE["volumes"] or (FOLDER / source).exists(), mount
        assert all(p.startswith("127.0.0.1:") for p in service.get("ports", ())), (
            "nothing is open to the outside"
        )
    ours = services["connector"]
    assert (
        ours["read_only"]
        and ours["cap_drop"] == ["ALL"]
        and ours["security_opt"] == ["no-new-privileges:true"]
    )
    assert (FOLDER / ours["build"]["context"] / ours["build"]["dockerfile"]).is_file()


def test_what_the_containerfile_copies_is_there_and_it_is_not_root() -> None:
    lines = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    for copied in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", lines):
        assert all((FOLDER.parents[1] / one).exists() for one in copied.split()), copied
    assert re.findall(r"(?m)^USER (\w+)$", lines) == ["connector"]


def test_the_containers_settings_hold_with_its_secrets(tmp_path: Path) -> None:
    text = (
        (FOLDER / "config.toml")
        .read_text(encoding="utf-8")
        .replace("/run/secrets", str(tmp_path / "secrets"))
    )
    text = re.sub(r'(_id = )""', r'\1"1"', text)
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    (tmp_path / "mappings").symlink_to(FOLDER.parents[1] / "mappings")
    (tmp_path / "secrets").mkdir()
    for name in COMPOSE["services"]["connector"]["secrets"]:
        value = "postgresql://connector:p@connector-db/connector" if name == "database" else "k" * 40
        (tmp_path / "secrets" / name).write_text(value, encoding="utf-8")
        (tmp_path / "secrets" / name).chmod(0o600)
    settings, findings = config.read(tmp_path / "config.toml", {})
    assert settings is not None and [f.severity for f in findings] == ["warning"], findings
    assert "connector-db" in settings.database_url and settings.server.host == "0.0.0.0"

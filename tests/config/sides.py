"""A good configuration, what can be done wrong with it, and the other sides that ``connector check`` asks."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from connector import cli, mapping
from connector.commands.check.everything import everything
from connector.core.texts import Texts
from connector.demo.meta.app import MetaStandIn
from connector.demo.redmine.app import RedmineStandIn
from connector.texts import catalogues
from connector.whatsapp.signature import handshake
from connector.whatsapp.templates import needed

HERE = Path(__file__).parent / "mistakes"
BASE = {name: (HERE / "base" / name).read_text(encoding="utf-8") for name in ("config.toml", "town.toml")}
SECRETS = {
    "whatsapp__access_token": "EAAprovaprovaprova",
    "whatsapp__app_secret": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "whatsapp__verify_token": "paraula-de-prova",
    "tracker__api_key": "b0" * 20,
    "privacy__key": "Zq3vL8mXw0rT5yBn2cKd7fHj9sGa4pQe",
}


@dataclass
class Others:
    """Meta, Redmine and, behind the webhook's address, a connector that knows ``verify_token``; one server for all."""

    url: str
    meta: MetaStandIn
    redmine: RedmineStandIn
    verify_token: str = SECRETS["whatsapp__verify_token"]

    def renew(self) -> None:
        """Everything as if it had been set up well."""
        self.meta = MetaStandIn(
            webhook_url=f"{self.url}/webhook/whatsapp",
            public_url=self.url,
            app_secret=SECRETS["whatsapp__app_secret"],
            access_token=SECRETS["whatsapp__access_token"],
            verify_token=SECRETS["whatsapp__verify_token"],
        )
        self.redmine = RedmineStandIn(public_url=f"{self.url}/tracker")
        self.verify_token = SECRETS["whatsapp__verify_token"]
        for body in self.templates():
            self.meta.templates.create(body)
            self.meta.created_template(self.meta.templates.all[-1])

    def templates(self) -> list[dict[str, Any]]:
        town = mapping.load(HERE / "base" / "town.toml")
        return needed(town, Texts(catalogues(town.languages, town.texts)))

    def spoil(self, redmine: dict[str, Any], meta: dict[str, Any]) -> None:
        """What is wrong on the other side."""
        for right in redmine.get("lacks", ()):
            self.redmine.set_permission("Robot WhatsApp", right, False)
        for right in redmine.get("may", ()):
            self.redmine.set_permission("Robot WhatsApp", right, True)
        if redmine.get("member") is False:
            self.redmine.remove_member("atencio-ciutadana", "whatsapp-bot")
        if redmine.get("locked"):
            self.redmine.lock_user("whatsapp-bot")
        if redmine.get("closed"):
            self.redmine.close_project("atencio-ciutadana")
        for name in ("fields", "scopes", "expires_at"):
            if name in meta:
                setattr(self.meta.application, name, meta[name])
        if meta.get("subscribed") is False:
            self.meta.delivery.subscribed = False
        if "webhook" in meta:
            self.meta.webhook_url = meta["webhook"] and self.url + meta["webhook"]
        self.verify_token = meta.get("verify_token", self.verify_token)
        for language, state in meta.get("templates", {}).items():
            template = next(t for t in self.meta.templates.all if t.language == language)
            if state == "MISSING":
                self.meta.templates.delete(template.name, template.id)
            else:
                self.meta.review_template(template, state, meta.get("reason", "NONE"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if path.startswith("/tracker"):
            inner = path.removeprefix("/tracker") or "/"
            await self.redmine.app({**scope, "path": inner, "raw_path": inner.encode()}, receive, send)
        elif path.startswith("/webhook/whatsapp"):
            challenge = handshake(Request(scope).query_params, [self.verify_token])
            answer = PlainTextResponse(challenge) if challenge else PlainTextResponse("no", 403)
            await answer(scope, receive, send)
        elif path.startswith("/page"):
            await PlainTextResponse("<html>Benvinguts</html>", media_type="text/html")(scope, receive, send)
        else:
            await self.meta.app(scope, receive, send)


def replaced(text: str, changes: dict[str, str], name: str) -> str:
    for old, new in changes.items():
        if not old:
            text = f"{text}\n{new}\n"
            continue
        assert old in text, f"{name} holds no «{old}»"
        text = text.replace(old, new, 1)
    return text


def lay_out(folder: Path, mistake: dict[str, Any], url: str, free: int) -> Path:
    """The configuration with the mistake in it."""
    own = {"http://meta": url, "http://redmine": f"{url}/tracker", "8080": str(free)}
    text = replaced(BASE["config.toml"], mistake.get("config", {}), "config.toml")
    for old, new in own.items():
        text = text.replace(old, new)
    file = folder / "config.toml"
    file.write_bytes(text.encode(mistake.get("encoding", "utf-8")))
    file.chmod(int(mistake.get("mode", "600"), 8))
    town = replaced(BASE["town.toml"], mistake.get("mapping", {}), "town.toml")
    (folder / "town.toml").write_bytes(town.encode(mistake.get("mapping_encoding", "utf-8")))
    (folder / "secrets").mkdir(mode=0o700)
    for name, value in (SECRETS | mistake.get("secrets", {})).items():
        if value is not False:
            secret = folder / "secrets" / name
            secret.write_text(value.replace("http://redmine", f"{url}/tracker"), encoding="utf-8")
            secret.chmod(int(mistake.get("secret_mode", "600"), 8))
    return file


def told(file: Path, offline: bool, url: str, free: int) -> list[str]:
    checked = everything(file, offline=offline)
    lines = [f"{f.severity} {f}" for f in checked.findings]
    for value, name in (
        (f"{file.parent}/", ""),
        (str(file.parent), "{folder}"),
        (f"{url}/tracker", "{redmine}"),
        (url, "{meta}"),
        (str(free), "{port}"),
    ):
        lines = [line.replace(value, name) for line in lines]
    return lines


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: str) -> Ran:
    """A command in this process, at no terminal."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["connector", *words]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1 if leaving.code else 0
    return Ran(code, out.getvalue(), err.getvalue())

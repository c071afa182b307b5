"""What the machine has to offer before the service can start: a free port, a database."""

from __future__ import annotations

import errno
import socket

from connector.config.settings import Settings
from connector.config.toml_file import KeyPath
from connector.core.errors import Finding
from connector.storage import sqlite
from connector.storage.inspect import inspect
from connector.toolkit import http
from connector.toolkit.privacy import Sealer

_LIVE_SECONDS = 1.0


def findings(settings: Settings) -> list[Finding]:
    """What stands in the way on this machine."""
    seen = inspect(settings.database_url, Sealer(settings.privacy.key.get_secret_value()))
    placed = [settings.finding(f.severity, tuple(f.key.split(".")), f.problem, f.mend) for f in seen]
    return [*placed, *_port(settings)]


def looked_at(settings: Settings) -> str:
    """What the check tells besides: which SQLite it is, when there is nothing against it; "" for a server."""
    return sqlite.version() if settings.database_url.startswith("sqlite") and not sqlite.unfit() else ""


def _port(settings: Settings) -> list[Finding]:
    """Whether the web server can listen; our own service that runs already is no obstacle."""
    host, port = settings.server.host, settings.server.port
    path: KeyPath = ("server", "port")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        mend = "write 127.0.0.1 for this machine alone, 0.0.0.0 for all its addresses"
        return [
            settings.finding("error", ("server", "host"), f"«{host}» is no address of this machine", mend)
        ]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            if _ours(host, port):
                return []
            problem, mend = (
                f"port {port} is taken by another program",
                "choose another port, or stop that program",
            )
        elif error.errno == errno.EACCES:
            problem = f"this account may not listen on port {port}"
            mend = "choose one above 1023; the web server in front passes requests on"
        elif error.errno == errno.EADDRNOTAVAIL:
            path, problem = ("server", "host"), f"{host} is no address of this machine"
            mend = "write 127.0.0.1 for this machine alone, 0.0.0.0 for all its addresses"
        else:
            problem, mend = (
                f"nobody can listen on {host}:{port} ({error.strerror})",
                "choose another address or port",
            )
        return [settings.finding("error", path, problem, mend)]
    return []


def _ours(host: str, port: int) -> bool:
    """Whether a connector is what listens there."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    try:
        with http.sync_client(f"http://{shown}:{port}", timeout=_LIVE_SECONDS) as client:
            answer = client.get("/health/live")
    except http.HTTPError:
        return False
    return answer.status_code == 200 and answer.text == "ok"

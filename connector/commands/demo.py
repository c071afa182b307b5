"""``connector demo``: the product between two stand-ins, in one process, with the page in front.

Everything goes over HTTP on the loopback address, as it would outside: Meta's stand-in signs its webhooks and
posts them to the connector, the connector calls its API and a Redmine (a stand-in, or a real one).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connector import mapping as mapping_file
from connector.config.settings import Privacy, Server, Settings, Tracker, WhatsApp
from connector.core.errors import Finding, Misconfigured
from connector.demo.desk import desk_routes
from connector.demo.meta.app import MetaStandIn
from connector.demo.page import page_routes
from connector.demo.redmine.app import RedmineStandIn
from connector.demo.site import Site
from connector.feeds.fetching import Fetched, Fetcher
from connector.jobs.runtime import Pace
from connector.toolkit.observe import configure_logging, get_logger
from connector.toolkit.privacy import new_key
from connector.whatsapp.templates import needed
from connector.wiring import Municipality, Service

log = get_logger(__name__)

BOT_KEY = "b0" * 20
STAFF = {
    "alcalde": "a1" * 20,
    "regidor.centre": "c1" * 20,
    "regidora.platja": "c2" * 20,
    "regidor.muntanya": "c3" * 20,
    "oac": "0a" * 20,
}
"""Public keys of the demo's own Redmine; they open nothing anywhere else."""
PEOPLE = (("Maria Puig", "34600000001", False), ("Joan Ferrer", "34600000002", False), ("Núria Soler", "34600000003", True))  # fmt: skip
_TRACKER_PATH = "/tracker"
_SITE = "https://www.example.org/"
"""The town's website in the mapping; in the demo its feeds come from the demo itself."""


def _mapping() -> Path:
    return Path(__file__).resolve().parents[2] / "mappings" / "sant-cebria.toml"


class _AtHome(Fetcher):
    """Fetches what the mapping has on the town's website from the demo itself."""

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1",))
        self._site = f"{url}/site/"

    async def get(self, url: str, etag: str = "", modified: str = "") -> Fetched:
        home = self._site + url.removeprefix(_SITE) if url.startswith(_SITE) else url
        return await super().get(home, etag, modified)


class Demo:
    """The demo as an object: ``app`` is the whole of it on ``http://127.0.0.1:<port>``."""

    def __init__(
        self,
        port: int,
        folder: Path,
        *,
        redmine: str = "",
        api_key: str = "",
        desk_key: str = "",
        mapping: Path | None = None,
        database: str = "",
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.tracker_url = redmine or self.url + _TRACKER_PATH
        self.redmine = None if redmine else RedmineStandIn(public_url=self.tracker_url)
        app_secret, token, verify = (secrets.token_hex(16) for _ in range(3))
        place = mapping or _mapping()
        town = mapping_file.load(place)
        settings = Settings(
            mapping=place,
            database=database or f"sqlite:///{folder / 'demo.db'}",
            server=Server(port=port),
            whatsapp=WhatsApp(
                api_url=self.url,
                phone_number_id="100000000000001",
                business_account_id="200000000000001",
                access_token=token,
                app_secret=app_secret,
                verify_token=verify,
            ),
            tracker=Tracker(url=self.tracker_url, api_key=api_key or BOT_KEY, poll_every=5),
            privacy=Privacy(key=new_key()),
        )
        self.meta = MetaStandIn(
            webhook_url=f"{self.url}/webhook/whatsapp",
            public_url=self.url,
            app_secret=app_secret,
            access_token=token,
            verify_token=verify,
            verified_name=town.channel.name,
        )
        for name, phone, hidden in PEOPLE:
            self.meta.add_person(name, phone, hidden=hidden)
        keys = ({"staff": desk_key} if desk_key else {}) if redmine else STAFF
        self.site = Site(keys, self._published)
        more = [
            *page_routes(),
            *self.site.routes,
            *desk_routes(
                self.tracker_url,
                keys,
                poll_url=f"{self.url}/demo/poll",
                project=str(town.tracker.project),
                town=town.channel.name,
                publish=True,
            ),
            Route("/demo/poll", self._poll, methods=["POST"]),
        ]
        self.municipality = Municipality(place.stem, settings, town)
        self.service = Service([self.municipality], more=more, pace=Pace(any_hour=True))
        for runtime in self.service.towns.values():
            runtime.fetcher = _AtHome(self.url)
        self.product = self.service.app
        self.app = Starlette(lifespan=self._lifespan)
        self.app.mount("/", self._dispatch)

    async def _poll(self, request: Request) -> Response:
        """Staff just wrote something at the desk: look now instead of at the next poll."""
        await self.service.worker.poll_soon(next(iter(self.service.towns.values())))
        return Response(status_code=202)

    async def _published(self) -> None:
        """Something is on the town's website: look at once instead of when it is due."""
        for runtime in self.service.towns.values():
            await self.service.worker.feeds_soon(runtime)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        target: ASGIApp = self.product
        if path.startswith("/_redmine/") and self.redmine is not None:
            target = self.redmine.app
        elif path.startswith(_TRACKER_PATH + "/") and self.redmine is not None:
            inner = path.removeprefix(_TRACKER_PATH)
            scope = {**scope, "path": inner, "raw_path": inner.encode(), "root_path": ""}
            target = self.redmine.app
        elif path.startswith(("/_phone", "/_media", "/v")):
            target = self.meta.app
        await target(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.meta.start()
        self._templates()
        async with self.service.lifespan():
            published = asyncio.create_task(self._published())  # it needs the server, which runs from now on
            yield
            published.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await published
            await self.meta.stop()

    def _templates(self) -> None:
        """Have the mapping's templates approved, as IT would have done long before."""
        for runtime in self.service.towns.values():
            for body in needed(runtime.town, runtime.texts):
                self.meta.add_template(body)


def _listening(port: int) -> socket.socket:
    """The port, taken: what the service asks of the two stand-ins while it starts waits there until they serve."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )  # its connections have it, too: answers go at once
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        taken.close()
        mend = f"choose another: connector demo --port {port + 1} (make demo PORT={port + 1})"
        raise Misconfigured([Finding("error", f"port {port} is taken by another program", mend)]) from None
    taken.listen(128)
    return taken


def serve(
    *,
    port: int,
    browser: bool,
    redmine: str = "",
    api_key: str = "",
    desk_key: str = "",
    mapping: Path | None = None,
) -> None:
    """Run the demo until interrupted; what was said in it is gone afterwards."""
    if redmine and not api_key:
        raise Misconfigured(
            [Finding("error", "--redmine needs --api-key", "the key of the connector's account there")]
        )
    listening = _listening(port)
    configure_logging(os.environ.get("LOG_LEVEL", "warning"))
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="connector-demo-") as folder:
        demo = Demo(port, Path(folder), redmine=redmine, api_key=api_key, desk_key=desk_key, mapping=mapping)
        server = uvicorn.Server(
            uvicorn.Config(
                demo.app,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=3,
            )
        )

        async def announce() -> None:
            while not server.started:  # noqa: ASYNC110  uvicorn offers no event for it
                await asyncio.sleep(0.05)
            print(f"\n  The demo is at  {demo.url}\n  Stop it with Ctrl+C.\n", flush=True)
            if browser and not os.environ.get("NO_BROWSER"):
                webbrowser.open(demo.url)

        async def both() -> None:
            said = asyncio.create_task(announce())
            await server.serve(sockets=[listening])
            said.cancel()

        # uvicorn stops gracefully and then raises the signal again: this makes that a clean exit
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(both())
        sys.stdout.flush()

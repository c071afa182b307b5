"""The only place that builds objects and joins them: settings and mappings in, a running connector out."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import entry_points, version
from pathlib import Path
from pkgutil import resolve_name

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from connector import config, mapping
from connector.config.settings import Server, Settings, WhatsApp
from connector.core.conversation import Conversation
from connector.core.errors import Finding, Misconfigured, Unavailable
from connector.core.ports import Adapter, Tracker
from connector.core.survey import Survey
from connector.core.texts import Texts
from connector.core.town import Town
from connector.feeds.fetching import Fetcher
from connector.jobs.reloading import Parts, Reloading
from connector.jobs.runtime import DAY, Allowed, Pace, Runtime
from connector.storage.buckets import Rate
from connector.storage.retention import Limits
from connector.storage.sqlite import unfit
from connector.storage.store import Store
from connector.texts import catalogues
from connector.toolkit.clamd import Clamd
from connector.toolkit.media import MB
from connector.toolkit.observe import Metrics, get_logger
from connector.toolkit.privacy import Sealer, WrongKey
from connector.web.app import build_app
from connector.web.health import Health
from connector.web.server import serve, threads
from connector.web.webhook import Webhooks
from connector.whatsapp import account
from connector.whatsapp.client import WhatsAppClient
from connector.worker import Worker

log = get_logger(__name__)

_DATABASE_PATIENCE = 60.0
"""Seconds that a service which starts gives a database that is just being restarted; whoever started it tries again."""


TRACKERS: Mapping[str, str] = {
    "redmine": "connector.trackers.redmine:RedmineTracker",
    "rt": "connector.trackers.rt:RequestTracker",
    "helpdesk": "connector.trackers.helpdesk:HelpdeskTracker",
    "open311": "connector.trackers.open311:Open311Tracker",
    "roundup": "connector.trackers.roundup:RoundupTracker",
}
"""Where our adapters are, by the name in ``[tracker] kind``: what a town does not use is not loaded. The first is what
`connector init` proposes."""
ENTRY_POINTS = "connector.trackers"
"""Group of entry points under which other distributions register theirs."""
_FROM_THE_MAPPING = ("reference_field", "latitude_field", "longitude_field", "address_field", "map_url")


SURVEYS: Mapping[str, str] = {
    "redmine": "connector.trackers.redmine.survey:RedmineSurvey",
    "rt": "connector.trackers.rt.survey:RTSurvey",
    "helpdesk": "connector.trackers.helpdesk.survey:HelpdeskSurvey",
    "roundup": "connector.trackers.roundup.survey:RoundupSurvey",
    "open311": "connector.trackers.open311.survey:Open311Survey",
}
"""By kind of tracker, who looks around in it for ``connector init``; takes address, key and the other settings that are
given. Adapters of others have none."""


def survey(kind: str, url: str, key: str, settings: Mapping[str, str]) -> Survey | None:
    """Who looks around in a tracker, None for a kind that offers nothing to choose from. Raises ``Misconfigured``."""
    try:
        made: Survey | None = resolve_name(SURVEYS[kind])(url, key, settings) if kind in SURVEYS else None
        return made
    except ValidationError as error:
        wrong = ".".join(map(str, error.errors()[0]["loc"]))
        said = str(error.errors()[0]["msg"])
    if wrong in settings:
        finding = Finding(
            "error", f"tracker.{wrong} cannot be used: {said}", "docs/trackers/ has what there is"
        )
    else:
        mend = "the address without «?», the key as one word"
        finding = Finding("error", "this address or key cannot be used", mend)
    raise Misconfigured([finding])


def whatsapp_numbers(api_url: str, account_id: str, token: str) -> dict[str, str]:
    """The numbers of a WhatsApp account as people write them, by phone number id."""

    async def ask() -> dict[str, str]:
        known = WhatsApp(api_url=api_url) if api_url else WhatsApp()
        async with WhatsAppClient(known.api_url, known.api_version, "0", account_id, token) as client:
            return await account.numbers(client)

    return asyncio.run(ask())


@dataclass(frozen=True, slots=True)
class Municipality:
    """One config file, read."""

    name: str
    settings: Settings
    town: Town


def read(paths: Sequence[Path]) -> list[Municipality]:
    """Read config files with their mappings. Raises ``Misconfigured`` with all findings of all of them."""
    found: list[Municipality] = []
    problems: list[Finding] = []
    for path in paths:
        try:
            settings = config.load(path)
            found.append(Municipality(settings.mapping.stem, settings, mapping.load(settings.mapping)))
        except Misconfigured as error:
            problems += error.findings
    problems += _clashes(found)
    if problems:
        raise Misconfigured(problems)
    return found


def _clashes(found: Sequence[Municipality]) -> list[Finding]:
    """What two municipalities of one service must not share, and what they must."""
    problems = []
    for what, values in (
        ("the name of the mapping file", [m.name for m in found]),
        ("whatsapp.phone_number_id", [m.settings.whatsapp.phone_number_id for m in found]),
        ("channel.prefix", [m.town.channel.prefix for m in found]),
    ):
        twice = sorted({v for v in values if values.count(v) > 1})
        problems += [
            Finding("error", f"{what} «{v}» is used by two config files", "give each municipality its own")
            for v in twice
        ]
    databases = {m.settings.database_url for m in found}
    if len(databases) > 1:
        problems.append(
            Finding(
                "error",
                "the config files name different databases",
                "municipalities that are served together share one database; start one service for each otherwise",
                key="database",
            )
        )
    return problems


def open_store(settings: Settings, *, migrate: bool = True, patience: float = 0.0) -> Store:
    """Open the database; without ``migrate`` only when its schema is this program's.

    A PostgreSQL that cannot be reached is waited for, ``patience`` seconds. Raises ``Unavailable`` after that, and
    ``Misconfigured`` when the key is wrong, the database newer than the program, or SQLite one that may damage it.
    """
    # what has no config file (the demo) no command can find, to write beside the service
    if settings.path is not None and settings.database_url.startswith("sqlite") and (found := unfit()):
        raise Misconfigured([settings.finding(f.severity, ("database",), f.problem, f.mend) for f in found])
    until = time.monotonic() + patience
    while True:
        try:
            sealer = Sealer(settings.privacy.key.get_secret_value())
            return Store(settings.database_url, sealer, migrate=migrate, keys=_keys(settings))
        except WrongKey as error:
            raise Misconfigured([settings.finding("error", ("privacy", "key"), str(error))]) from None
        except Unavailable as error:
            if time.monotonic() >= until or settings.database_url.startswith("sqlite"):
                raise
            log.warning("waiting for the database", error=str(error))
            time.sleep(1)


def _keys(settings: Settings) -> Callable[[], str] | None:
    """How to see later what ``privacy.key`` is: it can be changed while the service runs."""
    path = settings.path
    return None if path is None else lambda: config.privacy_key(path)


def limits_of(settings: Settings) -> Limits:
    """How long what is kept."""
    own = settings.privacy
    return Limits(own.keep_days * DAY, own.forget_people_days * DAY, own.evidence_days * DAY)


def allowed(settings: Settings) -> Allowed:
    """How much of one person is taken."""
    own = settings.limits
    messages = Rate(own.messages_per_hour / 3600, own.messages_at_once)
    return Allowed(messages, own.requests_per_day, own.megabytes_per_day * MB)


def make_tracker(municipality: Municipality) -> Tracker:
    """The tracker that the settings name, with what the mapping says of its fields. Raises ``Misconfigured``."""
    settings, town = municipality.settings, municipality.town
    adapter = _adapter(settings)
    given = {
        name: getattr(town.tracker, name)
        for name in _FROM_THE_MAPPING
        if name in adapter.config_type.model_fields
    }
    return adapter(config.tracker_config(settings, adapter.config_type, given))


def _adapter(settings: Settings) -> Adapter:
    kind, where = settings.tracker.kind, ("tracker", "kind")
    if kind in TRACKERS:
        ours: Adapter = resolve_name(TRACKERS[kind])
        return ours
    others = entry_points(group=ENTRY_POINTS)
    if kind not in others.names:
        names = ", ".join(sorted({*TRACKERS, *others.names}))
        problem = settings.finding("error", where, f"there is no tracker «{kind}»", f"use one of: {names}")
        raise Misconfigured([problem])
    try:
        found: Adapter = others[kind].load()
    except Exception as error:
        sentence = f"the adapter «{kind}» cannot be loaded ({type(error).__name__})"
        mend = f"install it anew, or ask who made it: {others[kind].value}"
        raise Misconfigured([settings.finding("error", where, sentence, mend)]) from error
    return found


def make_whatsapp(settings: Settings, *, connections: int = 20) -> WhatsAppClient:
    """The client of the municipality's number, with so many connections at most."""
    own = settings.whatsapp
    return WhatsAppClient(
        own.api_url,
        own.api_version,
        own.phone_number_id,
        own.business_account_id,
        own.access_token.get_secret_value(),
        connections=connections,
    )


def _abreast(crowd: float) -> int:
    """Calls of a broadcast at once, so that its rate is kept though each takes up to a second."""
    return int(min(max(16, crowd), 200))


def _voice(town: Town) -> tuple[Texts, Conversation]:
    texts = Texts(catalogues(town.languages, town.texts))
    return texts, Conversation(town, texts, lambda: secrets.token_hex(6))


def make_clamd(settings: Settings) -> Clamd | None:
    """The virus scanner, None when files are not scanned."""
    return Clamd(settings.media.clamd) if settings.media.clamd else None


class Service:
    """The connector: web application, worker and store of any number of municipalities."""

    def __init__(
        self,
        municipalities: Sequence[Municipality],
        *,
        pace: Pace | None = None,
        more: Sequence[BaseRoute] = (),
        store: Store | None = None,
    ) -> None:
        first = municipalities[0].settings
        self.store = store or open_store(first, patience=_DATABASE_PATIENCE)
        self.store.claim_alone()
        self.metrics = Metrics()
        self.metrics.build.labels(version("connector")).set(1)
        self.towns: Mapping[str, Runtime] = {m.name: self._runtime(m, pace or Pace()) for m in municipalities}
        self.worker = Worker(self.store, self.towns, self.metrics)
        self._municipalities = {m.name: m for m in municipalities}
        self._reloading = Reloading(
            self.store, [(m.settings.mapping, self.towns[m.name]) for m in municipalities], self._rebuild
        )
        every = [m.settings for m in municipalities]
        self.webhooks = Webhooks(
            self.store,
            self.towns,
            self.worker,
            self.metrics,
            secrets=tuple(dict.fromkeys(s for one in every for s in one.whatsapp.app_secrets)),
            verify_tokens=tuple(dict.fromkeys(one.whatsapp.verify_token.get_secret_value() for one in every)),
            tracker_secrets={
                m.name: secret
                for m in municipalities
                if (secret := m.settings.tracker.webhook_secret.get_secret_value())
            },
            max_body=max(one.server.max_body_bytes for one in every),
        )
        self.health = Health(self.store, self.towns, self.worker, self.metrics)
        password = first.server.ops_password.get_secret_value()
        # both are off by default, and then not loaded either
        self.ops = None
        if first.server.ops:
            from connector.web.ops import Ops

            self.ops = Ops(self.store, self.towns, self.worker, password)
            more = [*more, *self.ops.routes()]
        urls = {m.name: url for m in municipalities if (url := m.settings.server.open_data_url)}
        self.open311 = None
        if urls:
            from connector.web.open311 import Open311

            self.open311 = Open311(self.towns, urls)
            more = [*more, *self.open311.routes()]
        self.app: Starlette = build_app(self.webhooks, self.health, self.lifespan, more)

    def _runtime(self, municipality: Municipality, pace: Pace) -> Runtime:
        settings = municipality.settings
        texts, conversation = _voice(municipality.town)
        crowd = settings.whatsapp.messages_per_second * settings.whatsapp.broadcast_percent / 100
        return Runtime(
            name=municipality.name,
            town=municipality.town,
            texts=texts,
            conversation=conversation,
            store=self.store,
            whatsapp=make_whatsapp(settings),
            tracker=make_tracker(municipality),
            channel=settings.whatsapp.phone_number_id,
            bulk=make_whatsapp(settings, connections=_abreast(crowd)),
            crowd=crowd,
            abreast=_abreast(crowd),
            poll_every=settings.tracker.poll_every,
            rate=Rate(settings.whatsapp.messages_per_second, settings.whatsapp.messages_per_second),
            pace=pace,
            limits=limits_of(settings),
            allowed=allowed(settings),
            files=settings.media.rules,
            clamd=make_clamd(settings),
            noise=secrets.token_bytes,
            fetcher=Fetcher(settings.feeds.hosts),
        )

    def _rebuild(self, name: str, town: Town) -> Parts:
        """What follows from a changed mapping, checked as at the start. Raises ``Misconfigured``."""
        before = self._municipalities[name]
        after = replace(before, town=town)
        problems = _clashes([*(m for m in self._municipalities.values() if m is not before), after])
        if problems:
            raise Misconfigured(problems)
        # what the adapter has looked up stays good as long as it is configured alike
        same = town.tracker == before.town.tracker
        tracker = self.towns[name].tracker if same else make_tracker(after)
        self._municipalities[name] = after
        return town, *_voice(town), tracker

    @asynccontextmanager
    async def lifespan(self, _: Starlette | None = None) -> AsyncIterator[None]:
        """Work while the application runs; stop within ten seconds."""
        async with threads():
            await self.worker.start()
            watching = asyncio.create_task(self._reloading.watch())
            try:
                yield
            finally:
                watching.cancel()
                await self.worker.stop()
                for town in self.towns.values():
                    await town.whatsapp.aclose()
                    await town.bulk.aclose()
                self.store.close()

    def serve(self, server: Server) -> None:
        """Serve until SIGTERM or SIGINT, then stop within ten seconds."""
        serve(self.app, server.host, server.port, self.worker.drain)

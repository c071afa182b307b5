"""The only place that builds objects and joins them: settings and mappings in, a running connector out."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from connector import config, mapping
from connector.core.conversation import Conversation
from connector.core.errors import Finding, Misconfigured
from connector.core.ports import Tracker
from connector.core.texts import Texts
from connector.core.town import Town
from connector.jobs.runtime import Pace, Runtime
from connector.settings import Settings
from connector.storage.store import Store
from connector.texts import catalogues
from connector.toolkit.observe import Metrics
from connector.toolkit.privacy import Sealer, WrongKey
from connector.trackers.redmine import Config as RedmineConfig
from connector.trackers.redmine import RedmineTracker
from connector.web.app import build_app
from connector.web.health import Health
from connector.web.webhook import Webhooks
from connector.whatsapp.client import WhatsAppClient
from connector.worker import Worker


def _redmine(settings: Settings, town: Town) -> Tracker:
    own = town.tracker
    given = {
        "reference_field": own.reference_field,
        "latitude_field": own.latitude_field,
        "longitude_field": own.longitude_field,
        "address_field": own.address_field,
        "map_url": own.map_url,
    }
    return RedmineTracker(config.tracker_config(settings, RedmineConfig, given))


TRACKERS = {"redmine": _redmine}
"""Adapters by the name in ``[tracker] kind``."""


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


def open_store(settings: Settings) -> Store:
    """Open the database. Raises ``Misconfigured`` when the key is wrong or the database newer than the program."""
    try:
        return Store(settings.database_url, Sealer(settings.privacy.key.get_secret_value()))
    except WrongKey as error:
        raise Misconfigured([settings.finding("error", ("privacy", "key"), str(error))]) from None


def make_tracker(municipality: Municipality) -> Tracker:
    """The adapter that the settings name. Raises ``Misconfigured``."""
    settings = municipality.settings
    kind = settings.tracker.kind
    if kind not in TRACKERS:
        names = ", ".join(sorted(TRACKERS))
        raise Misconfigured(
            [
                settings.finding(
                    "error", ("tracker", "kind"), f"there is no tracker «{kind}»", f"use one of: {names}"
                )
            ]
        )
    return TRACKERS[kind](settings, municipality.town)


def make_whatsapp(settings: Settings) -> WhatsAppClient:
    """The client of the municipality's number."""
    own = settings.whatsapp
    return WhatsAppClient(
        own.api_url,
        own.api_version,
        own.phone_number_id,
        own.business_account_id,
        own.access_token.get_secret_value(),
    )


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
        self.store = store or open_store(first)
        self.store.claim_alone()
        self.metrics = Metrics()
        self.towns: Mapping[str, Runtime] = {m.name: self._runtime(m, pace or Pace()) for m in municipalities}
        self.worker = Worker(self.store, self.towns, self.metrics)
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
        self.app: Starlette = build_app(self.webhooks, self.health, self.lifespan, more)

    def _runtime(self, municipality: Municipality, pace: Pace) -> Runtime:
        town, settings = municipality.town, municipality.settings
        texts = Texts(catalogues(town.languages, town.texts))
        return Runtime(
            name=municipality.name,
            town=town,
            texts=texts,
            conversation=Conversation(town, texts, lambda: secrets.token_hex(6)),
            store=self.store,
            whatsapp=make_whatsapp(settings),
            tracker=make_tracker(municipality),
            channel=settings.whatsapp.phone_number_id,
            poll_every=settings.tracker.poll_every,
            pace=pace,
            noise=secrets.token_bytes,
        )

    @asynccontextmanager
    async def lifespan(self, _: Starlette | None = None) -> AsyncIterator[None]:
        """Work while the application runs; stop within ten seconds."""
        await self.worker.start()
        try:
            yield
        finally:
            await self.worker.stop()
            for town in self.towns.values():
                await town.whatsapp.aclose()
            self.store.close()

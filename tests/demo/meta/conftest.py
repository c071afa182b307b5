"""A stand-in with synthetic people, in process and over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from meta_support import SECRET, TOKEN, VERIFY, Api, Clock, Served, Town

from connector.demo.meta import MetaStandIn


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def make(clock: Clock, town: Town) -> Callable[..., MetaStandIn]:
    def build(**options: Any) -> MetaStandIn:
        return MetaStandIn(
            **{
                "webhook_url": "http://town.invalid/webhook/whatsapp",
                "public_url": "http://meta.invalid",
                "app_secret": SECRET,
                "access_token": TOKEN,
                "verify_token": VERIFY,
                "clock": clock,
                "seed": 7,
                "transport": httpx.ASGITransport(town.app),
                **options,
            }
        )

    return build


@pytest.fixture
def meta(make: Callable[..., MetaStandIn]) -> MetaStandIn:
    return make()


@pytest.fixture
def api(meta: MetaStandIn) -> Api:
    return Api(meta)


@pytest.fixture
def served_meta(make: Callable[..., MetaStandIn]) -> Iterator[MetaStandIn]:
    """Over real HTTP; its webhooks reach the town hall in the same process."""
    service = make()
    with Served(service.app) as served:
        service.public_url = served.url
        yield service

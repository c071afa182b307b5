"""The business number's health: asked now and then, shown in the metrics, and a refused token is noticed on a quiet day."""

from __future__ import annotations

import httpx
from prometheus_client import generate_latest

from connector.jobs import account

from .rig import Rig


def ask(rig: Rig) -> None:
    rig.demo.service.store.write_now(lambda c: account.soon(c, rig.town, rig.now(), int(rig.now())))
    rig.later(1)


def metrics(rig: Rig) -> str:
    rig.loop.run_until_complete(rig.demo.service.worker.ticks._gauges())
    return generate_latest(rig.demo.service.metrics.registry).decode()


def test_quality_limit_and_token_are_shown(rig: Rig) -> None:
    ask(rig)
    told = metrics(rig)
    for line in (
        'connector_number_quality{town="sant-cebria"} 3.0',
        'connector_number_limit{town="sant-cebria"} 2000.0',
        'connector_token_accepted{town="sant-cebria"} 1.0',
    ):
        assert line in told


def test_a_refused_token_is_noticed_and_stops_the_sender(rig: Rig) -> None:
    rig.whatsapp_fault(match="any", error=190, http=401)
    ask(rig)
    told = metrics(rig)
    assert 'connector_token_accepted{town="sant-cebria"} 0.0' in told
    assert 'connector_number_quality{town="sant-cebria"} 3.0' in told, "what was known before stays known"
    assert rig.paused() == ["whatsapp"] and not rig.failed()
    rig.citizen().type("Hola")
    rig.later(1000)
    ask(rig)
    assert 'connector_token_accepted{town="sant-cebria"} 1.0' in metrics(rig) and rig.paused() == []


def test_whatsapp_being_away_leaves_nothing_behind(rig: Rig) -> None:
    rig.whatsapp_fault(match="any", http=502)
    ask(rig)
    assert not rig.failed() and rig.rounds.count("number") <= 1
    assert rig.sql("SELECT count(*) FROM work WHERE kind = 'number' AND ended_at IS NULL") == [(0,)]


def test_news_of_the_account_have_it_looked_at(rig: Rig) -> None:
    change = {"field": "phone_number_quality_update", "value": {"event": "ONBOARDING"}}
    told = {"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "changes": [change]}]}
    httpx.post(f"{rig.url}/_phone/webhook", json={"payload": told}).raise_for_status()
    rig.work()
    assert "number" in rig.rounds

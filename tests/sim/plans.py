"""One hand-written plan for each fault that was ever found: the shortest history that shows it.

Each is a function that makes the plan anew: plans remember what has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.e2e.way import words

from .network import Fate
from .plan import HOUR, Outage, Plan

PLANS: dict[str, Callable[[], Plan]] = {}


def plan(make: Callable[[], Plan]) -> Callable[[], Plan]:
    """Lists a plan under its function's name."""

    def named() -> Plan:
        made = make()
        made.name = make.__name__
        return made

    PLANS[make.__name__] = named
    return named


def _one(**more: Any) -> Plan:
    """One person with one request, in a world where nothing goes wrong but what is written."""
    defaults: dict[str, Any] = {
        "seed": 7,
        "people": 1,
        "requests": 1,
        "notes": 1,
        "rough": 1500.0,
        "photo": False,
        "place": False,
        "patience": HOUR,
    }
    return Plan(**{**defaults, **more})


def _is(request: httpx.Request, method: str, path: str, holds: str = "") -> bool:
    return (
        request.method == method and path in request.url.path and holds in str(request.url) + _body(request)
    )


def _body(request: httpx.Request) -> str:
    return request.content.decode("utf-8", "replace") if hasattr(request, "_content") else ""


@plan
def a_search_that_fails_proves_nothing() -> Plan:
    """The ticket's POST arrives a minute late, its answer never; the search after it fails. No second ticket."""
    seen = {"post": 0, "search": 0}

    def calls(name: str, request: httpx.Request, n: int) -> Fate | None:
        if _is(request, "POST", "/issues.json"):
            seen["post"] += 1
            return Fate(before=60, lost="after") if seen["post"] == 1 else None
        if seen["post"] == 1 and _is(request, "GET", "/issues.json", "f%5B%5D=cf_2"):
            seen["search"] += 1
            return Fate(status=500, effect=False) if seen["search"] == 1 else None
        return None

    return _one(calls=calls)


def _full_after(method: str, path: str, holds: str = "", commits: int = 4) -> Plan:
    """The disk is full for the next commits once that call was carried out."""
    left = {"n": 0, "armed": True}

    def calls(name: str, request: httpx.Request, n: int) -> Fate | None:
        if left["armed"] and _is(request, method, path, holds):
            left["armed"], left["n"] = False, commits
            return Fate(before=0.0, after=0.0)
        return None

    def full(number: int, when: str) -> str:
        if when == "before" and left["n"]:
            left["n"] -= 1
            return "full"
        return ""

    return _one(calls=calls, commits=full)


@plan
def a_ticket_that_was_made_stays_made_though_the_disk_is_full() -> Plan:
    """The tracker made the ticket, and that cannot be stored for a while."""
    return _full_after("POST", "/issues.json")


@plan
def a_message_that_was_sent_stays_sent_though_the_disk_is_full() -> Plan:
    """WhatsApp took the receipt, and that cannot be stored for a while."""
    return _full_after("POST", "/messages", "receipt-say")


@plan
def silence_while_nobody_listens_proves_nothing() -> Plan:
    """WhatsApp takes the receipt, the program dies before it hears of it and is away while its status comes."""
    died = {"once": False}

    def calls(name: str, request: httpx.Request, n: int) -> Fate | None:
        if not died["once"] and _is(request, "POST", "/messages", "receipt-say"):
            died["once"] = True
            return Fate(dies="after")
        return None

    return _one(calls=calls, away=(235.0, 235.0))


@plan
def a_message_that_comes_with_the_alarm_is_in_the_summary() -> Plan:
    """The program dies as soon as the second message is stored; when it is back the alarm of the first is due as well."""
    seen = {"second": False, "died": False}

    def calls(name: str, request: httpx.Request, n: int) -> Fate | None:
        if name == "webhook" and "b Hi ha un fanal" in _body(request):
            seen["second"] = True
            return Fate(before=0.0, after=0.0)
        return None

    def dies(number: int, when: str) -> str:
        if when == "after" and seen["second"] and not seen["died"]:
            seen["died"] = True
            return "die"
        return ""

    return _one(calls=calls, commits=dies, gap=3.0, away=(30.0, 30.0))


def _late_put(holds: str) -> Callable[[str, httpx.Request, int], Fate | None]:
    seen = {"n": 0}

    def calls(name: str, request: httpx.Request, n: int) -> Fate | None:
        if _is(request, "PUT", "/issues/", holds):
            seen["n"] += 1
            return Fate(before=70, lost="after") if seen["n"] == 1 else None
        return None

    return calls


@plan
def a_file_that_arrives_late_is_there_once() -> Plan:
    """The PUT that puts a photo on the ticket arrives after we stopped waiting for its answer."""
    return _one(calls=_late_put("uploads"), photo=True)


@plan
def a_note_that_arrives_late_is_there_once() -> Plan:
    """The same with an internal note, the report about an answer."""
    return _one(calls=_late_put("private_notes"), kinds=("public",))


_OUT = Outage("redmine", 200, 200 + 1.03 * HOUR, "500")
"""The tracker is away for an hour in which staff write: somebody who begins at 10 has a ticket by then."""


def _soon(world: Any, seconds: float, after: float) -> list[str]:
    """What staff wrote in the outage is on the phone so soon after that moment."""
    found = []
    waited = [n for n in world.staff.notes if _OUT.begins < n.written < _OUT.ends]
    if not waited:
        found.append("no answer was written in the outage")
    for note in waited:
        for citizen in world.citizens:
            for message in citizen.chat():
                late = message["at"] - world.began - after
                if note.token in words(message) and late > seconds:
                    found.append(f"note {note.token} came {late:.0f} s after it could")
    return found


@plan
def polls_go_on_as_soon_as_the_tracker_is_back() -> Plan:
    """After an hour's outage answers come within three minutes."""
    return _one(
        rough=_OUT.ends + 600,
        outages=[_OUT],
        kinds=("public",),
        think=400,
        begins=(10.0,),
        also=lambda world: _soon(world, 180, _OUT.ends),
    )


@plan
def a_failure_that_cannot_be_stored_is_stored_later() -> Plan:
    """The tracker is refused once, and that cannot be stored at first: the ticket does not wait for the lease."""
    state = {"n": 0, "armed": True, "at": 0.0}

    def calls(name: str, request: httpx.Request, n: int) -> Fate | None:
        if state["armed"] and _is(request, "POST", "/issues.json"):
            state.update(armed=False, n=2, at=made.now())
            return Fate(before=0.0, refused=True)
        return None

    def full(number: int, when: str) -> str:
        if when == "before" and state["n"]:
            state["n"] -= 1
            return "full"
        return ""

    def soon(world: Any) -> list[str]:
        made_at = [i.created_on.timestamp() - world.began for i in world.redmine.db.issues.values()]
        late = [at - float(state["at"]) for at in made_at if at > float(state["at"]) + 15]
        return [f"the ticket came {at:.0f} s after the refusal" for at in late if at < 1000]

    made = _one(calls=calls, commits=full, also=soon)
    return made


@plan
def an_answer_a_day_later_waits_for_the_tap() -> Plan:
    """Staff answer after the customer service window has closed: a template, a tap, the answer."""

    def calls(name: str, request: httpx.Request, n: int) -> Fate | None:
        return Fate() if _is(request, "POST", "/messages", '"template"') else None

    def announced(world: Any) -> list[str]:
        templates = [m for c in world.citizens for m in c.chat() if m["type"] == "template"]
        return [] if len(templates) == 1 else [f"{len(templates)} templates"]

    return _one(days=1.0, kinds=("public",), poll_every=900, patience=72 * HOUR, calls=calls, also=announced)

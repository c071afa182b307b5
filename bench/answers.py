"""From an answer on the ticket to the phone: by polling, and when the tracker pushes."""

from __future__ import annotations

import time

from tests.e2e.way import Way, reference_in, until, words

from ._report import Options, Section
from ._stage import folder, redmine_of_its_own, whole_way

INTERVAL = 5


def measure(options: Options) -> Section:
    section = Section("An answer on its way")
    _measured(section, "on Redmine's stand-in", "", options)
    if not options.quick:
        with redmine_of_its_own() as real:
            if real is not None:
                _measured(section, "on a real Redmine", real.url, options)
    return section


def _measured(section: Section, where: str, redmine: str, options: Options) -> None:
    with folder() as place, whole_way(place, redmine) as (way, _):
        phone = way.phone("Persona", "+34600000001")
        phone.type("Hola")
        phone.next()
        phone.tap("consent:yes")
        phone.next()
        phone.tap("menu:mayor")
        phone.next()
        phone.type("El fanal de davant de casa no s'encén")
        phone.next()
        phone.tap("draft:send")
        reference = reference_in(phone.next())
        staff = way.staff("alcalde")
        (ticket,) = until("the ticket", lambda: staff.tickets(reference))
        pushed, polled = [], []
        for n in range(options.rounds):
            pushed.append(_took(way, phone, ticket["id"], f"Demà hi anem, {n}", push=True))
            if not options.quick:
                polled.append(_took(way, phone, ticket["id"], f"Ja hi som, {n}", push=False))
    most = INTERVAL + 1
    if polled:
        section.figure(
            f"answer → phone {where}, polled every {INTERVAL} s",
            polled,
            "s",
            f"≤ {most}",
            lambda s: s <= most,
        )
    section.figure(f"answer → phone {where}, pushed", pushed, "s", "≤ 2", lambda s: s <= 2)


def _took(way: Way, phone: object, number: int, note: str, *, push: bool) -> float:
    """Seconds from when the tracker had the note until the phone had it."""
    way.staff("alcalde").write(number, note)
    began = time.monotonic()
    if push:
        way.push()
    until("the answer", lambda: any(note in words(m) for m in phone.messages()))  # type: ignore[attr-defined]
    return time.monotonic() - began

"""Messages that are sent until a request has its receipt: each is paid for."""

from __future__ import annotations

from functools import partial
from operator import ge

from tests.jobs.rig import Citizen, Rig, rig

from ._report import Options, Section
from ._stage import folder


def measure(options: Options) -> Section:
    section = Section("Messages sent for one request")
    section.notes.append("Menu bots send 6–8.")
    with folder() as place, rig(place) as r:
        citizen = r.citizen()
        new = _request(r, citizen, "Hola", "consent:yes", "menu:mayor")
        again = _request(r, citizen, "Hola", "menu:mayor")
        direct = _straight(r, citizen)
    for who, sent, most in (
        ("a new person", new, 5),
        ("a person who comes back", again, 4),
        ("a person who comes back and just writes what it is about", direct, 4),
    ):
        section.figure(f"{who}, until the receipt", [len(sent)], "", f"≤ {most}", partial(ge, most))
        section.notes.append(f"To {who}: " + "; ".join(f"{i}. «{text}»" for i, text in enumerate(sent, 1)))
    return section


def _request(r: Rig, citizen: Citizen, *steps: str) -> list[str]:
    """First words of each message on the way to a receipt, step by step through the menu."""
    citizen.new()
    for step in steps:
        if ":" in step:
            citizen.tap(step)
        else:
            citizen.type(step)
    return _finish(r, citizen)


def _straight(r: Rig, citizen: Citizen) -> list[str]:
    """The text first; whom it is for is asked then."""
    citizen.new()
    citizen.type("El fanal de davant de casa no s'encén")
    r.later(30)
    citizen.tap("menu:mayor")
    r.later(30)
    return _send(r, citizen)


def _finish(r: Rig, citizen: Citizen) -> list[str]:
    citizen.type("El fanal de davant de casa no s'encén")
    r.later(30)
    return _send(r, citizen)


def _send(r: Rig, citizen: Citizen) -> list[str]:
    citizen.tap("draft:send")
    r.later(1)
    return [" ".join(words.split())[:70] for words in citizen.said()]

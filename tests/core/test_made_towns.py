"""Towns nobody has seen, at the limits of their mapping, and people who do anything: nothing breaks, nothing is lost.

What must hold after every step is in ``talk.py``: messages that WhatsApp takes, states that survive JSON, and
pieces of a request that are there once until they are sent or given up.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.core.address import Address
from connector.core.events import Say, Submit, Wake
from connector.core.incoming import (
    AddressChangedIn,
    ContactsIn,
    EditIn,
    MediaIn,
    MediaKind,
    ReactionIn,
    ReplyIn,
    RevokeIn,
    TextIn,
    UnknownIn,
    UnsupportedIn,
)
from connector.core.town import Councillor, Option, Page, Town
from tests.fuzz import examples

from .talk import TOWN, Citizen, ids_of, newcomer

LETTERS = st.characters(min_codepoint=32, max_codepoint=0x1FAFF, exclude_categories=("Cs", "Cc", "Cn", "Co"))
SPOKEN = ("*", "ca", "es", "en")


def text(most: int, least: int = 1) -> st.SearchStrategy[str]:
    """A text that is more than blanks, often as long as it may be."""
    long = st.sampled_from("abcdè ·ç’").flatmap(lambda c: st.just(f"X{c * (most - 2)}Y"))
    return st.one_of(st.text(LETTERS, min_size=least, max_size=most).filter(lambda t: bool(t.strip())), long)


def local(most: int) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(SPOKEN), text(most), min_size=1, max_size=4)


@st.composite
def towns(draw: st.DrawFn) -> Town:
    kinds = draw(st.lists(st.sampled_from(["info", "request", "request"]), min_size=1, max_size=14))
    if draw(st.booleans()):
        kinds[draw(st.integers(0, len(kinds) - 1))] = "councillor"
    menu = tuple(
        Option(
            key=f"o{n}", kind=kind, title=draw(local(24)), description=draw(local(72)), to=draw(local(80)),  # type: ignore[arg-type]
            prompt=draw(st.just({}) | local(1500)), place=draw(st.sampled_from(["optional", "ask", "required"])),
        )
        for n, kind in enumerate(kinds)
    )  # fmt: skip
    some, role = draw(st.integers(0, 30)), draw(local(60))
    people = tuple(
        Councillor(
            key=f"c{n}", name=f"{draw(text(24)) if n < 3 else 'Nom'} {n}", role=role, neighbourhood="Barri"
        )
        for n in range(some)
    )
    body = draw(local(4000))
    pages = tuple(
        Page(key=f"p{n}", title={"*": f"Pàgina {n}"}, body=body if n % 2 else {"*": "Breu"},
             url=draw(st.sampled_from(["", "https://www.example.org/x"])))
        for n in range(draw(st.integers(0, 25)))
    )  # fmt: skip
    languages = draw(st.sampled_from([("ca",), ("es", "ca"), ("ca", "es", "en"), ("en", "es")]))
    channel = TOWN.channel.model_copy(update={"languages": languages, "name": draw(text(60))})
    return TOWN.model_copy(
        update={"menu": menu, "councillors": people, "pages": pages, "channel": channel, "texts": {}}
    )


TYPED = st.one_of(
    st.sampled_from([
        "hola", "Bon dia!", "menú", "0", "1", "2", "3", "4", "9", "14", "25", "envia", "cancel·la", "continua", "lloc", "english",
        "castellà", "català", "idioma", "sí", "no", "ok", "👍", "més", "anteriors", "gràcies", "accepto", "no accepto", "ajuda", "",
        " ", "Hi ha un forat al carrer Major", "Nom 3", "a la brigada", "SCV-7K3F-9Q", "x\n\ny\r\nz\u2028", "*_~`>",
    ]),
    st.text(LETTERS, max_size=80),
    st.text(LETTERS, max_size=80).map(lambda t: (t or "a") * 51),
)  # fmt: skip
WHICH = st.integers(0, 10_000)
CAPTION = st.none() | st.sampled_from(["", " ", "una foto", "l" * 1024])
MOVES = st.one_of(
    st.tuples(st.just("type"), TYPED),
    st.tuples(st.just("type"), TYPED),
    st.tuples(st.just("tap"), WHICH),
    st.tuples(st.just("tap"), WHICH),
    st.tuples(st.just("old tap"), WHICH),
    st.tuples(st.sampled_from(list(MediaKind)), CAPTION),
    st.tuples(st.just("voice"), st.none()),
    st.tuples(st.just("place"), st.none()),
    st.tuples(st.just("edit"), st.tuples(WHICH, st.sampled_from(["text", "media", "unknown"]), TYPED)),
    st.tuples(st.just("revoke"), WHICH),
    st.tuples(st.just("wait"), st.none()),
    st.tuples(st.just("wait"), st.none()),
    st.tuples(st.just("later"), st.sampled_from([-1.0, 0.01, 1, 7, 24 * 40])),
    st.tuples(st.just("send"), st.sampled_from([
        ContactsIn(("Algú",)), UnsupportedIn("poll_creation", 131051), UnsupportedIn("", 131052), UnsupportedIn("", 131060),
        UnknownIn("hologram"), ReactionIn("👍", "wamid.x"), AddressChangedIn(Address(phone="34600000009")),
    ])),
    st.tuples(st.just("odd tap"), st.one_of(st.text(max_size=40), st.sampled_from([
        "menu:", "menu:gone", "page:x", "choice:x", "more:", "more:whom.1", "more:home.-1", "more:lang.9", "more:info.٣", "lang:",
        "lang:xx", "draft:", "draft:keep", "draft:send", "rate:SCV:5", "topic:x", "reply:SCV", "request:x", "consent:maybe", ":::",
    ]))),
)  # fmt: skip
SILENT = ("wait", "later", "revoke", "send")


@given(towns(), st.lists(MOVES, min_size=1, max_size=30), st.booleans())
@settings(
    max_examples=examples(120),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
def test_anybody_anywhere(town: Town, moves: list[tuple[str, Any]], agreed: bool) -> None:
    citizen = newcomer(town)
    if agreed:
        citizen.go("Hola", "consent:yes")
    for move, value in moves:
        at = len(citizen.done)
        knew = citizen.talk.consent.given(citizen.state)
        _do(citizen, move, value)
        new = citizen.done[at:]
        if knew and move not in SILENT:
            assert any(isinstance(e, Say | Wake | Submit) for e in new), (move, value)
        if not knew and not citizen.talk.consent.given(citizen.state):
            assert not any(isinstance(e, Submit) for e in new)
            before_yes = citizen.state.draft is None or citizen.state.consent_at
            assert before_yes, "nothing is kept of somebody who never accepted"


def _do(citizen: Citizen, move: str, value: Any) -> None:
    offered = [(i, s.about) for s in citizen.said for i in ids_of(s.message) if i != "(place)"]
    match move:
        case "type":
            citizen.type(value)
        case "tap" if offered:
            recent = offered[-12:]
            citizen.tap(*recent[value % len(recent)])
        case "old tap" if offered:
            citizen.tap(*offered[value % len(offered)])
        case "odd tap":
            citizen.send(ReplyIn(value, ""))
        case "voice":
            citizen.photo(kind=MediaKind.AUDIO, voice=True)
        case "place":
            citizen.place()
        case "edit":
            which, kind, words = value
            media = MediaIn(MediaKind.IMAGE, "m", "image/jpeg", caption=words)
            new = {"text": TextIn(words), "media": media, "unknown": UnknownIn("x")}[kind]
            citizen.send(EditIn("w", new), original_key=f"k{which % (citizen.count + 2)}")
        case "revoke":
            citizen.send(RevokeIn("w"), original_key=f"k{value % (citizen.count + 2)}")
        case "wait":
            citizen.wait()
        case "later":
            citizen.later(value)
        case "send":
            citizen.send(value)
        case MediaKind():
            citizen.photo(value, kind=move)
        case _:
            citizen.type("hola")


@given(towns())
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_every_option_is_reached_by_tapping_and_by_its_number(town: Town) -> None:
    """Walks every list to its end, and types every number from the first page."""
    begins = {"menu:home": [f"menu:{o.key}" for o in town.menu]}
    info = next((o for o in town.menu if o.kind == "info"), None)
    people = next((o for o in town.menu if o.kind == "councillor"), None)
    if info:
        begins[f"menu:{info.key}"] = [f"page:{p.key}" for p in town.pages]
    if people:
        begins[f"menu:{people.key}"] = [f"choice:{c.key}" for c in town.councillors]
    for begin, wanted in begins.items():
        citizen = newcomer(town)
        citizen.go("Hola", "consent:yes")
        citizen.tap(begin)
        assert list(citizen.state.shown)[: len(wanted)] == wanted
        reached: list[str] = []
        while True:
            rows = citizen.last.rows  # type: ignore[union-attr]
            for row in rows:
                if row.id in wanted:
                    reached.append(row.id)
                    assert row.title.startswith(f"{wanted.index(row.id) + 1}.")
            onward = citizen.state.turns[1]
            if not onward:
                break
            assert onward in ids_of(citizen.last)
            citizen.tap(onward)
        assert reached == wanted

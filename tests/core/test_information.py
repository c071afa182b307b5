"""Pages as citizens see them: from sources and hours, found by a word; alerts above the menu; 112 first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.core import asked, search
from connector.core.board import Board, Copy, Item
from connector.core.incoming import EditIn, MediaIn, MediaKind, TextIn
from connector.core.information import Alert, Emergency, Entry, Page
from connector.core.outgoing import ButtonsOut, ListOut
from connector.core.town import Town

from .talk import TOWN, Citizen, accepted, body_of, ids_of, newcomer, writing

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC).timestamp()  # a Tuesday, 10:00 in Sant Cebrià
DAY = 86_400.0


def news(n: int, length: int = 60, **more: object) -> Item:
    text = (f"Text de la notícia {n}. " * 200)[: length * 10]
    made = Item(
        f"n{n}", f"Notícia número {n}", text[:length], text, f"https://www.example.org/n/{n}", NOW - n * DAY
    )
    return replace(made, **more)  # type: ignore[arg-type]


def shown(
    page: str, *items: Item, at: float = NOW, lang: str = "ca", town: Town = TOWN, now: float = NOW
) -> Citizen:
    """Somebody who opened ``page`` while its source said ``items``."""
    citizen = accepted(town, lang)
    citizen.board = Board({page: Copy(items, at)})
    citizen.now = now
    citizen.tap(f"page:{page}")
    return citizen


# --- news ------------------------------------------------------------------------------------------


def test_the_newest_items_are_one_message_with_dates_and_links() -> None:
    citizen = shown("news", *(news(n) for n in range(30)))
    body = body_of(citizen.last)
    assert [f"Notícia número {n}*" in body for n in range(6)] == [True] * 5 + [False]
    assert "_dimarts, 24 de novembre_" in body and "_dilluns, 23 de novembre_" in body
    assert "https://www.example.org/n/4" in body and body.index("n/0") < body.index("n/1")
    assert "https://www.example.org/noticies" in body, "where there are more"
    assert ids_of(citizen.last)[:2] == ["page:news/n0", "page:news/n1"]


@pytest.mark.parametrize(("lang", "date"), [("ca", "dimarts, 24 de novembre"), ("es", "martes, 24 de noviembre"), ("en", "Tuesday, November 24")])  # fmt: skip
def test_dates_are_of_the_language(lang: str, date: str) -> None:
    assert f"_{date}_" in body_of(shown("news", news(0), lang=lang).last)


def test_last_years_news_say_their_year() -> None:
    assert "_18 de novembre del 2025_" in body_of(shown("news", news(371)).last)


def test_an_item_is_read_whole_by_tap_or_number_and_back_again() -> None:
    citizen = shown("news", *(news(n) for n in range(5)))
    citizen.type("2")
    assert body_of(citizen.last).count("Text de la notícia 1.") > 20
    assert "https://www.example.org/n/1" in body_of(citizen.last)
    citizen.tap(ids_of(citizen.last)[0])
    assert "Notícia número 0" in body_of(citizen.last)


def test_long_items_are_cut_between_items_never_inside() -> None:
    # summaries are cut where they are made; here only whole items count
    town = TOWN.model_copy(update={"pages": tuple(p.model_copy(update={"show": 8}) for p in TOWN.pages)})
    items = [news(n, 300, title="T" * 150, url="https://www.example.org/" + "u" * 260) for n in range(8)]
    citizen = shown("news", *items, town=town)
    body = body_of(citizen.last)
    assert 2500 < len(body) <= 4096
    whole = [item for item in items if item.summary in body]
    assert 3 < len(whole) < 8 and ids_of(citizen.last)[: len(whole)] == [f"page:news/{i.id}" for i in whole]
    assert body.count("TTT*") == len(whole) and "\nhttps://www.example.org/noticies\n" in body
    assert body.rstrip().endswith("*0.* Menú")


def test_short_news_are_buttons_without_numbers() -> None:
    citizen = shown("notices", Item("a", "Tall d’aigua", "Dijous de 9 a 13 h", at=NOW))
    assert isinstance(citizen.last, ButtonsOut) and "*Tall d’aigua*" in body_of(citizen.last)


def test_nothing_published_and_nothing_known() -> None:
    assert "no hi ha res publicat" in body_of(shown("news").last)
    citizen = accepted()
    citizen.tap("page:news")
    body = body_of(citizen.last)
    assert "no t’ho podem mostrar" in body and "https://www.example.org/noticies" in body


@pytest.mark.parametrize("page", ["news", "agenda"])
def test_an_old_copy_says_how_old_it_is(page: str) -> None:
    item = Item("a", "Mercat", at=NOW + 3600)
    assert "Dades de" not in body_of(shown(page, item, at=NOW - 3000).last)
    body = body_of(shown(page, item, at=NOW - 2 * DAY).last)
    assert (
        "_Dades de dg. 22 de nov., 10:00: ara mateix no les podem posar al dia._" in body and "Mercat" in body
    )


def test_an_item_that_is_gone_leads_to_its_page() -> None:
    citizen = shown("news", news(1))
    citizen.tap("page:news/long-gone")
    assert "Notícia número 1" in body_of(citizen.last)
    citizen.tap("page:nowhere/x")
    assert "menu:info" in ids_of(citizen.last)


# --- the agenda ------------------------------------------------------------------------------------


def event(title: str, begins: str, ends: str = "", **more: object) -> Item:
    def moment(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Madrid")).timestamp()

    until = moment(ends) if ends else None
    return Item(title, title, at=moment(begins), until=until, **more)  # type: ignore[arg-type]


EVENTS = (
    event("Exposició", "2026-10-01T00:00", "2026-12-10T00:00", whole_day=True, place="Museu"),
    event("Ja passat", "2026-11-24T08:00", "2026-11-24T09:30"),
    event("Ara mateix", "2026-11-24T09:30", "2026-11-24T11:00"),
    event("Concert", "2026-11-26T20:00", "2026-11-26T21:30", place="Església"),
    event("Ball", "2026-11-28T23:00", "2026-11-29T03:00"),
    event("Fira", "2026-11-29T00:00", "2026-12-01T00:00", whole_day=True),
    event("Més enllà", "2026-12-02T18:00"),
)


def test_this_week_a_block_a_day() -> None:
    lines = body_of(shown("agenda", *EVENTS).last).splitlines()
    assert lines[2:13] == [
        "*Dimarts, 24 de novembre*",
        "• Exposició · Museu (fins al 9 de desembre)",
        "• 9:30 Ara mateix",
        "",
        "*Dijous, 26 de novembre*",
        "• 20:00 Concert · Església",
        "",
        "*Dissabte, 28 de novembre*",
        "• 23:00 Ball",
        "",
        "*Diumenge, 29 de novembre*",
    ]
    assert "• Fira (fins al 30 de novembre)" in lines and not any("Més enllà" in x for x in lines)


def test_an_empty_week_says_what_comes_next() -> None:
    body = body_of(shown("agenda", EVENTS[-1]).last)
    assert "no hi ha cap acte" in body and "• 18:00 Més enllà" in body and "*Dimecres, 2 de desembre*" in body
    assert "Més endavant" not in body_of(shown("agenda").last)


def test_hours_of_the_agenda_are_the_towns_on_both_sides_of_the_change_of_the_clock() -> None:
    for day in ("2026-10-24", "2026-10-26"):
        body = body_of(shown("agenda", event("Mercat", f"{day}T09:00"), now=datetime(2026, 10, 23, tzinfo=UTC).timestamp(), at=NOW).last)  # fmt: skip
        assert "• 9:00 Mercat" in body


# --- a wiki or web page ----------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["web", "tracker-wiki"])
def test_a_page_from_elsewhere(source: str) -> None:
    page = Page(
        key="pool", title={"ca": "Piscina"}, source=source, feed="https://www.example.org/p", wiki="P"
    )  # type: ignore[arg-type]
    town = TOWN.model_copy(update={"pages": (*TOWN.pages, page)})
    item = Item(
        "x", "Piscina municipal", "Oberta tot l’any.", "Oberta tot l’any. " * 300, "https://www.example.org/p"
    )
    citizen = shown("pool", item, town=town)
    body = body_of(citizen.last)
    assert isinstance(citizen.last, ListOut) and len(body) <= 4096
    assert body.startswith("*Piscina*\n\nOberta tot l’any.") and ids_of(citizen.last) == [
        "menu:info",
        "menu:home",
    ]


# --- opening hours ---------------------------------------------------------------------------------

OPEN = ["està obert?", "¿está abierto?", "is it open?", "Està obert ara?", "esteu oberts", "obriu demà?", "a quina hora obriu", "a qué hora abre el ayuntamiento", "when do you open", "encara està obert?"]  # fmt: skip
NO_QUESTION = ["està oberta una tapa de claveguera", "està obert el sot del carrer major", "obre la porta del parc si us plau", "la porta és oberta", "is it true that the road is closed", "està tancat el carrer", "cierra mal la puerta del colegio", "tanca el contenidor malament", "padró"]  # fmt: skip


@pytest.mark.parametrize("text", OPEN)
def test_is_it_open(text: str) -> None:
    citizen = accepted()
    citizen.now = NOW
    citizen.type(text)
    assert citizen.outcome in ("opening hours",) and "Obert ara, fins a les 14:00." in body_of(citizen.last)


@pytest.mark.parametrize(("text", "key"), [("Està oberta la deixalleria?", "recycling"), ("¿está abierta la biblioteca?", "library"), ("is the recycling centre open on Saturday", "recycling"), ("what time does the library close", "library"), ("esteu oberts a l'ajuntament?", None)])  # fmt: skip
def test_one_place_is_asked_for(text: str, key: str | None) -> None:
    found = asked.offices(text, TOWN.offices)
    assert found is not None and [o.key for o in found] == ([key] if key else ["oac"] if "ajuntament" not in text else [o.key for o in TOWN.offices])  # fmt: skip


@pytest.mark.parametrize("text", NO_QUESTION)
def test_no_question_for_hours(text: str) -> None:
    assert asked.offices(text, TOWN.offices) is None


def test_inside_a_request_the_same_words_are_the_citizens() -> None:
    for typed in ("està obert?", "padró", "cita prèvia"):
        citizen = writing()
        citizen.go(typed, ".", "draft:send")
        assert [s.words for s in citizen.sent] == [typed]


# --- found by a word -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "leads"),
    [
        ("empadronar-me", ["register"]),
        ("EMPADRONAMIENTO", ["register"]),
        ("impost", ["taxes"]), ("impuestos", ["taxes"]), ("tax", ["taxes"]), ("ibi", ["taxes"]),
        ("obra", ["works"]), ("llicències", ["works"]), ("guals", ["driveway"]), ("el gos", ["animals"]),
        ("gossos", ["animals"]), ("Perro", ["animals"]), ("demanar hora", ["appointment"]),
        ("vull demanar cita prèvia", ["appointment"]), ("com em puc empadronar", ["register"]), ("canvi de domicili", ["register"]),
        ("padro", ["register", "certificate"]),
    ],
)  # fmt: skip
def test_a_procedure_is_found_however_it_is_written(typed: str, leads: list[str]) -> None:
    citizen = accepted()
    citizen.type(typed)
    if len(leads) == 1:
        entry = TOWN.page("procedures").entry(leads[0])  # type: ignore[union-attr]
        assert entry and entry.title["ca"] in body_of(citizen.last), body_of(citizen.last)
    else:
        assert [i.rpartition("/")[2] for i in ids_of(citizen.last)[:-1]] == leads


@pytest.mark.parametrize(
    "typed", ["no funciona", "asdf", "fanal", "Hi ha un fanal trencat", "la cita prèvia no funciona mai", "el gos borda sempre", "obres", "hola obra"]
)  # fmt: skip
def test_what_may_be_a_request_is_not_taken_for_a_search(typed: str) -> None:
    citizen = accepted()
    citizen.type(typed)
    found = citizen.outcome.startswith("found")
    assert found == (typed in ("obres", "hola obra")), citizen.outcome


def test_many_hits_are_a_list_of_ten_rows_at_most() -> None:
    entries = tuple(Entry(key=f"k{n}", title={"ca": f"Beca menjador {n}"}) for n in range(25))
    page = Page(key="grants", title={"ca": "Beques"}, items=entries)
    citizen = accepted(TOWN.model_copy(update={"pages": (*TOWN.pages, page)}))
    citizen.type("menjadors")
    assert len(ids_of(citizen.last)) == 10 and citizen.outcome.endswith("9 to choose from")
    citizen.tap("page:grants")
    citizen.go("més", "més")
    assert "page:grants/k20" in ids_of(citizen.last), "a long page is turned"
    citizen.type("21")
    assert "Beca menjador 20" in body_of(citizen.last)


def test_items_of_a_searched_feed_are_found_too() -> None:
    pages = tuple(p.model_copy(update={"search": p.key == "news"}) for p in TOWN.pages)
    citizen = accepted(TOWN.model_copy(update={"pages": pages}))
    citizen.board = Board(
        {"news": Copy((Item("a", "Beques de transport", "Fins al 3 de desembre", at=NOW),), NOW)}
    )
    citizen.type("beca")
    assert "Beques de transport" in body_of(citizen.last)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("obres", "obra", True), ("llicencies", "llicencia", True), ("empadronar", "empadronament", True),
        ("impost", "impostos", True), ("taxa", "taxes", True), ("gual", "guals", True), ("dni", "dniester", False),
        ("font", "fonament", False), ("llum", "llumins", True), ("aigua", "agenda", False), ("permis", "permits", True),
    ],
)  # fmt: skip
def test_words_in_other_forms(one: str, other: str, alike: bool) -> None:
    assert search.same(one, other) is alike and search.same(other, one) is alike


# --- alerts ----------------------------------------------------------------------------------------


def alerting(**more: object) -> Town:
    alert = Alert(text={"ca": "Avui no hi ha recollida de paper"}, **more)  # type: ignore[arg-type]
    return TOWN.model_copy(update={"alerts": (alert,)})


def test_an_alert_stands_above_the_menu_while_it_holds_and_is_no_message_of_its_own() -> None:
    town = alerting(since=datetime(2026, 11, 24, 12), until=datetime(2026, 11, 24, 18))
    citizen = accepted(town)
    seen = []
    for hour in (11, 12, 17, 18):
        citizen.now = NOW + (hour - 10) * 3600 - 1
        before = len(citizen.said)
        citizen.type("menú")
        assert len(citizen.said) == before + 1
        seen.append("recollida de paper" in body_of(citizen.last))
    assert seen == [False, True, True, False]


def test_an_alert_is_seen_by_who_just_accepted_and_not_on_other_screens() -> None:
    town = alerting(until=datetime(2027, 1, 1))
    citizen = accepted(town)
    assert body_of(citizen.last).startswith("Gràcies!\n\n⚠️ *Avís.* Avui no hi ha")
    for screen in ("menu:info", "page:hours", "menu:councillor"):
        citizen.tap(screen)
        assert "Avís." not in body_of(citizen.last)


def test_items_of_a_source_are_alerts_by_their_category_for_so_long() -> None:
    citizen = accepted()
    alert, other = (
        Item("a", "Vent fort", "Queda’t a casa", at=NOW, categories=("ALERTA",)),
        Item("b", "Obres", at=NOW),
    )
    citizen.board = Board({"notices": Copy((alert, other), NOW), "news": Copy((alert,), NOW)})
    citizen.now = NOW + 60
    citizen.type("menú")
    body = body_of(citizen.last)
    assert body.startswith("⚠️ *Avís.* *Vent fort*\nQueda’t a casa\n\n") and "Obres" not in body
    assert body.count("Vent fort") == 1
    citizen.now = NOW + 25 * 3600
    citizen.type("menú")
    assert "Vent fort" not in body_of(citizen.last)


def test_many_long_alerts_leave_room_for_the_menu() -> None:
    citizen = accepted()
    items = tuple(Item(f"a{n}", f"Alerta {n}", "x" * 300, at=NOW, categories=("Alerta",)) for n in range(9))
    citizen.board = Board({"notices": Copy(items, NOW)})
    citizen.now = NOW
    citizen.type("menú")
    assert body_of(citizen.last).count("Avís.") == 3 and "*7.* Idioma" in body_of(citizen.last)


# --- emergencies -----------------------------------------------------------------------------------

FIRE = "Hi ha foc al bosc de darrere l'escola"


def notices(citizen: Citizen) -> int:
    return sum("112" in body_of(s.message) and "perill" in body_of(s.message) for s in citizen.said)


def test_112_comes_first_and_the_request_goes_on() -> None:
    citizen = writing("menu:incident")
    citizen.go(FIRE)
    assert notices(citizen) == 1 and citizen.outcome == "in the draft; told to call 112"
    assert "pots continuar" in body_of(citizen.last)
    citizen.go("I s'acosta a les cases", ".")
    assert FIRE in body_of(citizen.last)
    citizen.go("draft:send")
    assert citizen.sent[0].words == f"{FIRE}\n\nI s'acosta a les cases" and notices(citizen) == 1


def test_it_is_said_once_in_some_hours() -> None:
    citizen = accepted()
    for hours, said in ((0, 1), (1, 1), (4, 1), (2, 2)):
        citizen.later(hours)
        citizen.go(FIRE)
        assert notices(citizen) == said


@pytest.mark.parametrize("typed", [FIRE, "112", "socors"])
def test_also_before_consent_and_nothing_of_it_is_kept(typed: str) -> None:
    citizen = newcomer()
    citizen.type(typed)
    first, second = (body_of(s.message) for s in citizen.said)
    assert "truca al 112" in first and "continuar" not in first and "Responsable de les dades" in second
    assert citizen.state.draft is None and typed not in citizen.state.model_dump_json()
    citizen.tap("consent:no")
    citizen.go(typed, typed, typed)
    assert notices(citizen) == 2, "what was before the refusal is forgotten; from then on it counts again"


def test_captions_and_corrections_count_and_other_peoples_groups_do_not() -> None:
    citizen = accepted()
    citizen.send(MediaIn(MediaKind.IMAGE, "m", "image/jpeg", caption="s'està cremant el contenidor"))
    assert notices(citizen) == 1
    citizen = accepted()
    citizen.type("hola")
    citizen.send(EditIn("wamid.1", TextIn(FIRE)))
    assert notices(citizen) == 1


def test_a_town_adds_its_words() -> None:
    town = TOWN.model_copy(update={"emergency": Emergency(words=("riera desbordada",))})
    citizen = accepted(town)
    citizen.type("Riera DESBORDADA al passeig")
    assert notices(citizen) == 1


def test_a_person_in_another_language_reads_it_in_theirs() -> None:
    citizen = accepted(language="en")
    citizen.type("There is a fire in the forest")
    assert "call 112" in body_of(citizen.said[-1].message)

"""Is it open? Over a whole year, hour by hour, against a plain count; and the days that are not like others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core import hours, opening
from connector.core.information import Holidays, LocalHoliday, Office, Season, SpecialDay
from connector.core.office_texts import OfficeTexts
from connector.core.texts import Texts
from connector.texts import catalogues
from tests.fuzz import examples

MADRID = ZoneInfo("Europe/Madrid")
CATALONIA = Holidays(
    country="ES", region="CT", local=(LocalHoliday(date="09-16", name={"ca": "Festa Major"}),)
)
OFFICE = Office(
    key="oac",
    name={"ca": "Oficina"},
    week=("mon-fri 9:00-14:00", "thu 16:00-19:00"),
    seasons=(Season(since="08-01", until="08-31", week=("mon-fri 9:00-13:00",)),),
    days=(SpecialDay(date="12-24", hours=("9:00-12:00",), why={"ca": "Nit de Nadal"}), SpecialDay(date="2026-06-05")),
)  # fmt: skip
TEXTS = Texts(catalogues(("ca", "es", "en"), {}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MADRID)


def plainly(office: Office, now: datetime) -> bool:
    """Open or not, by looking at the clock on the wall and at two days."""
    for back in (0, 1):
        day = now.date() - timedelta(days=back)
        minute = now.hour * 60 + now.minute + back * hours.DAY
        if any(a <= minute < b for a, b in opening.on(office, day, CATALONIA, "ca").spans):
            return True
    return False


@pytest.mark.parametrize(
    "office",
    [
        OFFICE,
        OFFICE.model_copy(update={"on_holidays": True}),
        Office(
            key="bar", name={"ca": "Bar"}, week=("fri-sat 20:00-3:00", "sun 22:00-24:00", "mon 0:00-1:30")
        ),
    ],
    ids=lambda o: o.key,
)
def test_every_hour_of_a_year_with_its_two_changes_of_the_clock(office: Office) -> None:
    moment = datetime(2025, 12, 31, 22, 30, tzinfo=UTC)
    changes = 0
    last: opening.Status | None = None
    while moment.year < 2027:
        now = moment.astimezone(MADRID)
        found = opening.status(office, now, CATALONIA, "ca")
        assert found.open == plainly(office, now), now
        turns = found.until if found.open else found.opens
        assert turns is not None and turns > now
        if last is not None and last.open == found.open:
            # what was said an hour ago still holds, unless it has come about meanwhile
            before = last.until if last.open else last.opens
            assert before == turns or (before is not None and before <= now)
        changes += last is not None and last.open != found.open
        last = found
        moment += timedelta(hours=1)
    assert changes > 100


def test_what_is_said_of_until_and_from_comes_about_to_the_minute() -> None:
    now = at("2026-03-23T08:00")
    for _ in range(60):
        found = opening.status(OFFICE, now, CATALONIA, "ca")
        turns = found.until if found.open else found.opens
        assert turns is not None
        before = (turns.astimezone(UTC) - timedelta(minutes=1)).astimezone(MADRID)
        assert opening.status(OFFICE, before, CATALONIA, "ca").open == found.open
        assert opening.status(OFFICE, turns, CATALONIA, "ca").open != found.open
        now = turns


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-24T10:00", "Obert ara, fins a les 14:00."),
        ("2026-11-24T08:59", "Tancat ara. Obre avui a les 9:00."),
        ("2026-11-26T15:00", "Tancat ara. Obre avui a les 16:00."),
        ("2026-11-26T19:00", "Tancat ara. Obre demà a les 9:00."),
        ("2026-11-27T14:00", "Tancat ara. Obre dilluns, 30 de novembre, a les 9:00."),
        ("2026-11-28T10:00", "Avui, tancat tot el dia. Obre dilluns, 30 de novembre, a les 9:00."),
        ("2026-12-08T10:00", "Avui, tancat: Immaculada Concepció. Obre demà a les 9:00."),
        ("2026-12-24T13:00", "Tancat ara. Obre dilluns, 28 de desembre, a les 9:00."),
        ("2026-09-16T10:00", "Avui, tancat: Festa Major. Obre demà a les 9:00."),
        ("2026-08-13T12:30", "Obert ara, fins a les 13:00."),
        ("2026-08-13T17:00", "Tancat ara. Obre demà a les 9:00."),
        ("2026-06-05T10:00", "Avui, tancat tot el dia. Obre dilluns, 8 de juny, a les 9:00."),
        ("2026-12-25T10:00", "Avui, tancat: Nativitat del Senyor. Obre dilluns, 28 de desembre, a les 9:00."),
    ],
)  # fmt: skip
def test_in_words(moment: str, said: str) -> None:
    assert OfficeTexts(TEXTS, CATALONIA, at(moment)).status(OFFICE, "ca") == said


def test_one_oclock_is_one() -> None:
    lunch = Office(key="x", name={"ca": "X"}, week=("mon-fri 1:00-13:00",))
    words = OfficeTexts(TEXTS, Holidays(), at("2026-11-24T00:30"))
    assert words.status(lunch, "ca") == "Tancat ara. Obre avui a la 1:00."
    assert words.status(lunch, "es") == "Cerrado ahora. Abre hoy a la 1:00."
    assert words.status(lunch, "en") == "Closed now. Opens today at 1:00."


def test_always_and_never() -> None:
    always = Office(key="x", name={"ca": "X"}, week=("mon-sun 0:00-24:00",), on_holidays=True)
    assert opening.status(always, at("2026-03-29T02:30"), CATALONIA, "ca") == opening.Status(True, None, None)
    assert OfficeTexts(TEXTS, CATALONIA, at("2026-03-29T02:30")).status(always, "ca") == "Obert ara."
    never = Office(key="x", name={"ca": "X"}, week=())
    found = opening.status(never, at("2026-03-29T02:30"), CATALONIA, "ca")
    assert not found.open and found.opens is None


def test_holidays_are_named_in_the_language_asked_for() -> None:
    christmas = date(2026, 12, 25)
    assert opening.holiday(christmas, CATALONIA, "es") == "Natividad del Señor"
    assert opening.holiday(christmas, CATALONIA, "en") == "Christmas Day"
    assert opening.holiday(date(2026, 6, 24), CATALONIA, "ca") == "Sant Joan"
    assert opening.holiday(date(2026, 6, 24), Holidays(country="ES", region="MD"), "ca") == ""
    assert opening.holiday(christmas, Holidays(), "ca") == ""


def test_the_text_of_an_office_says_its_week_and_what_comes() -> None:
    text = OfficeTexts(TEXTS, CATALONIA, at("2026-12-15T10:00")).office(OFFICE, "ca")
    assert text.splitlines() == [
        "*Oficina*",
        "Obert ara, fins a les 14:00.",
        "dl.–dc., dv.: 9:00–14:00",
        "dj.: 9:00–14:00, 16:00–19:00",
        "dijous, 24 de desembre: 9:00–12:00 (Nit de Nadal)",
        "divendres, 25 de desembre: tancat (Nativitat del Senyor)",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("dilluns 9:00-14:00", "are no days"),
        ("mon 9-14", "are no hours"),
        ("mon", "does not say days and hours"),
        ("mon 9:00-9:00", "ends when it begins"),
        ("mon 9:00-25:00", "0:00 to 24:00"),
        ("mon 9:00-12:00, 11:00-13:00", "overlap"),
    ],
)
def test_what_are_no_hours(line: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        hours.week([line])


def test_days_of_the_year() -> None:
    christmas = hours.year_day("12-24"), hours.year_day("1-6")
    assert [hours.within(date(2026, m, d), *christmas) for m, d in ((12, 24), (12, 31), (1, 6), (1, 7), (6, 1))] == [
        True, True, True, False, False,
    ]  # fmt: skip
    once = hours.year_day("2026-08-01"), hours.year_day("2026-08-31")
    assert hours.within(date(2026, 8, 5), *once) and not hours.within(date(2027, 8, 5), *once)
    for wrong in ("31-12", "2026-02-29", "avui", "13-01"):
        with pytest.raises(ValueError, match="is no day"):
            hours.year_day(wrong)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440)), max_size=6),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
)
@settings(max_examples=examples(60), deadline=None)
def test_any_week_at_any_time(parts: list[tuple[int, int, int]], moment: datetime) -> None:
    lines = [
        f"{hours.DAYS[day]} {a // 60}:{a % 60:02}-{(b := (a + n) % 1440) // 60}:{b % 60:02}"
        for day, a, n in parts
        if n < 1440
    ]
    try:
        office = Office(key="x", name={"ca": "X"}, week=tuple(lines))
    except ValueError:
        return
    now = moment.replace(tzinfo=MADRID)
    found = opening.status(office, now, CATALONIA, "ca")
    assert found.open == plainly(office, now)

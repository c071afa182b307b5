"""A mapping with one small mistake gives one finding, at its line, with its key and a mend that helps."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from connector import mapping
from connector.core.errors import Misconfigured

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOWN = (HERE / "town.toml").read_text(encoding="utf-8")


class Mistake(NamedTuple):
    name: str
    old: str
    new: str
    key: str
    """Dotted key of the finding."""
    at: str
    """What begins on the line that the finding names: its first occurrence in the mistaken file."""
    words: tuple[str, ...]
    """What problem and mend must say."""
    severity: str = "error"


LONG_ROLE = "Regidora de Turisme, Comerç, Fires i Mercats, Festes, Joventut i Participació"

MISTAKES = [
    Mistake("unknown key", 'prefix = "PRV"', 'prefix = "PRV"\nlangauges = ["ca"]', "channel.langauges", "langauges", ("unknown key", "did you mean «languages»?")),
    Mistake("unknown table", "[templates]", "[template]", "template", "[template]", ("unknown key", "«templates»")),
    Mistake("key of the route in the option", 'words = ["queixa"]', 'assignee = "Pere"', "menu[2].assignee", "assignee = \"Pere\"", ("unknown key", "menu.route")),
    Mistake("key under the wrong header", "[timing]", "[timing]\nlatitude_field = 9", "timing.latitude_field", "latitude_field = 9", ("it belongs to tracker",)),
    Mistake("required key gone", 'contact = "dpd@example.org"\n', "", "consent.contact", "[consent]", ("is missing", "rights are exercised")),
    Mistake("required key in a list gone", 'key = "hours"\n', "", "pages[0].key", "[[pages]]", ("is missing", "lower case")),
    Mistake("required text empty", 'controller = "Ajuntament de Prova"', 'controller = " "', "consent.controller", "controller", ("is empty", "responsible")),
    Mistake("project empty", 'project = "prova"', 'project = ""', "tracker.project", 'project = ""', ("is empty",)),
    Mistake("number for a text", 'version = "1"', "version = 1", "consent.version", "version = 1", ("must be a text", "asked again")),
    Mistake("text for a number", "quiet_seconds = 5", 'quiet_seconds = "soon"', "timing.quiet_seconds", "soon", ("must be a number",)),
    Mistake("number too large", "quiet_seconds = 5", "quiet_seconds = 90", "timing.quiet_seconds", "90", ("at most 60",)),
    Mistake("text for a list", 'words = ["queixa"]', 'words = "queixa"', "menu[2].words", "words", ("must be a list",)),
    Mistake("unknown kind", 'kind = "request"', 'kind = "requests"', "menu[2].kind", "requests", ("must be one of", '"request"', '"councillor"')),
    Mistake("key with capitals", 'key = "mailbox"', 'key = "Mailbox"', "menu[2].key", "Mailbox", ("form",)),
    Mistake("prefix in small letters", 'prefix = "PRV"', 'prefix = "prv"', "channel.prefix", "prv", ("2 to 6 capitals",)),
    Mistake("same option twice", 'key = "council"', 'key = "info"', "menu[1].key", 'key = "info"\nkind = "councillor"', ("already the key on line",)),
    Mistake("same councillor twice", 'key = "sud"', 'key = "nord"', "councillors[1].key", 'key = "nord"\nname = "Pere Sud"', ("already the key",)),
    Mistake("second councillor option", 'kind = "request"', 'kind = "councillor"', "menu[2].kind", 'kind = "councillor"\ntitle = { ca = "Bústia"', ("only one option",)),
    Mistake("unreachable councillors", 'kind = "councillor"', 'kind = "request"', "councillors[0]", '[[councillors]]', ("nobody sees", 'kind = "councillor"'), "warning"),
    Mistake("unreachable pages", 'kind = "info"', 'kind = "request"', "pages[0]", '[[pages]]', ("nobody sees",), "warning"),
    Mistake("language without texts", '["ca", "es"]', '["ca", "es", "oc"]', "channel.languages[2]", '"oc"', ("no texts in «oc»", "connector/texts/oc.toml")),
    Mistake("language twice", '["ca", "es"]', '["ca", "es", "ca"]', "channel.languages[2]", "languages", ("twice",)),
    Mistake("language by its name", '["ca", "es"]', '["català", "es"]', "channel.languages[0]", "català", ("form", "two-letter")),
    Mistake("language missing in a text", '{ ca = "Bústia", es = "Buzón" }', '{ ca = "Bústia" }', "menu[2].title", "Bústia\" }", ("no text in es", "«ca» is shown"), "warning"),
    Mistake("language not spoken", '{ ca = "30 dies", es = "30 días" }', '{ ca = "30 dies", es = "30 días", sp = "30 días" }', "consent.keep.sp", "sp =", ("does not speak «sp»", "channel.languages"), "warning"),
    Mistake("time zone", 'languages = ["ca", "es"]', 'languages = ["ca", "es"]\ntime_zone = "Europe/Madird"', "channel.time_zone", "Madird", ("did you mean «Europe/Madrid»?",)),
    Mistake("address without https", '"https://seu.example.org"', '"seu.example.org"', "channel.e_office", "e_office", ("no web address", "https://")),
    Mistake("page with another address", '"https://www.example.org/horaris"', '"ftp://www.example.org/horaris"', "pages[0].url", "ftp", ("no web address",)),
    Mistake("map without place", "latitude_field = 4", 'map_url = "https://maps.example.org/{lat}"', "tracker.map_url", "map_url", ("{latitude} and {longitude}",)),
    Mistake("option title too long", 'es = "Buzón" }', 'es = "Buzón de la ciudadanía" }', "menu[2].title.es", "ciudadanía", ("«3. »", "25 characters", "at most 24", "by 1")),
    Mistake("councillor's name too long", '"Pere Sud"\nroute', '"Pere Puigdemont Subirachs"\nroute', "councillors[1].name", "Subirachs", ("«2. »", "by 4")),
    Mistake("role too long", 'ca = "Regidora"', f'ca = "{LONG_ROLE}"', "councillors[0].role.ca", LONG_ROLE, ("at most 72", "neighbourhood")),
    Mistake("description too long", 'words = ["queixa"]', f'description = "{"a" * 73}"', "menu[2].description", "aaaa", ("73 characters", "by 1")),
    Mistake("page too long", 'ca = "De 9 a 14 h"', f'ca = "{"a" * 4000}"', "pages[0].body.ca", "aaaa", ("4000 characters", "shorten")),
    Mistake("own consent text too long", 'version = "1"', f'version = "1"\ntext = "https://www.example.org/dades {"a" * 1024}"', "consent.text", "aaaa", ("at most 1024",)),
    Mistake("own consent text without the notice", 'version = "1"', 'version = "1"\ntext = "Ho acceptes?"', "consent.text", "Ho acceptes", ("full notice", "policy_url"), "warning"),
    Mistake("built-in consent text overflows", '"dpd@example.org"', f'"{"a" * 600}"', "consent", "[consent]", ("consent.text", "at most 1024", "shorten")),
    Mistake("braces nobody fills", '"De 9 a 14 h", es', '"De 9 a {hora}", es', "pages[0].body.ca", "{hora}", ("{hora} is not filled in",), "warning"),
    Mistake("two titles typed alike", 'ca = "Bústia"', 'ca = "Informacio!"', "menu[2].title.ca", "Informacio!", ("typed like the one on line",)),
    Mistake("a word like a page", '["queixa"]', '["HORARIS"]', "pages[0].title.ca", 'ca = "Horaris"', ("typed like the one on line",)),
    Mistake("a word that is a number", '["queixa"]', '["3"]', "menu[2].words[0]", '["3"]', ("is a number",)),
    Mistake("a word that is a command", '["queixa"]', '["Menú"]', "menu[2].words[0]", "Menú", ("command",)),
    Mistake("template's name", '"hi_ha_resposta"', '"Hi ha resposta"', "templates.answer", "Hi ha resposta", ("no name of a template", "small letters")),
    Mistake("status without text", '{ ca = "Tancat. Gràcies!", es = "Cerrado. ¡Gracias!" }', '""', "statuses.Tancat", '"Tancat" =', ("is empty", "told nothing")),
    Mistake("status twice", '[answers]\n', '"tancat" = "Fet"\n[answers]\n', "statuses.tancat", '"tancat"', ("differs only in case", "«Tancat»")),
    Mistake("status that is no text", '{ ca = "Tancat. Gràcies!", es = "Cerrado. ¡Gracias!" }', "true", "statuses.Tancat", '"Tancat" =', ("table",)),
    Mistake("one field for two", "latitude_field = 4", "latitude_field = 2", "tracker.latitude_field", "latitude_field", ("already the reference_field",)),
    Mistake("fixed value in a field of ours", "latitude_field = 4", 'latitude_field = 4\nfields = { 2 = "x" }', "tracker.fields.2", "fields =", ("fills this field itself", "reference_field")),
    Mistake("councillor without assignee", 'route = { assignee = "Pere Sud" }', "", "councillors[1].route", '[[councillors]]\nkey = "sud"', ("assigned to nobody", "assignee"), "warning"),
    Mistake("authors never used", 'author = "office"', 'author = "none"', "answers.authors", "[answers.authors]", ("never used", "office"), "warning"),
    Mistake("unknown text", '"consent.thanks" =', '"consent.thank" =', 'texts.ca."consent.thank"', "consent.thank", ("no built-in text", "did you mean «consent.thanks»?")),
    Mistake("text key without quotation marks", '"consent.thanks" =', "consent.thanks =", "texts.ca.consent", "consent.thanks =", ('"consent.thanks"', "between quotation marks")),
    Mistake("placeholder", '"Moltes gràcies!"', '"Gràcies, {nom}!"', 'texts.ca."consent.thanks"', "{nom}", ("does not offer {nom}", "none")),
    Mistake("placeholder misspelt", '{ one = "{n} foto"', '{ one = "{m} foto"', 'texts.ca."count.image".one', "{m}", ("does not offer {m}", "it offers: n")),
    Mistake("open brace", '"Moltes gràcies!"', '"Gràcies {"', 'texts.ca."consent.thanks"', "Gràcies {", ("brace",)),
    Mistake("plural as one text", '{ one = "{n} foto", other = "{n} fotos" }', '"{n} fotos"', 'texts.ca."count.image"', "{n} fotos", ("depends on a number",)),
    Mistake("plural without other", ', other = "{n} fotos" }', " }", 'texts.ca."count.image"', "count.image", ("«other» is missing",)),
    Mistake("plural form", "one = ", "ones = ", 'texts.ca."count.image".ones', "ones =", ("did you mean «one»?",)),
    Mistake("one text as plural", '"Moltes gràcies!"', '{ other = "Gràcies" }', 'texts.ca."consent.thanks"', "other = \"Gràcies\"", ("one form only",)),
    Mistake("button too long", '"consent.thanks" = "Moltes gràcies!"', '"draft.send_button" = "Envia-ho ara mateix"', 'texts.ca."draft.send_button"', "Envia-ho", ("at most 17",)),
    Mistake("texts in a language not spoken", "[texts.ca]", "[texts.en]", "texts.en", "[texts.en]", ("does not speak «en»",), "warning"),
]  # fmt: skip


def findings(text: str, folder: Path) -> list:
    file = folder / "town.toml"
    file.write_text(text, encoding="utf-8")
    return mapping.read(file)[1]


def test_the_base_is_right(tmp_path: Path) -> None:
    assert findings(TOWN, tmp_path) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_one_mistake_one_finding(mistake: Mistake, tmp_path: Path) -> None:
    assert mistake.old in TOWN
    text = TOWN.replace(mistake.old, mistake.new, 1)
    found = findings(text, tmp_path)

    assert [(f.severity, f.key) for f in found] == [(mistake.severity, mistake.key)]
    finding = found[0]
    assert finding.file == str(tmp_path / "town.toml")
    assert finding.line is not None
    assert finding.line == text[: text.index(mistake.at)].count("\n") + 1
    said = f"{finding.problem} — {finding.mend}"
    for words in mistake.words:
        assert words in said


def test_load_raises_all_errors_at_once(tmp_path: Path) -> None:
    text = TOWN.replace('prefix = "PRV"', 'prefix = "prv"').replace("[timing]", "[timing]\nquite_seconds = 2")
    text = text.replace('es = "Buzón" }', 'es = "Buzón de la ciudadanía" }').replace('"hi_ha_', '"Hi ha ')
    file = tmp_path / "town.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        mapping.load(file)
    keys = [f.key for f in caught.value.findings]
    assert {"channel.prefix", "timing.quite_seconds"} <= set(keys)
    assert str(caught.value).count("\n") == len(keys) - 1


def test_one_wrong_optional_value_does_not_hide_the_rest(tmp_path: Path) -> None:
    text = TOWN.replace("quiet_seconds = 5", "quiet_seconds = 500").replace('"hi_ha_resposta"', '"Hi ha"')
    assert {f.key for f in findings(text, tmp_path)} == {"timing.quiet_seconds", "templates.answer"}


def test_warnings_do_not_stop_loading(tmp_path: Path) -> None:
    file = tmp_path / "town.toml"
    file.write_text(TOWN.replace('{ ca = "Bústia", es = "Buzón" }', '{ ca = "Bústia" }'), encoding="utf-8")
    assert mapping.load(file).channel.prefix == "PRV"


def test_sant_cebria_has_no_findings() -> None:
    town, found = mapping.read(ROOT / "mappings" / "sant-cebria.toml")
    assert found == []
    assert town is not None
    assert [o.key for o in town.menu] == ["info", "mayor", "councillor", "incident", "mailbox", "topics"]
    assert [c.key for c in town.councillors] == ["centre", "platja", "muntanya"]


def test_sant_cebria_says_everything_in_every_language() -> None:
    town = mapping.load(ROOT / "mappings" / "sant-cebria.toml")
    from connector.mapping.rules import texts_of

    for path, text in texts_of(town):
        assert not text or set(text) == set(town.languages), path


def test_sant_cebria_routes() -> None:
    town = mapping.load(ROOT / "mappings" / "sant-cebria.toml")
    routes = dict(town.routings())
    assert {r.project for r in routes.values()} == {"atencio-ciutadana"}
    assert routes["menu[1].route"].assignee == "Jordi Alcalde"
    platja = routes["councillors[1].route"]
    assert (platja.tracker, platja.assignee, platja.category) == (
        "Regidories",
        "Laia Regidora Platja",
        "Platja",
    )
    assert dict(platja.fields) == {"1": "WhatsApp", "7": "Platja"}
    assert routes["menu[3].route"].assignee == "Brigada municipal"

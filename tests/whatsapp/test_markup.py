"""Staff's notes as WhatsApp texts: the looks by example, the words by property."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.whatsapp import markup as module
from connector.whatsapp.markup import Markup, escape, to_whatsapp
from tests.fuzz import examples

TEXTILE = [
    ("*Hem* _reparat_ -el- +fanal+ @codi@", "*Hem* _reparat_ ~el~ fanal ```codi```"),
    ("h2. Bon *dia*\n\nhola", "*Bon dia*\n\nhola"),
    ("* un\n** dos\n* tres", "- un\n  - dos\n- tres"),
    ("# un\n# dos", "1. un\n2. dos"),
    ("bq. Això deia", "> Això deia"),
    ("> Això deia\n> vostè\n\nSí.", "> Això deia\n> vostè\n\nSí."),
    ('Vegeu "el web":https://example.org/a_b.', "Vegeu el web (https://example.org/a_b)."),
    ("Vegeu https://example.org/_a_/*b*", "Vegeu https://example.org/_a_/*b*"),
    ("|_. Dia |_. Hora |\n| dilluns | 9 |", "*Dia* | *Hora*\ndilluns | 9"),
    ("!foto.png(El fanal)! !fotos/b.png!", "[El fanal] [b.png]"),
    ("#12 i #13\n#14", "#12 i #13\n#14"),
    ("{{toc}}\n\nhola {{macro(a, b)}}", "hola"),
    ("{{collapse(Més)\nText *dins*\n}}", "Més\n\nText *dins*"),
    ("[[Guia]] i [[Guia|la guia]]", "Guia i la guia"),
    ("<pre>\na  *b*\n  c\n</pre>", "```a  *b*```\n  ```c```"),
    ("%{color:red}vermell%", "vermell"),
    ("Escriviu <nom> o <b>res</b>", "Escriviu ‹nom› o ‹b›res‹/b›"),
    ("És (c) 2 x 3 -- 'no' \"sí\" ABC(def)...", "És (c) 2 x 3 -- 'no' \"sí\" ABC(def)..."),
    ("a*b*c i joan_puig_x", "a*b*c i joan_puig_x"),
    ("Obert 9-14 h - 16-19 h", "Obert 9-14 h - 16-19 h"),
    ("primera\nsegona", "primera\nsegona"),
]
MARKDOWN = [
    ("**Hem** *reparat* ~~el~~ `codi`", "*Hem* _reparat_ ~el~ ```codi```"),
    ("# Bon **dia**\nhola", "*Bon dia*\n\nhola"),
    ("- un\n  - dos\n- tres", "- un\n  - dos\n- tres"),
    ("3. un\n4. dos", "3. un\n4. dos"),
    ("- un\n\n- dos\n\n  més", "- un\n- dos\n  més"),
    ("> Això\n> deia\n>\n> vostè", "> Això\n> deia\n\n> vostè"),
    (
        "[el web](https://example.org) <https://example.org/x>",
        "el web (https://example.org) https://example.org/x",
    ),
    ("[example.org](https://example.org/)", "example.org"),
    ("[res](javascript:alert) [rel](/x)", "[res](javascript:alert) rel"),
    ("| a | b |\n|---|---|\n| 1 | **2** |", "*a* | *b*\n1 | *2*"),
    ("![El fanal](x.png) ![](b/c.png?x)", "[El fanal] [c.png]"),
    ("#12 i \\*literal\\*", "#12 i ∗literal∗"),
    ("```python\nx = 1\n```", "```x = 1```"),
    ("Escriviu <nom> o <b>res</b>", "Escriviu ‹nom› o *res*"),
    ("***tots dos*** mig**mot**a", "*_tots dos_* migmota"),
    ("una  \ndues\ntres", "una\ndues\ntres"),
    ("---", "———"),
]
HTML = [
    ("<p>Hola <b>món <i>x</b> y</i></p><p>z</p>", "Hola *món _x_* _y_\n\nz"),
    ("<ol><li>a<li>b</ol>fi", "1. a\n2. b\n\nfi"),
    ("<b> a </b>b<b>c</b> <b>d</b>, e", "*a* bc *d*, e"),
    ("<b>una<br>dues</b>", "*una*\n*dues*"),
    ('<a href="mailto:a@example.org">a@example.org</a>', "a@example.org"),
    ('<a href="https://example.org">aquí', "aquí (https://example.org)"),
    ("<table><tr><td><p>x</p></td><td>y</td></tr><tr><td>z", "x | y\nz"),
    ("<script>alert(1)</script><style>p{}</style>a &lt;b&gt; 3 &lt; 4", "a ‹b› 3 < 4"),
    ("<blockquote><ul><li>a</li></ul></blockquote>b", "> - a\n\nb"),
    ("<details><summary>Més</summary>text</details>", "*Més*\n\ntext"),
    ("<input type=checkbox checked> fet", "☑ fet"),
    ("&nbsp;<b></b>", ""),
    ("<code>a`b</code>", "```a‵b```"),
    ('<abbr title="Oficina">OAC</abbr>', "OAC (Oficina)"),
]
PLAIN = [(" a <b>x</b> 3 < 4 \r\n\n\n\n*b* ", "a ‹b›x‹/b› 3 < 4\n\n*b*"), ("a\0\ud800b", "ab"), ("", "")]
CASES: list[tuple[Markup, str, str]] = [
    *(("textile", a, b) for a, b in TEXTILE),
    *(("markdown", a, b) for a, b in MARKDOWN),
    *(("html", a, b) for a, b in HTML),
    *(("plain", a, b) for a, b in PLAIN),
]


@pytest.mark.parametrize(("markup", "text", "wanted"), CASES)
def test_looks(markup: Markup, text: str, wanted: str) -> None:
    assert to_whatsapp(text, markup) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("*Maria* _P_ ~x~ `y`", "∗Maria∗ ＿P＿ ∼x∼ ‵y‵"),
        ("joan_puig 2*3", "joan_puig 2*3"),
        ("https://example.org/~joan_/_x_ *", "https://example.org/~joan_/_x_ ∗"),
        ("> cita\n> dues", "› cita\n› dues"),
        ("#12 Vorera (C/ Major)", "#12 Vorera (C/ Major)"),
    ],
)
def test_escape(text: str, wanted: str) -> None:
    assert escape(text) == wanted


# --- properties -----------------------------------------------------------------------------------

WORD = st.text("abcçéñxyzABÇ0189", min_size=1, max_size=6)
SIGNS = "*_-+~@%^#!|\"':()[]{}<>&;\\/.,="
LINES = [
    "* ",
    "** ",
    "# ",
    "- ",
    "1. ",
    "> ",
    "> > ",
    "bq. ",
    "h1. ",
    "p. ",
    "fn1. ",
    "###. ",
    "    ",
    "```\n",
    "---\n",
    "\n",
    "\n\n",
]
TAGS = [
    "</b>",
    "<b>",
    "<x>",
    "<br>",
    "<pre>",
    "</pre>",
    "<!--",
    "-->",
    "&amp;",
    "&lt;",
    "https://example.org/",
    "](",
    "**",
    "__",
    "~~",
    "***",
    "??",
    "==",
    "(c)",
    "...",
    " ",
]
PIECES = st.sampled_from([*SIGNS, *LINES, *TAGS, "|", "|_. ", " | ", " ", " "])
SOUP = st.lists(WORD | PIECES, max_size=30).map("".join)
WORDS = re.compile(r"[^\W_]+")
CHAINS = st.lists(WORD, min_size=1, max_size=12)


def hold(shown: str, words: list[str]) -> bool:
    position = 0
    for word in words:
        position = shown.find(word, position)
        if position < 0:
            return False
        position += len(word)
    return True


@settings(max_examples=examples(400), deadline=None)
@given(SOUP, st.sampled_from(["textile", "markdown", "html", "plain"]))
@example("<!--</b>>", "textile")
@example("<a <b <i>>> x", "plain")
def test_any_soup(text: str, markup: Markup) -> None:
    shown = to_whatsapp(text, markup)
    assert not re.search(r"<[/A-Za-z!?][^<>]*>", shown)
    assert shown == shown.strip()


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(st.tuples(WORD, st.sampled_from(" *_-+~@`\"'().,;:?!=^|#>\n")), min_size=1, max_size=15),
    st.sampled_from(["textile", "markdown", "plain"]),
)
def test_no_word_is_lost(parts: list[tuple[str, str]], markup: Markup) -> None:
    """Words between punctuation of all kinds, of which the libraries make what they like."""
    text = "".join(word + mark for word, mark in parts)
    shown = to_whatsapp(text, markup)
    numbered = re.compile(r"(?m)^\s*[0-9]+[.)]\s")  # a list may be counted anew
    assert hold(shown, WORDS.findall(numbered.sub(" ", re.sub(r"!\S+!", " ", text)))), shown


STYLED = st.recursive(
    WORD.map(lambda w: f" {w} ") | WORD,
    lambda inner: st.tuples(
        st.sampled_from(["b", "i", "s", "code", "p", "li", "ul", "blockquote", "td", "h1"]),
        st.lists(inner, max_size=3),
    ).map(lambda t: f"<{t[0]}>{''.join(t[1])}</{t[0]}>"),
    max_leaves=12,
)


@settings(max_examples=examples(400), deadline=None)
@given(STYLED)
def test_html_keeps_words_and_makes_marks_that_whatsapp_understands(source: str) -> None:
    shown = to_whatsapp(source, "html")
    # White space between words may change, the letters may not.
    letters = re.sub(r"<[^>]*>|\s", "", source)
    plain = re.sub(r"(?m)^(?:> )?\s*- |^> |[\s*_~`|]", "", shown)
    assert plain == letters
    for line in shown.splitlines():
        line = line.removeprefix("> ")
        opened: list[str] = []
        for found in re.finditer(r"```|[*_~]", line):
            mark, before, after = found[0], line[: found.start()], line[found.end() :]
            if mark in opened:
                assert opened.pop() == mark, "properly nested"
                assert not before[-1:].isspace(), "a closing mark hugs its word"
                assert not after[:1].isalnum(), "and stands before no letter"
            else:
                opened.append(mark)
                assert after[:1], "something is opened"
                assert not after[:1].isspace(), "an opening mark hugs its word"
                assert not before[-1:].isalnum(), "and stands after no letter"
        assert not opened, "no mark goes on in the next line"


@settings(max_examples=examples(200), deadline=None)
@given(SOUP)
def test_escaped_text_has_no_marks_left_at_word_edges(text: str) -> None:
    text = text.replace("https://", "")
    shown = escape(text)
    assert WORDS.findall(shown) == WORDS.findall(text)
    assert not re.search(r"(?<![^\W_])[*~_](?=\S)|`", re.sub(r"(?<=[^\W_])[*~_]+(?=[^\W_])", "", shown))


def test_a_library_that_fails_leaves_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> str:
        raise RecursionError

    monkeypatch.setattr(module, "_textile", broken)
    assert to_whatsapp("*Hola* <b>", "textile") == "*Hola* ‹b›"
    monkeypatch.setattr(module, "_written", broken)
    assert to_whatsapp("<p>Hola &amp; fins</p>", "html") == "Hola & fins"


def test_what_a_library_drops_is_sent_as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_textile", lambda text: "<p>una</p>")
    assert to_whatsapp("una *dues*", "textile") == "una *dues*"


@pytest.mark.parametrize("markup", ["textile", "markdown", "html"])
@pytest.mark.parametrize(
    "piece", ["> ", "* a ", "<b>", "paraula ", "<blockquote>", "[", "((", "{{a(", "<ul><li>a"]
)
def test_very_long_and_very_deep_notes(markup: Markup, piece: str) -> None:
    shown = to_whatsapp(piece * 20_000 + "final", markup)
    assert shown.endswith("final") or markup == "html"

"""Citizens' words in Redmine's markups are shown as written and do nothing, as far as that can be seen without it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from connector.trackers import inert
from connector.trackers.redmine import markup

from ..corpus import MADE, WRITTEN

MENTION = re.compile(
    r"(?:^|[^A-Za-z0-9_])@([A-Za-z0-9_\-@.]+?)(?=(?=[!-/:-@\[-`{-~][^A-Za-z0-9_/])|,|\.+$|\s|\]|<|$)",
    re.MULTILINE,
)
"""Who is notified: ``MENTION_PATTERN`` of Redmine 5.0's ``lib/redmine/acts/mentionable.rb``, in Python."""
MACRO = re.compile(r"\{\{(\w+)(\([^\n\r]*?\))?([\n\r].*?[\n\r])?\}\}", re.DOTALL)
"""What is run before anything else: ``MACROS_RE`` of Redmine 5.0's ``application_helper.rb``."""
QUOTED = re.compile(r"\r\n(?:>\s)+(.*?)\r\n", re.DOTALL)


def shown(text: str) -> str:
    """A text as a reader sees it: no invisible characters of ours, folded spaces."""
    return " ".join(text.replace(inert.ZWSP, "").split())


def corpus(test):  # type: ignore[no-untyped-def]
    for text in WRITTEN:
        test = example(text)(test)
    return given(MADE)(test)


@corpus
@pytest.mark.parametrize("render", [markup.textile, markup.common_mark])
def test_nobody_is_mentioned_and_no_macro_runs(render, text: str) -> None:  # type: ignore[no-untyped-def]
    raw = render(text).replace("\n", "\r\n")
    for seen in (raw, QUOTED.sub("", raw)):
        assert not MENTION.search(seen)
    assert not MACRO.search(raw)


@corpus
def test_textile_is_code_and_nothing_else(text: str) -> None:
    rendered = markup.textile(text)
    for line in filter(None, rendered.split("\n")):
        match = re.fullmatch(r"(?:bq\. )?<code>(.+)</code>", line)
        assert match
        # RedCloth's OFFTAGS: any of these would end or nest the code.
        assert not re.search(r"</?(code|pre|kbd|notextile)\b", match[1], re.IGNORECASE)
        assert "x%x%" not in match[1] and ":redsh#" not in match[1]
    assert shown(re.sub(r"(?m)^(bq\. )?<code>|</code>$", "", rendered)) == shown(inert.clean(text))


@corpus
def test_common_mark_is_code_spans_in_a_quotation(text: str) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markup.common_mark(text))
    assert {t.type for t in tokens} <= {
        "blockquote_open", "blockquote_close", "paragraph_open", "paragraph_close", "inline",
    }  # fmt: skip
    spans = [c for t in tokens for c in t.children or ()]
    assert {c.type for c in spans} <= {"code_inline", "hardbreak"}
    assert shown(" ".join(c.content for c in spans)) == shown(inert.clean(text))


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\x00"])
def test_nothing_is_nothing(text: str) -> None:
    assert markup.textile(text) == markup.common_mark(text) == ""


@given(MADE, MADE)
def test_a_fact_is_one_line_whose_value_is_code(label: str, value: str) -> None:
    for fact in (markup.textile_fact(label, value), markup.common_mark_fact(label, value)):
        assert "\n" not in fact
        assert not MENTION.search(fact) and not MACRO.search(fact)
        assert re.match(r"[^#@!{}\[\]<>|*_+^~`=:;,&%\\\"]+: (<code>|`+ )", fact)


def test_an_address_in_a_text_can_still_be_copied() -> None:
    assert "anna@exemple.cat" in markup.textile("Escriviu a anna@exemple.cat, si us plau")

"""The line index agrees with tomllib about what is in a file, and syntax errors say where and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config.toml_file import KeyPath, TomlFile, dotted, place_index
from connector.core.errors import Misconfigured

ROOT = Path(__file__).parents[2]

NASTY = '''\
# [not.a.table] = "x"
top = "a # b = c"   # d = "e"
"quoted key" = 1
'literal.key' = 2
a.b . "c d" = 3
date = 1979-05-27 07:32:00
many = [ # a comment ] with "quotes
  "x]", 'y[',
  [1, 2],
  { deep = "}", list = [true, false] },
]
text = """
[inner]
key = "no key" \\""" still \\\\
""""
raw = \'\'\'
[[neither]]\'\'\'
empty = ""
last_in_line = {}

[a.d]
one = 1
[[list]]
n = 1
[list.sub]
n = 2
[[list.sub.more]]
n = 3
[[list.sub.more]]
n = 4
[[list]]
n = 5
sub.n = 6
[ "spaced" . 'out' ]
x = { y = { z = 1 } }
[list_of.tables]
[[list_of.rest]]
'''


def paths(value: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*at, key))
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield from paths(inner, (*at, i))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_value_has_a_line_and_nothing_else_does(newline: str) -> None:
    text = NASTY.replace("\n", newline)
    assert set(place_index(text)) == set(paths(tomllib.loads(text)))


def test_the_places_are_the_right_ones() -> None:
    assert place_index("a = 1\nb = { c = 2 }") == {("a",): (1, 1), ("b",): (2, 1), ("b", "c"): (2, 7)}
    places, rows = place_index(NASTY), NASTY.splitlines()
    for path, row in {
        ("top",): 'top = "a # b = c"',
        ("literal.key",): "'literal.key'",
        ("a", "b", "c d"): "a.b .",
        ("many", 1): "'y[',",
        ("many", 2, 1): "2]",
        ("many", 3, "list", 1): "false]",
        ("text",): 'text = """',
        ("raw",): "raw =",
        ("a", "d", "one"): "one = 1",
        ("list", 0): "list]]",
        ("list", 0, "sub", "n"): "n = 2",
        ("list", 0, "sub", "more", 1, "n"): "n = 4",
        ("list", 1, "n"): "n = 5",
        ("list", 1, "sub", "n"): "sub.n = 6",
        ("spaced", "out"): '"spaced" .',
        ("spaced", "out", "x", "y", "z"): "z = 1 }",
    }.items():
        line, column = places[path]
        assert rows[line - 1][column - 1 :].startswith(row), path


@pytest.mark.parametrize("name", ["config.example.toml", "mappings/sant-cebria.toml", "pyproject.toml"])
def test_our_own_files(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    lines, rows = place_index(text), text.splitlines()
    assert set(lines) == set(paths(tomllib.loads(text)))
    for path, (line, column) in lines.items():
        if isinstance(path[-1], str) and not rows[line - 1].startswith("["):
            assert rows[line - 1][column - 1 :].lstrip("\"'").startswith(path[-1])


VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[\n" + "".join(f"{_toml(v)}, # ] }} \" '\n" for v in value) + "]"
    return str(value)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), VALUES, max_size=5))
def test_any_values(table: dict[str, Any]) -> None:
    text = "[[t]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items()) + "[end]\nx = 1\n"
    lines = place_index(text)
    assert set(lines) == set(paths(tomllib.loads(text)))
    assert lines[("end",)].line == text.count("\n") - 1


def test_a_missing_key_is_at_what_is_around_it(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("a = 1\n\n[t]\nb = 2\n")
    file = TomlFile.read(path)
    assert file.line(("t", "c", 0)) == 3
    assert file.line(("u",)) is None


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("menu", 2, "title", "ca"), "menu[2].title.ca"),
        (("statuses", "En Progrés"), 'statuses."En Progrés"'),
        (("texts", "ca", "menu.body"), 'texts.ca."menu.body"'),
    ],
)
def test_dotted(path: KeyPath, shown: str) -> None:
    assert dotted(path) == shown


SYNTAX = [
    ("no quotation marks", "a = 1\nname = Ajuntament\n", 2, "between quotation marks"),
    ("curly quotation marks", "name = “Ajuntament”\n", 1, "straight quotation marks"),
    ("text not closed", 'a = "x\nb = 1\n', 1, "not closed"),
    ("text not closed at the end", 'b = 1\na = "x', 2, "not closed"),
    ("no equals sign", 'name "x"\n', 1, "key ="),
    ("accent in a key", "més = 1\n", 1, "accents"),
    ("backslash", 'folder = "c:\\data"\n', 1, "backslash"),
    ("True", "ops = True\n", 1, "true or false"),
    ("yes", "ops = yes\n", 1, "true or false"),
    ("table twice", "[a]\nb = 1\n[c]\n[a]\n", 4, "already further up"),
    ("key twice", "a = 1\na = 2\n\n", 2, "already further up"),
    ("value missing", "a =\nb = 1\n", 1, "value is missing"),
    ("{ } over two lines", "a = { b = 1,\n c = 2 }\n", 1, "one line"),
    ("quotation mark inside", 'a = "the "best" one"\n', 1, '\\"'),
    ("header not closed", "[whatsapp\na = 1\n", 1, "bracket"),
]


@pytest.mark.parametrize(("text", "line", "mend"), [c[1:] for c in SYNTAX], ids=[c[0] for c in SYNTAX])
def test_syntax_errors(text: str, line: int, mend: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        TomlFile.read(path)
    (finding,) = caught.value.findings
    assert (finding.file, finding.line) == (str(path), line)
    assert finding.problem.startswith("not valid TOML: ")
    assert mend in finding.mend


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    def problem(path: Path) -> str:
        with pytest.raises(Misconfigured) as caught:
            TomlFile.read(path)
        return str(caught.value)

    assert "no such file" in problem(tmp_path / "absent.toml")
    assert "folder" in problem(tmp_path)
    latin = tmp_path / "latin.toml"
    latin.write_bytes('a = 1\nb = "Cebrià"\n'.encode("latin-1"))
    assert f"{latin}:2:11: it is not UTF-8" in problem(latin)
    notepad = tmp_path / "unicode.toml"
    notepad.write_bytes("a = 1\n".encode("utf-16"))
    assert "UTF-16" in problem(notepad)


def test_the_mark_of_windows_editors_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    file = TomlFile.read(path)
    assert (file.data, file.line(("b",))) == ({"a": 1, "b": 2}, 2)

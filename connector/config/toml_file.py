"""TOML files that know where each key stands, and errors about them that name file, line and column.

``tomllib`` gives values without positions. It reads the file first, so what the scanner below meets is valid
TOML (v1.0.0) and it only has to find where keys begin.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from connector.core.errors import Finding, Misconfigured

KeyPath = tuple[str | int, ...]
"""Where a value is: keys, and positions in arrays from 0 (``("menu", 2, "title", "ca")``)."""


class Place(NamedTuple):
    """Where a key begins, both from 1; columns count characters."""

    line: int
    column: int


MAX_BYTES, MAX_KEYS, MAX_DEPTH = 4_000_000, 10_000, 30
"""Of a file; the mapping of a large town has a hundredth of that, and ten levels."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]+")
_TUPLE = re.compile(r"\('(.+?)',?\)")
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def dotted(path: KeyPath) -> str:
    """A path as people write it: ``menu[2].title.ca``, with quotes where TOML wants them."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            shown = (
                part if _BARE.fullmatch(part) else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
            )
            out += f".{shown}" if out else shown
    return out


def parse(key: str) -> KeyPath:
    """The path of ``menu[2].title.ca``; keys in quotation marks are not among what it reads."""
    return tuple(int(p) if p.isdecimal() and f"[{p}]" in key else p for p in re.findall(r"[^.\[\]]+", key))


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file that was read: its values, and where every key and array element begins."""

    path: Path
    data: dict[str, Any]
    places: Mapping[KeyPath, Place] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """Read ``path``. Raises ``Misconfigured`` when it is missing, unreadable, not UTF-8 or not TOML."""
        text = _text(path)
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise Misconfigured([_syntax(path, text, error)]) from None
        except RecursionError:
            raise _refused(path, "it is nested too deeply") from None
        except ValueError:
            raise _refused(path, "a number in it has thousands of digits") from None
        if _deeper(data, MAX_DEPTH):
            raise _refused(path, "it is nested too deeply")
        places = place_index(text)
        if len(places) > MAX_KEYS:
            raise _refused(path, f"it has more than {MAX_KEYS} keys")
        return cls(path, data, places)

    def place(self, path: KeyPath) -> Place | None:
        """Where a key begins; what is around it when it is not in the file; None for the root."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return None

    def line(self, path: KeyPath) -> int | None:
        """The line of ``place``."""
        place = self.place(path)
        return place.line if place else None

    def finding(self, severity: str, path: KeyPath, problem: str, mend: str = "") -> Finding:
        """A finding about the key at ``path``."""
        line, column = self.place(path) or (None, None)
        return Finding(severity, problem, mend, str(self.path), line, dotted(path), column)


def _refused(path: Path, problem: str) -> Misconfigured:
    return Misconfigured([Finding("error", problem, "is that the right file?", str(path))])


def _deeper(value: Any, levels: int) -> bool:
    if levels == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deeper(one, levels - 1) for one in inner)


def place_index(text: str) -> dict[KeyPath, Place]:
    """Where every key, table and array element of a valid TOML text begins."""
    return _Scanner(text.replace("\r\n", "\n")).run()


class _Scanner:
    """Walks over a valid TOML text once and notes where keys begin."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._ends = [m.start() for m in re.finditer("\n", text)]
        self._places: dict[KeyPath, Place] = {}
        self._arrays: dict[KeyPath, int] = {}  # arrays of tables and how many elements were seen

    def run(self) -> dict[KeyPath, Place]:
        table: KeyPath = ()
        while self._skip_blank():
            if self._take("[["):
                path, place = self._key(())
                index = self._arrays.get(path, 0)
                self._arrays[path] = index + 1
                self._places.setdefault(path, place)
                table = (*path, index)
                self._places[table] = place
                self._skip_past("]]")
            elif self._take("["):
                table, place = self._key((), through_last=True)
                self._places[table] = place
                self._skip_past("]")
            else:
                self._pair(table)
        return self._places

    def _pair(self, table: KeyPath) -> None:
        path, place = self._key(table)
        self._places.setdefault(path, place)
        self._skip_past("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip_blank()
        if self._take("["):
            index = 0
            while self._skip_blank() and not self._take("]"):
                if not self._take(","):
                    self._places[(*path, index)] = self._here()
                    self._value((*path, index))
                    index += 1
        elif self._take("{"):
            while self._skip_blank() and not self._take("}"):
                if not self._take(","):
                    self._pair(path)
        elif string := _STRING.match(self._text, self._pos):
            self._pos = string.end()
        elif plain := _PLAIN.match(self._text, self._pos):
            self._pos = plain.end()

    def _key(self, base: KeyPath, *, through_last: bool = False) -> tuple[KeyPath, Place]:
        """The full path of the key that follows: arrays of tables are entered at their newest element."""
        self._skip_blank()
        place, path, keys = self._here(), base, self._keys()
        for n, key in enumerate(keys):
            path = (*path, key)
            last = n == len(keys) - 1
            if path in self._arrays and (through_last or not last):
                path = (*path, self._arrays[path] - 1)
            if not last:
                self._places.setdefault(path, place)
        return path, place

    def _keys(self) -> list[str]:
        """The parts of a dotted key; the position is left behind the last one."""
        keys: list[str] = []
        while True:
            self._skip_blank()
            if bare := _BARE.match(self._text, self._pos):
                keys.append(bare.group())
                self._pos = bare.end()
            elif quoted := _STRING.match(self._text, self._pos):
                keys.append(tomllib.loads(f"key = {quoted.group()}")["key"])
                self._pos = quoted.end()
            else:  # cannot happen in valid TOML; moving on keeps a wrong assumption from looping
                self._pos += 1
            self._skip_blank()
            if not self._take("."):
                return keys

    def _here(self) -> Place:
        before = bisect_right(self._ends, self._pos - 1)
        return Place(before + 1, self._pos - (self._ends[before - 1] if before else -1))

    def _skip_blank(self) -> bool:
        """Past spaces, line ends and comments; False at the end of the text."""
        blank = _BLANK.match(self._text, self._pos)
        self._pos = blank.end() if blank else self._pos
        return self._pos < len(self._text)

    def _skip_past(self, sign: str) -> None:
        self._skip_blank()
        self._take(sign)

    def _take(self, sign: str) -> bool:
        if self._text.startswith(sign, self._pos):
            self._pos += len(sign)
            return True
        return False


def _text(path: Path) -> str:
    def refuse(
        problem: str,
        mend: str = "is that the right file?",
        line: int | None = None,
        column: int | None = None,
    ) -> Misconfigured:
        return Misconfigured([Finding("error", problem, mend, str(path), line, column=column)])

    try:
        about = path.stat()
        if not path.is_dir() and not path.is_file():
            raise refuse("this is no file but a device or a pipe", "name a file")
        if path.is_file() and about.st_size > MAX_BYTES:
            raise refuse(f"it is larger than {MAX_BYTES // 1_000_000} MB")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise refuse("there is no such file", "check the name, or make one with `connector init`") from None
    except IsADirectoryError:
        raise refuse("this is a folder, not a file", "name the file in it") from None
    except OSError as error:
        raise refuse(f"it cannot be read ({error.strerror})", "let this account read it") from None
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refuse(
            "it is UTF-16 text, which Windows calls Unicode", "save it again with the encoding UTF-8"
        )
    try:
        return raw.decode("utf-8-sig")  # Windows editors put a mark in front that TOML does not know
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        mend = "save it again with the encoding UTF-8"
        raise refuse("it is not UTF-8 text", mend, before.count(b"\n") + 1, column) from None


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> Finding:
    """What tomllib said, with its line, and advice for the mistakes people really make. Shows no value."""
    message = str(error)
    where = _WHERE.search(message)
    lines = text.splitlines() or [""]
    at_end = not (where and where.group(1))
    line = len(lines) if at_end or where is None else int(where.group(1))
    column = len(lines[-1]) + 1 if at_end or where is None else int(where.group(2))
    said = _TUPLE.sub(lambda m: f"[{m.group(1)}]", message[: where.start()] if where else message)
    mend = _syntax_mend(said, lines[min(line, len(lines)) - 1])
    return Finding(
        "error", f"not valid TOML: {said[:1].lower()}{said[1:]}", mend, str(path), line, column=column
    )


def _syntax_mend(said: str, row: str) -> str:
    value = row.partition("=")[2].strip()
    if any(sign in row for sign in "“”„‟‘’") and '"' not in row:
        return 'use straight quotation marks: "…"'
    if any(word in said for word in ("twice", "overwrite", "mutate", "Duplicate")):
        return "this key or table is already further up: keep one of the two"
    if "escape" in said.lower() or "hex" in said or "Unescaped" in said:
        return "a backslash is special between \"…\": write it twice, or use single quotation marks: '…'"
    if re.match(r"\s*(//|;|--|/\*)", row):
        return "a comment begins with #"
    if "array" in said:
        return 'a list is ["…", "…"]: look for a missing comma or closing bracket'
    if "table declaration" in said:
        return "the name of a table stands between brackets: [name], or [[name]] where there are several"
    if "Expected '='" in said and re.match(r"\s*[\w-]+\s*:", row):
        return "write = instead of the colon"
    if "Illegal character" in said or "Unterminated" in said or 'Expected "\'"' in said:
        return 'the text is not closed: end it with ", or use """ … """ for a text of several lines'
    if "Invalid value" in said and re.match(r"(true|false|yes|no|on|off)\b", value, re.IGNORECASE):
        return "write true or false, in small letters and without quotation marks"
    if "Invalid value" in said and value:
        return 'texts stand between quotation marks: key = "text"'
    if "Invalid value" in said:
        return 'a value is missing: key = "text"'
    if "Expected '='" in said:
        return 'write key = "text"; a key with spaces or accents stands between quotation marks too'
    if "key part" in said:
        return "a table in { } stands on one line; for several lines use a [table] of its own"
    if "Expected newline" in said:
        return (
            'a quotation mark inside a text is written \\"; look for a missing one here or on the line above'
        )
    return "look for a missing quotation mark, comma or closing bracket here or on the line above"

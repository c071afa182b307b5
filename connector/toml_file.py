"""TOML files that know on which line each key stands, and errors about them that name file and line.

``tomllib`` gives values without positions. It reads the file first, so what the scanner below meets is valid
TOML (v1.0.0) and it only has to find where keys begin.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.core.errors import Finding, Misconfigured

KeyPath = tuple[str | int, ...]
"""Where a value is: keys, and positions in arrays from 0 (``("menu", 2, "title", "ca")``)."""

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


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file that was read: its values, and the line of every key and array element (from 1)."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[KeyPath, int] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """Read ``path``. Raises ``Misconfigured`` when it is missing, unreadable, not UTF-8 or not TOML."""
        text = _text(path)
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise Misconfigured([_syntax(path, text, error)]) from None
        return cls(path, data, line_index(text))

    def line(self, path: KeyPath) -> int | None:
        """The line of a key; of what is around it when it is not in the file; None for the root."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None

    def finding(self, severity: str, path: KeyPath, problem: str, mend: str = "") -> Finding:
        """A finding about the key at ``path``."""
        return Finding(severity, problem, mend, str(self.path), self.line(path), dotted(path))


def line_index(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every key, table and array element of a valid TOML text."""
    return _Scanner(text.replace("\r\n", "\n")).run()


class _Scanner:
    """Walks over a valid TOML text once and notes where keys begin."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._ends = [m.start() for m in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._arrays: dict[KeyPath, int] = {}  # arrays of tables and how many elements were seen

    def run(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip_blank():
            if self._take("[["):
                path, line = self._place((), self._keys())
                index = self._arrays.get(path, 0)
                self._arrays[path] = index + 1
                self._lines.setdefault(path, line)
                table = (*path, index)
                self._lines[table] = line
                self._skip_past("]]")
            elif self._take("["):
                table, line = self._place((), self._keys(), through_last=True)
                self._lines[table] = line
                self._skip_past("]")
            else:
                self._pair(table)
        return self._lines

    def _pair(self, table: KeyPath) -> None:
        path, line = self._place(table, self._keys())
        self._lines.setdefault(path, line)
        self._skip_past("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip_blank()
        if self._take("["):
            index = 0
            while self._skip_blank() and not self._take("]"):
                if not self._take(","):
                    self._lines[(*path, index)] = self._line()
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

    def _place(self, base: KeyPath, keys: list[str], *, through_last: bool = False) -> tuple[KeyPath, int]:
        """The full path of ``keys`` under ``base``: arrays of tables are entered at their newest element."""
        line, path = self._line(), base
        for n, key in enumerate(keys):
            path = (*path, key)
            last = n == len(keys) - 1
            if path in self._arrays and (through_last or not last):
                path = (*path, self._arrays[path] - 1)
            if not last:
                self._lines.setdefault(path, line)
        return path, line

    def _line(self) -> int:
        return bisect_right(self._ends, self._pos - 1) + 1

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
    def refuse(problem: str, mend: str, line: int | None = None) -> Misconfigured:
        return Misconfigured([Finding("error", problem, mend, str(path), line)])

    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise refuse("there is no such file", "check the name, or make one with `connector init`") from None
    except IsADirectoryError:
        raise refuse("this is a folder, not a file", "name the file in it") from None
    except OSError as error:
        raise refuse(f"it cannot be read ({error.strerror})", "let this account read it") from None
    try:
        return raw.decode("utf-8-sig")  # Windows editors put a mark in front that TOML does not know
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse("it is not UTF-8 text", "save it again with the encoding UTF-8", line) from None


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> Finding:
    """What tomllib said, with its line, and advice for the mistakes people really make. Shows no value."""
    message = str(error)
    where = _WHERE.search(message)
    lines = text.splitlines() or [""]
    line = int(where.group(1)) if where and where.group(1) else len(lines)
    said = message[: where.start()] if where else message
    mend = _syntax_mend(said, lines[min(line, len(lines)) - 1])
    return Finding("error", f"not valid TOML: {said[:1].lower()}{said[1:]}", mend, str(path), line)


def _syntax_mend(said: str, row: str) -> str:
    value = row.partition("=")[2].strip()
    if any(sign in row for sign in "“”„‟‘’") and '"' not in row:
        return 'use straight quotation marks: "…"'
    if any(word in said for word in ("twice", "overwrite", "mutate", "Duplicate")):
        return "this key or table is already further up: keep one of the two"
    if "escape" in said.lower() or "hex" in said or "Unescaped" in said:
        return "a backslash is special between \"…\": write it twice, or use single quotation marks: '…'"
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

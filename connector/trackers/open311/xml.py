"""GeoReport's XML as the JSON it would be: the two are defined to be one mapping (the «Spark convention»).

No document type is read, and with it no entity: an answer that declares one is refused.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

_LISTS = frozenset(
    {"services", "attributes", "values", "service_requests", "service_request_updates", "errors"}
)
"""Elements that hold a list. The convention guesses it from the children, and takes an object with one field for one."""
_DEEPEST = 12


def read(content: bytes) -> Any:
    """The root element: a list, an object, or a text (None when it is empty). Raises ``ValueError``."""
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError("this is no XML") from error
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[tuple[str, list[tuple[str, Any]], list[str]]] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise ValueError("the XML is nested too deeply")
        self._open.append((name, [], []))

    def text(self, data: str) -> None:
        self._open[-1][2].append(data)

    def end(self, name: str) -> None:
        _, children, texts = self._open.pop()
        value: Any
        if name in _LISTS:
            value = [child for _, child in children]
        elif children:
            value = dict(children)
        else:
            value = "".join(texts).strip() or None
        if self._open:
            self._open[-1][1].append((name, value))
        else:
            self.root = value

    def doctype(self, *_: object) -> None:
        raise ValueError("the XML declares a document type")

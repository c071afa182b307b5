"""GeoReport's two formats. XML follows from JSON by the «Spark convention»: each element of a list gets a name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

MEDIA_TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
_ONE = {
    "services": "service",
    "attributes": "attribute",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}
"""What an element of a list is called."""
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARED = '<?xml version="1.0" encoding="utf-8"?>\n'


def piece(form: str, root: str, item: Mapping[str, Any]) -> str:
    """One element of the list ``root``, to be put together by ``whole``."""
    if form == "json":
        return json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    return _element(_ONE[root], item)


def whole(form: str, root: str, pieces: Iterable[str]) -> bytes:
    """A list of which the elements are written already."""
    text = ",".join(pieces) if form == "json" else "".join(pieces)
    return (f"[{text}]" if form == "json" else f"{_DECLARED}<{root}>{text}</{root}>").encode()


def document(form: str, root: str, content: Any) -> bytes:
    """A list or an object."""
    if form == "json":
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return (_DECLARED + _element(root, content)).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        inside = "".join(_element(key, part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        inside = "".join(_element(_ONE[name], part) for part in value)
    elif isinstance(value, bool):
        inside = str(value).lower()
    else:
        inside = "" if value is None else escape(_ILLEGAL.sub("", str(value)))
    return f"<{name}>{inside}</{name}>" if inside else f"<{name}/>"

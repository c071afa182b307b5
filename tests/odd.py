"""JSON that is not what it should be: values of any type in any place, made by hypothesis."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [None, True, False, 0, -1, 10**30, 1.5, float("nan"), "", " ", "x", "0", "٣", "9" * 400, "\x00", "\ud800"]
    ),
    st.sampled_from([[], {}, [None], [[]], [{}], {"id": None}, {"id": "x"}, {"id": {}}, [1, "a", None], "2026-13-45T99:99:99Z"]),
)  # fmt: skip

Change = tuple[list[int], Any, bool]
"""Where (numbers of keys, from outside in), the value that is put there, and whether the place is taken out instead."""


@st.composite
def changes(draw: st.DrawFn, count: int, deepest: int = 9) -> list[Change]:
    """So many changes of a value."""
    where = st.lists(st.integers(0, 30), max_size=deepest)
    return [(draw(where), draw(VALUES), draw(st.booleans())) for _ in range(count)]


def bent(content: bytes, wanted: Sequence[Change]) -> bytes:
    """JSON with its values changed; what is no JSON stays as it is."""
    try:
        root = [json.loads(content)]
    except ValueError:
        return content
    for path, value, gone in wanted:
        around: Any = root
        key: Any = 0
        for step in path:
            inner = around[key]
            if not isinstance(inner, dict | list) or not inner:
                break
            around = inner
            key = list(inner)[step % len(inner)] if isinstance(inner, dict) else step % len(inner)
        if gone and around is not root:
            del around[key]
        else:
            around[key] = copy.deepcopy(value)
    return json.dumps(root[0]).encode("utf-8", "surrogatepass")

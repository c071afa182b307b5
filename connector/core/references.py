"""References: short, unique, readable aloud over the telephone (``SCV-7K3F-9Q``)."""

from __future__ import annotations

import re

# no 0/O, 1/I/L, 5/S, 2/Z, 8/B, U/V: nothing that sounds or looks like another; and too few vowels for words
_ALPHABET = "34679ACDEFGHJKMNPQRTWXY"
_LENGTH = 6


def reference(prefix: str, noise: bytes) -> str:
    """A reference from at least 8 random bytes. About 148 million a prefix; the database keeps them unique."""
    number = int.from_bytes(noise, "big")
    letters = []
    for _ in range(_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    code = "".join(letters)
    return f"{prefix}-{code[:4]}-{code[4:]}"


def pattern(prefix: str) -> re.Pattern[str]:
    """Finds a reference in a text, however it is typed (lower case, other dashes, spaces or nothing between)."""
    between = r"[\s._\-\u2010-\u2015]{0,3}"
    return re.compile(
        rf"\b{re.escape(prefix)}{between}([{_ALPHABET}]{{4}}){between}([{_ALPHABET}]{{2}})\b", re.IGNORECASE
    )

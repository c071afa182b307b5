"""Why a file is not taken: the one error of this package."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What is told to people; each has its sentence in ``texts/`` (``file.why_…``)."""

    TYPE = "type"
    """Its content is of no type that is accepted."""
    SIZE = "size"
    """It has more bytes than are accepted."""
    PIXELS = "pixels"
    """The picture has more pixels than are accepted."""
    BROKEN = "broken"
    """It cannot be read to its end."""
    BOMB = "bomb"
    """It would unfold to far more than it looks like."""
    MUCH = "much"
    """Its person has sent too much in one day."""
    MACROS = "macros"
    """An office document with programs in it."""


class Refused(Exception):
    """A file that is not taken. ``str()`` says what is wrong, in our words: nothing of the content is in it."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(what)
        self.reason = reason


def broken(what: str) -> Refused:
    """The error for a file that cannot be read."""
    return Refused(Reason.BROKEN, what)


def bomb(what: str) -> Refused:
    """The error for a file that would unfold to far more than it looks like."""
    return Refused(Reason.BOMB, what)


def pixels(width: int, height: int, most: int) -> None:
    """Raise ``Refused`` unless a picture of that size has at most ``most`` pixels."""
    if width <= 0 or height <= 0:
        raise broken("a picture without width or height")
    if width * height > most:
        raise Refused(Reason.PIXELS, f"{width} x {height} pixels, more than {most} in all")

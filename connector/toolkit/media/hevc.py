"""As much of HEVC as it takes to know a picture's size and to leave out messages (ITU-T H.265, 7.3)."""

from __future__ import annotations

from .reader import Reader
from .refusal import broken

_SPS = 33
_MESSAGES = frozenset((39, 40))
"""Supplemental enhancement information: free text of encoders and applications may stand in it."""


class _Bits:
    """Reads bits; numbers in Exp-Golomb code (9.2)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise broken("the settings of a picture's coding end too early")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise broken("the settings of a picture's coding are damaged")
        return (1 << zeros) - 1 + self.take(zeros)


def _arrays(content: bytes) -> list[tuple[int, list[bytes]]]:
    """The parameter sets of an ``hvcC`` box by the first byte of their array (ISO/IEC 14496-15, 8.3.3.1)."""
    read = Reader(content, 22)
    found = []
    for _ in range(read.u8()):
        head = read.u8()
        found.append((head, [read.take(read.u16()) for _ in range(read.u16())]))
    return found


def settings(content: bytes) -> bytes:
    """An ``hvcC`` without messages, and without anything behind its end. Raises ``Refused``."""
    kept = [(head, units) for head, units in _arrays(content) if head & 63 not in _MESSAGES]
    rows = [
        bytes((head,))
        + len(units).to_bytes(2, "big")
        + b"".join(len(u).to_bytes(2, "big") + u for u in units)
        for head, units in kept
    ]
    return content[:22] + bytes((len(rows),)) + b"".join(rows)


def size(content: bytes) -> tuple[int, int]:
    """Width and height as the coding itself says. Raises ``Refused``."""
    sets = [unit for head, units in _arrays(content) if head & 63 == _SPS for unit in units]
    if not sets:
        raise broken("a picture without the settings of its coding")
    largest = (0, 0)
    for unit in sets:
        found = _sps(unit)
        largest = max(largest, found, key=lambda s: s[0] * s[1])
    return largest


def _sps(unit: bytes) -> tuple[int, int]:
    bits = _Bits(unit[2:400].replace(b"\0\0\x03", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 88 + 8)
    flags = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in flags:
        bits.take(88 * profile + 8 * level)
    bits.golomb()
    if bits.golomb() == 3:
        bits.take(1)
    return bits.golomb(), bits.golomb()


def without_messages(content: bytes, configuration: bytes) -> bytes:
    """A coded picture, unit by unit, without messages. Raises ``Refused`` when the units do not fill it."""
    if len(configuration) < 23:
        raise broken("the settings of a picture's coding end too early")
    width = (configuration[21] & 3) + 1
    read = Reader(content)
    kept = []
    while read.left:
        unit = read.take(read.number(width))
        if not unit:
            continue
        if unit[0] >> 1 & 63 not in _MESSAGES:
            kept.append(len(unit).to_bytes(width, "big") + unit)
    return b"".join(kept)

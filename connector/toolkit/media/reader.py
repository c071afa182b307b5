"""Reading bytes step by step: whoever reads past the end has a broken file in hands."""

from __future__ import annotations

from typing import Literal

from .refusal import broken


class Reader:
    """Reads ``data`` from ``pos`` to ``end``; numbers are big-endian unless ``order`` says otherwise."""

    __slots__ = ("data", "end", "order", "pos")

    def __init__(
        self, data: bytes, pos: int = 0, end: int | None = None, order: Literal["big", "little"] = "big"
    ) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end
        self.order: Literal["big", "little"] = order

    @property
    def left(self) -> int:
        """Bytes until the end."""
        return self.end - self.pos

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises ``Refused``."""
        start = self.pos
        self.skip(count)
        return self.data[start : self.pos]

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes. Raises ``Refused``."""
        if not 0 <= count <= self.end - self.pos:
            raise broken("it ends too early")
        self.pos += count

    def number(self, size: int) -> int:
        """An unsigned number of ``size`` bytes (0 bytes: 0)."""
        return int.from_bytes(self.take(size), self.order)

    def u8(self) -> int:
        return self.number(1)

    def u16(self) -> int:
        return self.number(2)

    def u32(self) -> int:
        return self.number(4)

    def u64(self) -> int:
        return self.number(8)

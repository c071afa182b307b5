"""Meta's limit of messages to one person."""

from __future__ import annotations

from connector.demo.meta.errors import GraphError

PAIR_BURST = 45
PAIR_SECONDS = 6.0


class PairRate:
    """1 message per 6 s, of which 45 may be borrowed at once (error 131056)."""

    def __init__(self) -> None:
        self._credit: dict[str, tuple[float, float]] = {}

    def spend(self, address: str, now: float) -> None:
        """Count one message. Raises ``GraphError`` 131056 when the credit is used up."""
        credit, since = self._credit.get(address, (float(PAIR_BURST), now))
        credit = min(float(PAIR_BURST), credit + max(0.0, now - since) / PAIR_SECONDS)
        if credit < 1:
            raise GraphError(131056)
        self._credit[address] = (credit - 1, now)

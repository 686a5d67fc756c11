"""Tiles that were made on request are kept for the next who asks, in a bounded number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

OVERHEAD_BYTES = 300
"""What an entry costs besides its content: its key, its place in the order, the objects' own headers."""


class TileCache:
    """Keeps the most recently used content. Belongs to one thread of one worker.

    Parameters
    ----------
    limit_bytes : int
        Memory for keys and content together; 0 keeps nothing.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self.used_bytes = 0

    def get_or_make(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Give what is kept under `key`; make it first where there is nothing. An error is not kept."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        made = make()
        self._keep(key, made)
        return made

    def _keep(self, key: Hashable, made: bytes) -> None:
        cost = len(made) + OVERHEAD_BYTES
        if cost > self._limit:
            return
        self._kept[key] = made
        self.used_bytes += cost
        while self.used_bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self.used_bytes -= len(oldest) + OVERHEAD_BYTES

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.used_bytes = 0

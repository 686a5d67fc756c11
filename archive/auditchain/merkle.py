"""One digest stands for all entries of a trail, and a few more prove that one entry is among them.

The tree is that of RFC 9162 (Certificate Transparency, section 2.1): leaves and nodes are hashed differently, and a
tree of n leaves says the same whatever came after them. A leaf is the digest of an entry, so that a proof can be made
for an entry whose text is not shown.
"""

import hashlib
from collections.abc import Iterable, Sequence


class Tree:
    """A tree that grows leaf by leaf and keeps no more of it than the tops of its full parts."""

    def __init__(self) -> None:
        self.size = 0
        self._tops: list[tuple[int, bytes]] = []

    def add(self, digest: str) -> None:
        """Add the digest of the next entry."""
        leaves, top = 1, _leaf(digest)
        while self._tops and self._tops[-1][0] == leaves:
            _, left = self._tops.pop()
            leaves, top = 2 * leaves, _node(left, top)
        self._tops.append((leaves, top))
        self.size += 1

    @property
    def root(self) -> str:
        """The digest that stands for all leaves so far, in hexadecimal digits."""
        if not self._tops:
            return hashlib.sha256().hexdigest()
        top = self._tops[-1][1]
        for _, left in reversed(self._tops[:-1]):
            top = _node(left, top)
        return top.hex()


class Proofs:
    """All nodes of a tree, from which the proof of each leaf is read."""

    def __init__(self, digests: Iterable[str]) -> None:
        self._levels = [[_leaf(digest) for digest in digests]]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = [_node(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)]
            self._levels.append(pairs + below[2 * len(pairs) :])  # what has no partner goes up as it is

    def path(self, number: int) -> tuple[str, ...]:
        """Give the nodes that lead from the leaf of an entry, counted from 1, to the root."""
        place, found = number - 1, []
        for level in self._levels[:-1]:
            beside = place ^ 1
            if beside < len(level):
                found.append(level[beside].hex())
            place //= 2
        return tuple(found)


def root_by(path: Sequence[str], number: int, size: int, digest: str) -> str:
    """Give the root that a proof leads to, of a tree of so many leaves; a proof that fits nothing leads to no root."""
    place, last, top = number - 1, size - 1, _leaf(digest)
    nodes = [bytes.fromhex(node) for node in path]
    while last > 0:
        if place % 2 or place < last:
            if not nodes:
                return ""
            beside = nodes.pop(0)
            top = _node(beside, top) if place % 2 else _node(top, beside)
        place, last = place // 2, last // 2
    return "" if nodes or place else top.hex()


def _leaf(digest: str) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(digest)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()

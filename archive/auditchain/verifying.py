"""A trail is held against itself and against every statement that was ever signed about it, in one reading."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archive.auditchain.chain import Entry, Fault, FaultCode, Head, Trail, verify
from archive.auditchain.merkle import Tree
from archive.auditchain.statement import Signed, Standing
from archive.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Checked:
    """What a reading of a trail found: how far it goes, how far it is signed, and its faults."""

    name: str
    last: Head
    tree: Tree
    signed: int
    """The number of the newest entry that a statement covers."""
    faults: tuple[Fault, ...]

    @property
    def standing(self) -> Standing:
        """How far it goes."""
        return Standing(self.last, self.tree.root)


def check_trail(trail: Trail, statements: Sequence[Signed], watch: Callable[[Entry], None] = lambda _: None) -> Checked:
    """Read a trail from its first entry to its last.

    Parameters
    ----------
    trail
        The trail.
    statements
        Those that are signed and in their place.
    watch
        Called with every entry.
    """
    said = [one.statement.trails[trail.name] for one in statements if trail.name in one.statement.trails]
    roots: dict[int, set[str]] = {}
    for standing in said:
        roots.setdefault(standing.head.number, set()).add(standing.root)
    tree, last, wrong = Tree(), trail.first, list[Fault]()

    def compare() -> None:
        for root in sorted(roots.pop(tree.size, set()) - {tree.root}):
            wrong.append(Fault(tree.size, FaultCode.ROOT, root[:8], tree.root[:8]))

    def read() -> Iterator[Entry]:
        nonlocal last
        compare()
        for entry in trail.entries():
            tree.add(entry.digest)
            compare()
            watch(entry)
            last = entry.head
            yield entry

    try:
        heads = (*trail.heads(), *(standing.head for standing in said))
        faults = (*verify(read(), trail.first, (head for head in heads if head.number)), *trail.beside())
    except ArchiveError:
        unreadable = Fault(last.number + 1, FaultCode.UNREADABLE, "an entry", "what cannot be read")
        return Checked(trail.name, last, tree, _furthest(said), (*wrong, unreadable))
    return Checked(trail.name, last, tree, _furthest(said), (*faults, *wrong))


def _furthest(said: Sequence[Standing]) -> int:
    return max((standing.head.number for standing in said), default=0)


def not_here(name: str, statements: Sequence[Signed]) -> Checked | None:
    """Report a trail that statements speak of and that is gone; None if they never spoke of it."""
    said = [one.statement.trails[name] for one in statements if name in one.statement.trails]
    if not said:
        return None
    fault = Fault(0, FaultCode.TRAIL_MISSING, f"{_furthest(said)} entries", "no trail")
    return Checked(name, Head(0, "0" * 64), Tree(), _furthest(said), (fault,))

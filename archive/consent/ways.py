"""What would turn a refusal into a yes, found by deciding again after each change that people can still bring about.

Changes are tried one at a time, then together; only those are followed that make the table answer differently.
"""

from collections import deque

from archive.consent.changes import Change, apply, possible_changes
from archive.consent.evaluate import Outcome, evaluate
from archive.consent.situation import Situation
from archive.consent.table import Verdict


def ways_to_yes(situation: Situation) -> tuple[tuple[tuple[Change, ...], Outcome], ...]:
    """Find the sets of changes that are enough, and of which no part is; the smallest first.

    Each comes with the outcome that allows. There are none where nothing that can be obtained would help.
    """
    changes = possible_changes(situation)
    ways: dict[frozenset[int], Outcome] = {}
    seen: set[frozenset[int]] = set()
    frontier = deque([(frozenset[int](), situation, evaluate(situation))])
    while frontier:
        chosen, here, before = frontier.popleft()
        for index, change in enumerate(changes):
            together = chosen | {index}
            if together in seen or any(way <= together for way in ways) or _clash(change, chosen, changes):
                continue
            seen.add(together)
            there = apply(change, here)
            after = evaluate(there)
            if after.verdict is Verdict.ALLOW:
                ways[together] = after
            elif after != before:
                frontier.append((together, there, after))
    return tuple((tuple(changes[index] for index in sorted(way)), outcome) for way, outcome in ways.items())


def _clash(change: Change, chosen: frozenset[int], changes: tuple[Change, ...]) -> bool:
    """Whether one of the chosen changes sets the same fact; records add up and never clash."""
    return any(change.sets.keys() & changes[index].sets.keys() - {"records"} for index in chosen)

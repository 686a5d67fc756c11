"""Which levels are stored: all that the scanner made, and those that it left out."""

from dataclasses import dataclass

from ingest.scanners import SourceLevel

SMALLEST_PX = 1024
"""Levels are added until the smallest fits a square of this side."""

WIDEST_GAP = 4.5
"""A pyramid that jumps further than this between two levels gets one in between."""


@dataclass(frozen=True, slots=True)
class PlannedLevel:
    """One level to be stored: a level of the source, or an added one that much smaller than the level before."""

    source: SourceLevel | None
    factor: int = 1


def plan_levels(levels: tuple[SourceLevel, ...]) -> list[PlannedLevel]:
    """Keep every level that the scanner made, fill gaps over 4, and add levels until the smallest is small.

    Added levels are four times smaller than the one before, or twice where that suffices: what a viewer wants in
    between is made on request.
    """
    plan: list[PlannedLevel] = []
    for level, smaller in zip(levels, (*levels[1:], None), strict=True):
        plan.append(PlannedLevel(level))
        size, target = level.size, smaller.size.width if smaller else 0
        while size.width / target > WIDEST_GAP if target else max(size.width, size.height) > SMALLEST_PX:
            factor = 2 if not target and max(size.width, size.height) <= 2 * SMALLEST_PX else 4
            plan.append(PlannedLevel(None, factor))
            size = size.reduced(factor)
    return plan


def expected_tiles(plan: list[PlannedLevel]) -> int:
    """Count the tiles that a plan will store; those of added levels by their share of the level before."""
    count, tiles = 0, 0
    for planned in plan:
        if planned.source is not None:
            columns, rows = planned.source.size.tiles(planned.source.tile)
            tiles = columns * rows * max(1, len(planned.source.planes))
        else:
            tiles = -(-tiles // planned.factor**2)
        count += tiles
    return count

"""Inside the jail: write the pixels of a slide into a staged folder as shards.

Where the scanner wrote plain JPEG tiles they are copied; otherwise they are decoded and stored without loss. Levels
that the scanner left out are added.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archive.holdings.pixels import BetweenLevel, Coding, LevelLayout, NotPlainJpeg, Origin
from ingest.pipeline.answers import level_to_json
from ingest.pipeline.channels import add_planes, keep_planes, windows
from ingest.pipeline.copying import Begins, begins_of, copy_level
from ingest.pipeline.planning import expected_tiles, plan_levels
from ingest.pipeline.staging import StagedLevels
from ingest.sandbox import Tell
from ingest.scanners import SourceLevel
from ingest.scanners.opening import open_scan


def store(
    tell: Tell, path: str, folder: str, places: str, others: Sequence[str] = (), region: int = 0
) -> dict[str, Any]:
    """Write every level of a region of a slide into a staged folder as shards.

    Parameters
    ----------
    tell : callable
        Told ``{"tiles": 512, "of": 18432}`` from time to time.
    path : str
        The slide.
    folder : str
        The staged folder.
    places : str
        A folder for the places of copied tiles in the source: ``N.places`` for level N, as the pipeline's comparison
        byte by byte wants them.
    others : sequence of str
        The slide's other files. Places count through all its files, laid end to end in this order.
    region : int
        Which region of the glass, in the file's own order.
    """
    with open_scan(Path(path)) as reader:
        plan = plan_levels(reader.scans()[region].levels)
        levels = StagedLevels(Path(folder), expected_tiles(plan), tell)
        begins, left_behind = begins_of([path, *others]), 0
        for planned in plan:
            if planned.source is None:
                _add(levels, planned.factor)
            else:
                left_behind += _keep(levels, planned.source, begins, Path(places))
        return {
            "levels": [level_to_json(layout) for layout in levels.layouts],
            "segments_left_behind": left_behind,
            "windows": windows(levels),
        }


def _keep(levels: StagedLevels, source: SourceLevel, begins: Begins, places: Path) -> int:
    """Copy a level's compressed tiles if all of them are plain; else decode them and store without loss.

    Gives how many segments that are no pixels were left behind.
    """
    if source.planes:
        keep_planes(levels, source)
        return 0
    if source.is_jpeg:
        try:
            return copy_level(levels, source, begins, places)
        except NotPlainJpeg:
            levels.start_over()
    _decode(levels, source)
    return 0


def _decode(levels: StagedLevels, source: SourceLevel) -> None:
    layout = LevelLayout.planned(
        source.size, source.tile, Coding.LOSSLESS, Origin.DECODED, source.channels, source.tile.pixels
    )
    levels.write_pixels(layout, source.decoded_tiles())


def _add(levels: StagedLevels, factor: int) -> None:
    """Add a level `factor` times smaller than the one before, of the same coding."""
    larger = levels.last()
    before = larger.layout
    if before.apart:
        return add_planes(levels, factor)
    smaller = BetweenLevel(larger, factor)
    layout = LevelLayout.planned(smaller.size, before.tile, before.coding, Origin.ADDED, before.channels)
    levels.write_pixels(layout, smaller.tiles())
    larger.close()

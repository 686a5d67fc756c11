"""Keep what a scanner says about its colours, without what it says about anything else."""

from pathlib import Path

from archive.holdings.place import COLOUR_PROFILE
from ingest.deidentify import rebuild_icc


def keep_colours(profile: bytes | None, folder: Path) -> str:
    """Write a source's ICC profile anew into the scan's folder; say in words what was done."""
    if not profile:
        return "none in the file"
    rebuilt = rebuild_icc(profile)
    if rebuilt is None:
        return "left behind: it is not of a kind that can be written anew"
    (folder / COLOUR_PROFILE).write_bytes(rebuilt)
    return "kept, written anew without its texts and dates"

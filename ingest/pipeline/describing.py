"""Inside the jail: tell what is in a slide's file."""

import base64
from pathlib import Path
from typing import Any

from ingest.label.barcodes import barcodes_of
from ingest.pipeline.answers import MAX_ICC_BYTES
from ingest.sandbox import Tell
from ingest.scanners.opening import open_scan


def describe(tell: Tell, path: str, region: int = 0) -> dict[str, Any]:
    """Tell a region's maker, levels, associated images and colour profile, the file's own words and its label's."""
    del tell
    with open_scan(Path(path)) as reader:
        scans = reader.scans()
        scan = scans[region]
        return {
            "regions": len(scans),
            "maker": scan.maker,
            "levels": [[level.size.width, level.size.height] for level in scan.levels],
            "associated": [
                {"kind": str(a.kind), "found_by": a.found_by, "size": [a.size.width, a.size.height]}
                for a in scan.associated
            ],
            "properties": dict(scan.properties),
            "barcodes": barcodes_of(reader),
            "icc_profile": _in_base64(scan.icc_profile),
            "channels": [[channel.name, channel.colour] for channel in scan.channels],
        }


def _in_base64(profile: bytes | None) -> str | None:
    """Write a colour profile as text; one that is longer than any that is kept is none."""
    text = base64.b64encode(profile or b"").decode()
    return text if 0 < len(text) <= MAX_ICC_BYTES else None

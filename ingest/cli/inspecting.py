"""Look into a slide: ``inspect``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from archive.cli.sentences import AsJson, out, said
from ingest.cli.places import LimitsOnly
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.preview import Preview, preview
from ingest.sandbox import prepare


@said
def inspect(
    file: Annotated[Path, typer.Argument(help="A slide, or the main file of a multi-file slide.")],
    as_json: AsJson = False,
    limits_only: LimitsOnly = False,
) -> None:
    """Show what is in a slide, what would be kept and what would be left behind. Nothing is written.

    Values of the file's metadata are not shown, because they may name a person.
    """
    prepare(*PREPARED)
    found = preview(file, limits_only=limits_only)
    if as_json:
        print(json.dumps(_as_json(found), indent=2))
        return
    metadata = found.metadata
    out().print(
        f"[bold]{metadata.scanner_model or metadata.scanner_maker or found.found.maker}[/bold], {found.family}\n"
    )
    if found.found.regions > 1:
        out().print(f"{found.found.regions} regions of the glass, each a scan; this is the first.\n")
    table = Table("kept", "", box=None, pad_edge=False)
    for number, size in enumerate(found.found.levels):
        table.add_row(f"level {number}", str(size))
    mpp = metadata.mpp
    table.add_row("pixel size", f"{mpp.x:g} x {mpp.y:g} micrometres" if mpp else "not in the file")
    power = metadata.objective_power
    table.add_row("objective", f"{power:g}x" if power else "not in the file")
    table.add_row("colour profile", "written anew without its texts" if found.found.icc_profile else "none in the file")
    out().print(table)
    left = Table("left behind", "", box=None, pad_edge=False)
    for image in found.found.associated:
        left.add_row(str(image.kind), f"{image.size}, found by {image.found_by}")
    left.add_row("metadata", f"{metadata.left_behind_count} values, such as {_few(metadata.left_behind)}")
    out().print()
    out().print(left)
    for question in found.left_behind.questions:
        out().print(f"\n[yellow]to look at:[/yellow] {question}")


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) or "none with a published name"


def _as_json(found: Preview) -> dict[str, Any]:
    metadata = found.metadata
    return {
        "format": str(found.family),
        "regions": found.found.regions,
        "kept": {
            "levels": [[size.width, size.height] for size in found.found.levels],
            "mpp": [metadata.mpp.x, metadata.mpp.y] if metadata.mpp else None,
            "objective_power": metadata.objective_power,
            "scanner": metadata.scanner_model or metadata.scanner_maker,
            "colour_profile": found.found.icc_profile is not None,
        },
        "left_behind": {
            "pictures": [
                {"kind": str(image.kind), "size": [image.size.width, image.size.height], "found_by": image.found_by}
                for image in found.found.associated
            ],
            "metadata_values": metadata.left_behind_count,
            "metadata_names": list(metadata.left_behind),
        },
        "questions": [str(question) for question in found.left_behind.questions],
    }

"""The bar over a delivery says in 80 columns how many slides ended, how fast, how many failed, and what is left."""

from pathlib import Path

from rich.console import Console

from ingest.cli.progress import SlideProgress
from ingest.errors import Reason
from ingest.pipeline.batch import Delivered, Outcome


def line_of(bar: SlideProgress, width: int = 80) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(bar.progress.get_renderable())
    return captured.get()


def test_the_bar_of_a_large_delivery_fits_a_terminal_of_80_columns() -> None:
    bar = SlideProgress(12_000)
    bar._began -= 6_000  # that long ago
    bar.kept, bar.refused, bar.source_bytes = 9_800, 150, 99 * 10**9
    bar.ended(Outcome(Delivered(Path("slide.svs"), None), reason=Reason.TRUNCATED, number="7ba1ea17"))
    bar.watch("recognise", {})
    line = line_of(bar)
    assert "9,951 of 12,000 slides" in line
    assert "151 refused" in line
    assert "…" not in line
    assert line.count("\n") == 1


def test_one_slide_is_told_in_the_singular_and_never_in_tenths() -> None:
    bar = SlideProgress(1)
    bar.watch("prove", {})
    assert "0 of 1 slide " in line_of(bar)

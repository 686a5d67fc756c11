"""Run the benchmarks: ``python -m tests.benchmarks ingest|read|serve|check|all SLIDE``; others take ``--slides N``."""

import argparse
import subprocess
import tempfile
from pathlib import Path

from tests.benchmarks import catalogue, checking, formats, ingesting, intake, reading, screening, serving, vault
from tests.benchmarks.report import Row, show


def main() -> None:
    """Measure what was asked for and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        choices=[
            "ingest",
            "read",
            "serve",
            "all",
            "catalogue",
            "vault",
            "intake",
            "check",
            "screen",
            "screen-cost",
            "formats",
        ],
    )
    parser.add_argument(
        "slide", type=Path, nargs="?", help="an SVS file; the documented figures are for 40,000 x 30,000 px"
    )
    parser.add_argument("--slides", type=int, help="how many slides the catalogue, the vault or the delivery has")
    parser.add_argument("--folder", type=Path, help="where a delivery and its archive lie meanwhile; about 2.5 GB")
    parser.add_argument(
        "--fields", type=int, default=500, help="clean fields to screen; --slides says how many composites"
    )
    parser.add_argument(
        "--side", type=int, default=formats.SIDE_PX, help="pixels of a slide of each format, a multiple of 2,048"
    )
    parser.add_argument("--wsidicomizer", help="the wsidicomizer command of an environment of its own, to compare with")
    parser.add_argument("--eubi", help="the eubi command of an environment of its own, to compare with once")
    asked = parser.parse_args()
    if asked.what == "catalogue":
        show(catalogue.measure(asked.slides or 1_000_000))
        return
    if asked.what == "vault":
        show(vault.measure(asked.slides or 1_000_000))
        return
    if asked.what == "intake":
        show(intake.measure(asked.slides or 2_000, asked.folder))
        return
    if asked.what == "formats":
        for line in formats.measure(asked.side):
            print(line, flush=True)
        return
    if asked.what == "screen":
        folder = asked.folder or parser.error("name the folder of real slides with --folder")
        show(screening.measure(folder, composites=asked.slides or 240, clean_fields=asked.fields))
        return
    if asked.slide is None:
        parser.error("name the slide to measure with")
    show(screening.cost(asked.slide, asked.slides or 20) if asked.what == "screen-cost" else _with(asked))


def _with(asked: argparse.Namespace) -> list[Row]:
    """Measure with one slide."""
    rows: list[Row] = []
    if asked.what in ("ingest", "all"):
        rows += ingesting.measure(asked.slide, asked.wsidicomizer)
        rows += ingesting.against_ome_zarr(asked.slide, asked.eubi) if asked.eubi else []
    if asked.what in ("check", "all"):
        rows += checking.measure(asked.slide)
    if asked.what in ("serve", "all"):
        rows += serving.measure(asked.slide)
    if asked.what in ("read", "all"):  # last, because it binds itself to one core
        with tempfile.TemporaryDirectory() as folder:
            command = ingesting.whole_ingest(asked.slide, Path(folder))
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            scan = next((Path(folder) / "archive" / "scans").rglob("zarr.json")).parent
            rows += reading.measure(asked.slide, scan if (scan / "0").is_dir() else scan.parent)
    return rows


if __name__ == "__main__":
    main()

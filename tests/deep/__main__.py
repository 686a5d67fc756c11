"""Run the full counts and print a table for docs/benchmarks.md: ``python -m tests.deep``.

The suite runs the same code with smaller numbers. A count of 0 leaves a part out.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.deep import parts


def main() -> None:
    """Run what was asked for; stop at the first thing that is not as it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.deep", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--kills", type=int, default=200, help="ingests that are killed at random times")
    parser.add_argument("--kills-on-the-way", type=int, default=20, help="times that two workers' ingest is killed")
    parser.add_argument(
        "--killed-copies", type=int, default=1, help="of the changes of the disk, before which so-manieth one is killed"
    )
    parser.add_argument("--mutants", type=int, default=5000, help="damaged slides that are taken in")
    parser.add_argument("--flips", type=int, default=2000, help="bits that are changed in what is stored")
    parser.add_argument("--named", type=int, default=2000, help="bits that a check finds and names the file of")
    parser.add_argument("--tamperings", type=int, default=1000, help="changes to the audit trails and what was signed")
    parser.add_argument("--composites", type=int, default=240, help="lines that are written on slides and screened")
    parser.add_argument("--fields", type=int, default=500, help="clean fields of slides that are screened")
    parser.add_argument("--slide", type=Path, help="a large slide to verify tile by tile; one is drawn unless given")
    parser.add_argument("--no-slide", action="store_true", help="verify no large slide")
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print("| what | how many | what was seen | minutes |")
    print("|---|---|---|---|")
    for row in run(parser.parse_args()):
        print(row, flush=True)


def run(asked: argparse.Namespace) -> Iterator[str]:
    """Run one part after the other, each in a folder of its own."""
    chosen: list[tuple[bool, Callable[[Path], parts.Parts]]] = [
        (asked.kills, lambda home: parts.kills(home, asked.kills)),
        (asked.kills_on_the_way, lambda home: parts.kills_on_the_way(home, asked.kills_on_the_way)),
        (asked.killed_copies, lambda home: parts.killed_copies(home, asked.killed_copies)),
        (asked.mutants, lambda home: parts.mutants(home, asked.mutants)),
        (asked.flips, lambda home: parts.flips(home, asked.flips)),
        (asked.named, lambda home: parts.named(home, asked.named)),
        (asked.tamperings, lambda home: parts.tamperings(home, asked.tamperings)),
        (asked.composites, lambda home: parts.composites(home, asked.composites)),
        (asked.fields, lambda home: parts.clean_fields(home, asked.fields)),
        (not asked.no_slide, lambda home: parts.every_tile(home, asked.slide)),
    ]
    for part in [part for wanted, part in chosen if wanted]:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.monotonic()
            for told in part(Path(folder)):
                yield f"| {told.what} | {told.how_many} | {told.seen} | {(time.monotonic() - begun) / 60:.1f} |"


if __name__ == "__main__":
    main()

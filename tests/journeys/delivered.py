"""Files of any kind are delivered together, with a list of one row each, and taken in by one command."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.holdings import Archive
from archive.pyramid.reader import Pyramid
from tests.journeys.laboratory import Laboratory, Said, write_list

PART = "part"
"""What becomes of a file that belongs to another one's slide: nothing is said of it."""


@dataclass(frozen=True)
class Delivered:
    """What became of each file, and the laboratory where what was kept can be looked at."""

    laboratory: Laboratory
    codes: dict[str, str]
    reasons: dict[str, str]
    said: Said

    @property
    def outcomes(self) -> dict[str, str]:
        """Tell of each file that something was said of ``kept`` or the reason why not."""
        return {**dict.fromkeys(self.codes, "kept"), **self.reasons}

    def open(self, archive: Archive, name: str) -> Pyramid:
        """Open the pixels of a file that was kept."""
        (scan,) = archive.scans_of(archive.slide(self.codes[name]).record.key)
        return archive.open_pyramid(scan.key)


def deliver(laboratory: Laboratory, folder: Path, names: Sequence[str], *more: object, ends: int) -> Delivered:
    """Take in files, each as a case of its own, that lie below a folder."""
    rows = [
        {"file": name, "patient": f"H-{number:07}", "case": f"S26-{number:06}", "block": "A1", "stain": "H&E"}
        for number, name in enumerate(names)
    ]
    laboratory.home.mkdir(parents=True, exist_ok=True)
    delivery = write_list(laboratory.home / "list.csv", *({**row, "tissue": "living"} for row in rows))
    files = [folder / name for name in names]
    said = laboratory.run("ingest", *files, "--delivery", delivery, *more, ends=ends)
    first_row = 2
    codes = {names[row - first_row]: code for row, code in said.slides.items()}
    reasons = {names[int(called.split()[1]) - first_row]: reason for called, reason in said.refused.items()}
    return Delivered(laboratory, codes, reasons, said)

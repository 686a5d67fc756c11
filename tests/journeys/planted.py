"""Slides with names planted everywhere are delivered together; all that came of it is kept to be searched."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.holdings import Archive
from archive.pyramid.reader import Pyramid
from tests.journeys.laboratory import Laboratory, Said, row_of, write_list
from tests.slides.made import MadeSlide
from tests.slides.planted import Plant
from tests.slides.searched import Searched


@dataclass(frozen=True)
class PlantedDelivery:
    """What was delivered, what was said, and the laboratory where it is now."""

    laboratory: Laboratory
    slides: Mapping[str, MadeSlide]
    codes: dict[str, str]
    receipts: dict[str, dict[str, Any]]
    plant: Plant
    said: Said
    searched: Searched

    def open(self, archive: Archive, kind: str) -> Pyramid:
        """Open the pixels of the slide of a kind."""
        (scan,) = archive.scans_of(archive.slide(self.codes[kind]).record.key)
        return archive.open_pyramid(scan.key)


def deliver_planted(home: Path, folder: Path, slides: Mapping[str, MadeSlide], named: Plant) -> PlantedDelivery:
    """Take in slides that lie below a folder, each as a case of its own; `named` stands in the names of their files."""
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    rows = [
        row_of(made.path, f"S26-{number:06}", patient=f"H-{number:07}", slide=str(number))
        | {"file": made.path.relative_to(folder).as_posix()}
        for number, made in enumerate(slides.values())
    ]
    written = home / "receipts.jsonl"
    said = laboratory.take_in(folder, write_list(home / "list.csv", *rows), "--receipts", written)
    receipts = {told["slide"]: told for told in map(json.loads, written.read_text().splitlines())}
    codes = {kind: said.slides[number + 2] for number, kind in enumerate(slides)}
    everything = Plant(tokens=dict(named.tokens))
    for kind, made in slides.items():
        everything.tokens |= {f"{kind}: {place}": token for place, token in made.plant.tokens.items()}
    return PlantedDelivery(laboratory, slides, codes, receipts, everything, said, Searched(everything))

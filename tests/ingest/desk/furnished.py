"""A laboratory's morning: a case of two blocks, a post-mortem, a slide with a wrong barcode, and a file cut short."""

from dataclasses import dataclass
from pathlib import Path

from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.svs import make_svs

CASE, POST_MORTEM, WRONG, CUT = "S26-04711", "PM26-00815", "S26-09001", "S26-09002"
PATIENT, NAME = "H-7654321", "Testperson, Wilhelmine"


@dataclass(frozen=True)
class Furnished:
    """Where it all lies; a path names the file of the case that it was delivered for."""

    home: Path
    delivered: Path
    laboratory: Laboratory

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may stand on a page, and nowhere else."""
        return CASE, POST_MORTEM, WRONG, CUT, PATIENT, NAME, "Wilhelmine", str(self.delivered)


def furnish(home: Path) -> Furnished:
    """Take a morning's slides in."""
    laboratory = Laboratory(home)
    laboratory.declare_feed()
    delivered = home / "delivered"
    delivered.mkdir()
    rows = [
        _slide(delivered, CASE, "A1", "H&E", 900, 700, barcode=f"{CASE};A1;1"),
        _slide(delivered, CASE, "B2", "PAS", 520, 640, barcode=f"{CASE};B2;1"),
        {
            **_slide(delivered, POST_MORTEM, "H1", "H&E", 400, 300),
            "tissue": "post-mortem",
            "authority": "hospital",
            "recorded": "as part of the examination",
        },
        {**_slide(delivered, WRONG, "A1", "H&E", 420, 360, barcode="S26-05555;A1;1"), "barcode": f"{WRONG};A1;1"},
        _slide(delivered, CUT, "A1", "H&E", 400, 300),
    ]
    cut = delivered / f"{CUT}-A1.svs"
    cut.write_bytes(cut.read_bytes()[:9000])
    laboratory.run("ingest", delivered, "--delivery", write_list(home / "list.csv", *rows), ends=3)
    laboratory.grade_as_clean()
    return Furnished(home, delivered, laboratory)


def _slide(
    folder: Path, case: str, block: str, stain: str, width: int, height: int, barcode: str | None = None
) -> dict[str, object]:
    path = folder / f"{case}-{block}.svs"
    make_svs(path, width=width, height=height, factors=(1, 4), barcode=barcode)
    patient = PATIENT if case == CASE else f"H-{case}"
    told = row_of(path, case, patient=patient, block=block, stain=stain, barcode=barcode or "")
    return {**told, "patient_name": NAME} if case == CASE else told

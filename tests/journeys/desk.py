"""A desk in a laboratory: one slide is in the archive, and whatever is typed here has patients' names in its paths."""

import json
from dataclasses import dataclass
from pathlib import Path

from archive.codes import Code, Kind
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.planted import Plant
from tests.slides.svs import make_svs


@dataclass(frozen=True)
class Desk:
    """A laboratory with one slide, whose file, folder and list are called after a patient."""

    laboratory: Laboratory
    names: Plant
    slide: Path
    listed: Path
    code: str
    case_code: str

    @property
    def folder(self) -> Path:
        """Where the slide was delivered."""
        return self.slide.parent

    @property
    def words(self) -> dict[str, str]:
        """What may stand in braces in a call."""
        other = self.folder.parents[1] / "other" / "archive"
        return {
            **{"slide": str(self.slide), "folder": str(self.folder), "list": str(self.listed)},
            **{"code": self.code, "case": self.case_code, "unknown": str(Code.random(Kind.SLIDE))},
            **{"typo": self.code[:-1] + ("0" if self.code[-1] != "0" else "1"), "name": self.names("not there")},
            **{"other_vault": f"{other}-vault", "other_key": f"{other}-key/vault.key", "list_name": self.listed.name},
        }

    def calls(self, text: str) -> list[str]:
        """Split a call into its words, with what stands in braces filled in."""
        return [word.format_map(self.words) for word in text.split()]

    def silent_about_names(self) -> bool:
        """Whether the last command said none of the names."""
        return self.names.survivors(self.laboratory.said[-1].everything.encode()) == []


def new_laboratory(home: Path) -> Laboratory:
    """Give a laboratory in a new folder, with nothing in it yet."""
    home.mkdir(exist_ok=True)
    return Laboratory(home)


def set_up(home: Path) -> Desk:
    """Set a laboratory up beside another one, and take its first slide in."""
    names = Plant()
    folder = home / names("folder above") / names("folder")
    folder.mkdir(parents=True)
    slide = make_svs(folder / f"{names('file')}.svs", width=300, height=260, factors=(1,), plant=names).path
    row = row_of(slide, names("case"), patient=names("patient"), patient_name=names("name"))
    listed = write_list(folder / f"{names('list')}.csv", row)
    new_laboratory(home / "other").run("init")
    laboratory = new_laboratory(home / "laboratory")
    laboratory.declare_feed()
    receipts = home / "receipts.jsonl"
    laboratory.take_in(slide, listed, "--receipts", receipts)
    laboratory.grade_as_clean()
    receipt = json.loads(receipts.read_text())
    return Desk(laboratory, names, slide, listed, receipt["slide"], receipt["case"])

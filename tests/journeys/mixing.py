"""A delivery as it comes on a Monday: mostly good slides, and one of everything that goes wrong.

Two scanners, slides delivered twice, slides scanned again, files cut off, bombs, files that no row tells of, labels of
another patient, and post-mortems about which nothing is known. What must become of each file is written down beside it,
as codes that are typed here and not taken from the code under test.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.holdings import Archive
from ingest.cli.places import Places
from ingest.keyvault import KeyVault
from tests.journeys.laboratory import Laboratory, write_list
from tests.slides.malformed import bomb
from tests.slides.ome import make_ome_tiff
from tests.slides.svs import make_svs

KINDS = {
    "good": 88,
    "other maker": 40,
    "labelled": 10,
    "twice": 20,
    "scanned again": 10,
    "cut off": 10,
    "bomb": 3,
    "no row": 9,
    "wrong label": 5,
    "post-mortem": 5,
}
"""How many files there are of each kind; 200 in all."""


def a_third() -> dict[str, int]:
    """Tell how many there are of each kind in a smaller delivery; at least one of each."""
    return {kind: -(-count // 3) for kind, count in KINDS.items()}


NEW_SCAN, KNOWN = "kept", "known"
REFUSED = {
    "cut off": "truncated",
    "bomb": "unreadable-pixels",
    "no row": "no-row",
    "wrong label": "wrong-barcode",
    "post-mortem": "unknown-authority",
}


@dataclass
class Mixture:
    """A folder of files, its list, and what must become of each file, by name."""

    folder: Path
    kinds: Mapping[str, int] = field(default_factory=lambda: KINDS)
    expected: dict[str, str] = field(default_factory=dict)
    rows: list[Mapping[str, object]] = field(default_factory=list)

    @property
    def list(self) -> Path:
        """The delivery list; it lies beside the folder."""
        return self.folder.with_suffix(".csv")

    @property
    def slides(self) -> int:
        """How many glass slides are kept in the end, and ..."""
        return sum(self.kinds[kind] for kind in ("good", "other maker", "labelled"))

    @property
    def scans(self) -> int:
        """... how many scans: those that were scanned again have two."""
        return self.slides + self.kinds["scanned again"]


def mix(folder: Path, kinds: Mapping[str, int] = KINDS) -> Mixture:
    """Write so many files of each kind, and their list."""
    folder.mkdir(parents=True)
    mixture = Mixture(folder, kinds)
    whole = {name: _made(folder, make) for name, make in _TEMPLATES.items()}
    for kind, count in kinds.items():
        for number in range(count):
            _add(mixture, kind, number, whole)
    write_list(mixture.list, *mixture.rows)
    assert len(mixture.expected) == len(list(folder.iterdir())) == sum(kinds.values())
    return mixture


_SMALL: dict[str, Any] = {"width": 600, "height": 500, "factors": (1, 4)}
_TEMPLATES: dict[str, Callable[[Path], object]] = {
    "good": lambda path: make_svs(path, **_SMALL),
    "scanned again": lambda path: make_svs(path, **_SMALL, seed=11),
    "other maker": lambda path: make_ome_tiff(path, width=600, height=500, factors=(1, 2)),
    "bomb": bomb.make,
}
_LOOKS_LIKE = {"twice": "good", "cut off": "good", "no row": "good", "post-mortem": "good"}


def _made(folder: Path, make: Callable[[Path], object]) -> bytes:
    path = folder / "template.tif"
    make(path)
    content = path.read_bytes()
    path.unlink()
    return content


def _add(mixture: Mixture, kind: str, number: int, templates: Mapping[str, bytes]) -> None:
    """Write one file, with bytes behind its end that make it unlike the others, and its row."""
    suffix = "ome.tif" if kind == "other maker" else "svs"
    path = mixture.folder / f"{kind.replace(' ', '-')}-{number:02}.{suffix}"
    if kind in ("labelled", "wrong label"):
        says = number if kind == "labelled" else number + 50
        make_svs(path, **_SMALL, barcode=f"B26-{says:04};A1")
    else:
        whole = templates[_LOOKS_LIKE.get(kind, kind)]
        path.write_bytes(whole[: len(whole) * 2 // 3] if kind == "cut off" else whole)
    mark = "good" if kind == "twice" else kind
    with path.open("ab") as file:
        file.write(f"{mark} {number}".encode())
    mixture.expected[path.name] = REFUSED.get(kind, KNOWN if kind == "twice" else NEW_SCAN)
    if kind != "no row":
        mixture.rows.append({"file": path.name, **_row(kind, number)})


def _row(kind: str, number: int) -> dict[str, object]:
    """Tell what the list says: that it is the first slide again, where a file is delivered or scanned twice."""
    same = "good" if kind in ("twice", "scanned again") else kind
    initials = "".join(word[0] for word in same.split()).upper()
    case = f"PM26-{number:04}" if kind == "post-mortem" else f"S26-{initials}{number:04}"
    row = {"patient": f"H-{case}", "case": case, "block": "A1", "stain": "H&E"}
    labelled = kind in ("labelled", "wrong label")
    return row | {"barcode": f"B26-{number:04};A1" if labelled else ""}


@dataclass(frozen=True)
class Ended:
    """How a mixture ended, as vault and archive tell."""

    outcomes: dict[str, str]
    slides: int
    scans: int
    tidy: bool


def how_it_ended(laboratory: Laboratory, mixture: Mixture) -> Ended:
    """Ask the register what became of each file, and the archive what it holds."""
    places = Places.of(laboratory.archive)
    outcomes = {}
    with KeyVault.open(places.vault, places.key) as vault, Archive.open(laboratory.archive, read_only=True) as archive:
        for name in mixture.expected:
            entry = vault.register.find(mixture.folder / name)
            outcomes[name] = "never noted" if entry is None else str(entry.reason or entry.state)
        held = archive.slides()
        sound = (vault.pending(), vault.check(), archive.audit_faults()) == ((), (), ())
    left = [path for place in ("staging", "aside") for path in (laboratory.archive / place).iterdir()]
    return Ended(outcomes, len(held), sum(len(slide.scans) for slide in held), sound and not left)


def differences(mixture: Mixture, ended: Ended) -> Counter[tuple[str, str]]:
    """Count the files that ended otherwise than expected, by what was expected and what came."""
    pairs = ((mixture.expected[name], came) for name, came in ended.outcomes.items())
    return Counter((expected, came) for expected, came in pairs if expected != came)

"""What a laboratory gets for a slide that was taken in: what was kept, what was left behind, how it was verified."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from archive.codes import Code, InternalKey
from archive.consent import Decision
from archive.consent.terms import UNASSESSED
from archive.errors import UnknownCode
from archive.geometry import MicronsPerPixel, Size
from archive.holdings import Archive, Committed
from archive.holdings.pixels import LevelLayout, Origin, ScanLayout
from archive.records import Fidelity, ScanRecord
from ingest.deidentify import CleanMetadata
from ingest.label import LeftBehind as Pictures
from ingest.pipeline.answers import Stored
from ingest.pipeline.proving import Proof, Search
from ingest.pipeline.screening import Screened
from ingest.pipeline.source import Source

HOW = {
    Origin.COPIED: "copied",
    Origin.CUT: "cut into smaller tiles without loss",
    Origin.DECODED: "decoded and stored without loss",
}
"""How the scanner's pixels of a level are stored, in words."""


@dataclass(frozen=True, slots=True)
class Verification:
    """How the stored pixels were proven right, in tiles, and how many bytes were searched for identifiers."""

    tiles: int
    same_bytes: int
    same_pixels: int
    by_openslide: int
    bytes_searched: int
    words_left_out: int = 0
    """Words of the file's own metadata that were too many to look for; those of the case are all looked for."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at the pixels: the grade, what was seen of each kind, what was made black, how long it took.

    What was seen and is told here is a marker's ink, or what a person saw, too, and released.
    """

    grade: str
    whole: bool
    seen: dict[str, int]
    black_out: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What of the file did not travel on; counts and published names, never a value."""

    pictures: dict[str, int]
    jpeg_segments: int
    properties: int
    property_names: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One slide taken in, or recognised as taken in before: then ``new`` is false, and how it was done is left out."""

    new: bool
    patient_code: Code
    case_code: Code
    slide_code: Code
    scan_code: Code
    source_bytes: int
    stored_bytes: int
    levels: tuple[LevelLayout, ...] = field(default=(), repr=False)
    mpp: MicronsPerPixel | None = None
    objective_power: float | None = None
    scanner: str | None = None
    colour_profile: str = "none"
    left_behind: LeftBehind | None = None
    verification: Verification | None = None
    looked: Looked | None = None
    """None where the pixels are to be looked at later."""
    keep_row: str = ""
    scan: InternalKey | None = field(default=None, repr=False)
    """For the key vault's register only."""
    row_number: int | None = None
    """The row of the delivery list that told whose it is."""
    others: tuple["Receipt", ...] = ()
    """Those of the other regions that the file holds; each is a scan of the same slide."""

    @property
    def regions(self) -> tuple["Receipt", ...]:
        """Give the receipts of all regions, in the file's own order."""
        return self, *self.others

    @property
    def wrote(self) -> bool:
        """Whether anything of the file is new."""
        return any(receipt.new for receipt in self.regions)

    @property
    def size(self) -> Size | None:
        """Size of level 0."""
        return self.levels[0].size if self.levels else None

    @property
    def pixels(self) -> str:
        """How the scanner's pixels are stored, in words."""
        origins = {level.origin for level in self.levels}
        said = [words for origin, words in HOW.items() if origin in origins]
        if said == [HOW[Origin.COPIED]]:
            return "copied, not re-encoded"
        return ", ".join(f"partly {words}" for words in said) if len(said) > 1 else said[0]

    def as_json(self) -> dict[str, Any]:
        """Give the receipt as plain JSON; it names nobody."""
        return {
            "new": self.new,
            "patient": str(self.patient_code),
            "case": str(self.case_code),
            "slide": str(self.slide_code),
            "scan": str(self.scan_code),
            "source_bytes": self.source_bytes,
            "stored_bytes": self.stored_bytes,
            "kept": {
                "levels": [
                    {"width": level.size.width, "height": level.size.height, "origin": str(level.origin)}
                    for level in self.levels
                ],
                "pixels": self.pixels if self.levels else None,
                "mpp": [self.mpp.x, self.mpp.y] if self.mpp else None,
                "objective_power": self.objective_power,
                "scanner": self.scanner,
                "colour_profile": self.colour_profile,
            },
            "left_behind": asdict(self.left_behind) if self.left_behind else None,
            "verified": asdict(self.verification) if self.verification else None,
            "screened": asdict(self.looked) if self.looked else None,
            "decision": self.keep_row,
            "other_regions": [receipt.as_json() for receipt in self.others],
        }


def scan_record(
    scan: InternalKey,
    slide: InternalKey,
    layout: ScanLayout,
    metadata: CleanMetadata,
    screened: Screened | None = None,
) -> ScanRecord:
    """Describe a proven scan for the catalogue; ``screened`` is None where its pixels are to be looked at later.

    It is not assessed until then: that label and macro were left behind by structure tells nothing about its pixels.
    """
    origins = [level.origin for level in layout.levels]
    return ScanRecord(
        key=scan,
        slide=slide,
        size=layout.levels[0].size,
        level_count=len(layout.levels),
        mpp=metadata.mpp,
        objective_power=metadata.objective_power,
        scanner_maker=metadata.scanner_maker,
        scanner_model=metadata.scanner_model,
        fidelity=Fidelity.COPIED if origins[0] is Origin.COPIED else Fidelity.LOSSLESS,
        levels_added=origins.count(Origin.ADDED),
        might_identify=screened.grade if screened else UNASSESSED,
        rescreen=screened.rescreen if screened else True,
        deidentified=True,
    )


def receipt_of(
    committed: Committed,
    source: Source,
    stored: Stored,
    metadata: CleanMetadata,
    colours: str,
    pictures: Pictures,
    proof: Proof,
    search: Search,
    keep: Decision,
    scan: InternalKey,
    row_number: int,
    screened: Screened | None = None,
    black_out: int = 0,
) -> Receipt:
    """Write the receipt of a slide that was taken in; ``black_out`` counts the places that were made black."""
    left_behind = LeftBehind(
        pictures={str(picture): count for picture, count in pictures.pictures},
        jpeg_segments=stored.segments_left_behind,
        properties=metadata.left_behind_count,
        property_names=metadata.left_behind,
        questions=tuple(map(str, pictures.questions)),
    )
    return Receipt(
        True,
        committed.patient_code,
        committed.case_code,
        committed.slide_code,
        committed.scan_code,
        source.size_bytes,
        committed.stored_bytes,
        stored.levels,
        metadata.mpp,
        metadata.objective_power,
        metadata.scanner_model or metadata.scanner_maker,
        colours,
        left_behind,
        Verification(
            *(proof.tiles, proof.same_bytes, proof.same_pixels, proof.by_openslide),
            *(search.bytes_searched, search.words_left_out),
        ),
        _looked(screened, black_out) if screened else None,
        keep.row,
        scan,
        row_number,
    )


def _looked(screened: Screened, black_out: int) -> Looked:
    screening = screened.screening
    seen = Counter(finding.kind.value for finding in screening.findings)
    return Looked(str(screened.grade), screening.complete, dict(sorted(seen.items())), black_out, screened.seconds)


def receipt_of_file(receipts: Sequence[Receipt]) -> Receipt:
    """Put the receipts of a file's regions together."""
    return replace(receipts[0], others=tuple(receipts[1:]))


def receipt_of_known(archive: Archive, scan: InternalKey, source_bytes: int, row_number: int | None = None) -> Receipt:
    """Write the receipt of a file whose scan the archive has: its codes, and nothing was written.

    Raises
    ------
    UnknownCode
        If the vault knows a scan that the archive has not.
    """
    held = archive.scan(scan)
    if held is None:
        raise UnknownCode("the key vault knows this file, but the archive has no scan of it; check both folders")
    slide = archive.held(held.record.slide)
    return Receipt(
        False,
        slide.patient_code,
        slide.case_code,
        slide.code,
        held.code,
        source_bytes,
        held.record.stored_bytes,
        scan=scan,
        row_number=row_number,
    )

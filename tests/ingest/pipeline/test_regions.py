"""A file that holds several regions of a glass becomes as many scans of one slide, and everything knows all of them."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from archive.geometry import Rectangle, Size
from archive.holdings import PIXELS
from archive.holdings.pixels import Level
from archive.pyramid.layout import read_layout
from archive.records import Fidelity, ScanRecord, ScanStatus, Stain
from ingest.delivery import Row
from ingest.delivery.mending import read_settings
from ingest.errors import Reason
from ingest.pipeline.admitting import Admitted
from ingest.pipeline.batch import Delivered, Outcome, ingest_batch
from ingest.pipeline.correcting import SlideWords, carry_out, plan_slide
from ingest.pipeline.making import WorkOrder
from ingest.pipeline.preview import preview
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.repairing import repair_from_source
from ingest.pipeline.reporting.releasing import Hold, Releasing
from ingest.pipeline.seen import told
from ingest.pipeline.slide import Intake, admit, look
from ingest.pipeline.source import Source
from ingest.quarantine.waiting import Quarantine
from ingest.screening import Finding, Kind, Place
from tests.ingest.pipeline.conftest import LIVING, Laboratory
from tests.slides import jpegs
from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.planted import Plant
from tests.slides.scn import Tissue, make_scn

GLASS = (
    Tissue(width=400, height=300, factors=(1, 2)),
    Tissue(width=390, height=300, factors=(1, 2), top=40_000_000),
    Tissue(width=380, height=300, factors=(1,), top=50_000_000, objective="40", nm=250),
)
ALIKE = (Tissue(width=400, height=300, factors=(1,)), Tissue(width=390, height=310, factors=(1,), top=40_000_000))


SAID = {"who": "a.clinician", "reason": "wrong row on the list"}


def row_of(path: Path, case: str = "S26-1") -> Row:
    return Row(number=2, file=PurePosixPath(path.name), patient="H-1", case=case, block="A1", stain=Stain.HE)


def take_in(laboratory: Laboratory, path: Path, case: str = "S26-1") -> Outcome:
    (outcome,) = ingest_batch(
        [Delivered(path, row_of(path, case), LIVING)], Intake(laboratory.archive, laboratory.vault)
    )
    return outcome


def kept(laboratory: Laboratory, path: Path) -> Receipt:
    receipt = take_in(laboratory, path).receipt
    assert receipt is not None
    return receipt


def scans(laboratory: Laboratory) -> list[ScanRecord]:
    """Give the scans of the one slide, the largest first, as the regions of the glass are."""
    (slide,) = laboratory.archive.slides()
    return list(laboratory.archive.scans_of(slide.record.key))


def shows(laboratory: Laboratory, scan: ScanRecord, known: tuple[MadeLevel, ...]) -> None:
    """See that a scan holds the scanner's own data and shows its pixels."""
    folder = laboratory.archive.place.of_scan(scan.key) / PIXELS
    layout = read_layout(folder)
    assert len(layout.levels) == len(known)
    for number, (stored, made) in enumerate(zip(layout.levels, known, strict=True)):
        level = Level(folder, number, stored)
        for (column, row), stream in made.tiles.items():
            x, y = column * made.tile[0], row * made.tile[1]
            expected = made.pixels[y : y + made.tile[1], x : x + made.tile[0]]
            pixels = level.decoded_tile(column, row)[: expected.shape[0], : expected.shape[1]]
            assert np.array_equal(pixels, expected)
            assert (level.encoded_tile(column, row) or b"").endswith(stream[-200:])


def damage(laboratory: Laboratory, scan: ScanRecord) -> Path:
    file = laboratory.archive.place.of_scan(scan.key) / PIXELS / "0" / "c" / "0"
    shard = next(one for one in file.parent.rglob("*") if one.is_file())
    shard.write_bytes(shard.read_bytes()[:-9] + bytes(9))
    return shard


@pytest.fixture
def glass(tmp_path: Path) -> MadeSlide:
    return make_scn(tmp_path / "glass.scn", regions=GLASS, plant=Plant(), tile=128)


def test_each_region_is_a_scan_of_the_slide_and_is_passed_through(laboratory: Laboratory, glass: MadeSlide) -> None:
    assert preview(glass.path).found.regions == 3
    receipt = kept(laboratory, glass.path)
    assert [one.new for one in receipt.regions] == [True, True, True]
    assert len({one.slide_code for one in receipt.regions}) == 1
    assert len({one.scan_code for one in receipt.regions}) == 3
    assert {one.pixels for one in receipt.regions} == {"copied, not re-encoded"}
    told = receipt.as_json()
    powers = [told["kept"]["objective_power"], *(one["kept"]["objective_power"] for one in told["other_regions"])]
    assert powers == [20.0, 20.0, 40.0]

    assert [scan.key for scan in scans(laboratory)] == [one.scan for one in receipt.regions]
    assert {scan.fidelity for scan in scans(laboratory)} == {Fidelity.COPIED}
    for scan, known in zip(scans(laboratory), (glass.levels, *glass.other_regions), strict=True):
        shows(laboratory, scan, known)
    for file in laboratory.archive.place.root.rglob("*"):
        assert not (file.is_file() and glass.plant.survivors(file.read_bytes()))


def test_openslide_shows_the_same_pixels_where_it_shows_all_regions_at_once(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    receipt = kept(laboratory, make_scn(tmp_path / "a.scn", regions=ALIKE, tile=128).path)
    for one in receipt.regions:
        assert one.verification
        assert one.verification.by_openslide == one.verification.same_pixels > 0


def test_a_file_is_known_by_all_its_regions_and_so_is_a_copy(laboratory: Laboratory, glass: MadeSlide) -> None:
    first = kept(laboratory, glass.path)
    again = kept(laboratory, glass.path)
    copy = kept(laboratory, Path(shutil.copy(glass.path, glass.path.with_name("copy.scn"))))
    for known in (again, copy):
        assert not known.wrote
        assert [one.scan_code for one in known.regions] == [one.scan_code for one in first.regions]
    entry = laboratory.vault.register.find(glass.path)
    assert entry
    assert entry.scans == tuple(one.scan for one in first.regions)
    assert take_in(laboratory, glass.path, case="S26-2").reason is Reason.HELD_AS_ANOTHER

    releasing = Releasing(laboratory.archive, laboratory.vault)
    assert releasing.hold(entry) is Hold.NOTHING
    laboratory.archive.set_status(entry.scans[2], ScanStatus.DAMAGED, reason="a disk is worn out")
    assert releasing.hold(entry) is Hold.NOT_IN_ARCHIVE


def test_of_a_file_with_one_damaged_region_nothing_is_kept(laboratory: Laboratory, glass: MadeSlide) -> None:
    whole, pixels = glass.path.read_bytes(), jpegs.scan_data(glass.other_regions[1][0].tiles[1, 1])
    at = whole.index(pixels)
    glass.path.write_bytes(whole[: at - 40] + bytes(40) + whole[at:])
    assert take_in(laboratory, glass.path).reason is Reason.UNREADABLE_PIXELS
    assert laboratory.archive.slides() == ()
    assert list(laboratory.archive.place.staging.iterdir()) == []
    assert [entry.reason for entry in Quarantine(laboratory.vault).entries()] == [Reason.UNREADABLE_PIXELS]


def test_what_a_corrected_repaired_or_erased_slide_has_is_all_its_scans(
    laboratory: Laboratory, glass: MadeSlide
) -> None:
    both = laboratory.archive, laboratory.vault
    receipt = kept(laboratory, glass.path)
    held = laboratory.archive.slide(receipt.slide_code)
    carry_out(
        plan_slide(*both, str(held.code), SlideWords(case="S26-9", patient="H-9"), read_settings(()), **SAID),
        *both,
        who="a.clinician",
    )
    keys = {scan.key for scan in scans(laboratory)}
    patient = laboratory.vault.directory.patient_of("H-9")
    assert patient
    assert laboratory.vault.check() == ()
    assert keys == {scan for scan, committed in laboratory.vault.recorded() if committed}

    broken = [damage(laboratory, scan) for scan in scans(laboratory)[1:]]
    digests = [hashlib.sha256(file.read_bytes()).digest() for file in broken]
    repaired = repair_from_source(*both, glass.path)
    assert [(one.whole, one.files) for one in repaired] == [(True, 0), (True, 1), (True, 1)]
    assert all(hashlib.sha256(file.read_bytes()).digest() not in digests for file in broken)

    laboratory.vault.erase(patient, "a.manager", "the patient asked for it")
    assert list(laboratory.vault.recorded()) == []
    assert laboratory.vault.register.find(glass.path) is None


def test_a_judgement_is_of_the_region_that_was_looked_at(laboratory: Laboratory, glass: MadeSlide) -> None:
    intake, quarantine = Intake(laboratory.archive, laboratory.vault), Quarantine(laboratory.vault)
    seen = told(Size(390, 300), [Finding(Kind.TEXT, Place(20, 20, 90, 30), 0.9)], region=1)

    def orders() -> list[WorkOrder]:
        admitted = [admit(looked, row_of(glass.path), LIVING, intake) for looked in look(glass.path)]
        with laboratory.archive.stage() as staged:
            return [one.order(staged, intake) for one in admitted if isinstance(one, Admitted)]

    entry = quarantine.set_aside(glass.path, Reason.WRITING_IN_PICTURE, seen)
    quarantine.black_out(entry.number, [Rectangle(0, 0, 40, 40)], "b.scientist", "the label's corner")
    assert [order.black_out for order in orders()] == [(), (Rectangle(0, 0, 40, 40),), ()]
    quarantine.set_aside(glass.path, Reason.WRITING_IN_PICTURE, seen)
    quarantine.release_by_hand(entry.number, "b.scientist", "a control's name")
    assert [order.settled for order in orders()] == [frozenset(), {Kind.TEXT}, frozenset()]

    bars = told(Size(380, 300), [Finding(Kind.BARCODE, Place(0, 0, 40, 40), 0.9)], region=2)
    quarantine.set_aside(glass.path, Reason.BARCODE_IN_PICTURE, bars)
    assert [order.settled for order in orders()] == [frozenset(), {Kind.TEXT}, frozenset()]
    quarantine.release_by_hand(entry.number, "b.scientist", "a control's number")
    assert [order.settled for order in orders()] == [frozenset(), {Kind.TEXT}, {Kind.BARCODE}]
    assert all(order.screen for order in orders())


def test_a_region_is_known_by_the_file_and_its_number(glass: MadeSlide) -> None:
    source = Source.receive(glass.path)
    assert source.digest == source.sha256
    digests = {replace(source, region=region).digest for region in range(64)}
    assert len(digests) == 64
    assert {len(digest) for digest in digests} == {32}

"""What is made black on a held scan is black for good: no process, copy, repair or rebuilding brings it back."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from archive import fixity
from archive.catalogue import audit, redactions
from archive.codes import Kind
from archive.consent import MightIdentify
from archive.consent.terms import Grade
from archive.errors import DamagedPyramid, FreeTextRefused, HoldingsUnavailable, InvalidValue, UnknownCode
from archive.fixity import MANIFEST, Manifest, StoredFile
from archive.geometry import Rectangle
from archive.holdings import PIXELS, Archive, Step
from archive.holdings.checking import running
from archive.holdings.checking.repairing import Aside, Repair
from archive.holdings.checking.running import Plan, Progress
from archive.holdings.checking.scans import begin
from archive.holdings.checking.whole import ArchiveCheck
from archive.holdings.commit import chain_from
from archive.holdings.new_version import MOMENTS, Moment
from archive.holdings.place import RECORD
from archive.holdings.redacting import _order, foresee, redact
from archive.records import ScanStatus
from archive.settings import ArchiveSettings
from tests.archive.holdings.pictured import NAME, WHY, Held, hold, is_black, shown

ROOT = Path(__file__).resolve().parents[3]
ELSEWHERE = Rectangle(300, 200, 20, 20)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def archive(root: Path) -> Iterator[Archive]:
    with Archive.create(root) as made:
        yield made


@pytest.fixture
def held(archive: Archive) -> Held:
    return hold(archive)


def folder_of(archive: Archive, held: Held) -> Path:
    return archive.place.of_scan(held.key)


def require_new(archive: Archive, held: Held) -> None:
    """Prove that a scan is black, whole, open, and that nothing of what it was is left below the archive's folder."""
    folder = folder_of(archive, held)
    scan = archive.scan(held.key)
    assert scan is not None
    manifest = Manifest.from_bytes((folder / MANIFEST).read_bytes())
    assert (manifest.sha256, manifest.stored_bytes) == (scan.record.manifest_sha256, scan.record.stored_bytes)
    assert fixity.verify(folder, manifest) == ()
    assert is_black(folder)
    assert scan.record.status is ScanStatus.KEPT
    assert archive.redactions_of(held.key) == (NAME,)
    archive.open_pyramid(held.key).close()
    for place in (archive.place.staging, archive.place.redacting, archive.place.aside):
        assert not place.exists() or list(place.iterdir()) == []
    assert archive.audit_faults() == ()


def test_a_scan_is_black_where_it_was_to_be_and_open_under_its_own_code(archive: Archive, held: Held) -> None:
    before = {path: path.read_bytes() for path in folder_of(archive, held).rglob("*") if path.is_file()}
    done = redact(archive, held.code, [NAME], reason=WHY)
    require_new(archive, held)
    assert done.scan == held.code
    assert done.tiles == (2, 1)
    assert archive.slide(held.slide).scans[0].code == held.code
    folder = folder_of(archive, held)
    changed = {str(path.relative_to(folder)) for path, content in before.items() if path.read_bytes() != content}
    assert changed == {RECORD, MANIFEST, f"{PIXELS}/0/c/0/0/0", f"{PIXELS}/1/c/0/0/0"}


def test_it_counts_as_not_assessed_until_it_is_screened_again(archive: Archive, held: Held) -> None:
    redact(archive, held.code, [NAME], reason=WHY)
    scan = archive.scan(held.key)
    assert scan is not None
    assert scan.record.might_identify.grade is Grade.UNASSESSED
    assert scan.record.rescreen


def test_what_was_seen_on_it_counts_until_it_is_screened_again(archive: Archive, held: Held) -> None:
    """Or a rectangle in the wrong place would open it, where somebody attested for the case before it came."""
    archive.set_grade(held.key, MightIdentify(Grade.YES), rescreen=False, reason="seen")
    redact(archive, held.code, [ELSEWHERE], reason=WHY)
    scan = archive.scan(held.key)
    assert scan is not None
    assert scan.record.might_identify.grade is Grade.YES
    assert scan.record.rescreen


def test_nothing_happens_when_it_is_only_foreseen(archive: Archive, held: Held) -> None:
    before = archive.change_count()
    foreseen = foresee(archive, held.code, [NAME])
    assert (foreseen.scan, foreseen.tiles, foreseen.holders) == (held.code, (2, 1), ())
    assert archive.change_count() == before
    assert shown(folder_of(archive, held)).any()


def test_the_trail_tells_what_was_ordered_and_what_was_done_and_no_pixel_of_it(archive: Archive, held: Held) -> None:
    redact(archive, held.code, [NAME], reason=WHY)
    with archive.catalogue.reading() as connection:
        ordered, done = [entry.content for entry in audit.entries(connection)][-2:]
    assert (ordered["act"], ordered["reason"], ordered["black"]) == ("redact", WHY, [list(NAME.sides)])
    assert (ordered["scan"], ordered["slide"]) == (str(held.code), str(held.slide))
    assert (done["act"], done["scan"], done["tiles"]) == ("redacted", str(held.code), [2, 1])


def test_from_the_order_on_nobody_opens_the_old_version(archive: Archive, held: Held, root: Path) -> None:
    opened: list[str] = []

    def step(name: str) -> None:
        with Archive.open(root, read_only=True) as reader:
            try:
                reader.open_pyramid(held.key).close()
                opened.append(name)
            except UnknownCode:
                pass

    with Archive.open(root, step=step) as writer:
        redact(writer, held.code, [NAME], reason=WHY)
    assert opened == [Moment.OPENED]
    require_new(archive, held)


@pytest.mark.parametrize(
    ("moment", "going_on"),
    [
        *((moment, "recovery") for moment in MOMENTS),
        *((moment, "the same command") for moment in (Moment.BLACK, Moment.PUT_IN, Moment.ENTERED)),
    ],
)
def test_killed_at_any_moment_it_is_shut_or_new_and_goes_on(
    archive: Archive, held: Held, root: Path, moment: str, going_on: str
) -> None:
    words = ["-m", "tests.archive.holdings.pictured", str(root), str(held.code), moment]
    ended = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    scan = archive.scan(held.key)
    assert scan is not None
    assert scan.record.status is (ScanStatus.KEPT if moment == Moment.OPENED else ScanStatus.REDACTING)
    with Archive.open(root) as next_one:
        if going_on == "recovery":
            found = next_one.recover()
            assert found.redacted == (() if moment == Moment.OPENED else (held.code,))
            assert (found.missing, found.taken_up, found.set_aside) == ((), (), 0)
            assert next_one.recover().nothing
        else:
            redact(next_one, held.code, [NAME], reason=WHY)
    require_new(archive, held)


def test_more_may_be_made_black_and_it_all_stays(archive: Archive, held: Held) -> None:
    redact(archive, held.code, [NAME], reason=WHY)
    redact(archive, held.code, [ELSEWHERE, NAME], reason=WHY)
    assert archive.redactions_of(held.key) == (NAME, ELSEWHERE)
    assert is_black(folder_of(archive, held))
    with pytest.raises(InvalidValue, match="black already"):
        redact(archive, held.code, [NAME, ELSEWHERE], reason=WHY)


def test_a_second_order_during_the_first_is_not_lost(archive: Archive, held: Held, root: Path) -> None:
    def step(name: str) -> None:
        if name == Moment.PUT_IN:
            with Archive.open(root) as other:
                _order(other.catalogue, held.key, [ELSEWHERE], WHY)

    with Archive.open(root, step=step) as first:
        redact(first, held.code, [NAME], reason=WHY)
    with pytest.raises(UnknownCode):
        archive.open_pyramid(held.key)
    assert archive.recover().redacted == (held.code,)
    with archive.open_pyramid(held.key) as pyramid:
        assert not pyramid.level(0).read_region(*ELSEWHERE.sides).any()
    assert is_black(folder_of(archive, held))


@pytest.mark.parametrize(
    ("rectangles", "said"),
    [
        ([], "1 to 256"),
        ([Rectangle(0, 0, 1, 1)] * 257, "1 to 256"),
        ([Rectangle(400, 0, 5, 5)], "beyond the scan"),
        ([NAME, Rectangle(0, 300, 5, 5)], "beyond the scan"),
    ],
)
def test_what_cannot_be_blacked_out_is_refused_before_anything_is_done(
    archive: Archive, held: Held, rectangles: list[Rectangle], said: str
) -> None:
    before = archive.change_count()
    with pytest.raises(InvalidValue, match=said):
        foresee(archive, held.code, rectangles)
    with pytest.raises(InvalidValue, match=said):
        redact(archive, held.code, rectangles, reason=WHY)
    assert archive.change_count() == before


def test_a_reason_is_asked_for_and_names_nobody(archive: Archive, held: Held) -> None:
    with pytest.raises(InvalidValue, match="say why"):
        redact(archive, held.code, [NAME], reason=" ")
    with pytest.raises(FreeTextRefused):
        redact(archive, held.code, [NAME], reason="12.03.1961 stands on it")
    scan = archive.scan(held.key)
    assert scan is not None
    assert scan.record.status is ScanStatus.KEPT


@pytest.mark.parametrize("status", [ScanStatus.WITHDRAWN, ScanStatus.DAMAGED, ScanStatus.UNREVIEWED])
def test_a_scan_that_is_shown_to_nobody_is_blacked_out_once_it_is_kept(
    archive: Archive, held: Held, status: ScanStatus
) -> None:
    archive.set_status(held.key, status, reason="a test")
    with pytest.raises(InvalidValue, match=str(status)):
        redact(archive, held.code, [NAME], reason=WHY)


def test_a_scan_that_may_not_be_kept_is_blacked_out_and_stays_what_it_is(archive: Archive, held: Held) -> None:
    archive.set_status(held.key, ScanStatus.QUARANTINED, reason="a test")
    redact(archive, held.code, [NAME], reason=WHY)
    scan = archive.scan(held.key)
    assert scan is not None
    assert scan.record.status is ScanStatus.QUARANTINED
    archive.set_status(held.key, ScanStatus.KEPT, reason="a test")
    require_new(archive, held)


def test_a_damaged_scan_stays_shut_until_it_is_repaired(archive: Archive, held: Held, tmp_path: Path) -> None:
    folder = folder_of(archive, held)
    good = shutil.copytree(folder, tmp_path / "good")
    shard = folder / PIXELS / "0/c/0/0/0"
    body = bytearray(shard.read_bytes())
    body[50] ^= 1
    shard.write_bytes(body)
    with pytest.raises(DamagedPyramid):
        redact(archive, held.code, [NAME], reason=WHY)
    with pytest.raises(UnknownCode):
        archive.open_pyramid(held.key)
    assert archive.recover().still_shut == (held.code,)
    shutil.copyfile(good / PIXELS / "0/c/0/0/0", shard)
    assert archive.recover().redacted == (held.code,)
    require_new(archive, held)


def test_no_status_that_is_set_opens_what_waits_to_be_black(archive: Archive, held: Held) -> None:
    shard = folder_of(archive, held) / PIXELS / "0/c/0/0/0"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DamagedPyramid):
        redact(archive, held.code, [NAME], reason=WHY)
    for status in (ScanStatus.DAMAGED, ScanStatus.UNREVIEWED, ScanStatus.KEPT):
        archive.set_status(held.key, status, reason="a test")
    scan = archive.scan(held.key)
    assert scan is not None
    assert scan.record.status is ScanStatus.REDACTING
    shard.write_bytes(content)
    archive.recover()
    require_new(archive, held)


def test_a_folder_that_was_exchanged_is_not_taken_for_a_version(archive: Archive, held: Held) -> None:
    other = hold(archive)
    redact(archive, held.code, [NAME], reason=WHY)
    folder = folder_of(archive, held)
    shutil.rmtree(folder)
    shutil.copytree(folder_of(archive, other), folder)
    assert archive.recover().redacted == ()
    with pytest.raises(DamagedPyramid):
        archive.open_pyramid(held.key)


def test_the_old_version_that_turns_up_again_is_made_black_before_it_can_be_opened(
    archive: Archive, held: Held, tmp_path: Path
) -> None:
    old = shutil.copytree(folder_of(archive, held), tmp_path / "old")
    redact(archive, held.code, [NAME], reason=WHY)
    shutil.rmtree(folder_of(archive, held))
    shutil.copytree(old, folder_of(archive, held))
    with pytest.raises(DamagedPyramid):
        archive.open_pyramid(held.key)
    assert archive.recover().redacted == (held.code,)
    require_new(archive, held)


def test_what_was_black_when_it_came_is_recorded_with_it(archive: Archive, held: Held) -> None:
    black = hold(archive, redactions=[NAME, ELSEWHERE, NAME])
    assert archive.redactions_of(black.key) == (NAME, ELSEWHERE)
    assert chain_from((folder_of(archive, black) / RECORD).read_bytes()).redactions == (NAME, ELSEWHERE)
    with archive.catalogue.reading() as connection:
        assert [list(NAME.sides), list(ELSEWHERE.sides)] == list(audit.entries(connection))[-1].content["black"]
        assert not redactions.waits(connection, black.key)
    assert archive.redactions_of(held.key) == ()
    assert b"redactions" not in (folder_of(archive, held) / RECORD).read_bytes()
    archive.open_pyramid(black.key).close()


def test_a_scan_that_is_taken_up_keeps_its_list(root: Path) -> None:
    class Ended(BaseException):
        pass

    def step(name: str) -> None:
        if name == Step.NAMED:
            shutil.copytree(root / "scans", root / "elsewhere")
            raise Ended

    Archive.create(root).close()
    with Archive.open(root, step=step) as dying, pytest.raises(Ended):
        hold(dying, redactions=[NAME])
    shutil.rmtree(root / "scans")
    (root / "elsewhere").rename(root / "scans")
    with Archive.open(root) as archive:
        (code,) = archive.recover().taken_up
        assert archive.redactions_of(archive.key_of(code, Kind.SCAN)) == (NAME,)


def test_copies_set_aside_of_the_old_version_are_deleted(archive: Archive, held: Held) -> None:
    shutil.copytree(folder_of(archive, held), archive.place.aside / "damaged")
    (archive.place.aside / "other").mkdir()
    redact(archive, held.code, [NAME], reason=WHY)
    assert [left.name for left in archive.place.aside.iterdir()] == ["other"]


def test_the_list_is_had_back_with_a_lost_catalogue(archive: Archive, held: Held, root: Path) -> None:
    from archive.holdings.rebuilding import rebuild_catalogue

    redact(archive, held.code, [NAME], reason=WHY)
    archive.close()
    rebuilt = rebuild_catalogue(root, replace=True)
    assert rebuilt.complete
    shutil.rmtree(rebuilt.set_aside or root)
    with Archive.open(root) as again:
        require_new(again, held)
        again.close()
        shutil.rmtree(root / "journal")
    rebuild_catalogue(root, replace=True)
    with Archive.open(root) as again:
        assert again.redactions_of(held.key) == (NAME,)
        scan = again.scan(held.key)
        assert scan is not None
        assert scan.record.status is ScanStatus.UNREVIEWED
        with again.catalogue.reading() as connection:
            assert not redactions.waits(connection, held.key)


@pytest.mark.parametrize("loss", ["a file", "the folder"])
def test_what_is_repaired_from_a_copy_of_the_old_version_is_black(
    archive: Archive, held: Held, tmp_path: Path, loss: str
) -> None:
    old = shutil.copytree(folder_of(archive, held), tmp_path / "old")
    redact(archive, held.code, [NAME], reason=WHY)
    shard = folder_of(archive, held) / PIXELS / "0/c/0/0/0"
    shutil.rmtree(folder_of(archive, held)) if loss == "the folder" else shard.unlink()
    archive.set_status(held.key, ScanStatus.DAMAGED, reason="a test")
    repaired = Repair(archive).scan(held.key, old)
    assert repaired.whole
    require_new(archive, held)
    assert {path.stat().st_nlink for path in old.rglob("*") if path.is_file()} == {1}


def test_a_copy_of_the_old_version_that_is_damaged_repairs_nothing(
    archive: Archive, held: Held, tmp_path: Path
) -> None:
    old = shutil.copytree(folder_of(archive, held), tmp_path / "old")
    redact(archive, held.code, [NAME], reason=WHY)
    for folder in (old, folder_of(archive, held)):
        (folder / PIXELS / "1/c/0/0/0").write_bytes(b"")
    assert not Repair(archive).scan(held.key, old).whole
    assert not shown(folder_of(archive, held)).any()


def test_a_repair_puts_nothing_of_the_old_version_into_one_that_is_made_meanwhile(
    archive: Archive, held: Held, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan is made black as soon as the repair has put back what was missing, and has more to look at."""
    folder, take = folder_of(archive, held), Aside.take
    old = shutil.copytree(folder, tmp_path / "old")
    (old / PIXELS / "zarr.json").unlink()  # so that the copy is whole enough for the repair, and for no new version
    (folder / PIXELS / "0/c/0/1/0").unlink()

    def make_black() -> None:
        with Archive.open(root) as other:
            redact(other, held.code, [NAME], reason=WHY)

    meanwhile = threading.Thread(target=make_black)

    def take_slowly(aside: Aside, source: Path, file: StoredFile) -> bool:
        taken = take(aside, source, file)
        if meanwhile.ident is None:
            meanwhile.start()
            meanwhile.join(3)
        return taken

    monkeypatch.setattr(Aside, "take", take_slowly)
    Repair(archive).scan(held.key, old)
    meanwhile.join()
    require_new(archive, held)


def test_a_missing_folder_cannot_be_blacked_out(archive: Archive, held: Held) -> None:
    shutil.rmtree(folder_of(archive, held))
    with pytest.raises(HoldingsUnavailable):
        redact(archive, held.code, [NAME], reason=WHY)


def test_a_check_that_reads_a_scan_meanwhile_does_not_take_the_new_version_for_damage(
    archive: Archive, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin_late(*words: Any) -> Any:
        if not archive.redactions_of(held.key):
            redact(archive, held.code, [NAME], reason=WHY)
        return begin(*words)

    monkeypatch.setattr(running, "begin", begin_late)
    settings = ArchiveSettings(archive=archive.place.root)
    check = ArchiveCheck(settings, Plan(today=date(2026, 1, 5), mark=True), Progress())
    assert list(check.run()) == []
    require_new(archive, held)

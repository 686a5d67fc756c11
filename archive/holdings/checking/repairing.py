"""What is damaged is put back from a good copy that a person named, file by file, and only if it is the very file.

Each file is copied aside and read back there; only if its digest is the manifest's is it forced to the disk and renamed
into place. Killed at any instant, a file is the damaged one or the good one, and the repair may be run again. What the
copy does not have, or has damaged too, stays as it is, and is told.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive import fixity
from archive.catalogue import slides
from archive.codes import Code, InternalKey
from archive.errors import HoldingsUnavailable, InvalidValue
from archive.fixity import MANIFEST, Manifest, StoredFile
from archive.holdings.archive import Archive
from archive.holdings.checking.faults import Fault
from archive.holdings.checking.rounds import Rounds
from archive.holdings.checking.scans import KeptScan, Started, begin
from archive.holdings.place import Place, claimed, disk_errors
from archive.holdings.redaction_work import alone, renew
from archive.pyramid.rereading import untold
from archive.records import ScanStatus

REASON = "repaired from a good copy"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of one scan: files put back, and the faults that it still has."""

    scan: Code
    files: int
    left: tuple[Fault, ...]

    @property
    def whole(self) -> bool:
        """Whether the scan is again what was stored."""
        return not self.left


class Repair:
    """Repairs scans of an archive that is open for writing."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def needed(self) -> Iterator[InternalKey]:
        """Give the scans that a check has marked or would have, and those that have no folder."""
        spoilt = Rounds(self._archive.place.checks).spoilt()
        with self._archive.catalogue.reading() as connection:
            keys = sorted(slides.scan_keys(connection))
        for key in keys:
            held = self._archive.scan(key)
            missing = not self._archive.place.of_scan(key).is_dir()
            damaged = key in spoilt or (held is not None and held.record.status is ScanStatus.DAMAGED)
            if held is not None and (missing or damaged):
                yield key

    def from_copy(self, copy: Path) -> Iterator[Repaired]:
        """Repair every scan that needs it from a second copy, laid out as an archive is.

        Raises
        ------
        InvalidValue
            If the folder holds no scans.
        """
        second = Place(copy)
        if not second.scans.is_dir():
            raise InvalidValue(
                "there are no scans in this folder; name the folder of a second copy, which holds scans/"
            )
        for key in self.needed():
            yield self.scan(key, second.of_scan(key))

    def scan(self, key: InternalKey, copy: Path) -> Repaired:
        """Repair one scan from a folder that holds the same files, or those from before it was blacked out.

        Parameters
        ----------
        key
            The scan.
        copy
            What a good copy of its folder would be; files may be missing or damaged there too.

        Raises
        ------
        HoldingsUnavailable
            If the disk cannot be used.
        """
        folder = self._archive.place.of_scan(key)
        # Nothing is made black meanwhile, or files of the old version would be put into the folder of the new one.
        with disk_errors(), alone(self._archive.place):
            held = self._archive.scan(key)
            if held is None:
                raise HoldingsUnavailable("the catalogue has no row of this scan; rebuild the catalogue first")
            kept = KeptScan(folder, held.code, held.record)
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            with claimed(folder):
                files = self._replace(kept, copy)
        left = tuple(begin(kept, _at_once, untold)())
        if left and renew(self._archive, key, copy):
            renewed = self._archive.scan(key) or held  # another version, of other files
            kept = KeptScan(folder, held.code, renewed.record)
            left = tuple(begin(kept, _at_once, untold)())
            files = sum(1 for _ in fixity.files_in(folder))
        if not left and held.record.status is ScanStatus.DAMAGED:
            self._archive.set_status(key, ScanStatus.KEPT, reason=REASON)
        return Repaired(held.code, files, left)

    def _replace(self, scan: KeptScan, copy: Path) -> int:
        with self._archive.stage() as staged:
            aside = Aside(staged.notes, scan.folder)
            manifest, files = self._manifest(scan, copy, aside)
            if manifest is not None:
                files += sum(aside.take(copy / file.path, file) for file in manifest.files if aside.lacks(file))
            return files

    def _manifest(self, scan: KeptScan, copy: Path, aside: "Aside") -> tuple[Manifest | None, int]:
        """Give the manifest that was catalogued: the scan's own, the copy's, or one made anew of whole files."""
        wanted = scan.row.manifest_sha256
        for place, found in ((scan.folder, 0), (copy, 1)):
            manifest = _catalogued(_read(place / MANIFEST), wanted)
            if manifest is not None:
                if found:
                    aside.put(MANIFEST, manifest.to_bytes())
                return manifest, found
        for place in (scan.folder, copy):
            manifest = _catalogued(_measured(place), wanted)
            if manifest is not None:
                aside.put(MANIFEST, manifest.to_bytes())
                return manifest, 1
        return None, 0


class Aside:
    """A place on the archive's own disk where files are proven before they are renamed into a scan's folder."""

    def __init__(self, aside: Path, folder: Path) -> None:
        self._aside, self._folder = aside / "file", folder

    def lacks(self, file: StoredFile) -> bool:
        """Whether the scan's folder has not this very file."""
        return fixity.check(self._folder, file) is not None

    def take(self, source: Path, file: StoredFile) -> bool:
        """Put a file in place if the source is the very one; tell whether it was."""
        try:
            shutil.copyfile(source, self._aside, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, shutil.SpecialFileError):
            return False
        named = StoredFile(self._aside.name, file.size_bytes, file.sha256)
        if self._aside.is_symlink() or fixity.check(self._aside.parent, named) is not None:
            self._aside.unlink()
            return False
        self._move(file.path)
        return True

    def put(self, path: str, content: bytes) -> None:
        """Put a file with this content in place."""
        self._aside.write_bytes(content)
        self._move(path)

    def _move(self, path: str) -> None:
        final = self._folder / path
        fixity.flush_one(self._aside)
        made = [parent for parent in final.parents if not parent.exists()]
        final.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if final.is_dir() and not final.is_symlink():
            raise InvalidValue("a folder lies where a file of a scan should; look at it and take it away")
        os.replace(self._aside, final)
        for parent in (final.parent, *(one.parent for one in made)):
            fixity.flush_one(parent)


def _at_once(work: Callable[[], list[Fault]]) -> Started:
    found = work()
    return lambda: found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _measured(folder: Path) -> bytes:
    try:
        return fixity.measure(folder).to_bytes() if folder.is_dir() else b""
    except (OSError, InvalidValue):
        return b""


def _catalogued(text: bytes, sha256: str) -> Manifest | None:
    """Read a manifest if it is the one that was catalogued."""
    try:
        manifest = Manifest.from_bytes(text)
    except InvalidValue:
        return None
    return manifest if manifest.sha256 == sha256 else None

"""A disk changes one bit of anything that a laboratory keeps, and the next check says which file it was.

Every class of stored file is aimed at equally often. Databases are aimed at in every byte, those that no row lies in
too. After each bit everything but the scans is put back as it was, because a check writes down what it saw.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from archive.catalogue import checking, resting
from archive.holdings import Archive
from archive.holdings.checking.faults import Fault
from archive.holdings.checking.running import Plan, Progress
from archive.holdings.checking.whole import ArchiveCheck
from archive.settings import ArchiveSettings
from archive.teaching import compose
from ingest.cli.places import Places
from ingest.pipeline.checking import VaultCheck
from tests.journeys.flipping import places_in, taken_in

HEADS = "heads.txt"

ROWS = "catalogue.sqlite, unsealed, a row or the structure"
NO_ROW = "catalogue.sqlite, unsealed, bytes in no row"


@dataclass
class Kept:
    """A laboratory at rest: three slides, a collection, a witness of the audit trail, and a check without a fault."""

    home: Path
    places: Places

    @classmethod
    def make(cls, home: Path) -> "Kept":
        """Take slides in, teach one of them, and check everything once."""
        taken_in(home).close()
        kept = cls(home, Places.of(home / "archive"))
        with Archive.open(kept.places.archive, settings=kept.settings, actor="educator") as archive:
            compose(archive, "Checked", [archive.slides()[0].code])
        assert kept.check() == []
        return kept

    @property
    def settings(self) -> ArchiveSettings:
        """Where the archive and the second place of its audit trail are."""
        return ArchiveSettings(archive=self.home / "archive", audit_second_place=self.home / HEADS)

    def check(self) -> list[Fault]:
        """Check everything, marking nothing."""
        vault = VaultCheck(self.places.vault, self.places.key, self.settings)
        return [*vault.faults(), *ArchiveCheck(self.settings, Plan(mark=False), Progress()).run()]

    def records(self) -> list[Path]:
        """List every file but those of the scans."""
        folders = (self.places.archive, self.places.vault, self.places.key.parent)
        files = {file for folder in folders for file in folder.rglob("*") if file.is_file()} | {self.home / HEADS}
        return sorted(file for file in files if "scans" not in file.relative_to(self.home).parts)

    def targets(self) -> dict[str, list[tuple[Path, int, int, str]]]:
        """Give every stretch of bytes by the class of its file, and what a fault must call its place."""
        found: dict[str, list[tuple[Path, int, int, str]]] = {}
        with Archive.open(self.places.archive, read_only=True) as archive:
            scans = [scan for slide in archive.slides() for scan in slide.scans]
            for scan in scans:
                folder = archive.place.of_scan(scan.record.key)
                for kind, (path, begin, end) in places_in(archive, scan.record):
                    where = f"{scan.code}/{path.relative_to(folder).as_posix()}"
                    found.setdefault(kind, []).append((path, begin, end, where))
        for path in self.records():
            if path.stat().st_size and not path.name.endswith(("-shm", "-wal")):
                kind, where = _called(path)
                found.setdefault(kind, []).append((path, 0, path.stat().st_size, where))
        return found


_CALLED = {
    HEADS: ("second place", "the audit trail"),
    "vault.key": ("key file", "the key file"),
    "checks.log": ("record of checks", "checks.log"),
}


def _called(path: Path) -> tuple[str, str]:
    if path.parent.name == "journal":
        return "journal", f"journal/{path.name}"
    return _CALLED.get(path.name, (path.name, path.name))


@dataclass
class Found:
    """How many bits were changed in each class, and which faults told of them."""

    bits: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Counter[str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    """Class and byte of bits that no fault named the file of."""


def flip_and_check(kept: Kept, count: int, seed: int = 11) -> Found:
    """Change so many bits, one at a time, and see what a check says of each."""
    rng = np.random.default_rng(seed)
    targets, found = kept.targets(), Found()
    records = {path: path.read_bytes() for path in kept.records()}
    for number in range(count):
        kind = sorted(targets)[number % len(targets)]
        path, begin, end, where = targets[kind][int(rng.integers(len(targets[kind])))]
        at, bit = int(rng.integers(begin, end)), int(rng.integers(8))
        with _changed(kept, path, at, bit, records):
            faults = kept.check()
        found.bits[kind] += 1
        if not any(where in fault.where for fault in faults):
            found.missed.append(f"{kind}, byte {at}, bit {bit}: {[str(fault) for fault in faults]}")
        found.codes.setdefault(kind, Counter()).update({fault.code for fault in faults})
    return found


def flip_unsealed(kept: Kept, count: int, seed: int = 12) -> Found:
    """Change bits of a catalogue that was written to since it was last seen, so that nothing is known of its bytes.

    What counts are bits that change what the file says, or keep SQLite from reading it; the rest changes nothing that
    anybody could ask for, and is counted apart.
    """
    rng = np.random.default_rng(seed)
    path, found = kept.places.archive / "catalogue.sqlite", Found()
    records = {file: file.read_bytes() for file in kept.records()}
    said, size = _said(path), path.stat().st_size
    while found.bits[ROWS] < count:
        at, bit = int(rng.integers(size)), int(rng.integers(8))
        (kept.places.archive / "checks.log").unlink()
        with _changed(kept, path, at, bit, records):
            if _said(path) == said:
                found.bits[NO_ROW] += 1
                continue
            faults = kept.check()
        found.bits[ROWS] += 1
        if not faults:
            found.missed.append(f"byte {at}, bit {bit}")
        found.codes.setdefault(ROWS, Counter()).update({fault.code for fault in faults})
    return found


def _said(path: Path) -> tuple[object, ...]:
    """Tell everything that can be read from a database file, or that it cannot."""
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        tables = {
            **resting.seal(path).tables,
            resting.DEFINITIONS: "",
        }  # the words of a definition may be spelt otherwise
        with engine.connect() as connection:
            return tables, resting.structure(path), checking.definitions(connection)
    except (SQLAlchemyError, *resting.UNREADABLE) as error:
        return (type(error),)
    finally:
        engine.dispose()


@contextmanager
def _changed(kept: Kept, path: Path, at: int, bit: int, records: dict[Path, bytes]) -> Iterator[None]:
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
    try:
        yield
    finally:
        path.write_bytes(whole)
        for other in kept.records():
            if other not in records:
                other.unlink()
        for other, content in records.items():
            if not other.exists() or other.read_bytes() != content:
                other.write_bytes(content)

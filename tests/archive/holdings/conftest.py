"""An archive to work with, and what must be true of any archive after a recovery."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive import fixity
from archive.codes import InternalKey
from archive.fixity import MANIFEST, Manifest
from archive.holdings import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def require_whole() -> Callable[[Archive], set[InternalKey]]:
    """Prove that an archive holds whole scans and nothing else, and give their keys."""

    def requiring(archive: Archive) -> set[InternalKey]:
        kept = set()
        for slide in archive.slides():
            for held in slide.scans:
                folder = archive.place.of_scan(held.record.key)
                manifest = Manifest.from_bytes((folder / MANIFEST).read_bytes())
                assert manifest.sha256 == held.record.manifest_sha256
                assert manifest.stored_bytes == held.record.stored_bytes > 120_000
                assert fixity.verify(folder, manifest) == ()
                kept.add(held.record.key)
        assert set(archive.place.kept_keys()) == kept
        assert list(archive.place.staging.iterdir()) == []
        assert list(archive.place.aside.iterdir()) == []
        assert archive.audit_faults() == ()
        assert archive.catalogue.faults() == ()
        return kept

    return requiring

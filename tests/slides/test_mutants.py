"""Each way of spoiling a slide changes it, and finds what it changes in the formats that have it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.mutating import SEEDS
from tests.slides.mutants import MUTATIONS

EVERYWHERE = set(MUTATIONS) - {"a file missing", "directories in a loop", "a huge size", "a bomb", "a way out"}
HAVE = {
    "Aperio": {"directories in a loop", "a huge size", "a bomb"},
    "NDPI": {"directories in a loop", "a huge size", "a bomb"},
    "SCN": {"directories in a loop", "a huge size", "a bomb"},
    "DICOM": {"a file missing", "a huge size"},
    "MIRAX": {"a file missing", "a huge size", "a way out"},
    "VMS": {"a file missing", "a huge size", "a way out"},
}


@pytest.mark.parametrize("kind", HAVE)
def test_each_way_changes_what_a_slide_has(kind: str, tmp_path: Path) -> None:
    main = SEEDS[kind].make(tmp_path / "seed")
    before = contents(tmp_path / "seed")
    for name, spoil in MUTATIONS.items():
        changed = 0
        for seed in range(4):
            copy = tmp_path / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(tmp_path / "seed", copy)
            applies = spoil(copy / main.relative_to(tmp_path / "seed"), np.random.default_rng(seed))
            assert applies or contents(copy) == before
            changed += contents(copy) != before
        assert (changed > 0) == (name in EVERYWHERE | HAVE[kind]), name


def contents(folder: Path) -> dict[str, bytes | None]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): None if path.is_symlink() else path.read_bytes() for path in files}

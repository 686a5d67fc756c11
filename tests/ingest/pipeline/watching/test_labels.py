"""Labels are read in the jail, each once, and not so many at once that others wait."""

from pathlib import Path

import pytest

from ingest.pipeline.watching import labels
from ingest.pipeline.watching.labels import Labels
from tests.slides.many import make_vms
from tests.slides.svs import make_svs


def test_labels_are_read_some_at_a_time_and_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "AT_ONCE", 2)
    paths = [make_svs(tmp_path / f"{n}.svs", width=300, height=200, factors=(1,), barcode=f"B-{n}").path for n in "012"]
    reading = Labels((), limits_only=False)
    reading.begin()
    assert [reading.of(path, (1, 1)) for path in paths] == [("B-0",), ("B-1",), ()]
    assert reading.are_left
    paths[0].write_bytes(b"another file, which nobody opens")
    reading.begin()
    assert [reading.of(path, (1, 1)) for path in paths] == [("B-0",), ("B-1",), ("B-2",)]
    assert not reading.are_left
    assert reading.of(paths[0], (1, 2)) == ()


def test_a_slide_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    files = make_vms(tmp_path)
    files[1].unlink()
    reading = Labels((), limits_only=False)
    reading.begin()
    assert reading.of(files[0], (1, 1)) == ()
    assert reading.of(tmp_path / "not there", (1, 1)) == ()

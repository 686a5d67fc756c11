"""A delivered file is known by all its bytes, by whichever of its parts it was named, and must not change meanwhile."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.pipeline.jailed import describe
from ingest.pipeline.source import Source
from ingest.precheck import Family
from tests.slides.svs import make_svs

KEY_FILE = "[Virtual Microscope Specimen]\r\nImageFile=a.jpg\r\nImageFile(1,0)=b.jpg\r\nMapFile=m.jpg\r\n"


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "delivery.svs", width=300, height=260, factors=(1,)).path


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Write a slide of four files."""
    for name in ("a", "b", "m"):
        (tmp_path / f"{name}.jpg").write_bytes(b"\xff\xd8\xff" + name.encode())
    path = tmp_path / "slide.vms"
    path.write_text(KEY_FILE)
    return path


def test_a_file_is_known_by_its_digest(slide: Path) -> None:
    source = Source.receive(slide)
    assert source.sha256 == hashlib.sha256(slide.read_bytes()).digest()
    assert (source.family, source.path, source.size_bytes) == (Family.TIFF, slide, slide.stat().st_size)


def test_a_path_may_be_relative(slide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(slide.parent)
    assert Source.receive(Path(slide.name)).path == slide


def test_a_slide_of_several_files_is_known_by_all_of_them(several: Path) -> None:
    source = Source.receive(several)
    parts = [several, *(several.with_name(f"{name}.jpg") for name in ("a", "b", "m"))]
    assert list(source.files) == parts
    assert source.size_bytes == sum(part.stat().st_size for part in parts)
    digests = {source.sha256}
    for part in parts[1:]:
        before = part.read_bytes()
        part.write_bytes(before + b"!")
        digests.add(Source.receive(several).sha256)
        part.write_bytes(before)
    assert len(digests) == 4
    assert Source.receive(several).sha256 == source.sha256


def test_what_is_no_slide_is_not_received(tmp_path: Path) -> None:
    (tmp_path / "letter.svs").write_text("Dear colleague")
    with pytest.raises(SlideRefused) as refused:
        Source.receive(tmp_path / "letter.svs")
    assert refused.value.reason is Reason.NOT_A_SLIDE


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"!")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def replace(path: Path) -> None:
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [grow, touch, replace, Path.unlink])
@pytest.mark.parametrize("part", ["slide.vms", "b.jpg"])
def test_a_change_of_any_part_is_noticed(several: Path, change: Callable[[Path], None], part: str) -> None:
    source = Source.receive(several)
    source.require_unchanged()
    change(several.with_name(part))
    with pytest.raises(SlideRefused) as refused:
        source.require_unchanged()
    assert refused.value.reason is Reason.CHANGED_WHILE_READ


def test_its_jail_reaches_the_slide_and_not_its_neighbour(slide: Path, tmp_path: Path) -> None:
    neighbour = make_svs(tmp_path / "neighbour.svs", width=300, height=260, factors=(1,)).path
    with Source.receive(slide).jail() as jail:
        assert jail.call(describe, str(slide))["maker"] == "aperio"  # type: ignore[call-overload, index]
        with pytest.raises(SlideRefused):
            jail.call(describe, str(neighbour))


def test_a_source_does_not_show_its_path_or_digest(slide: Path) -> None:
    shown = repr(Source.receive(slide))
    assert slide.name not in shown
    assert "sha256" not in shown

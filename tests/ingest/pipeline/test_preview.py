"""Looking into a slide: in a jail with walls, or knowingly without."""

from pathlib import Path

import pytest

from ingest.errors import JailUnavailable, Reason, SlideRefused
from ingest.pipeline.preview import preview
from ingest.sandbox import Level
from tests.slides.svs import make_svs


def test_a_preview_tells_what_would_be_kept_and_left_behind(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "a.svs")
    found = preview(made.path)
    assert [(size.width, size.height) for size in found.found.levels] == [level.size for level in made.levels]
    assert found.metadata.objective_power == 20
    assert found.metadata.mpp is not None
    assert found.left_behind.count == 3
    assert [file.name for file in tmp_path.iterdir()] == ["a.svs"]


def test_a_preview_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_text("no slide")
    with pytest.raises(SlideRefused) as refused:
        preview(tmp_path / "a.svs")
    assert refused.value.reason is Reason.NOT_A_SLIDE


def test_where_the_system_has_no_walls_slides_are_read_only_if_somebody_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_svs(tmp_path / "a.svs")
    monkeypatch.setattr("ingest.sandbox.jail.jail_level", lambda: Level.LIMITS_ONLY)
    with pytest.raises(JailUnavailable, match="cannot be read safely"):
        preview(made.path)
    assert preview(made.path, limits_only=True).found.maker == "aperio"

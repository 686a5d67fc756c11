"""A CZI file is taken when the places that it names lie inside it."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason
from ingest.precheck import Family

Outcome = Callable[[Path], Family | Reason]


def czi(*, allocated: int = 512, used: int = 80, part: int = 0, directory: int = 600, metadata: int = 700) -> bytes:
    segment = struct.pack("<16sqq", b"ZISRAWFILE", allocated, used)
    header = struct.pack("<iiii16s16siqqiq", 1, 0, 0, 0, b"", b"", part, directory, metadata, 0, 0)
    return segment + header + bytes(1000)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(czi(), Family.CZI, id="sound"),
        pytest.param(czi(directory=5000), Reason.TRUNCATED, id="a directory behind the end"),
        pytest.param(czi(metadata=-1), Reason.DAMAGED_STRUCTURE, id="metadata before the beginning"),
        pytest.param(czi(used=1000), Reason.DAMAGED_STRUCTURE, id="more used than there is"),
        pytest.param(czi(part=1), Reason.UNSUPPORTED_FORMAT, id="the second of several files"),
        pytest.param(czi()[:60], Reason.TRUNCATED, id="cut off"),
    ],
)
def test_the_header_decides(tmp_path: Path, outcome: Outcome, content: bytes, expected: Family | Reason) -> None:
    path = tmp_path / "slide.czi"
    path.write_bytes(content)
    assert outcome(path) is expected

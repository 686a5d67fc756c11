"""Whatever is changed in a DICOM slide's files, they are read or refused for a reason, and nothing else happens."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import SlideRefused
from ingest.precheck import precheck
from ingest.scanners.opening import open_scan
from tests.slides.dicom import make_dicom

KINDS: dict[str, dict[str, Any]] = {
    "full": {},
    "sparse": {"sparse": True, "defined": True},
    "in parts": {"parts": 2, "table": "extended"},
    "JPEG 2000": {"syntax": "jpeg2000"},
    "JPEG-LS in pieces": {"syntax": "jpeg-ls", "table": None, "fragments": 2},
    "run lengths": {"syntax": "rle"},
    "implicit": {"syntax": "implicit", "sparse": True},
}
MUTANTS = 20
HEAD_BYTES = 3000
NUMBERS = (0, 1, 0xFFFF, 1 << 16, (1 << 31) - 1, (1 << 32) - 1)

Change = Callable[[bytearray, random.Random], None]


def flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 3, 20))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def flip_in_head(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 3, 20))):
        content[chance.randrange(min(len(content), HEAD_BYTES))] ^= 1 << chance.randrange(8)


def cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def number(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(132, HEAD_BYTES)
    content[at : at + 4] = chance.choice(NUMBERS).to_bytes(4, "little")


def swap(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(132, HEAD_BYTES)
    content[at : at + 8] = content[at + 4 : at + 8] + content[at : at + 4]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutant_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    size: dict[str, Any] = {"width": 300, "height": 200, "tile": (128, 128), "factors": (1, 2)}
    made = make_dicom(tmp_path / "whole", **size, associated=("label",), **KINDS[kind])
    chance, outcomes = random.Random(kind), set()
    for _ in range(MUTANTS):
        shutil.copytree(made.path.parent, tmp_path / "mutant", dirs_exist_ok=True)
        path = chance.choice(sorted((tmp_path / "mutant").iterdir()))
        content = bytearray(path.read_bytes())
        chance.choice((flip, flip_in_head, cut, number, swap))(content, chance)
        path.write_bytes(content)
        outcomes.add(outcome_of(tmp_path / "mutant" / made.path.name))
    assert len(outcomes) > 1


def outcome_of(path: Path) -> str:
    """Read everything that is in a slide; any other error than a refusal ends the test."""
    try:
        precheck(path)
        with open_scan(path) as reader:
            scan = reader.scan()
            for level in scan.levels:
                for _ in level.decoded_tiles():
                    pass
            for image in scan.associated:
                list(reader.pictures(image.kind))
    except SlideRefused as refused:
        return refused.reason.value
    return "read"

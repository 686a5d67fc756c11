"""A backup or a restoration that is killed brings nothing back that was made black, and loses nothing.

Every change of the disk before which it can be killed is gone through by ``python -m tests.deep``, some of them here.
"""

from pathlib import Path

import pytest

from tests.journeys.copies_killed import KNOWN_TO, Scene, backup_behind, first_backup, restoration

BACKED_UP = ((2, "rename.*/scans/.*/staging/"),)
"""The old version is taken out, and the new one not yet in its place."""

BEGUN = ((1, "rename.*/staging/.*/scans/"), (1, "open.*/heads"))
"""Before the first copy is put in its place, and when all are."""

IS_ARCHIVE = (1, "mkdir.*/redacting")
"""It can be opened already, but what is to be black is not yet."""

PUT_IN = (2, "rename.*/redacting/.*/scans/")
"""The new version is in its place, and the old one not deleted yet."""

ALL_BUT_SAID = (1, "remove.*/restoring.json")
"""All is done but for saying so."""

RESTORED = {
    "second place": (IS_ARCHIVE,),
    "catalogue": (PUT_IN, ALL_BUT_SAID),
    "journal": (IS_ARCHIVE,),
    "order": (PUT_IN,),
}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_backup_that_has_the_old_version(scene: Scene) -> None:
    assert backup_behind(scene, BACKED_UP) == len(BACKED_UP)


def test_the_first_backup_of_what_is_blacked_out_afterwards(scene: Scene) -> None:
    assert first_backup(scene, BEGUN) == len(BEGUN)


@pytest.mark.parametrize("known_to", KNOWN_TO)
def test_a_restoration_from_a_backup_that_has_the_old_version(scene: Scene, known_to: str) -> None:
    moments = RESTORED[known_to]
    assert restoration(scene, moments, known_to) == len(moments)

"""A laboratory loses its archive, its vault and its key, and has them back from three places; nothing names anybody."""

import json
import shutil
from pathlib import Path

import pytest

from archive.holdings import Archive
from tests.archive.holdings.rows import Rows, rows_of
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.planted import Plant
from tests.slides.svs import make_svs


class Kept:
    """A laboratory with two slides, one of them in a collection, and its backups."""

    def __init__(self, home: Path) -> None:
        self.laboratory, self.names = Laboratory(home), Plant(seed=23)
        self.disk, self.safe, self.pocket = home / "disk", home / "safe", home / "pocket"
        delivered = home / "delivered"
        delivered.mkdir()
        self.laboratory.declare_feed()
        files = [
            make_svs(delivered / f"{self.names(what)}.svs", width=300, height=260, factors=(1,), seed=seed).path
            for seed, what in enumerate(("first", "second"), start=1)
        ]
        rows = [row_of(file, f"S26-{number}") for number, file in enumerate(files, start=1)]
        taken = self.laboratory.take_in(delivered, write_list(home / "list.csv", *rows)).slides
        self.laboratory.grade_as_clean()
        self.slides = [code for _, code in sorted(taken.items())]
        self.handle = self.laboratory.teach("Skin, week 3", *self.slides)
        self.told = self.laboratory.run(
            "backup", self.disk, "--vault-to", self.safe, "--key-to", self.pocket, "--verify", "full"
        ).out

    def rows(self) -> Rows:
        with Archive.open(self.laboratory.archive, read_only=True) as archive:
            return rows_of(archive)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("kept"))


def test_a_backup_says_what_it_did_and_the_report_knows_of_it(kept: Kept) -> None:
    assert kept.told.startswith("2 scans copied")
    assert "opens with its key, which was copied to a third place" in kept.told
    assert kept.laboratory.run("report", "--releasable").out.count("\n") == 2
    again = kept.laboratory.run("backup", kept.disk).out
    assert again.startswith("0 scans copied (0.0 kB), 2 there already")
    assert "The key vault was not copied" in again


def test_the_key_that_signs_the_trails_is_named_and_copied(kept: Kept) -> None:
    signing = kept.laboratory.home / "archive-key" / "audit.key"
    signing.write_bytes(b"a signing key, as far as copying goes")
    try:
        assert "signs the audit trails was not copied" in kept.laboratory.run("backup", kept.disk).out
        said = kept.laboratory.run("backup", kept.disk, "--vault-to", kept.safe, "--key-to", kept.pocket)
        assert "signs the audit trails was copied to the third place" in said.out
        copy = kept.pocket / "audit.key"
        assert copy.read_bytes() == signing.read_bytes()
        assert copy.stat().st_mode & 0o777 == 0o600
        copy.unlink()
    finally:
        signing.unlink()


def test_no_copy_of_the_archive_names_anybody(kept: Kept) -> None:
    for folder in (kept.disk, kept.safe):
        for file in folder.rglob("*"):
            if file.is_file():
                assert not kept.names.survivors(file.read_bytes())
    assert not kept.names.survivors(kept.told.encode())


@pytest.mark.parametrize(
    "more",
    [
        ("--vault-to", "{disk}/vault"),
        ("--vault-to", "{disk}"),
        ("--vault-to", "{pocket}/../archive-key"),
        ("--vault-to", "{safe}", "--key-to", "{safe}"),
        ("--key-to", "{disk}/key"),
        ("--key-to", "{pocket}/../archive-vault"),
    ],
)
def test_what_must_lie_apart_is_not_put_together(kept: Kept, more: tuple[str, ...]) -> None:
    words = [word.format(disk=kept.disk, safe=kept.safe, pocket=kept.pocket) for word in more]
    before = sorted(path for folder in (kept.disk, kept.safe, kept.pocket) for path in folder.rglob("*"))
    said = kept.laboratory.run("backup", kept.disk, *words, ends=1)
    assert "lies apart" in said.err
    assert before == sorted(path for folder in (kept.disk, kept.safe, kept.pocket) for path in folder.rglob("*"))


def test_everything_lost_is_had_back_from_three_places(kept: Kept) -> None:
    laboratory, rows = kept.laboratory, kept.rows()
    for name in ("archive", "archive-vault", "archive-key"):
        shutil.rmtree(laboratory.home / name)
    wanting = laboratory.run("restore", kept.disk, "--archive", laboratory.archive, "--vault-from", kept.safe, ends=1)
    assert "key file is not in its place" in wanting.err
    assert not laboratory.archive.exists()
    shutil.copytree(kept.pocket, laboratory.home / "archive-key")
    said = laboratory.run("restore", kept.disk, "--archive", laboratory.archive, "--vault-from", kept.safe)
    assert said.out.startswith("2 scans are in place and verified")
    assert kept.rows() == rows
    assert "no fault" in laboratory.run("check").out.lower()
    found = laboratory.run("find", "S26-1", "--purpose", "to compare", "--json").out
    assert kept.slides[0] in found
    assert kept.slides[1] not in found
    assert set(kept.slides) == {slide["slide"] for slide in json.loads(laboratory.run("list", "--json").out)}
    assert "well" in laboratory.run("doctor").out
    again = laboratory.run("restore", kept.disk, "--archive", laboratory.archive, ends=1)
    assert "empty folder" in again.err


def test_the_vault_of_another_archive_is_refused(kept: Kept, tmp_path: Path) -> None:
    other = Laboratory(tmp_path / "other")
    other.home.mkdir()
    other.run("init")
    other.run("backup", tmp_path / "disk", "--vault-to", tmp_path / "safe", "--key-to", tmp_path / "new-key")
    target = tmp_path / "new"
    words = ("--archive", target, "--vault-from", tmp_path / "safe")
    said = kept.laboratory.run("restore", kept.disk, *words, ends=1, settings={"COVERSLIP_ARCHIVE": str(target)})
    assert "belongs to another archive" in said.err
    assert not target.exists()


def test_a_lost_catalogue_is_made_again_on_the_command_line(kept: Kept) -> None:
    laboratory, rows = kept.laboratory, kept.rows()
    refused = laboratory.run_archive("rebuild-catalogue", ends=1)
    assert "--yes" in refused.err
    (laboratory.archive / "catalogue.sqlite").unlink()
    assert "rebuild-catalogue" in laboratory.run("list", ends=1).err
    said = laboratory.run_archive("rebuild-catalogue")
    assert "2 slides, 2 scans" in said.out
    assert kept.rows() == rows
    assert "no fault" in laboratory.run("check").out.lower()


def test_what_is_in_doubt_is_reviewed_on_the_command_line(kept: Kept) -> None:
    laboratory = kept.laboratory
    shutil.rmtree(laboratory.archive / "journal")
    said = laboratory.run("rebuild-catalogue", "--yes", ends=1)
    assert "THE JOURNAL IS NOT WHOLE" in said.out
    first, second, *_ = laboratory.run("review").out.split()
    laboratory.run("review", first, ends=1)
    laboratory.run("review", first, "--keep", "--reason", "looked up in the register")
    laboratory.run("review", second, "--withdraw", "--reason", "a letter of withdrawal")
    assert laboratory.run("review").out.startswith("0 slides")
    assert "kept" in laboratory.run("show", first).out

"""Whoever copies the vault's folder while it is in use reads no identifier in it, in any spelling."""

import tempfile
from datetime import date
from pathlib import Path

import pytest

from ingest.keyvault import Expected, KeyVault, PersonalIdentity, Whereabouts
from tests.ingest.keyvault.conftest import Place, digest
from tests.slides.planted import Plant

PATIENTS = 16


def fill(vault: KeyVault, plant: Plant) -> None:
    for number in range(PATIENTS):
        person = PersonalIdentity(plant(f"patient {number}"), plant(f"name {number}"), date(1900 + number, 7, 5))
        keys = vault.keys_for(person, plant(f"case {number}"), plant(f"block {number}"), plant(f"slide {number}"))
        scan = vault.record_file(digest(plant(f"content {number}")), keys.slide, plant(f"file {number}"))
        if number % 2:
            vault.confirm(scan)
        else:
            vault.forget(scan)
        vault.needles(keys.case)
        told = {plant(f"told what {number}"): plant(f"told {number}")}
        path = Path("/") / plant(f"folder {number}") / plant(f"path {number}")
        waits = vault.register.note(path, "waits", moment=(1, 2), reason="no-row", feed=plant("feed"), told=told)
        vault.register.judge(waits.number, "refused", "a.clinician", plant(f"refused because {number}"))
        vault.register.expect([Expected(number, (plant(f"row {number}"),), False)], list_name=plant(f"list {number}"))
        vault.identify(keys.slide, "a.clinician", plant(f"reason {number}"))
        vault.directory.find_case(plant(f"case {number}"), who="a.clinician", purpose=plant(f"purpose {number}"))
        words = (plant(f"other {what} {number}") for what in ("patient", "case", "block", "slide"))
        vault.corrections.move_slide(
            *(
                keys.slide,
                Whereabouts(*words),
                [plant(f"evidence {number}")],
                lambda _: plant("what is to be recorded"),
            ),
            **{"who": "a.clinician", "reason": plant(f"why {number}")},
        )
    vault.declare("feed", plant("feed"), plant("declared text"), who="a.clinician")
    vault.erase(keys.patient, "a.clinician", plant("reason of erasure"))


@pytest.mark.parametrize("when", ["in use", "closed"])
def test_no_identifier_is_in_any_byte_of_database_log_or_temporary_file(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], when: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for variable in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(variable, str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    plant = Plant()
    with place.create() as vault:
        fill(vault, plant)
        if when == "in use":
            assert (place.folder / "vault.sqlite-wal").exists()
            assert plant.survivors_under(tmp_path) == []
    assert plant.survivors_under(tmp_path) == []
    assert len(plant.tokens) > 7 * PATIENTS
    born = [f"19{year:02}-07-05".encode() for year in range(PATIENTS)]
    every = b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())
    assert [date for date in born if date in every] == []
    output = capfd.readouterr()
    assert plant.survivors((output.out + output.err).encode()) == []


def test_neither_the_files_digest_nor_a_key_is_in_the_vaults_folder(place: Place) -> None:
    with place.create() as vault:
        fill(vault, Plant())
        keys = [key.material for key in vault._store.key_file.keys] + [vault._store.vault_key.material]
        every = b"".join(path.read_bytes() for path in place.folder.iterdir())
    digests = [digest(Plant()(f"content {number}")) for number in range(PATIENTS)]
    halves = [half for key in keys for half in (key[:32], key[32:])]
    assert [secret for secret in digests + halves if secret in every or secret.hex().encode() in every] == []


def test_the_search_finds_what_is_written_in_clear(place: Place) -> None:
    plant = Plant()
    with place.create():
        place.change("CREATE TABLE leak (name TEXT)")
        place.change("INSERT INTO leak VALUES (?)", plant("leak"))
    assert plant.survivors_under(place.folder) != []

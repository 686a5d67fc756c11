"""Vault and archive are looked through from both sides; whatever is missing on one is told, and names nobody."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.consent import Facts, MightIdentify
from archive.consent.terms import TissueSource
from archive.geometry import Size
from archive.holdings import Archive
from archive.holdings.checking.faults import Fault, FaultCode
from archive.records import CaseRecord, Fidelity, ScanRecord, SlideRecord, Stain
from archive.settings import ArchiveSettings
from ingest.keyvault import Keys, KeyVault, PersonalIdentity
from ingest.pipeline.checking import VaultCheck, VaultCode

NAMES = ("Planted^Jane", "S26-0012345", "planted-file.svs", "9434765919")


@dataclass
class Pair:
    """An archive, its vault and its key, with one scan that both know."""

    home: Path

    @property
    def settings(self) -> ArchiveSettings:
        return ArchiveSettings(archive=self.home / "archive")

    def vault(self) -> KeyVault:
        return KeyVault.open(self.home / "vault", self.home / "key" / "vault.key")

    def check(self) -> list[Fault]:
        faults = list(VaultCheck(self.home / "vault", self.home / "key" / "vault.key", self.settings).faults())
        told = " ".join(map(str, faults))
        assert not any(name in told for name in NAMES)
        return faults

    def codes(self) -> list[str]:
        return [fault.code for fault in self.check()]

    def take_in(self, vault: KeyVault, name: str, *, confirm: bool = True) -> Keys:
        """Do what an ingest does with vault and archive."""
        keys = vault.keys_for(PersonalIdentity("9434765919", "Planted^Jane"), "S26-0012345", "A1", name)
        scan = vault.record_file(hashlib.sha256(name.encode()).digest(), keys.slide, "planted-file.svs")
        record = ScanRecord(
            key=scan,
            slide=keys.slide,
            size=Size(100, 100),
            level_count=1,
            fidelity=Fidelity.COPIED,
            might_identify=MightIdentify.screened("structure-1"),
            deidentified=True,
        )
        with Archive.open(self.home / "archive") as archive, archive.stage() as staged:
            (staged.folder / "zarr.json").write_text("{}")
            case = CaseRecord(keys.case, keys.patient, Facts(source=TissueSource.LIVING))
            archive.commit(staged, case, SlideRecord(keys.slide, keys.case, keys.block, Stain.HE), record)
        if confirm:
            vault.confirm(scan)
        return keys

    def behind(self, statement: str, file: str = "vault.sqlite") -> None:
        with closing(sqlite3.connect(self.home / "vault" / file)) as connection, connection:
            connection.execute(statement)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    made = Pair(tmp_path)
    Archive.create(tmp_path / "archive").close()
    (tmp_path / "key").mkdir()
    with KeyVault.create(tmp_path / "vault", tmp_path / "key" / "vault.key") as vault:
        made.take_in(vault, "HE 1")
    return made


def test_a_pair_that_fits_has_no_fault_and_what_is_written_later_makes_none(pair: Pair) -> None:
    assert pair.check() == []
    with pair.vault() as vault:
        pair.take_in(vault, "HE 2")
        vault.declare("feed", "surgical", "{}", who="laboratory")
    assert pair.check() == []
    assert pair.check() == []


def test_a_scan_that_waits_for_its_confirmation_is_told(pair: Pair) -> None:
    with pair.vault() as vault:
        pair.take_in(vault, "HE 2", confirm=False)
    (fault,) = pair.check()
    assert fault.code is VaultCode.UNCONFIRMED
    assert fault.scan is not None


def test_a_scan_that_the_vault_does_not_know_is_told(pair: Pair) -> None:
    pair.behind("DELETE FROM file")
    (fault,) = pair.check()
    assert fault.code is VaultCode.NO_ENTRY
    assert fault.scan is not None


def test_a_scan_that_the_archive_does_not_have_is_told(pair: Pair) -> None:
    with pair.vault() as vault:
        keys = vault.keys_for(PersonalIdentity("9434765919"), "S26-0012345", "A1", "HE 9")
        pending = vault.record_file(bytes(32), keys.slide, "planted-file.svs")
        assert pair.check() == []  # an ingest may be running
        vault.confirm(pending)
    assert pair.codes() == [VaultCode.NO_SCAN]


def test_the_scans_of_an_erased_patient_are_no_fault(pair: Pair) -> None:
    with pair.vault() as vault:
        keys = vault.keys_for(PersonalIdentity("9434765919"), "S26-0012345", "A1", "HE 1")
        vault.erase(keys.patient, "curator", "request 17")
    assert pair.check() == []


DAMAGES = {
    "UPDATE entry SET label = zeroblob(60) WHERE kind = 'case'": VaultCode.DAMAGED,
    "DELETE FROM entry WHERE kind = 'block'": VaultCode.DAMAGED,
    "UPDATE file SET slide = patient": VaultCode.DAMAGED,
    "UPDATE audit SET digest = replace(digest, 'a', 'b') WHERE number = 1": VaultCode.TRAIL,
    "UPDATE head SET number = 999": VaultCode.TRAIL,
    "UPDATE file SET committed = 0": VaultCode.UNCONFIRMED,
}


@pytest.mark.parametrize("statement", DAMAGES)
def test_damage_of_the_vault_is_told_and_by_its_table_once_the_file_was_sealed(pair: Pair, statement: str) -> None:
    pair.check()
    pair.behind(statement)
    found = pair.codes()
    assert DAMAGES[statement] in found
    assert {FaultCode.DATABASE_CHANGED, FaultCode.DATABASE_COUNT} & set(found)


def test_damage_of_the_key_store_is_told(pair: Pair) -> None:
    pair.behind("UPDATE wrapped_key SET wrapped = zeroblob(200) WHERE owner <> ''", "patient-keys.sqlite")
    assert VaultCode.DAMAGED in pair.codes()


def test_a_vault_that_is_gone_is_told(pair: Pair) -> None:
    (pair.home / "vault" / "patient-keys.sqlite").unlink()
    assert VaultCode.UNOPENED in pair.codes()


@pytest.fixture
def key_file(pair: Pair) -> Path:
    pair.check()
    return pair.home / "key" / "vault.key"


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "another name of its vault": lambda text: text.replace(b'"vault": "', b'"vault": "0', 1),
    "more space": lambda text: text.replace(b" ", b"  ", 1),
    "cut short": lambda text: text[:-20],
    "another key": lambda text: text.replace(b'"keys": [\n  "', b'"keys": [\n  "AAAA', 1),
}


@pytest.mark.parametrize("harm", HARMS)
def test_damage_of_the_key_file_is_told_to_be_the_key_files(pair: Pair, key_file: Path, harm: str) -> None:
    key_file.write_bytes(HARMS[harm](key_file.read_bytes()))
    assert pair.codes() == [VaultCode.KEY_FILE]

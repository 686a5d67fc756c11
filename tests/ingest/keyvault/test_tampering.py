"""Whoever can write the vault's files without its key can destroy what is in them, and deceive nobody."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from archive.codes import InternalKey
from archive.errors import UnknownCode
from ingest.errors import VaultUnavailable
from ingest.keyvault import Expected, Keys, KeyVault
from tests.ingest.keyvault.conftest import JANE, JOHN, Place, digest

Scanned = Callable[..., tuple[Keys, InternalKey]]
Change = tuple[str, str, str, int, object]
"""File, table, column, row id and value."""

SEALED = {
    "vault.sqlite": {
        "about": ["seal"],
        "entry": ["label"],
        "file": ["name"],
        "declaration": ["name", "text"],
        "intake": ["content"],
        "intake_event": ["content"],
        "awaited": ["content"],
        "lookup_request": ["content"],
        "audit": ["text", "digest"],
    },
    "patient-keys.sqlite": {"wrapped_key": ["wrapped"]},
}
CLEAR = {
    "vault.sqlite": {
        "about": ["schema_version"],
        "entry": ["key", "kind", "parent", "patient", "look_up"],
        "file": ["scan", "slide", "patient", "look_up"],
        "declaration": ["kind", "look_up", "version"],
        "intake": ["number", "look_up", "state", "reason", "since", "scan", "patient", "source_bytes"],
        "intake_event": ["number", "at", "entry", "state", "reason", "source_bytes", "stored_bytes"],
        "awaited": ["look_up", "since", "arrived"],
        "lookup_request": ["number"],
        "audit": ["number"],
        "head": ["number", "digest"],
    },
    "patient-keys.sqlite": {"wrapped_key": ["owner", "look_up"], "wrapped_under": ["key_name"]},
}


@pytest.fixture
def filled(vault: KeyVault, scanned: Scanned) -> dict[InternalKey, str]:
    """Fill and close a vault of two patients; tell which key belongs to whom."""
    owners = {}
    for person, case in ((JANE, "S26-1"), (JOHN, "S26-2")):
        for slide in ("HE 1", "HE 2"):
            keys, scan = scanned(person, case, "A1", slide, f"{case}-{slide}.svs")
            owners[scan] = owners[keys.slide] = owners[keys.patient] = person.patient
    vault.declare("feed", "surgical", "{}", who="a.clinician")
    vault.declare("feed", "autopsies", '{"source": "post-mortem"}', who="a.clinician")
    vault.declare("feed", "surgical", '{"source": "living"}', who="a.clinician")
    vault.register.note(Path("/delivered/S26-2.svs"), "kept", moment=(1, 2), scan=scan, stored_bytes=3, feed="surgical")
    vault.register.note(Path("/delivered/S26-3.svs"), "waits", moment=(1, 2), reason="no-row", source_bytes=1)
    vault.register.expect([Expected(2, ("S26-4.svs",), False), Expected(3, ("S26-5.svs",), True)])
    vault.identify(scan, "a.clinician", "request 17")
    vault.approvals.ask([scan], "a.clinician", "request 17")
    vault.approvals.ask([keys.slide], "a.clinician", "request 18")
    vault.close()
    return owners


def cells(folder: Path, columns: dict[str, dict[str, list[str]]]) -> list[Change]:
    found: list[Change] = []
    for file, tables in columns.items():
        with closing(sqlite3.connect(folder / file)) as connection:
            for table, names in tables.items():
                for name in names:
                    rows = connection.execute(f"SELECT rowid, {name} FROM {table}").fetchall()
                    assert rows, f"{table} has no rows to damage"
                    found += [(file, table, name, number, value) for number, value in rows]
    return found


def edits(value: object) -> list[object]:
    if isinstance(value, bytes):
        return [bytes([value[0] ^ 1]) + value[1:], value[:-1] + bytes([value[-1] ^ 128])]
    if isinstance(value, str):
        return [("f" if value[:1] != "f" else "0") + value[1:], ""] if value else ["f" * 32]
    assert isinstance(value, int)
    return [value + 1000]


def edited(folder: Path) -> Iterator[Change]:
    for columns in (SEALED, CLEAR):
        for file, table, name, number, value in cells(folder, columns):
            possible = [new for new in edits(value) if new != value]
            yield file, table, name, number, possible[number % len(possible)]


def swapped(folder: Path) -> Iterator[Change]:
    every = cells(folder, SEALED)
    for file, table, name, number, _ in every:
        for file2, _, _, number2, value2 in every:
            if (file, number) != (file2, number2):
                yield file, table, name, number, value2


def noticed(place: Place) -> bool:
    try:
        with place.open() as vault:
            return vault.check() != ()
    except VaultUnavailable:
        return True


def apply(place: Place, change: Change) -> bool:
    """Change one cell; false where the database itself refuses, as for a key that is there twice."""
    file, table, name, number, value = change
    try:
        place.change(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", value, number, file=file)
    except sqlite3.IntegrityError:
        return False
    return True


def test_an_untouched_vault_has_no_fault(place: Place, filled: dict[InternalKey, str]) -> None:
    assert not noticed(place)


def test_every_edit_of_every_field_is_noticed(place: Place, filled: dict[InternalKey, str]) -> None:
    assert [change[:4] for change in edited(place.folder) if _with(place, change, noticed) is False] == []


def test_every_sealed_field_in_the_place_of_another_is_noticed(place: Place, filled: dict[InternalKey, str]) -> None:
    changes = list(swapped(place.folder))
    assert len(changes) > 500
    some = changes[:: max(1, len(changes) // 100)]
    assert [change[:4] for change in some if _with(place, change, noticed) is False] == []


def test_no_swap_of_labels_makes_the_vault_name_the_wrong_person(place: Place, filled: dict[InternalKey, str]) -> None:
    def names_right(place: Place) -> bool:
        try:
            with place.open() as vault:
                return all(_named(vault, key) in (patient, None) for key, patient in filled.items())
        except VaultUnavailable:
            return True

    names = {"label", "name", "wrapped", "key", "parent", "patient", "scan", "slide", "owner"}
    for file, table, name, number, _ in cells(place.folder, SEALED) + cells(place.folder, CLEAR):
        if table not in ("entry", "file", "wrapped_key") or name not in names:
            continue
        column = {table: [name]}
        others = [value for *_, other, value in cells(place.folder, {file: column}) if other != number]
        for value in others[-1:]:
            assert _with(place, (file, table, name, number, value), names_right) is not False, (table, name)


def test_a_swapped_label_stops_ingest_too(place: Place, filled: dict[InternalKey, str]) -> None:
    labels = [cell for cell in cells(place.folder, SEALED) if cell[1] == "entry"]
    apply(place, (*labels[0][:4], labels[1][4]))
    with place.open() as vault, pytest.raises(VaultUnavailable):
        vault.keys_for(JANE, "S26-1", "A1", "HE 1")


def test_a_scan_that_was_moved_to_another_slide_is_not_answered(place: Place, filled: dict[InternalKey, str]) -> None:
    (first, _), (_, other) = place.change("SELECT scan, slide FROM file LIMIT 1 OFFSET 0") + place.change(
        "SELECT scan, slide FROM file LIMIT 1 OFFSET 3"
    )
    place.change("UPDATE file SET slide = ? WHERE scan = ?", other, first)
    with place.open() as vault, pytest.raises(VaultUnavailable):
        vault.scan_of_file(digest("S26-1-HE 1.svs"))


def test_a_changed_declaration_is_not_in_force(place: Place, filled: dict[InternalKey, str]) -> None:
    with place.open() as vault:
        assert vault.declared("feed") == {"surgical": '{"source": "living"}', "autopsies": '{"source": "post-mortem"}'}
    (texts,) = zip(*place.change("SELECT text FROM declaration ORDER BY version, rowid"), strict=True)
    place.change("UPDATE declaration SET text = ? WHERE text = ?", texts[0], texts[1])
    with place.open() as vault, pytest.raises(VaultUnavailable):
        vault.declared("feed")


def _named(vault: KeyVault, key: InternalKey) -> str | None:
    try:
        return vault.identify(key, "a.clinician", "request 17").patient
    except (VaultUnavailable, UnknownCode):
        return None


def _with(place: Place, change: Change, question: Callable[[Place], bool]) -> bool | None:
    """Ask a copy of the vault with one cell changed; None where the change could not be made."""
    with TemporaryDirectory(dir=place.folder.parent) as scratch:
        copy = Place(Path(shutil.copytree(place.folder, Path(scratch) / "vault")), place.key_file)
        return question(copy) if apply(copy, change) else None

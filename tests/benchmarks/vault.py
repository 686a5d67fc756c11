"""How fast a key vault of a million slides answers: a case found by its number, a slide coded, a patient erased.

The vault is made in bulk, with everything sealed and indexed as it is by itself: three slides of a case, two cases of a
patient.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from archive.codes import InternalKey, new_key
from ingest.keyvault import KeyVault, PersonalIdentity, directory, entries, tables
from ingest.keyvault.database import writing
from ingest.keyvault.entries import Owner
from ingest.keyvault.identity import Kind, compared
from ingest.keyvault.keystore import KeyStore, _add
from tests.benchmarks.report import Row

LOOKS = 200
NOBODYS = "H-0"
"""The patient without a case."""


def measure(count: int, folder: Path | None = None) -> list[Row]:
    """Make a vault of so many slides, and ask it."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        with KeyVault.create(Path(made, "vault"), Path(made, "key", "vault.key")) as vault:
            start = time.perf_counter()
            numbers, patient = fill(vault, count)
            print(f"{len(numbers):,} cases made in {time.perf_counter() - start:.0f} s", flush=True)
            chance = random.Random(7)

            def find() -> None:
                (case,) = vault.directory.find_case(chance.choice(numbers), who="benchmark", purpose="a measurement")
                assert case.slides

            def miss() -> None:
                vault.directory.find_case("S99-0000000", who="benchmark", purpose="a measurement")

            def code() -> None:
                number = chance.randrange(10**9)
                vault.keys_for(PersonalIdentity(f"H-new-{number}"), f"S27-{number}", "A1", "H&E 1")

            rows = [
                _row("a case found by its number, with its slides", 20, find),
                _row("a number that nobody has", 20, miss),
                _row("a new slide of a new patient coded", 50, code),
            ]
            start = time.perf_counter()
            vault.erase(patient, "benchmark", "a measurement")
            seconds = time.perf_counter() - start
            rows.append(
                Row("a patient erased, all keys wrapped anew, s", seconds, "limit", 120, seconds / 120, "at most 1")
            )
            rows.append(_row("a case found after that", 20, find))
        return rows


def fill(vault: KeyVault, count: int) -> tuple[list[str], InternalKey]:
    """Make so many slides, as sealed as any; give the numbers of their cases, and one patient who has none of them."""
    store, numbers = vault._store, []
    directory_key = store.directory_key
    with writing(vault._engine) as connection:
        for owners in _owners(store, 1 + -(-count // 6)):
            made: list[dict[str, Any]] = []
            listed = []
            for owner, patient_number in owners:
                patient = _entry(made, owner, Kind.PATIENT, InternalKey(""), patient_number, owner.patient)
                for _ in range(2 if patient_number != NOBODYS else 0):
                    numbers.append(f"S26-{len(numbers):07}")
                    case = _entry(made, owner, Kind.CASE, patient, numbers[-1])
                    look_up = directory.look_up_of(directory_key, numbers[-1])
                    listed.append({"case_key": case, "patient": patient, "look_up": look_up})
                    block = _entry(made, owner, Kind.BLOCK, case, "A1")
                    for slide in range(3):
                        _entry(made, owner, Kind.SLIDE, block, f"H&E {slide}")
            connection.execute(insert(tables.entry), made)
            if listed:
                connection.execute(insert(tables.directory), listed)
    nobodys = vault.directory.patient_of(NOBODYS)
    assert nobodys is not None
    return numbers, nobodys


def _entry(
    made: list[dict[str, Any]],
    owner: Owner,
    kind: Kind,
    parent: InternalKey,
    label: str,
    key: InternalKey | None = None,
) -> InternalKey:
    row = {"key": key or new_key(), "kind": kind, "parent": parent, "patient": owner.patient}
    row["look_up"] = owner.key.look_up(kind, parent, compared(kind, label))
    made.append({**row, "label": owner.key.seal(label.encode(), *entries._place(row))})
    return InternalKey(row["key"])


def _owners(store: KeyStore, count: int) -> Iterator[list[tuple[Owner, str]]]:
    """Make so many patients in the key store, a thousand at a time."""
    for start in range(0, count, 1000):
        made = []
        with writing(store._engine) as connection:
            wrapping = store._wrapping(connection)
            for number in (f"H-{one}" for one in range(start, min(count, start + 1000))):
                inner = store.vault_key.look_up("patient", compared(Kind.PATIENT, number))
                made.append((Owner(*_add(connection, wrapping, inner)), number))
        yield made


def _row(what: str, most_ms: float, act: Callable[[], None]) -> Row:
    times = []
    worked = time.process_time()
    for _ in range(LOOKS):
        start = time.perf_counter()
        act()
        times.append((time.perf_counter() - start) * 1e3)
    worked = (time.process_time() - worked) / LOOKS * 1e3
    middle, slow = sorted(times)[LOOKS // 2], sorted(times)[LOOKS * 95 // 100]
    print(
        f"{what}: {middle:.1f} ms, 95 of 100 within {slow:.1f} ms; the processor worked for {worked:.1f} ms", flush=True
    )
    return Row(f"{what}, ms", middle, "limit", most_ms, middle / most_ms, "at most 1")

"""How fast a key vault of a million slides answers: a case found by its number, a slide coded, a patient erased.

The vault is made by its own functions, all in one transaction, with about three slides of a case and six of a patient.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from archive.codes import InternalKey
from ingest.keyvault import KeyVault, PersonalIdentity
from ingest.keyvault.corrections import find_or_make_case
from ingest.keyvault.database import writing
from ingest.keyvault.entries import Owner, find_or_make
from ingest.keyvault.identity import Kind, compared
from ingest.keyvault.keystore import KeyStore, _add
from tests.benchmarks.report import Row

LOOKS = 200
NOBODY = InternalKey("")


def measure(count: int, folder: Path | None = None) -> list[Row]:
    """Make a vault of so many slides, and ask it."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        with KeyVault.create(Path(made, "vault"), Path(made, "key", "vault.key")) as vault:
            start = time.perf_counter()
            numbers, patient = fill(vault, count)
            print(f"{len(numbers):,} cases made in {time.perf_counter() - start:.0f} s")
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
    """Make so many slides; give the numbers of their cases and one patient who has none of them."""
    store, numbers, made = vault._store, [], 0
    owners = _owners(store, 1 + count // 5)
    with writing(vault._engine) as connection:
        erased = next(owners)[0]
        find_or_make(connection, erased, Kind.PATIENT, NOBODY, "H-0", key=erased.patient)
        for owner, number in owners:
            if made >= count:
                break
            patient = find_or_make(connection, owner, Kind.PATIENT, NOBODY, number, key=owner.patient)
            for _ in range(2):
                numbers.append(f"S26-{len(numbers):07}")
                case = find_or_make_case(connection, store, owner, numbers[-1])
                block = find_or_make(connection, owner, Kind.BLOCK, case, "A1")
                for slide in range(3):
                    find_or_make(connection, owner, Kind.SLIDE, block, f"H&E {slide}")
                    made += 1
            assert patient == owner.patient
    return numbers, erased.patient


def _owners(store: KeyStore, count: int) -> Iterator[tuple[Owner, str]]:
    """Make so many patients in the key store."""
    made = []
    with writing(store._engine) as connection:
        wrapping = store._wrapping(connection)
        for number in (f"H-{count}" for count in range(count)):
            inner = store.vault_key.look_up("patient", compared(Kind.PATIENT, number))
            made.append((Owner(*_add(connection, wrapping, inner)), number))
    return iter(made)


def _row(what: str, most_ms: float, act: Callable[[], None]) -> Row:
    times = []
    for _ in range(LOOKS):
        start = time.perf_counter()
        act()
        times.append((time.perf_counter() - start) * 1e3)
    slowest = sorted(times)[LOOKS * 95 // 100]
    return Row(f"{what}, 95 of 100 within ms", slowest, "limit", most_ms, slowest / most_ms, "at most 1")

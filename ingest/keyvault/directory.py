"""A laboratory asks by case number, and does not know whose number it is: the directory leads from it to the patients.

Two patients may wrongly have the same case number, so a number leads to one case or to several. The index is made
with a key of its own, which every erasure replaces: an old copy of the rows cannot be asked for a number.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from archive.codes import InternalKey
from archive.errors import InvalidValue
from ingest.errors import VaultDamaged, VaultUnavailable
from ingest.keyvault import entries, trail
from ingest.keyvault.database import reading, writing
from ingest.keyvault.entries import Owner
from ingest.keyvault.identity import Kind, checked, compared
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.room import Room
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import directory, entry, erasure

BATCH = 500
"""Cases that are listed at a time when the whole directory is made anew."""

_BY_LOOK_UP = select(directory.c.case_key).where(directory.c.look_up == bindparam("wanted"))
_NEW = insert(directory)


@dataclass(frozen=True, slots=True)
class FoundSlide:
    """A slide of a case that was found: its internal key, its block, and its stain with its number in the block."""

    key: InternalKey = field(repr=False)
    block: str = field(repr=False)
    slide: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case that was found: its and its patient's internal keys, its number as delivered, and its slides."""

    key: InternalKey = field(repr=False)
    patient: InternalKey = field(repr=False)
    number: str = field(repr=False)
    slides: tuple[FoundSlide, ...] = field(repr=False)


class Directory(Room):
    """The way from a number to cases, in an open key vault. Who asked, and what for, is written down first."""

    def find_case(self, number: str, *, who: str, purpose: str) -> tuple[FoundCase, ...]:
        """Find the cases of a number, whoever's they are; none if nobody has it.

        Raises
        ------
        InvalidValue
            If the number can be no case's, or no account or no purpose is given.
        """
        wanted = look_up_of(self._store.directory_key, number)
        with writing(self._engine) as connection:
            keys = [InternalKey(key) for key in connection.scalars(_BY_LOOK_UP, {"wanted": wanted})]
            return self._told(connection, keys, who, purpose)

    def find_patient(self, number: str, *, who: str, purpose: str) -> tuple[FoundCase, ...]:
        """Find the cases of the patient of a number; none if there is no such patient.

        Raises
        ------
        InvalidValue
            As for `find_case`.
        """
        found = self._store.find(compared(Kind.PATIENT, checked(number, Kind.PATIENT)))
        with writing(self._engine) as connection:
            keys = [] if found is None else cases_of(connection, found[0])
            return self._told(connection, keys, who, purpose)

    def case_of(self, patient: str, number: str) -> FoundCase | None:
        """Give a patient's case by both numbers, to somebody who knows them; None if it is not known."""
        found = self._store.find(compared(Kind.PATIENT, checked(patient, Kind.PATIENT)))
        wanted = look_up_of(self._store.directory_key, number)
        with reading(self._engine) as connection:
            keys = [InternalKey(key) for key in connection.scalars(_BY_LOOK_UP, {"wanted": wanted})]
            cases = [_case(connection, self._store, key)[1] for key in keys]
        return next((case for case in cases if found and case.patient == found[0]), None)

    def patient_of(self, number: str) -> InternalKey | None:
        """Give the internal key of a patient, to somebody who knows the number; None if the patient is not known."""
        found = self._store.find(compared(Kind.PATIENT, checked(number, Kind.PATIENT)))
        return None if found is None else found[0]

    def count_of(self, patient: InternalKey) -> int:
        """Count the cases of a patient that was found before."""
        with reading(self._engine) as connection:
            return len(cases_of(connection, patient))

    def words_of(self, patient: str, number: str, *, who: str) -> tuple[str, ...]:
        """Give what must not be found in what is stored for a case, whether or not the vault knows the case already.

        The two numbers as they are given, and the names and birth dates that the patient is known by.
        """
        known = [checked(patient, Kind.PATIENT), checked(number, Kind.CASE)]
        found = self._store.find(compared(Kind.PATIENT, known[0]))
        with writing(self._engine) as connection:
            if found is not None:
                owner = Owner(*found)
                for kind in (Kind.PATIENT, Kind.NAME, Kind.BIRTH_DATE):
                    known += entries.labels(connection, owner, kind)
                trail.append(connection, owner.key, "searched for", who, owner.patient, patient=owner.patient)
        return tuple(dict.fromkeys(known))

    def _told(
        self, connection: Connection, keys: Iterable[InternalKey], who: str, purpose: str
    ) -> tuple[FoundCase, ...]:
        """Open cases for somebody, and write down that this was done, or that there was none."""
        if not purpose.strip():
            raise InvalidValue("say what it is looked up for, such as the request's number")
        if connection.scalar(select(erasure.c.patient)):
            raise VaultUnavailable("a patient is being erased; try again when that is finished")
        found = [_case(connection, self._store, key) for key in keys]
        for owner, case in found:
            trail.append(connection, owner.key, "found case", who, case.key, purpose, patient=owner.patient)
        if not found:
            trail.append(connection, self._store.vault_key, "found no case", who, "", purpose)
        return tuple(case for _, case in found)


def look_up_of(directory_key: FieldKey, number: str) -> bytes:
    """Make the blind index of a case's number; raises InvalidValue if it can be none."""
    return directory_key.look_up("case", compared(Kind.CASE, checked(number, Kind.CASE)))


def add(connection: Connection, directory_key: FieldKey, case: InternalKey, patient: InternalKey, number: str) -> None:
    """List a case that is new."""
    row = {"case_key": case, "patient": patient, "look_up": look_up_of(directory_key, number)}
    connection.execute(_NEW, row)


def cases_of(connection: Connection, patient: InternalKey) -> list[InternalKey]:
    """Give the internal keys of a patient's cases."""
    query = select(directory.c.case_key).where(directory.c.patient == patient)
    return [InternalKey(key) for key in connection.scalars(query)]


def hand_over(connection: Connection, case: InternalKey, patient: InternalKey) -> None:
    """List a case as another patient's."""
    connection.execute(update(directory).where(directory.c.case_key == case).values(patient=patient))


def forget(connection: Connection, case: InternalKey) -> None:
    """Delete the row of a case."""
    connection.execute(delete(directory).where(directory.c.case_key == case))


def forget_patient(connection: Connection, patient: InternalKey) -> None:
    """Delete the rows of a patient."""
    connection.execute(delete(directory).where(directory.c.patient == patient))


def make_anew(connection: Connection, store: KeyStore) -> None:
    """Make the whole directory under the key that it has now; 300,000 cases take some ten seconds.

    A case that cannot be read is left out, for the check to find: an erasure must come to its end.
    """
    connection.execute(delete(directory))
    key = store.directory_key
    for cases in _batches(connection):
        keys = store.keys_of({InternalKey(case["patient"]) for case in cases})
        listed = []
        for case in cases:
            with suppress(VaultDamaged, KeyError):
                listed.append(_row(key, Owner(case["patient"], keys[case["patient"]]), case))
        if listed:
            connection.execute(_NEW, listed)


def fault_of(connection: Connection, directory_key: FieldKey, owner: Owner, case: RowMapping) -> bool:
    """Tell whether a case is not found by its number, or as another patient's."""
    query = select(directory).where(directory.c.case_key == case["key"])
    row = connection.execute(query).mappings().one_or_none()
    return row is None or dict(row) != _row(directory_key, owner, case)


def _row(key: FieldKey, owner: Owner, case: RowMapping) -> dict[str, object]:
    number = entries.unsealed(owner, case)
    return {"case_key": case["key"], "patient": owner.patient, "look_up": look_up_of(key, number)}


def _batches(connection: Connection) -> Iterator[list[RowMapping]]:
    last = ""
    query = select(entry).where(entry.c.kind == Kind.CASE.value, entry.c.key > bindparam("last"))
    query = query.order_by(entry.c.key).limit(BATCH)
    while rows := list(connection.execute(query, {"last": last}).mappings()):
        yield rows
        last = rows[-1]["key"]


def _case(connection: Connection, store: KeyStore, key: InternalKey) -> tuple[Owner, FoundCase]:
    row = entries.row_of(connection, key)
    own = store.key_of(InternalKey(row["patient"])) if row else None
    if row is None or own is None:
        raise VaultDamaged()
    owner = Owner(InternalKey(row["patient"]), own)
    slides = [
        FoundSlide(InternalKey(slide["key"]), entries.unsealed(owner, block), entries.unsealed(owner, slide))
        for block in entries.below(connection, key, Kind.BLOCK)
        for slide in entries.below(connection, InternalKey(block["key"]), Kind.SLIDE)
    ]
    ordered = tuple(sorted(slides, key=lambda slide: (slide.block, slide.slide)))
    return owner, FoundCase(key, owner.patient, entries.unsealed(owner, row), ordered)

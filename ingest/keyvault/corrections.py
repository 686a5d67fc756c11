"""A slide that was delivered under the wrong name is hung below the right one; its key and its code stay.

Vault and archive are two databases, so a correction is written down here first, together with what the archive is to
record. It stays *begun* until the archive has recorded it: whoever starts next after a kill finishes it. How it was
before lies sealed in the trail, under the key of the patient whose it was.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, delete, insert, select

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue
from ingest.errors import VaultUnavailable
from ingest.keyvault import directory, entries, erasure, files, noted, trail
from ingest.keyvault.database import reading
from ingest.keyvault.entries import Owner, find_or_make
from ingest.keyvault.identity import Identity, Keys, Kind, checked, compared
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.room import Room
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import correction

_NOBODY = InternalKey("")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a slide belongs: the patient's and the case's number, the block, and its stain with its number there."""

    patient: str = field(repr=False)
    case: str = field(repr=False)
    block: str = field(repr=False)
    slide: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BegunCorrection:
    """A correction that the archive may not have recorded yet, and what it is to record."""

    key: InternalKey = field(repr=False)
    text: str = field(repr=False)


class Corrections(Room):
    """Corrections in an open key vault. Every method is one transaction."""

    def move_slide(
        self,
        slide: InternalKey,
        to: Whereabouts,
        evidence: Iterable[str],
        intent: Callable[[Keys], str],
        *,
        who: str,
        reason: str,
    ) -> BegunCorrection:
        """Hang a slide, with the names of its files, where it belongs; it may stay where it is.

        Parameters
        ----------
        slide
            Its internal key, which it keeps.
        to
            Where it belongs. What is not known of it yet is made.
        evidence
            Who attested what about that case; kept with it.
        intent
            Gives what the archive is to record, by the internal keys of the new place.
        who, reason
            The account, and why; sealed in the trail under the keys of both patients.

        Raises
        ------
        UnknownCode
            If the vault has no such slide.
        InvalidValue
            If another slide has that place, or a word can be none.
        """
        with self._correcting(slide) as connection:
            row, old = self._entry(connection, slide, Kind.SLIDE)
            before = entries.identity(connection, old, row)
            new = self._patient(connection, to.patient)
            case = find_or_make_case(connection, self._store, new, to.case)
            block = find_or_make(connection, new, Kind.BLOCK, case, to.block)
            _make_room(connection, new, Kind.SLIDE, block, to.slide, slide)
            entries.hang(connection, old, new, row, block, to.slide)
            self._hand_over_files(connection, old, new, [slide])
            _keep(connection, new, case, evidence)
            self._tell(connection, "slide", slide, old, new, _place_of(before), who, reason)
            return self._begin(connection, slide, intent(Keys(new.patient, case, block, slide)))

    def move_case(
        self,
        case: InternalKey,
        patient: str | None,
        evidence: Iterable[str],
        intent: Callable[[InternalKey], str],
        *,
        who: str,
        reason: str,
    ) -> BegunCorrection:
        """Hang a case, with all below it, under another patient, or leave it (None); keep who attested what about it.

        Raises
        ------
        UnknownCode
            If the vault has no such case.
        InvalidValue
            If that patient has a case of this number with files already.
        """
        with self._correcting(case) as connection:
            row, old = self._entry(connection, case, Kind.CASE)
            before = entries.identity(connection, old, row)
            new = old if patient is None else self._patient(connection, patient)
            if new.patient != old.patient:
                self._move_case(connection, old, new, row, entries.unsealed(old, row))
            self._hand_over_files(connection, old, new, entries.slides_of(connection, case))
            _keep(connection, new, case, evidence)
            self._tell(connection, "case", case, old, new, f"was patient {before.patient}", who, reason)
            return self._begin(connection, case, intent(new.patient))

    def begun(self) -> tuple[BegunCorrection, ...]:
        """List the corrections that the archive may not have recorded: those that run, or were killed."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(correction)).mappings()
            return tuple(opened(self._store.vault_key, row) for row in rows)

    def finish(self, begun: BegunCorrection, record: Callable[[str], object]) -> None:
        """Have the archive record a correction and end it, unless somebody else has ended it already.

        ``record`` is given what the archive is to record, and may be called again after a kill. Nobody else corrects
        anything meanwhile, so that an older correction never undoes a newer one.
        """
        with self._turn() as connection:
            if connection.scalar(select(correction.c.key).where(correction.c.key == begun.key)):
                record(begun.text)
                connection.execute(delete(correction).where(correction.c.key == begun.key))

    @contextmanager
    def _correcting(self, subject: InternalKey) -> Iterator[Connection]:
        with self._turn() as connection:
            if connection.scalar(select(correction.c.key).where(correction.c.subject == subject)):
                raise VaultUnavailable("this is being corrected by somebody else now; try again in a moment")
            yield connection

    def _patient(self, connection: Connection, number: str) -> Owner:
        owner = Owner(*self._store.patient(compared(Kind.PATIENT, checked(number, Kind.PATIENT))))
        erasure.refuse_if_begun(connection, owner.patient)
        find_or_make(connection, owner, Kind.PATIENT, _NOBODY, number, key=owner.patient)
        return owner

    def _move_case(self, connection: Connection, old: Owner, new: Owner, row: RowMapping, number: str) -> None:
        case = InternalKey(row["key"])
        blocks = entries.below(connection, case, Kind.BLOCK)
        slides = [slide for block in blocks for slide in entries.below(connection, block["key"], Kind.SLIDE)]
        attested = entries.below(connection, case, Kind.EVIDENCE)
        also_attested = _make_room(connection, new, Kind.CASE, new.patient, number, case)
        entries.hang(connection, old, new, row, new.patient)
        for below in (*blocks, *slides, *attested):
            entries.hang(connection, old, new, below, below["parent"])
        _keep(connection, new, case, also_attested)
        directory.hand_over(connection, case, new.patient)

    def _hand_over_files(self, connection: Connection, old: Owner, new: Owner, slides: Iterable[InternalKey]) -> None:
        for scan in files.scans_of(connection, slides):
            if old.patient != new.patient:
                files.hand_over(connection, old, new, scan)
            noted.hand_over(connection, self._store.vault_key, self._store.key_of, scan, new)

    def _tell(
        self,
        connection: Connection,
        what: str,
        subject: InternalKey,
        old: Owner,
        new: Owner,
        before: str,
        who: str,
        reason: str,
    ) -> None:
        """Write the correction into the trail: how it was under the old patient's key, and only there."""
        trail.append(connection, old.key, f"corrected {what}", who, subject, reason, patient=old.patient, before=before)
        if new.patient != old.patient:
            trail.append(connection, new.key, f"received {what}", who, subject, reason, patient=new.patient)

    def _begin(self, connection: Connection, subject: InternalKey, text: str) -> BegunCorrection:
        key = new_key()
        sealed = self._store.vault_key.seal(text.encode(), *_sealed_at(key, subject))
        connection.execute(insert(correction).values(key=key, subject=subject, text=sealed))
        return BegunCorrection(key, text)


def find_or_make_case(connection: Connection, store: KeyStore, owner: Owner, number: str) -> InternalKey:
    """Return the internal key of a patient's case, making its entry and listing it where there is none."""
    fresh = new_key()
    case = find_or_make(connection, owner, Kind.CASE, owner.patient, number, key=fresh)
    if case == fresh:
        directory.add(connection, store.directory_key, case, owner.patient, number)
    return case


def opened(vault_key: FieldKey, row: RowMapping) -> BegunCorrection:
    """Open a correction; raises VaultDamaged if its row was changed."""
    key = InternalKey(row["key"])
    return BegunCorrection(key, vault_key.unseal(row["text"], *_sealed_at(key, row["subject"])).decode())


def _keep(connection: Connection, owner: Owner, case: InternalKey, evidence: Iterable[str]) -> None:
    for sentence in evidence:
        find_or_make(connection, owner, Kind.EVIDENCE, case, sentence)


def _make_room(
    connection: Connection, owner: Owner, kind: Kind, parent: InternalKey, label: str, comes: InternalKey
) -> list[str]:
    """Remove what was only ever asked for in a place, such as by a list whose file was refused, and never delivered.

    Gives what was attested about it.
    """
    occupant = entries.in_place(connection, owner, kind, parent, label)
    if occupant is None or occupant["key"] == comes:
        return []
    key = InternalKey(occupant["key"])
    blocks = [InternalKey(block["key"]) for block in entries.below(connection, key, Kind.BLOCK)]
    slides = [slide["key"] for block in blocks for slide in entries.below(connection, block, Kind.SLIDE)]
    if files.scans_of(connection, [key, *slides]):
        raise InvalidValue(_TAKEN[kind])
    attested = entries.below(connection, key, Kind.EVIDENCE)
    entries.forget(connection, [key, *blocks, *slides, *(row["key"] for row in attested)])
    directory.forget(connection, key)
    return [entries.unsealed(owner, row) for row in attested]


_TAKEN = {
    Kind.SLIDE: "that place is another slide's: the same case, block, stain and number; tell them apart by --number",
    Kind.CASE: "that patient has slides under this case number already; move the slides one by one: "
    "coverslip correct slide",
}


def _place_of(identity: Identity) -> str:
    return f"was patient {identity.patient}, case {identity.case}, block {identity.block}, slide {identity.slide}"


def _sealed_at(key: str, subject: str) -> tuple[str, ...]:
    return ("correction", "text", key, subject)

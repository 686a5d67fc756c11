"""The one place where a code and a person meet. It is opened by ingest only, and each meeting is written down.

The archive knows random internal keys; the vault knows whose they are. It lies in another place than the archive, under
a key of its own, and nothing in it is readable without that key (RULES section 3, key custody).
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection, Engine, RowMapping

from archive import auditchain
from archive.codes import InternalKey
from archive.errors import InvalidValue, UnknownCode
from archive.wordscreen import screen
from ingest.errors import VaultDamaged, VaultUnavailable
from ingest.keyvault import check, concerning, copying, declarations, entries, erasure, files, trail
from ingest.keyvault.approvals import Approvals
from ingest.keyvault.check import VaultFault
from ingest.keyvault.corrections import Corrections, find_or_make_case
from ingest.keyvault.database import check_version, connect, reading, sqlite_url, writing
from ingest.keyvault.directory import Directory
from ingest.keyvault.entries import Owner, find_or_make
from ingest.keyvault.evidence import ConsentEvidence
from ingest.keyvault.files import PendingScan
from ingest.keyvault.identity import Identity, Keys, Kind, PersonalIdentity, checked, compared
from ingest.keyvault.keyfile import KeyFile
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.making import KEYS, ROWS, make, refuse_key_inside
from ingest.keyvault.register import Register
from ingest.keyvault.trail import TrailEntry
from ingest.keyvault.withdrawals import Withdrawals

_INTERNAL_KEY = re.compile(r"[0-9a-f]{32}")
_NOBODY = InternalKey("")


class KeyVault:
    """An open key vault; made by ``create`` or ``open``, and a context manager.

    Several processes may have one vault open. Every method is one transaction: done whole, or not at all.
    """

    def __init__(self, folder: Path, store: KeyStore, engine: Engine) -> None:
        self._folder = folder
        self._store = store
        self._engine = engine

    @classmethod
    def create(
        cls, folder: Path, key_file: Path, *, passphrase: str | None = None, database: str | None = None
    ) -> "KeyVault":
        """Make an empty vault and its key file.

        Parameters
        ----------
        folder
            The vault's own folder, which is not there yet. Never inside the archive.
        key_file
            The key file to make, in another folder; copy it to a safe place, because without it nobody has names.
        passphrase
            Protects the key file as well.
        database
            A SQLAlchemy URL (PostgreSQL) for the rows; a SQLite file in the folder where not given.

        Raises
        ------
        VaultUnavailable
            If one of them is there already, cannot be written, or the key file would lie in the vault's folder.
        """
        make(folder, key_file, passphrase, database)
        return cls.open(folder, key_file, passphrase=passphrase, database=database)

    @classmethod
    def open(
        cls, folder: Path, key_file: Path, *, passphrase: str | None = None, database: str | None = None
    ) -> "KeyVault":
        """Open a vault, and finish an erasure that was interrupted.

        Raises
        ------
        VaultUnavailable
            If there is no vault, the key file does not fit, or something was changed or damaged. Nothing is told then.
        """
        if not folder.is_dir() or not (database or (folder / ROWS).is_file()):
            raise VaultUnavailable("there is no key vault in this folder; name its folder, or make one")
        refuse_key_inside(folder, key_file)
        with ExitStack() as on_failure:
            store = KeyStore(folder / KEYS, KeyFile.read(key_file, passphrase))
            on_failure.callback(store.close)
            engine = connect(database or sqlite_url(folder / ROWS))
            on_failure.callback(engine.dispose)
            with reading(engine) as connection:
                check_version(connection)
                check.belongs_together(connection, store.vault_key)
            erasure.finish(folder, engine, store)
            on_failure.pop_all()
        return cls(folder, store, engine)

    def __enter__(self) -> "KeyVault":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files. Closing twice is harmless."""
        self._store.close()
        self._engine.dispose()

    @property
    def directory(self) -> Directory:
        """The way from a case number to the case."""
        return Directory(self._engine, self._store)

    @property
    def approvals(self) -> Approvals:
        """Requests to be told whose a code is, which a second person approves."""
        return Approvals(self._engine, self._store, self._identity)

    @property
    def consent(self) -> ConsentEvidence:
        """Who signed which consent, and when."""
        return ConsentEvidence(self._engine, self._store)

    @property
    def corrections(self) -> Corrections:
        """What is put right after it was delivered under wrong names."""
        return Corrections(self._engine, self._store)

    @property
    def name(self) -> str:
        """What the key file calls this vault; it tells nothing about it."""
        return self._store.vault_key.name

    @property
    def register(self) -> Register:
        """What became of every file that was delivered."""
        return Register(self._engine, self._store)

    def require_standing(self) -> None:
        """See that key file, keys and rows are there and fit each other, past everything that is remembered of them.

        Raises
        ------
        VaultUnavailable
            If they do not; then nobody may go on as if the vault were open.
        """
        rows = [self._folder / ROWS] if self._engine.dialect.name == "sqlite" else []
        if not all(file.is_file() for file in (self._folder / KEYS, *rows)):
            raise VaultUnavailable("the key vault's files are gone; check its disk, or restore it from a backup")
        if self._store.key_file.reread().key(self._store.wrapping_key().name) is None:
            raise VaultUnavailable("the key file is another one than opened the vault; put the right one in its place")
        with reading(self._engine) as connection:
            check.belongs_together(connection, self._store.vault_key)

    @property
    def withdrawals(self) -> Withdrawals:
        """Who withdrew consent, and on what paper."""
        return Withdrawals(self._engine, self._store)

    def keys_for(self, person: PersonalIdentity, case: str, block: str, slide: str, *, who: str = "ingest") -> Keys:
        """Return the internal keys of a glass slide and what it comes from, making those that are new.

        The same words give the same keys, from any process; ``slide`` is the stain and the slide's number in its block,
        so that a second scan of one glass finds its slide.

        Raises
        ------
        InvalidValue
            If one of the words is empty, too long or holds control characters.
        """
        number = compared(Kind.PATIENT, checked(person.patient, Kind.PATIENT))
        with writing(self._engine) as connection:
            owner = Owner(*self._store.patient(number))
            erasure.refuse_if_begun(connection, owner.patient)
            patient = find_or_make(connection, owner, Kind.PATIENT, _NOBODY, person.patient, key=owner.patient)
            if person.name:
                find_or_make(connection, owner, Kind.NAME, patient, person.name)
            if person.birth_date:
                find_or_make(connection, owner, Kind.BIRTH_DATE, patient, person.birth_date.isoformat())
            case_key = find_or_make_case(connection, self._store, owner, case)
            block_key = find_or_make(connection, owner, Kind.BLOCK, case_key, block)
            slide_key = find_or_make(connection, owner, Kind.SLIDE, block_key, slide)
            trail.append(connection, owner.key, "coded", who, slide_key, patient=patient)
        return Keys(patient, case_key, block_key, slide_key)

    def scan_of_file(self, digest: bytes) -> InternalKey | None:
        """Return the scan that the archive has of a file, by the SHA-256 digest of its bytes; None if it has none."""
        with reading(self._engine) as connection:
            row = files.row_of(connection, files.look_up_of(self._store.vault_key, digest))
            if row is None or not row["committed"]:
                return None
            files.unsealed_name(self._owner(row["patient"]), row)
            return InternalKey(row["scan"])

    def record_file(self, digest: bytes, slide: InternalKey, file_name: str) -> InternalKey:
        """Record a file before its scan goes into the archive; the answer is the scan's internal key.

        The same file gives the same key until the archive has it and after. Call ``confirm`` when it has.

        Raises
        ------
        UnknownCode
            If the vault has no such slide.
        """
        look_up = files.look_up_of(self._store.vault_key, digest)
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, slide)
            return files.record(connection, owner, slide, look_up, file_name)

    def pending(self) -> tuple[PendingScan, ...]:
        """List the scans that are recorded and not confirmed: ingests that are running, or were killed."""
        with reading(self._engine) as connection:
            return files.pending(connection)

    def recorded(self) -> Iterator[tuple[InternalKey, bool]]:
        """Give every scan that the vault knows, in the order of the keys, and whether the archive has confirmed it."""
        with reading(self._engine) as connection:
            yield from files.recorded(connection)

    def erased(self) -> frozenset[InternalKey]:
        """Give the patients that were erased, as the trail tells; their scans may be in the archive still."""
        with reading(self._engine) as connection:
            return frozenset(trail.subjects(connection, "erased"))

    def confirm(self, scan: InternalKey) -> None:
        """Note that the archive has a scan; doing it twice is harmless.

        Raises
        ------
        UnknownCode
            If the vault has no such scan.
        """
        with writing(self._engine) as connection:
            if not files.confirm(connection, scan):
                raise _unknown()

    def forget(self, scan: InternalKey) -> None:
        """Delete the entry of a scan that never came into the archive; a confirmed one stays."""
        with writing(self._engine) as connection:
            files.forget(connection, scan)

    def needles(self, case: InternalKey, *, who: str = "ingest") -> tuple[str, ...]:
        """Return what must not be found in anything that is stored for a case, as it was delivered.

        The patient's number, names and birth dates (as 1948-07-05), the case's number and the names of its files.
        """
        with writing(self._engine) as connection:
            row, owner = self._entry(connection, case)
            known = [entries.unsealed(owner, row)]
            for kind in (Kind.PATIENT, Kind.NAME, Kind.BIRTH_DATE):
                known += entries.labels(connection, owner, kind)
            known += files.names(connection, owner, entries.slides_of(connection, case))
            trail.append(connection, owner.key, "searched for", who, case, patient=owner.patient)
        return tuple(dict.fromkeys(known))

    def keep_evidence(self, case: InternalKey, sentences: Iterable[str], *, who: str = "ingest") -> None:
        """Keep sentences that say who attested what about a case, when and why; the same one is kept once."""
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, case)
            for sentence in sentences:
                find_or_make(connection, owner, Kind.EVIDENCE, case, sentence)
            trail.append(connection, owner.key, "kept evidence", who, case, patient=owner.patient)

    def evidence(self, case: InternalKey, who: str, reason: str) -> tuple[str, ...]:
        """Read what was attested about a case; who asked and why is written down."""
        _require_reason(reason)
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, case)
            trail.append(connection, owner.key, "read evidence", who, case, reason, patient=owner.patient)
            return entries.labels(connection, owner, Kind.EVIDENCE, case)

    def identify(self, key: InternalKey, who: str, reason: str) -> Identity:
        """Tell whom an internal key belongs to: a patient's, case's, block's, slide's or scan's.

        Who asked and why is written down first, also when there is no such key.

        Raises
        ------
        UnknownCode
            If the vault has no such key.
        InvalidValue
            If no account or no reason is given.
        """
        _require_reason(reason)
        with writing(self._engine) as connection:
            found = self._identity(connection, key)
            if found is None:
                subject = key if _INTERNAL_KEY.fullmatch(key) else ""
                trail.append(connection, self._store.vault_key, "not identified", who, subject, reason)
            else:
                owner, answer = found
                trail.append(connection, owner.key, "identified", who, key, reason, patient=owner.patient)
        if found is None:
            raise _unknown()
        return answer

    def note_opening(self, slide: InternalKey, who: str, purpose: str) -> None:
        """Write down that somebody who looked a case up opened one of its slides, and what for.

        Raises
        ------
        UnknownCode
            If the vault has no such slide.
        InvalidValue
            If no account or no purpose is given.
        """
        _require_reason(purpose)
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, slide)
            trail.append(connection, owner.key, "opened slide", who, slide, purpose, patient=owner.patient)

    def declare(self, kind: str, name: str, text: str, *, who: str) -> None:
        """Put a declaration of the laboratory in force, such as a feed; earlier versions are kept."""
        with writing(self._engine) as connection:
            declarations.add(connection, self._store.vault_key, kind, name, text)
            trail.append(connection, self._store.vault_key, f"declared {kind}", who, "", name)

    def declared(self, kind: str) -> dict[str, str]:
        """Return the declarations of a kind that are in force, by name."""
        with reading(self._engine) as connection:
            return declarations.in_force(connection, self._store.vault_key, kind)

    def erase(self, patient: InternalKey, who: str, reason: str) -> None:
        """Erase a patient for good: the rows, and the key without which old copies of the rows say nothing.

        The key file changes: make a new safe copy of it and of the key store, and destroy the old copies. The reason
        outlives the patient, so name nobody in it. What the archive holds is not touched.

        Raises
        ------
        UnknownCode
            If the vault has no such patient.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        _require_reason(reason)
        reason = screen(reason, "a reason")
        with reading(self._engine) as connection:
            row = entries.row_of(connection, patient)
        if row is None or row["kind"] != Kind.PATIENT:
            raise _unknown()
        erasure.erase(self._folder, self._engine, self._store, patient, who, reason)

    def rotate(self, new_key_file: Path, *, passphrase: str | None = None, who: str) -> None:
        """Wrap all keys under the key of a new key file, which is made; the old file opens the vault no longer.

        Destroy the old file when no copy of the key store that it opens is wanted any more.
        """
        refuse_key_inside(self._folder, new_key_file)
        with writing(self._engine) as connection:
            trail.append(connection, self._store.vault_key, "rotated", who, "")
        erasure.rotate(self._folder, self._store, new_key_file, passphrase)

    def copy_to(self, folder: Path) -> None:
        """Write a copy of the vault into a folder of copies, which then has this one and no older one.

        The key file is no part of it and belongs elsewhere. Others may use the vault meanwhile.

        Raises
        ------
        VaultUnavailable
            If the copy cannot be written, or the vault's rows are in a server, which has copies of its own.
        """
        copying.copy_vault(self._folder, self._engine, self._store, folder)

    def trail(self) -> tuple[TrailEntry, ...]:
        """Read the vault's audit trail, oldest first, with the reasons that can still be read."""
        with reading(self._engine) as connection:
            key = self._store.vault_key
            return tuple(trail.told(sealed, self._store.key_of, key) for sealed in trail.entries(connection))

    def sealed_trail(self) -> auditchain.Trail:
        """Give the trail as it is verified and signed together with those of the archive."""

        def sealed() -> Iterator[auditchain.Entry]:
            with reading(self._engine) as connection:
                yield from trail.entries(connection)

        return auditchain.Trail("vault", trail.first(self._store.vault_key), sealed, lambda: (self.trail_head(),))

    def entries_about(self, patient: InternalKey) -> frozenset[int]:
        """Give the numbers of the trail's entries that are about a patient, or about what is theirs."""
        with reading(self._engine) as connection:
            return concerning.numbers(connection, patient)

    def note_reading(self, who: str, reason: str) -> None:
        """Write down that somebody read the trail, which tells reasons, and what for."""
        with writing(self._engine) as connection:
            trail.append(connection, self._store.vault_key, "read trail", who, "", reason)

    def trail_head(self) -> auditchain.Head:
        """Return the newest state of the trail, to be kept in a second place."""
        with reading(self._engine) as connection:
            return trail.newest(connection)

    def verify_trail(self, heads: Iterable[auditchain.Head] = ()) -> tuple[auditchain.Fault, ...]:
        """List every fault of the trail, held against heads that were kept in a second place."""
        with reading(self._engine) as connection:
            return trail.verify(connection, self._store.vault_key, heads)

    def check(self) -> tuple[VaultFault, ...]:
        """Open every sealed field, try every look-up, verify the trail, and list every fault."""
        with reading(self._engine) as connection:
            return tuple(check.faults(connection, self._store))

    def _identity(self, connection: Connection, key: InternalKey) -> tuple[Owner, Identity] | None:
        of_file = files.row_of_scan(connection, key)
        row = entries.row_of(connection, InternalKey(of_file["slide"]) if of_file else key)
        if row is None:
            return None
        owner = self._owner(row["patient"])
        name = files.unsealed_name(owner, of_file) if of_file else None
        return owner, entries.identity(connection, owner, row, name)

    def _entry(self, connection: Connection, key: InternalKey) -> tuple[RowMapping, Owner]:
        row = entries.row_of(connection, key)
        if row is None:
            raise _unknown()
        return row, self._owner(row["patient"])

    def _owner(self, patient: str) -> Owner:
        key = self._store.key_of(InternalKey(patient))
        if key is None:
            raise VaultDamaged()
        return Owner(InternalKey(patient), key)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidValue("give the reason, such as the request's number")


def _unknown() -> UnknownCode:
    return UnknownCode("the key vault has no entry for this; check the code")

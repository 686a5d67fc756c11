"""The one place where a code and a person meet. It is opened by ingest only, and each meeting is written down.

The archive knows random internal keys; the vault knows whose they are. It lies in another place than the archive, under
a key of its own, and nothing in it is readable without that key (RULES section 3, key custody).
"""

from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine

from archive.codes import InternalKey
from archive.errors import UnknownCode
from archive.wordscreen import screen
from ingest.errors import VaultUnavailable
from ingest.keyvault import check, copying, entries, erasure, trail
from ingest.keyvault.approvals import Approvals
from ingest.keyvault.attested import Attested
from ingest.keyvault.check import VaultFault
from ingest.keyvault.corrections import Corrections
from ingest.keyvault.database import check_version, connect, reading, sqlite_url, writing
from ingest.keyvault.directory import Directory
from ingest.keyvault.evidence import ConsentEvidence
from ingest.keyvault.identity import Kind
from ingest.keyvault.keyfile import KeyFile
from ingest.keyvault.keystore import KeyStore
from ingest.keyvault.making import KEYS, ROWS, make, refuse_key_inside
from ingest.keyvault.record import Record
from ingest.keyvault.register import Register
from ingest.keyvault.room import require_reason
from ingest.keyvault.scans import Scans
from ingest.keyvault.slides import Slides
from ingest.keyvault.withdrawals import Withdrawals


class KeyVault(Slides, Scans, Attested, Record):
    """An open key vault; made by ``create`` or ``open``, and a context manager.

    Several processes may have one vault open. Every method is one transaction: done whole, or not at all.
    """

    def __init__(self, folder: Path, store: KeyStore, engine: Engine) -> None:
        super().__init__(engine, store)
        self._folder = folder

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
        return Approvals(self._engine, self._store)

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

    @property
    def withdrawals(self) -> Withdrawals:
        """Who withdrew consent, and on what paper."""
        return Withdrawals(self._engine, self._store)

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
        require_reason(reason)
        reason = screen(reason, "a reason")
        with reading(self._engine) as connection:
            row = entries.row_of(connection, patient)
        if row is None or row["kind"] != Kind.PATIENT:
            raise UnknownCode("the key vault has no such patient; check the code or the number")
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

    def check(self) -> tuple[VaultFault, ...]:
        """Open every sealed field, try every look-up, verify the trail, and list every fault."""
        with reading(self._engine) as connection:
            return tuple(check.faults(connection, self._store))

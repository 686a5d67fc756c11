"""Which scan a delivered file became is recorded before the archive has it, and confirmed when it has."""

from collections.abc import Iterator

from archive.codes import InternalKey
from archive.errors import UnknownCode
from ingest.keyvault import files
from ingest.keyvault.database import reading, writing
from ingest.keyvault.files import PendingScan
from ingest.keyvault.room import Room


class Scans(Room):
    """The scans of an open key vault, and the files that they were made of."""

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

    def confirm(self, scan: InternalKey) -> None:
        """Note that the archive has a scan; doing it twice is harmless.

        Raises
        ------
        UnknownCode
            If the vault has no such scan.
        """
        with writing(self._engine) as connection:
            if not files.confirm(connection, scan):
                raise UnknownCode("the key vault has no such scan")

    def forget(self, scan: InternalKey) -> None:
        """Delete the entry of a scan that never came into the archive; a confirmed one stays."""
        with writing(self._engine) as connection:
            files.forget(connection, scan)

    def pending(self) -> tuple[PendingScan, ...]:
        """List the scans that are recorded and not confirmed: ingests that are running, or were killed."""
        with reading(self._engine) as connection:
            return files.pending(connection)

    def recorded(self) -> Iterator[tuple[InternalKey, bool]]:
        """Give every scan that the vault knows, in the order of the keys, and whether the archive has confirmed it."""
        with reading(self._engine) as connection:
            yield from files.recorded(connection)

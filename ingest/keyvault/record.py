"""What was ever done with the vault is read from its trail: by people with its reasons, by the archive sealed."""

from collections.abc import Iterable, Iterator

from archive import auditchain
from archive.codes import InternalKey
from ingest.keyvault import concerning, trail
from ingest.keyvault.database import reading, writing
from ingest.keyvault.room import Room
from ingest.keyvault.trail import TrailEntry


class Record(Room):
    """The audit trail of an open key vault."""

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

    def erased(self) -> frozenset[InternalKey]:
        """Give the patients that were erased, as the trail tells; their scans may be in the archive still."""
        with reading(self._engine) as connection:
            return frozenset(trail.subjects(connection, "erased"))

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

"""What somebody vouches for is kept with who said so: what was attested of a case, and what the laboratory declares."""

from collections.abc import Iterable

from archive.codes import InternalKey
from ingest.keyvault import declarations, entries, trail
from ingest.keyvault.database import reading, writing
from ingest.keyvault.entries import find_or_make
from ingest.keyvault.identity import Kind
from ingest.keyvault.room import Room, require_reason


class Attested(Room):
    """The attestations and declarations in an open key vault."""

    def keep_evidence(self, case: InternalKey, sentences: Iterable[str], *, who: str = "ingest") -> None:
        """Keep sentences that say who attested what about a case, when and why; the same one is kept once."""
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, case)
            for sentence in sentences:
                find_or_make(connection, owner, Kind.EVIDENCE, case, sentence)
            trail.append(connection, owner.key, "kept evidence", who, case, patient=owner.patient)

    def evidence(self, case: InternalKey, who: str, reason: str) -> tuple[str, ...]:
        """Read what was attested about a case; who asked and why is written down."""
        require_reason(reason)
        with writing(self._engine) as connection:
            _, owner = self._entry(connection, case)
            trail.append(connection, owner.key, "read evidence", who, case, reason, patient=owner.patient)
            return entries.labels(connection, owner, Kind.EVIDENCE, case)

    def declare(self, kind: str, name: str, text: str, *, who: str) -> None:
        """Put a declaration of the laboratory in force, such as a feed; earlier versions are kept."""
        with writing(self._engine) as connection:
            declarations.add(connection, self._store.vault_key, kind, name, text)
            trail.append(connection, self._store.vault_key, f"declared {kind}", who, "", name)

    def declared(self, kind: str) -> dict[str, str]:
        """Return the declarations of a kind that are in force, by name."""
        with reading(self._engine) as connection:
            return declarations.in_force(connection, self._store.vault_key, kind)

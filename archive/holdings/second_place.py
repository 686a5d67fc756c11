"""The second place is a folder, best on another machine: signed statements about the audit trails, and the public key.

Lines are only ever added. Whoever signs holds the folder alone; who verifies holds it against those who sign.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive import fixity
from archive.auditchain import Fault
from archive.auditchain.signing import PublicKey
from archive.auditchain.statement import Signed, verified
from archive.errors import HoldingsUnavailable
from archive.holdings.place import claimed, disk_errors


@dataclass(frozen=True, slots=True)
class SecondPlace:
    """A folder of signed statements."""

    folder: Path

    @property
    def statements(self) -> Path:
        """The file of statements, one a line, oldest first."""
        return self.folder / "audit-statements"

    @property
    def public_key(self) -> Path:
        """The file of the key that they are verified with."""
        return self.folder / "audit-key.pub"

    @property
    def prepared(self) -> Path:
        """The file of a statement that is being told to the catalogue's trail."""
        return self.folder / "audit-statement.prepared"

    @property
    def begun(self) -> bool:
        """Whether anything was ever signed there."""
        return self.statements.exists() or self.public_key.exists()

    @contextmanager
    def held(self, *, shared: bool = False) -> Iterator[None]:
        """Hold the folder, alone or with others who only read.

        Raises
        ------
        HoldingsUnavailable
            If it is not there, or its disk fails: a second place that is gone is not a good sign.
        """
        if not self.folder.is_dir():
            raise HoldingsUnavailable("the audit trail's second place is not there; check its path and its disk")
        with claimed(self.folder, shared=shared):
            yield

    def key(self) -> PublicKey:
        """Give the public key that lies there.

        Raises
        ------
        HoldingsUnavailable
            If there is none.
        InvalidValue
            If the file holds something else.
        """
        if not self.public_key.exists():
            raise HoldingsUnavailable("no audit trail was signed into this second place yet; see: coverslip audit sign")
        with disk_errors():
            return PublicKey.parse(self.public_key.read_bytes())

    def read(self, key: PublicKey) -> tuple[tuple[Signed, ...], tuple[Fault, ...]]:
        """Give the statements that are signed and in their place, and the faults of the others."""
        with disk_errors():
            content = self.statements.read_bytes() if self.statements.exists() else b""
        return verified(content, key)

    def read_prepared(self, key: PublicKey) -> Signed | None:
        """Give the statement that a signing was interrupted with, whether or not the trail was told of it."""
        with disk_errors():
            content = self.prepared.read_bytes() if self.prepared.exists() else b""
        found, _ = verified(content, key)
        return found[0] if found else None

    def begin(self, key: PublicKey) -> None:
        """Put the public key where there is nothing yet."""
        with disk_errors():
            fixity.write(self.public_key, bytes(key))

    def prepare(self, signed: Signed) -> None:
        """Leave a statement on the disk before the trail is told of it."""
        with disk_errors():
            fixity.write(self.prepared, f"{signed.line}\n".encode())

    def add(self, signed: Signed) -> None:
        """Add a statement for good, and leave it on the disk for certain."""
        with disk_errors():
            descriptor = os.open(self.statements, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            with os.fdopen(descriptor, "ab") as lines:
                lines.write(f"{signed.line}\n".encode())
                lines.flush()
                os.fsync(lines.fileno())
            fixity.flush_one(self.folder)
        self.drop_prepared()

    def drop_prepared(self) -> None:
        """Forget the statement that was prepared."""
        with disk_errors():
            self.prepared.unlink(missing_ok=True)

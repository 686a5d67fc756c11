"""Archive and vault know the same scans, or somebody's slide can no longer be found, or a code belongs to nobody.

The vault's own files are held against what was last seen of them before the vault is opened; then every sealed field is
opened, and each scan is looked for on the other side.
"""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby
from pathlib import Path

from archive.codes import Code, InternalKey
from archive.errors import ArchiveError
from archive.holdings import Archive
from archive.holdings.checking.databases import DatabaseFile
from archive.holdings.checking.faults import Coded, Fault, FaultCode
from archive.holdings.checking.rounds import Rounds
from archive.holdings.checking.running import scans_in_order
from archive.settings import ArchiveSettings
from ingest.errors import VaultDamaged, VaultUnavailable
from ingest.keyvault import KeyVault
from ingest.keyvault.keyfile import KeyFile
from ingest.keyvault.making import KEYS, ROWS

RECORD = "checks.log"
"""What was last seen of the vault's files; it lies beside them."""

VAULT = "the key vault"


class VaultCode(Coded):
    """What can be wrong with a key vault, and between it and the archive."""

    UNOPENED = "vault-unopened", "the key vault cannot be opened; restore it, its key store and its key file"
    KEY_FILE = "vault-key-file", "the key file is not what was written; put it back from its safe copy"
    DAMAGED = "vault-damaged", "a sealed entry of the key vault does not open, or is not found; restore the vault"
    TRAIL = "vault-trail", "the key vault's audit trail was changed, or its end is missing; find out who did so"
    NO_ENTRY = "scan-without-entry", "the archive has a scan that the key vault does not know; restore the vault"
    UNCONFIRMED = "scan-unconfirmed", "the key vault has not confirmed a scan of the archive; the next ingest does so"
    NO_SCAN = "entry-without-scan", "the key vault knows a scan that the archive has not; restore the archive"


class VaultCheck:
    """The check of one laboratory's vault, and of the links between it and the archive.

    Parameters
    ----------
    folder, key_file
        Where the vault and its key lie.
    settings
        Where the archive lies, which is only read.
    """

    def __init__(self, folder: Path, key_file: Path, settings: ArchiveSettings) -> None:
        self._folder, self._key_file, self._settings = folder, key_file, settings

    def faults(self) -> Iterator[Fault]:
        """Give fault after fault."""
        rounds = Rounds(self._folder / RECORD)
        if rounds.damaged_lines:
            found = f"{rounds.damaged_lines} that do not"
            yield Fault(FaultCode.RECORD_DAMAGED, f"{VAULT}, {RECORD}", "lines that match their crc32c", found)
        files = [DatabaseFile(self._folder / name, rounds) for name in (KEYS, ROWS) if self._is_here(name)]
        for file in files:
            yield from file.faults()
        count = 0
        for fault in self._content(files):
            count += 1
            yield fault
        if not count:
            for file in files:
                file.seal()

    def _is_here(self, name: str) -> bool:
        """Whether a file is to be there: the rows may be in PostgreSQL."""
        return name == KEYS or (self._folder / name).exists()

    def _content(self, files: Sequence[DatabaseFile]) -> Iterator[Fault]:
        for file in files:
            yield from file.structure_faults()
        try:
            key_file = KeyFile.read(self._key_file)
            with KeyVault.open(self._folder, self._key_file) as vault:
                if key_file.vault != vault.name or not key_file.is_as_written():
                    yield Fault(VaultCode.KEY_FILE, "the key file", "the text that was written", "another")
                yield from _vault_faults(vault)
                yield from self._link_faults(vault)
        except VaultUnavailable as error:
            if all(file.unchanged for file in files):  # then it is not they
                yield Fault(VaultCode.KEY_FILE, "the key file", "the key that opens the vault", "another, or none")
            elif isinstance(error, VaultDamaged):
                yield Fault(VaultCode.DAMAGED, VAULT, "keys and entries that fit", "others")
            else:
                yield Fault(VaultCode.UNOPENED, VAULT, "a vault, a key store and a key file that fit", "others")
        except (ArchiveError, ValueError, TypeError, KeyError, AttributeError):
            yield Fault(VaultCode.DAMAGED, VAULT, "entries that can be read", "others")

    def _link_faults(self, vault: KeyVault) -> Iterator[Fault]:
        try:
            archive = Archive.open(self._settings.archive, settings=self._settings, read_only=True)
        except ArchiveError:
            return  # the check of the archive tells why
        with archive:
            yield from link_faults(archive, vault)


def _vault_faults(vault: KeyVault) -> Iterator[Fault]:
    for fault in vault.check():
        code = VaultCode.TRAIL if fault.table == "audit" else VaultCode.DAMAGED
        place = f"{VAULT}, table {fault.table}, row {fault.row}"
        yield Fault(code, place, "an entry that opens and is found", str(fault.code))


def link_faults(archive: Archive, vault: KeyVault) -> Iterator[Fault]:
    """Look for each scan of the archive in the vault, and for each of the vault in the archive."""
    erased: frozenset[InternalKey] | None = None
    lost = 0
    for key, held, committed in _side_by_side(archive, vault):
        if held and committed is None:
            erased = vault.erased() if erased is None else erased
            if _patient_of(archive, key) not in erased:
                yield _link(VaultCode.NO_ENTRY, "an entry in the key vault", "none", _code_of(archive, key))
        elif held and not committed:
            yield _link(VaultCode.UNCONFIRMED, "a confirmed entry", "one that waits", _code_of(archive, key))
        elif committed and not held:
            lost += 1
    if lost:
        yield Fault(VaultCode.NO_SCAN, VAULT, "a scan in the archive for each entry", f"none for {lost}")


def _side_by_side(archive: Archive, vault: KeyVault) -> Iterator[tuple[InternalKey, bool, bool | None]]:
    """Walk over all scans: the key, whether the archive has it, and whether the vault has confirmed it.

    None says that the vault does not know it. Both sides are read in the order of the keys, so neither is held whole.
    """
    here = ((key, None) for key in scans_in_order(archive))
    there = ((key, committed) for key, committed in vault.recorded())
    for key, both in groupby(merge(here, there, key=lambda one: one[0]), key=lambda one: one[0]):
        told = [committed for _, committed in both]
        yield key, None in told, next((committed for committed in told if committed is not None), None)


def _link(code: VaultCode, expected: str, found: str, scan: Code | None) -> Fault:
    return Fault(code, "its entry", expected, found, scan)


def _code_of(archive: Archive, key: InternalKey) -> Code | None:
    held = archive.scan(key)
    return held.code if held else None


def _patient_of(archive: Archive, key: InternalKey) -> InternalKey | None:
    held = archive.scan(key)
    case = archive.case(archive.held(held.record.slide).record.case) if held else None
    return case.patient if case else None

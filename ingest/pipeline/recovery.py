"""What an interrupted ingest left is put right when the next one starts; the archive says what exists."""

from archive.holdings import Archive, Recovered
from ingest.keyvault import KeyVault
from ingest.pipeline.correcting import finish_begun


def recover(archive: Archive, vault: KeyVault) -> Recovered:
    """Put the archive right, have the vault confirm what the archive has, and finish corrections that were begun.

    An entry of the vault whose scan never came into the archive is left as it is: the next ingest of that file takes
    it up, and another process may be working on it now.
    """
    found = archive.recover()
    for pending in vault.pending():
        if archive.scan(pending.scan) is not None:
            vault.confirm(pending.scan)
    finish_begun(archive, vault)
    return found

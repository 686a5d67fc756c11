"""Set a laboratory up: ``init``."""

from pathlib import Path

from archive.cli.sentences import ArchiveFolder, out, said
from ingest.cli.places import KeyFile, Places, VaultFolder


@said
def init(
    archive: ArchiveFolder = Path("coverslip-archive"), vault: VaultFolder = None, vault_key: KeyFile = None
) -> None:
    """Make an empty archive, a key vault and its key file, each in a place of its own."""
    places = Places.of(archive, vault, vault_key)
    if places.exist:
        out().print("There is an archive with its vault already; nothing was changed.")
        return
    places.create()
    out().print(
        f"archive    {places.archive}   codes and pixels; the server reads this and nothing else", soft_wrap=True
    )
    out().print(f"vault      {places.vault}   whose they are, encrypted; only ingest opens it", soft_wrap=True)
    out().print(f"key file   {places.key}   opens the vault", soft_wrap=True)
    out().print("\nCopy the key file to a safe place now: without it nobody can tell whose slide a code stands for.")
    out().print("Next: coverslip feed add surgical, then coverslip ingest SLIDES --delivery LIST")

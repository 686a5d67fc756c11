"""Set a laboratory up: ``setup`` for one that several people use, ``init`` for one person on one machine."""

from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import AccountStore
from archive.cli.passwords import chosen
from archive.cli.sentences import ArchiveFolder, out, said
from archive.errors import InvalidValue
from ingest.cli.places import KeyFile, Places, VaultFolder


@said
def setup(
    custodian: Annotated[
        str, typer.Argument(metavar="NAME", help="Staff login of the first custodian, who manages all other accounts.")
    ],
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
) -> None:
    """Make an archive, its key vault, the key file and the first account, a custodian: all that people need to begin.

    What is there already is kept, so that one person's archive can be given accounts. From then on the archive is
    shown to nobody who has not signed in.
    """
    places = Places.of(archive, vault, vault_key)
    if AccountStore.exists(places.archive):
        with AccountStore.open(places.archive) as store:
            accounts = [account.name for account in store.accounts()]
        if custodian in accounts:
            out().print("There are accounts already; nothing was changed. List them with: coverslip account list")
            return
        if accounts:
            raise InvalidValue(
                "there are accounts already, and a custodian adds others: coverslip account add NAME --role ROLE"
            )
    password = chosen(f"New password for {custodian}")
    AccountStore.require_can_found(custodian, password)
    if not places.exist:
        places.create()
    account = AccountStore.found(places.archive, custodian, password)
    _tell(places)
    out().print(f"custodian  {account.name}, who manages accounts with: coverslip account", soft_wrap=True)
    out().print("\nCopy the key file to a safe place now: without it nobody can tell whose slide a code stands for.")
    out().print("Next: a second custodian, who approves when the first asks whose slide a code stands for:")
    out().print(f"coverslip account add NAME --role custodian --who {account.name}")


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
    _tell(places)
    out().print("\nCopy the key file to a safe place now: without it nobody can tell whose slide a code stands for.")
    out().print("Next: coverslip feed add surgical, then coverslip ingest SLIDES --delivery LIST")


def _tell(places: Places) -> None:
    for called, place, what in (
        ("archive", places.archive, "codes and pixels; the server reads this and nothing else"),
        ("vault", places.vault, "whose they are, encrypted; only ingest opens it"),
        ("key file", places.key, "opens the vault"),
    ):
        out().print(f"{called:10} {what}")
        out().print(f"{'':10} {place}", soft_wrap=True)  # on a line of its own, to be copied

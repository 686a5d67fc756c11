"""Accounts are backed up with the archive; when they are put back, nobody is in and no token is good any more.

What was taken away after a backup was made would otherwise come back with it.
"""

import os
from pathlib import Path

from archive import fixity
from archive.accounts.database import FILE, mark
from archive.accounts.office import COMMAND_LINE
from archive.accounts.store import AccountStore
from archive.auditchain import Head, verify
from archive.errors import AccountsUnavailable


def back_up_accounts(archive: Path, backup: Path) -> bool:
    """Copy the accounts into a backup of their archive; False if it has none.

    Raises
    ------
    AccountsUnavailable
        If they cannot be read or the copy cannot be written, they are gone, or their trail was changed or does not go
        on from the backup's; then the backup's copy stays as it was.
    """
    if not AccountStore.exists(archive):
        if AccountStore.exists(backup):
            raise AccountsUnavailable(
                "the archive has no accounts and its backup has, as if they were lost; the backup's copy stays as it is"
            )
        return False
    with AccountStore.open(archive) as store:
        trail = store.sealed_trail()
        if verify(trail.entries(), trail.first, (*trail.heads(), *_heads_of(backup))):
            raise AccountsUnavailable(
                "the access trail was changed, or does not go on from the last backup's, and the accounts were not "
                "copied; see what is wrong with: coverslip audit verify"
            )
        _copied(store, backup).replace(backup / FILE)
    fixity.flush_one(backup)
    return True


def put_accounts_back(backup: Path, archive: Path) -> int | None:
    """Put a backup's accounts into a folder that is to be an archive; give how many there are, or None for none.

    Killed at any time, it may be done again; accounts that were put back already stay as they are.

    Raises
    ------
    AccountsUnavailable
        If the copy cannot be read, or the archive has other accounts.
    """
    if not AccountStore.exists(backup):
        return None
    with AccountStore.open(backup) as kept:
        if (archive / FILE).exists():
            return _there(archive, kept)
        mark(archive)
        copy = _copied(kept, archive)
    with AccountStore.at(copy) as store:
        accounts = store.accounts()
        for account in accounts:
            store.end_all(account.name)
        store.note("restore accounts", COMMAND_LINE, accounts=len(accounts))
    copy.replace(archive / FILE)
    fixity.flush_one(archive)
    return len(accounts)


def _there(archive: Path, kept: AccountStore) -> int:
    """Count the accounts of an archive, which must be those of a backup."""
    with AccountStore.open(archive) as store:
        if store.sealed_trail().first != kept.sealed_trail().first:
            raise AccountsUnavailable("there are other accounts here already; nothing was changed")
        return len(store.accounts())


def _copied(store: AccountStore, folder: Path) -> Path:
    """Copy a store aside, flushed, in a file that only its owner can read."""
    aside = folder / f"{FILE}.new"
    for ending in ("", "-wal", "-shm"):  # of a copy that was killed: a log would be taken for the new copy's
        aside.with_name(aside.name + ending).unlink(missing_ok=True)
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    store.copy_to(aside)
    fixity.flush_one(aside)
    return aside


def _heads_of(backup: Path) -> tuple[Head, ...]:
    if not AccountStore.exists(backup):
        return ()
    with AccountStore.open(backup) as kept:
        return (kept.head(),)

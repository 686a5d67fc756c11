"""One door to everything about accounts: who there is, who is in, by which token, and what the access trail says.

Every change is in the trail, in the transaction that makes it. A worker asks `change_count` to know whether what it
remembers still holds.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from archive.accounts.database import FILE, LOST, Database, is_marked, mark
from archive.accounts.entrance import Entrance
from archive.accounts.limits import Limits
from archive.accounts.office import Office
from archive.accounts.passwords import require_hard_to_guess
from archive.accounts.record import Record
from archive.accounts.roles import Role
from archive.accounts.values import Account, Grant, require_name
from archive.errors import AccountsUnavailable


class AccountStore(Office, Entrance, Record):
    """The accounts of one archive. Safe to use from several threads; a forked process opens its own."""

    @staticmethod
    def exists(folder: Path) -> bool:
        """Tell whether an archive has accounts, be they lost; without any it is shown on its own machine only."""
        return (folder / FILE).exists() or is_marked(folder)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        create: bool = False,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> "AccountStore":
        """Open the accounts of the archive in a folder.

        Parameters
        ----------
        folder
            The archive's folder.
        create
            Make an empty store first.
        limits
            How long somebody is let in, and how often a wrong password is borne.
        clock
            Gives the time in seconds since 1970, UTC.

        Raises
        ------
        AccountsUnavailable, CatalogueUnavailable
            If there are none, they are lost, there are some already that were to be made, or the disk cannot be used.
        """
        if create:
            Database.make(folder / FILE)
        elif is_marked(folder) and not (folder / FILE).exists():
            raise AccountsUnavailable(LOST)
        elif not cls.exists(folder):
            raise AccountsUnavailable("this archive has no accounts yet; make the first one with: coverslip setup")
        return cls.at(folder / FILE, limits=limits, clock=clock)

    @classmethod
    def at(cls, file: Path, *, limits: Limits | None = None, clock: Callable[[], float] = time.time) -> "AccountStore":
        """Open the accounts in a file of any name, such as a copy that is being made; raises as `open` does."""
        database = Database(file)
        try:
            database.require_usable()
        except BaseException:
            database.close()
            raise
        return cls(database, limits or Limits(), clock)

    @staticmethod
    def require_can_found(name: str, password: str) -> None:
        """Refuse a name or a password that no account can have; raises InvalidValue."""
        require_hard_to_guess(password, require_name(name))

    @classmethod
    def found(cls, folder: Path, name: str, password: str) -> Account:
        """Make the accounts of an archive, with its first custodian. Founding that was interrupted may be tried again.

        Raises
        ------
        AccountsUnavailable
            If there is an account already, or the disk cannot be used.
        InvalidValue
            If the name cannot be one, or the password is too easy to guess; then nothing was made.
        """
        cls.require_can_found(name, password)
        with cls.open(folder, create=not cls.exists(folder)) as store:
            if store.accounts():
                raise AccountsUnavailable("there are accounts here already; nothing was changed")
            mark(folder)
            return store.add(name, password, [Grant(Role.CUSTODIAN)])

    def close(self) -> None:
        """Close the database; closing twice is harmless."""
        self._database.close()

    def __enter__(self) -> "AccountStore":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def copy_to(self, file: Path) -> None:
        """Write a copy of everything to a new file that only its owner can read.

        Raises
        ------
        AccountsUnavailable
            If the accounts cannot be read, or the copy cannot be written.
        """
        self._database.copy_to(file)

    def change_count(self) -> int:
        """Give a number that differs after any change of accounts, roles, sessions, tokens or trail; microseconds.

        Only equality means anything, and only within one store object.
        """
        return self._database.change_count()

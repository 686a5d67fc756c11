"""The catalogue is what exists: a scan without a row is not there, whatever lies on the disk.

Reading and writing are transactions. A writing one takes its turn among all writers of all processes, and commits only
if it told the audit trail what it did; one that told nothing changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, update

from archive.auditchain import Head, Value
from archive.catalogue import audit, codes, journal_rows, ruling
from archive.catalogue.database import Database
from archive.catalogue.engine import count_act, postgresql_engine, require_durable, sqlite_engine
from archive.catalogue.journal import Journal
from archive.catalogue.journal_reading import newest_is_sound
from archive.catalogue.journal_rows import TOUCHED, Touched
from archive.catalogue.revision import bring_up_to_date, require_revision
from archive.catalogue.schema import archive
from archive.catalogue.standing import Lookout
from archive.codes import new_key
from archive.errors import CatalogueUnavailable
from archive.wordscreen import screen

LABORATORY = "laboratory"
"""The project that every slide is in from the start."""

_ACTING: ContextVar[tuple[str, str | None] | None] = ContextVar("acting", default=None)
"""The role and the account that act now, where one open catalogue serves several people."""


@dataclass
class Writing:
    """A writing transaction: its connection, and the way to tell the audit trail what is being done."""

    connection: Connection
    actor: str
    account: str | None = None
    head: Head | None = None

    def tell(self, act: str, *, reason: str | None = None, **details: Value) -> None:
        """Add an entry to the audit trail; the transaction commits only if this was called.

        Raises
        ------
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        if reason is not None:
            details["reason"] = screen(reason, "a reason")
        if self.account is not None:
            details["role"] = self.actor
        self.head = audit.append(self.connection, act, self.account or self.actor, details)


class Catalogue(Database):
    """One archive's catalogue, open for reading or for reading and writing.

    Safe to use from several threads. Not safe to carry into a forked process: open it there instead.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        read_only: bool,
        actor: str,
        account: str | None = None,
        announce: Callable[[Head], None],
        journal: Journal | None = None,
    ) -> None:
        super().__init__(engine)
        self._read_only = read_only
        self._actor = screen(actor, "the name of a role")
        self._account = account
        self._announce = announce
        self._journal = journal

    @classmethod
    def open(
        cls,
        place: Path | str,
        *,
        read_only: bool = False,
        actor: str = "local",
        account: str | None = None,
        announce: Callable[[Head], None] = lambda head: None,
        journal: Path | None = None,
    ) -> "Catalogue":
        """Open a catalogue; for writing, make it or upgrade it if need be.

        Parameters
        ----------
        place
            The file of an SQLite catalogue, or the URL of a PostgreSQL database.
        read_only
            Refuse every change, also to the tables' form.
        actor
            The role that the audit trail names.
        account
            The account in that role, where the archive has accounts: the trail then names both.
        announce
            Called with the chain's new head after every act.
        journal
            The folder to write every act to before it is committed. None where the catalogue can be made again from
            elsewhere, as one can that is only made to be measured.

        Raises
        ------
        CatalogueUnavailable
            If it cannot be opened, may lose data, is from a newer version, or is older than its journal.
        """
        if isinstance(place, Path):
            engine = sqlite_engine(place, read_only=read_only)
        else:
            engine = postgresql_engine(place, read_only=read_only)
        kept = None if journal is None or read_only else Journal(journal)
        catalogue = cls(engine, read_only=read_only, actor=actor, account=account, announce=announce, journal=kept)
        try:
            catalogue._prepare()
            catalogue._lookout = Lookout(place, engine)
        except BaseException:
            catalogue.close()
            raise
        return catalogue

    def _prepare(self) -> None:
        with self._sentences(), self._begun(writes=not self._read_only) as connection:
            require_durable(connection)
            if self._read_only:
                require_revision(connection)
                return
            bring_up_to_date(connection)
            if connection.scalar(select(archive.c.id)) is None:
                connection.execute(insert(archive).values(id=new_key(), changes=0))
                codes.add_project(connection, LABORATORY)
                ruling.put_in_force(connection)
        if self._journal is not None:
            journal_rows.watch(self._engine)
            self.keep_up_journal()

    def keep_up_journal(self) -> bool:
        """Make the journal say what the catalogue says, and tell whether anything had to be written.

        A killed process may leave a line whose act was never committed, and a program without the journal may have
        changed the catalogue.

        Raises
        ------
        CatalogueUnavailable
            If the catalogue is older than its journal, or the journal cannot be written.
        """
        if self._journal is None:
            return False
        return self._keep_up(self._journal, lambda _: False)

    def mend_journal(self) -> bool:
        """Begin the journal anew if the newest part of it is not as it was written, and tell whether that was so.

        Raises
        ------
        CatalogueUnavailable
            As for `keep_up_journal`.
        """
        if self._journal is None:
            return False
        return self._keep_up(self._journal, lambda journal: not newest_is_sound(journal.folder))

    def _keep_up(self, journal: Journal, anew: Callable[[Journal], bool]) -> bool:
        with self._sentences(), self._begun(writes=True) as connection:
            turn = connection.execute(select(archive).with_for_update()).one()
            rows = journal_rows.snapshot(connection)
            return journal.keep_up(turn.id, turn.changes, rows, anew=anew(journal))

    @contextmanager
    def acting(self, actor: str, account: str) -> Iterator[None]:
        """Have the audit trail name an account in a role for what is written meanwhile, in this context.

        For a program that many people use at once; what they may do is asked elsewhere.
        """
        before = _ACTING.set((screen(actor, "the name of a role"), account))
        try:
            yield
        finally:
            _ACTING.reset(before)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Take a turn at writing; what was told to the audit trail is committed with it, and nothing else is.

        Raises
        ------
        CatalogueUnavailable
            If it cannot be written now, or was opened for reading only.
        """
        if self._read_only:
            raise CatalogueUnavailable("this archive was opened for reading only; open it for writing")
        with self._sentences(), self._begun(writes=True) as connection:
            # The first write takes the row's lock, so that writers of all processes take turns from here on.
            connection.execute(update(archive).values(changes=archive.c.changes + 1))
            count_act(connection)
            act = Writing(connection, *(_ACTING.get() or (self._actor, self._account)))
            touched = Touched()
            if self._journal is not None:
                connection.execution_options(**{TOUCHED: touched})
            yield act
            if act.head is None:
                connection.get_transaction().rollback()  # type: ignore[union-attr]
            elif self._journal is not None:
                number = connection.execute(select(archive.c.changes)).scalar_one()
                self._journal.append(number, touched.content(connection))
        if act.head is not None:
            self._announce(act.head)

"""An archive is checked from outside in: first the files that it is opened with, before anybody may change them."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

from archive.catalogue import Catalogue
from archive.errors import ArchiveError, CatalogueUnavailable, HoldingsUnavailable
from archive.holdings.archive import Archive
from archive.holdings.checking.databases import DatabaseFile
from archive.holdings.checking.faults import Fault, FaultCode
from archive.holdings.checking.records import journal_faults, mark_faults
from archive.holdings.checking.rounds import Rounds
from archive.holdings.checking.running import Check, Checked, Plan, Progress
from archive.holdings.place import Place
from archive.settings import ArchiveSettings

_UNOPENED = Fault(FaultCode.DATABASE_UNOPENED, "the catalogue", "a catalogue that can be opened", "none")


class ArchiveCheck:
    """The check of one archive, which is opened for it.

    Parameters
    ----------
    settings
        Which archive, and where its catalogue and the second place of its audit trail are.
    plan
        What is to be done.
    progress
        Told how far it is.
    actor, account
        Whom the trail names where a scan is marked.
    """

    def __init__(
        self,
        settings: ArchiveSettings,
        plan: Plan,
        progress: Progress,
        *,
        actor: str = "check",
        account: str | None = None,
    ) -> None:
        self.place = Place(settings.archive)
        self._settings, self._plan, self._progress = settings, plan, progress
        self._actor, self._account = actor, account
        self.checked = Checked()
        self.hindered: str | None = None
        """Why the rest could not be checked, where something that was told is in the way."""

    def run(self) -> Iterator[Fault]:
        """Give fault after fault.

        Raises
        ------
        ArchiveError
            If there is no archive, or another check of it is running.
        """
        if not self.place.scans.is_dir() and not self.place.mark.exists():
            raise HoldingsUnavailable("there is no archive in this folder; check the path, or that its disk is mounted")
        rounds = Rounds(self.place.checks)
        file = DatabaseFile(self.place.catalogue, rounds) if self._settings.database_url is None else None
        with rounds.alone(), ExitStack() as stack:
            for fault in self._outside(rounds, file):
                self._progress.faults += 1
                yield fault
            archive = self._opened()
            if archive is None:
                yield next(self._unopened(), _UNOPENED)
                return
            stack.callback(archive.close)
            check = Check(archive, rounds, file, self._plan, self._progress)
            self.checked = check.checked
            try:
                yield from check.run()
            except CatalogueUnavailable as error:
                self.hindered = str(error)
                yield Fault(FaultCode.DATABASE_STRUCTURE, "the catalogue", "rows that can be read", "some that cannot")

    def _outside(self, rounds: Rounds, file: DatabaseFile | None) -> Iterator[Fault]:
        """Check what the archive is opened with."""
        if rounds.damaged_lines:
            found = f"{rounds.damaged_lines} that do not"
            yield Fault(FaultCode.RECORD_DAMAGED, self.place.checks.name, "lines that match their crc32c", found)
        if file is not None:
            yield from file.faults()
        yield from journal_faults(self.place)

    def _opened(self) -> Archive | None:
        try:
            return Archive.open(self.place.root, settings=self._settings, actor=self._actor, account=self._account)
        except ArchiveError as error:
            self.hindered = str(error)
            return None

    def _unopened(self) -> Iterator[Fault]:
        """Tell whether it is the mark that keeps the archive from being opened."""
        url = self._settings.database_url
        where = self.place.catalogue if url is None else url.get_secret_value()
        try:
            catalogue = Catalogue.open(where, read_only=True)
        except ArchiveError:
            return
        with closing(catalogue):
            try:
                identity = catalogue.identity
            except ArchiveError:
                return
            yield from mark_faults(self.place, identity)

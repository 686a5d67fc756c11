"""A laboratory on one of whose scans a name was made black, and whose backup or restoration is killed on its way.

Wherever it was killed: the version that shows the name can be opened nowhere, and the same command, given again, ends
well and leaves nothing of it.
"""

import hashlib
import json
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from archive.cli.sentences import FAILED
from archive.errors import ArchiveError
from archive.holdings import PIXELS, Archive
from archive.holdings.backup import back_up
from archive.holdings.place import Place
from archive.holdings.redacting import _order, redact
from archive.holdings.redaction_witness import file_of
from archive.settings import ArchiveSettings
from tests.archive.holdings.committing import commit_one
from tests.archive.holdings.pictured import NAME, WHY, Held, hold, is_black
from tests.journeys.laboratory import PATIENCE_SECONDS, ROOT, Laboratory
from tests.journeys.ready import PYTHON_MODULE, run_ready

TOUCHED = ("0/c/0/0/0", "1/c/0/0/0")
"""The files of the scan that show the name."""

SCANS = 2

Moment = tuple[int, str]
"""When a command is killed, as `tests.journeys.dying_copying.end_before` takes it."""


@dataclass
class Scene:
    """A laboratory with two scans, a name on one of them, in a folder that is put back before each kill."""

    home: Path
    held: Held = field(init=False)
    shown: frozenset[str] = field(init=False)
    """Digests of the files that show the name."""

    def __post_init__(self) -> None:
        self.now, self.before = self.home / "now", self.home / "before"
        self.now.mkdir(parents=True)
        self.laboratory = Laboratory(self.now)
        self.backup = self.now / "disk" / "backup"
        self.again = self.now / "again"
        self.second_place = self.now / "heads"
        self.run("init")
        with self.opened() as archive:
            self.held = hold(archive)
            commit_one(archive)
            pixels = archive.place.of_scan(self.held.key) / PIXELS
            self.shown = frozenset(_digest(pixels / name) for name in TOUCHED)

    @property
    def root(self) -> Path:
        """Folder of the archive."""
        return self.laboratory.archive

    def run(self, *words: object) -> str:
        """Run a command, which must end well, and give what it said."""
        return self.laboratory.run(*words, settings=self.variables).out

    def opened(self, root: Path | None = None, *, read_only: bool = False) -> Archive:
        """Open the archive, or another one."""
        settings = ArchiveSettings(archive=root or self.root, audit_second_place=self.second_place)
        return Archive.open(settings.archive, read_only=read_only, settings=settings)

    def back_up(self) -> None:
        """Back up as the command does, but for the key vault."""
        with self.opened() as archive:
            assert back_up(archive, self.backup).faults == []

    def black_out(self) -> None:
        """Make the name black."""
        with self.opened() as archive:
            redact(archive, self.held.code, [NAME], reason=WHY)

    def shows(self, folder: Path) -> bool:
        """Tell whether any file below a folder, wherever it lies, shows the name."""
        return any(file.is_file() and _digest(file) in self.shown for file in folder.rglob("*"))

    def serves(self, root: Path) -> bool:
        """Tell whether an archive shows the name to whoever only looks."""
        try:
            with self.opened(root, read_only=True) as archive, archive.open_pyramid(self.held.key) as pyramid:
                return bool(pyramid.level(0).read_region(*NAME.sides).any())
        except ArchiveError:
            return False

    def owed(self) -> list[str]:
        """List the backups that are told to have the version that shows the name."""
        return [one["place"] for one in json.loads(self.run("redact", "--owed", "--json"))]

    def kill(self, moment: Moment, *words: object) -> bool:
        """Put everything back, and kill a command; false if it ended before that moment."""
        if not self.before.exists():
            shutil.copytree(self.now, self.before)
        shutil.rmtree(self.now)
        shutil.copytree(self.before, self.now)
        code, said = self.end_of("tests.journeys.dying_copying", *moment, *words)
        assert code in (0, -signal.SIGKILL), f"to be killed at {moment}, it ended with {code}: {said}"
        return code != 0

    def end_of(self, module: str, *words: object) -> tuple[int, str]:
        """Run a command to its end, whatever that is, and give its exit code and what it said of errors."""
        environment = self.laboratory._environment() | self.variables
        command = [*PYTHON_MODULE, module, *map(str, words)]
        code, _, said = run_ready(command, environment, None, PATIENCE_SECONDS, ROOT)
        return code, said

    @property
    def variables(self) -> dict[str, str]:
        return {"COVERSLIP_AUDIT_SECOND_PLACE": str(self.second_place)}


def backup_behind(scene: Scene, moments: Iterable[Moment]) -> int:
    """Kill a backup that has the version from before; give how often."""
    scene.back_up()
    scene.black_out()

    def require() -> None:
        _require_nothing_served(scene)
        _require_backup(scene)

    return _kill_each(scene, moments, ("backup", scene.backup), require)


def first_backup(scene: Scene, moments: Iterable[Moment]) -> int:
    """Kill the first backup, and black out only then: what it has of the scan is owed. Give how often."""

    def require() -> None:
        scene.black_out()
        assert scene.owed() or not scene.shows(scene.backup), "nobody is told that the backup shows the name"
        _require_backup(scene)

    return _kill_each(scene, moments, ("backup", scene.backup), require)


KNOWN_TO = ("second place", "catalogue", "journal", "order")
"""What tells that something on a scan is to be black, of which the backup has the version from before.

The second place alone; the backup's catalogue and its journal, or its journal alone, as where it was killed on its way;
or an order that stands, and was not carried out when the backup was made.
"""


def restoration(scene: Scene, moments: Iterable[Moment], known_to: str) -> int:
    """Kill a restoration from a backup that has the version from before; give how often."""
    scene.back_up()
    kept = shutil.copytree(scene.backup, scene.home / "kept")
    if known_to == "order":
        with scene.opened() as archive:
            _order(archive.catalogue, scene.held.key, [NAME], WHY)
    else:
        scene.black_out()
    if known_to != "second place":
        scene.back_up()
        file_of(scene.second_place).unlink(missing_ok=True)
        copy = Place(scene.backup).of_scan(scene.held.key)
        shutil.rmtree(copy)
        shutil.copytree(Place(kept).of_scan(scene.held.key), copy)
    if known_to == "journal":
        shutil.copy(kept / "catalogue.sqlite", scene.backup)
    shutil.rmtree(scene.root)
    words = ("restore", scene.backup, "--archive", scene.root)

    def require() -> None:
        scene.run(*words)
        with scene.opened() as archive:
            assert is_black(archive.place.of_scan(scene.held.key))
            archive.open_pyramid(scene.held.key).close()
            assert len(list(archive.place.kept_keys())) == SCANS
            assert known_to == "second place" or archive.audit_faults() == ()
        assert scene.owed() == [str(scene.backup)], "nobody is told that the backup shows the name"
        _require_tidy(scene, scene.root)

    return _kill_each(scene, moments, words, require)


def _kill_each(scene: Scene, moments: Iterable[Moment], words: tuple[object, ...], require: Callable[[], None]) -> int:
    count = 0
    for moment in moments:
        killed = scene.kill(moment, *words)
        try:
            assert words[0] == "backup" or not scene.serves(scene.root), "the name is shown"
            if not killed:
                break
            require()
        except AssertionError as error:
            raise AssertionError(f"{words[0]}, killed at {moment}: {error}") from error
        count += 1
    return count


def _require_nothing_served(scene: Scene) -> None:
    """See that what is restored from the backup as it was left shows the name to nobody."""
    code, said = scene.end_of("ingest", "restore", scene.backup, "--archive", scene.again)
    assert code in (0, FAILED), said  # where the backup has no copy of the scan at this moment, it is told
    assert "Traceback" not in said
    assert not scene.serves(scene.again), "what is restored from it shows the name"


def _require_backup(scene: Scene) -> None:
    """See that the same command brings the backup up to date, and that nothing of the name is left in it."""
    scene.run("backup", scene.backup)
    assert is_black(Place(scene.backup).of_scan(scene.held.key))
    assert len(list(Place(scene.backup).kept_keys())) == SCANS
    assert scene.owed() == []
    _require_tidy(scene, scene.backup)


def _require_tidy(scene: Scene, folder: Path) -> None:
    assert not scene.shows(folder), "some file still shows the name"
    for name in ("staging", "aside", "redacting"):
        assert not (folder / name).exists() or not list((folder / name).iterdir()), f"something is left in {name}"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()

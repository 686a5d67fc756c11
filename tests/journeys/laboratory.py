"""A laboratory at work: its three places, the command line that its people type, and the server that a class sees.

Every command is a process of its own, as it is on a bench. What each one said is kept, to be searched.
"""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from archive.holdings import Archive
from tests.archive.server.taught import free_port
from tests.journeys.ready import PYTHON_MODULE, run_anew, run_ready
from tests.slides.graded import grade_as_clean

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 600
"""How long a command may take, on a machine that does much else."""

REQUIRED = ("file", "patient", "case", "block", "stain")

_TAKEN = re.compile(r"^(?:kept|known) +row (\d+): (S-[0-9A-Z]{5}-[0-9A-Z]{5})", re.MULTILINE)
_REFUSED = re.compile(r"^refused +(row \d+|a file without a row): ([a-z-]+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Said:
    """What a command said, and the exit code that it ended with."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def everything(self) -> str:
        """Standard output and standard error."""
        return self.out + self.err

    @property
    def slides(self) -> dict[int, str]:
        """The codes of the slides that are in the archive, by the row of the list that told of each."""
        return {int(row): code for row, code in _TAKEN.findall(self.out)}

    @property
    def refused(self) -> dict[str, str]:
        """The reasons of what was refused, by ``row 3``."""
        return {what: reason for what, reason, _ in _REFUSED.findall(self.out)}


@dataclass
class Laboratory:
    """One laboratory in a folder; its key vault and key file lie beside the archive, as they do by themselves."""

    home: Path
    said: list[Said] = field(default_factory=list)
    typed: str | None = field(default=None, repr=False)
    """What is typed when a command asks, such as a password; None where nobody is there to type."""

    @property
    def archive(self) -> Path:
        """Folder of the archive."""
        return self.home / "archive"

    def run(self, *words: object, ends: int = 0, settings: Mapping[str, str] | None = None) -> Said:
        """Run ``coverslip`` with these words and see that it ends with this code, without a traceback or a warning."""
        return self._run([*PYTHON_MODULE, "ingest", *map(str, words)], ends, settings)

    def run_archive(self, *words: object, ends: int = 0, settings: Mapping[str, str] | None = None) -> Said:
        """Run ``python -m archive``, as a host does that only serves."""
        return self._run([*PYTHON_MODULE, "archive", *map(str, words)], ends, settings)

    def run_unprivileged(self, *words: object, ends: int = 0) -> Said:
        """Run ``coverslip`` without root's privilege to write wherever it likes."""
        return self._run([sys.executable, "-c", _WITHOUT_PRIVILEGE, "-m", "ingest", *map(str, words)], ends, None)

    def take_in(self, slides: Path, delivery: Path, *more: object, ends: int = 0) -> Said:
        """Take slides in."""
        return self.run("ingest", slides, "--delivery", delivery, *more, ends=ends)

    def grade_as_clean(self) -> None:
        """Grade what nobody has looked at as ``rescreen`` does where it sees nothing."""
        with Archive.open(self.archive, actor="screening") as archive:
            grade_as_clean(archive)

    def declare_feed(self, *more: object) -> Said:
        """Declare the default feed of surgical slides, whose post-mortems have case numbers that begin with PM."""
        if not more:
            more = ("--attested-by", "Dr A. Curator", "--post-mortems", "PM*")
        return self.run(
            *("feed", "add", "surgical", "--source", "living", "--jurisdiction", "England", "--default"), *more
        )

    def teach(self, name: str, *slides: str) -> str:
        """Compose a teaching collection and give its handle."""
        said = self.run("teach", name, *slides)
        return said.out.rsplit("/collections/", 1)[1].strip()

    @contextmanager
    def serving(self, workers: int = 2, *more: object) -> Iterator[str]:
        """Serve the collections, as a host does that only serves; gives the address without a final slash."""
        port = free_port()
        command = [sys.executable, "-m", "archive", "serve", "--port", str(port), "--workers", str(workers)]
        command += map(str, more)
        outputs = [self.home / f"server-{port}.{name}" for name in ("out", "err")]
        with outputs[0].open("wb") as out, outputs[1].open("wb") as err:
            server = subprocess.Popen(command, cwd=ROOT, env=self._environment(), stdout=out, stderr=err)
            try:
                _wait_for(f"http://127.0.0.1:{port}", server)
                yield f"http://127.0.0.1:{port}"
            finally:
                server.send_signal(signal.SIGINT)
                code = server.wait(30)
                texts = [output.read_text() for output in outputs]
                self.said.append(Said(tuple(command[1:]), code, *texts))
        assert "Traceback" not in "".join(texts)

    def _run(self, command: Sequence[str], ends: int, settings: Mapping[str, str] | None) -> Said:
        environment = self._environment() | dict(settings or {})
        run = run_ready if list(command[:2]) == PYTHON_MODULE else run_anew
        said = Said(tuple(command[1:]), *run(command, environment, self.typed, PATIENCE_SECONDS, ROOT))
        self.said.append(said)
        assert "Traceback" not in said.everything, said.everything
        assert "Warning" not in said.err, said.err
        assert said.code == ends, said.everything
        return said

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")}
        return own | {"COVERSLIP_ARCHIVE": str(self.archive), "COVERSLIP_SCREEN": "later"}


_WITHOUT_PRIVILEGE = """
import ctypes, os, sys
drop_from_bounding_set, override, read_and_search = 24, 1, 2
for privilege in (override, read_and_search):
    ctypes.CDLL(None).prctl(drop_from_bounding_set, privilege, 0, 0, 0)  # refused to whoever is not root, and harmless
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def write_list(path: Path, *rows: Mapping[str, object]) -> Path:
    """Write a delivery list with every column that one of the rows has."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def row_of(file: Path, case: str, **more: object) -> dict[str, object]:
    """Tell the five columns that are always needed, and more."""
    return {"file": file.name, "patient": f"H-{case}", "case": case, "block": "A1", "stain": "H&E", **more}


def _wait_for(base: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended at once"
        try:
            if httpx.get(f"{base}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer within 60 s")

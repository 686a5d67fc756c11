"""A case with a slide and a scan; and a real PostgreSQL, started for this run and thrown away after it."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from archive.codes import new_key
from archive.consent import Facts
from archive.consent.terms import TissueSource
from archive.geometry import MicronsPerPixel, Size
from archive.records import CaseRecord, Fidelity, ScanRecord, SlideRecord, Stain

SUPERUSER = "archive"


class Server:
    """A PostgreSQL server in a folder, reached through a socket in that folder, so that no port is taken."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder
        self.url = f"postgresql://{SUPERUSER}@/postgres?host={folder}"

    def run(self, program: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root.
        user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if not os.getuid() else {}
        subprocess.run(
            [self.programs / program, "-D", self.folder / "data", *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            timeout=120,
            **user,  # type: ignore[call-overload]
        )

    def start(self) -> None:
        self.run("initdb", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-k")
        options = f"-c listen_addresses='' -k '{self.folder}'"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")

    def emptied(self) -> str:
        """Empty the database and give its URL."""
        self.execute("DROP SCHEMA public CASCADE")
        self.execute("CREATE SCHEMA public")
        return self.url

    def execute(self, statement: str) -> None:
        """Change the database past the code under test."""
        with import_module("psycopg").connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


def programs() -> Path | None:
    """Find the folder of PostgreSQL's programs."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return places[-1] if places else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    place = programs()
    if place is None or not find_spec("psycopg"):
        absent = pytest.fail if os.environ.get("COVERSLIP_TEST_REQUIRE") == "all" else pytest.skip
        absent("needs PostgreSQL and its driver: apt install postgresql; pip install 'coverslip[postgresql]'")
    memory = Path("/dev/shm")  # flushing to memory is quick, and what is tested here is not the disk
    # A socket's path may have 107 characters at most, so the folder is not pytest's.
    folder = Path(tempfile.mkdtemp(prefix="coverslip-", dir=memory if memory.is_dir() else None))
    if not os.getuid():
        shutil.chown(folder, "nobody")
    server = Server(place, folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def make_chain() -> Callable[..., tuple[CaseRecord, SlideRecord, ScanRecord]]:
    """Make a case with a slide and a scan."""

    def making(facts: Facts | None = None) -> tuple[CaseRecord, SlideRecord, ScanRecord]:
        case = CaseRecord(new_key(), new_key(), facts or Facts(source=TissueSource.LIVING))
        slide = SlideRecord(new_key(), case.key, new_key(), Stain.HE)
        scan = ScanRecord(
            key=new_key(),
            slide=slide.key,
            size=Size(40_000, 30_000),
            level_count=3,
            mpp=MicronsPerPixel(0.2505, 0.2505),
            objective_power=40.0,
            scanner_maker="Aperio",
            scanner_model="GT450",
            fidelity=Fidelity.COPIED,
            stored_bytes=2**40,
            manifest_sha256="a" * 64,
        )
        return case, slide, scan

    return making

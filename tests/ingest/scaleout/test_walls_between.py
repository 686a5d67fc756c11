"""Workers get no secret, nobody else can reach or listen to them, and off one machine nothing is said in the clear."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from archive.errors import ArchiveError, InvalidValue
from ingest.scaleout.crew import hired, joined
from ingest.scaleout.tls import Credentials, security_for
from tests.archive.server.taught import free_port
from tests.ingest.scaleout.certificates import make_credentials
from tests.ingest.scaleout.conftest import Laboratory

ROOT = Path(__file__).resolve().parents[3]

FORBIDDEN = ("ingest.keyvault", "ingest.delivery", "ingest.cli", "openslide", "tifffile", "pydicom", "zxingcpp")
LOADED = "import sys, ingest.scaleout.bench; print(*sys.modules)"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("tls") / "own")


@contextmanager
def scheduler(credentials: Credentials) -> Iterator[str]:
    """Run a scheduler of `distributed` with certificates; gives its address."""
    address = f"tls://127.0.0.1:{free_port()}"
    files = ("--tls-ca-file", credentials.authority, "--tls-cert", credentials.certificate)
    with running(
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        address,
        *files,
        "--tls-key",
        credentials.key,
        "--no-dashboard",
    ):
        yield address


@contextmanager
def running(*words: object, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a program of Python, and end it with all that it started."""
    process = subprocess.Popen(
        [sys.executable, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def tls_words(credentials: Credentials) -> tuple[object, ...]:
    """Name certificates on a command line."""
    return ("--tls-ca", credentials.authority, "--tls-cert", credentials.certificate, "--tls-key", credentials.key)


def listening(process: psutil.Process) -> set[str]:
    """Give the addresses on which a process listens."""
    return {one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}


def test_workers_inherit_no_setting_and_listen_to_this_machine_only(
    monkeypatch: pytest.MonkeyPatch, workers: Callable[[], list[psutil.Process]]
) -> None:
    monkeypatch.setenv("COVERSLIP_VAULT_KEY", "where-the-key-is")
    monkeypatch.setenv("COVERSLIP_DATABASE_URL", "postgresql://archive:password@db.example/coverslip")
    with hired(1):
        (worker,) = workers()
        environment = Path(f"/proc/{worker.pid}/environ").read_bytes()
        assert b"COVERSLIP" not in environment
        assert b"where-the-key-is" not in b"".join(
            Path(f"/proc/{one.pid}/environ").read_bytes() for one in worker.children(recursive=True)
        )
        assert listening(worker) == {"127.0.0.1"}
        assert listening(psutil.Process()) == {"127.0.0.1"}
    assert os.environ["COVERSLIP_VAULT_KEY"] == "where-the-key-is"
    assert workers() == []


def test_a_worker_loads_no_key_vault_no_list_and_no_reader() -> None:
    found = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "ingest.pipeline.making" in found.split()
    assert [name for name in found.split() if name.startswith(FORBIDDEN)] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_on_this_machine_a_scheduler_may_speak_in_the_clear(host: str) -> None:
    assert security_for(f"tcp://{host}:8786", None) is None


@pytest.mark.parametrize("host", ["192.0.2.7", "scheduler.example", "0.0.0.0", "127.0.0.1.example", "[2001:db8::1]"])
def test_off_this_machine_nothing_is_said_in_the_clear(host: str, credentials: Credentials) -> None:
    for given in (None, credentials):
        with pytest.raises(InvalidValue, match=r"tls:// only"), joined(f"tcp://{host}:8786", given):
            pass


@pytest.mark.parametrize(
    "address", ["", "8786", "scheduler.example:8786", "http://127.0.0.1:8786", "tls://x", "tcp://:1"]
)
def test_what_is_no_address_is_told_how_one_looks(address: str) -> None:
    with pytest.raises(InvalidValue, match="looks like tls://machine:8786"):
        security_for(address, None)


def test_certificates_come_whole_or_not_at_all(credentials: Credentials, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="give --tls-ca, --tls-cert and --tls-key"):
        security_for("tls://192.0.2.7:8786", None)
    assert Credentials.of(None, None, None) is None
    with pytest.raises(InvalidValue, match="all three"):
        Credentials.of(credentials.authority, None, credentials.key)
    with pytest.raises(InvalidValue, match="is not there"):
        Credentials.of(credentials.authority, credentials.certificate, tmp_path / "key.pem")


def test_slides_are_taken_in_by_the_workers_of_a_scheduler_with_certificates(
    laboratory: Laboratory, credentials: Credentials, tmp_path: Path
) -> None:
    with scheduler(credentials) as address:
        with pytest.raises(ArchiveError, match="cannot be reached"), joined(address, make_credentials(tmp_path / "b")):
            pass
        words = ("-m", "ingest", "worker", "--scheduler", address, "--workers", "2", *tls_words(credentials))
        with running(*words, COVERSLIP_VAULT_KEY="where-the-key-is") as worker:
            for _ in range(600):
                try:
                    with joined(address, credentials) as crew:
                        if crew.size == 2:
                            break
                except ArchiveError:
                    pass
                time.sleep(0.1)
            processes = psutil.Process(worker.pid).children(recursive=True)
            makers = [one for one in processes if "spawn_main" in " ".join(one.cmdline())]
            assert len(makers) == 2
            assert all(b"COVERSLIP" not in Path(f"/proc/{one.pid}/environ").read_bytes() for one in makers)
            with joined(address, credentials) as crew:
                outcomes = laboratory.take_in(crew, laboratory.deliver(4))
    assert all(one.receipt for one in outcomes.values())
    laboratory.assert_whole(4)


def test_a_worker_of_a_machine_that_is_not_trusted_does_not_get_in(credentials: Credentials, tmp_path: Path) -> None:
    stranger = make_credentials(tmp_path / "stranger")
    with scheduler(credentials) as address:
        words = ("ingest", "worker", "--scheduler", address, "--workers", "1", *tls_words(stranger))
        refused = subprocess.run(
            [sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=300
        )
    assert refused.returncode == 1
    assert re.search(r"coverslip: the scheduler cannot be reached; check its address and the\s+cert", refused.stderr)
    assert "Traceback" not in refused.stderr

"""Who does the work: processes on this machine, hired for one batch, or the workers of a scheduler elsewhere."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import dask
from distributed import Client, Future, LocalCluster
from distributed.security import Security

from archive.errors import ArchiveError
from ingest.scaleout.bench import Bench, Probe
from ingest.scaleout.tls import Credentials, security_for

LOOPBACK = "127.0.0.1"
SECRET = "COVERSLIP_"  # noqa: S105 - what the names of settings begin with, some of them secret
CONNECT_SECONDS = 30
COUNT_SECONDS = 5.0
"""How often a scheduler is asked how many workers it has."""

QUIET = {
    "distributed.scheduler.allowed-failures": 0,  # we are told of every death, and decide
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.admin.log-length": 100,
    "distributed.admin.low-level-log-length": 100,  # else the coordinator grows with every slide
    "distributed.worker.profile.enabled": False,
}


class Crew:
    """Workers, as whoever sends them work sees them.

    Attributes
    ----------
    is_here
        Whether they are processes of this machine, where the key vault is within a process's reach.
    """

    def __init__(self, client: Client, *, is_here: bool) -> None:
        self.is_here = is_here
        self._client = client
        self._sent = 0
        self._size, self._counted = 0, -COUNT_SECONDS

    @property
    def size(self) -> int:
        """How many slides can be worked on at once."""
        if time.monotonic() - self._counted > COUNT_SECONDS:
            self._size, self._counted = sum(self._client.nthreads().values()), time.monotonic()
        return self._size

    def get_ready(self, probe: Probe) -> None:
        """Have every worker, and every one that joins later, look for the probe and import its slide readers.

        Raises
        ------
        ArchiveError
            If one of them cannot be used, and why.
        """
        with _connection_errors():
            self._client.register_plugin(Bench(probe))

    def send(self, act: Callable[[Any], Any], order: object) -> Future[Any]:
        """Have one worker do something."""
        self._sent += 1
        return self._client.submit(act, order, key=f"{act.__name__}-{self._sent}", pure=False)


@contextmanager
def hired(count: int) -> Iterator[Crew]:
    """Start so many processes of this machine, and end them afterwards.

    They listen on the loopback address, speak with certificates that nobody else has, and are not told, by their
    environment, where the key vault and its key are.
    """
    with (
        without_settings(),
        TemporaryDirectory(prefix="coverslip-workers-") as scratch,
        dask.config.set({**QUIET, "temporary-directory": scratch}),
        _started(count, scratch) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield Crew(client, is_here=True)


def _started(count: int, scratch: str) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            protocol="tls://",
            security=Security.temporary(),
            dashboard_address=f"{LOOPBACK}:0",
            scheduler_kwargs={"dashboard": False},
            local_directory=scratch,
            memory_limit=0,  # the jails have limits of their own
            silence_logs=logging.CRITICAL,
        )
    except (OSError, RuntimeError, TimeoutError):
        raise ArchiveError(
            "the processes that work on slides could not be started; ask for fewer with --workers, or take one slide "
            "after the other with --workers 1"
        ) from None


@contextmanager
def joined(address: str, credentials: Credentials | None = None) -> Iterator[Crew]:
    """Use the workers of a scheduler.

    Raises
    ------
    InvalidValue
        If it could be listened to: off this machine only ``tls://`` is spoken.
    ArchiveError
        If it cannot be reached, or has no workers.
    """
    security = security_for(address, credentials)
    with dask.config.set(QUIET), _connection_errors():
        client = Client(address, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
    try:
        crew = Crew(client, is_here=False)
        if not crew.size:
            raise ArchiveError("the scheduler has no workers; start some with: coverslip worker")
        yield crew
    finally:
        client.close()


@contextmanager
def _connection_errors() -> Iterator[None]:
    try:
        yield
    except ArchiveError:
        raise
    except Exception:  # noqa: BLE001 - plain ones come from a worker that cannot import what it is sent
        raise ArchiveError(
            "the scheduler or a worker cannot be reached or is not of this version; check its address, its "
            "certificates, and that the same version of Coverslip is installed there"
        ) from None


@contextmanager
def without_settings() -> Iterator[None]:
    """Take this program's settings out of the environment, as long as processes may be started that inherit it."""
    held = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(SECRET)}
    try:
        yield
    finally:
        os.environ.update(held)

"""A machine that offers its cores: it sees the delivered files and the archive's folder, and knows no key vault."""

import asyncio
import logging
from contextlib import AsyncExitStack
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import dask
from distributed import Nanny
from distributed.security import Security
from distributed.utils import get_ip

from archive.errors import ArchiveError
from ingest.scaleout.crew import QUIET, without_settings
from ingest.scaleout.tls import Credentials, is_loopback, security_for

CONNECT_SECONDS = "30s"


def work(address: str, credentials: Credentials | None, count: int) -> None:
    """Work for a scheduler with so many processes, until interrupted or the scheduler is gone.

    Raises
    ------
    InvalidValue
        If the scheduler could be listened to.
    ArchiveError
        If it cannot be reached.
    """
    security = security_for(address, credentials)
    with without_settings(), TemporaryDirectory(prefix="coverslip-workers-") as scratch:
        own = {"distributed.comm.timeouts.connect": CONNECT_SECONDS, "temporary-directory": scratch}
        with dask.config.set({**QUIET, **own}):
            asyncio.run(_work(address, security, count, scratch))


async def _work(address: str, security: Security | None, count: int, scratch: str) -> None:
    async with AsyncExitStack() as stack:
        nannies = [_nanny(address, security, scratch) for _ in range(count)]
        try:
            await asyncio.gather(*(stack.enter_async_context(nanny) for nanny in nannies))
        except (OSError, TimeoutError, RuntimeError):
            raise ArchiveError(
                "the scheduler cannot be reached; check its address and the certificates of both sides"
            ) from None
        await asyncio.gather(*(nanny.finished() for nanny in nannies))


def _nanny(address: str, security: Security | None, scratch: str) -> Nanny:
    """Make what starts a worker's process and starts it again if it dies."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return Nanny(
        address,
        nthreads=1,
        host=host if is_loopback(host) else get_ip(host, parts.port),
        security=security,
        memory_limit=0,
        dashboard=False,
        local_directory=scratch,
        silence_logs=logging.CRITICAL,
    )

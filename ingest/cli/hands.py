"""Who works on the slides: this process alone, more processes of this machine, or the workers of a scheduler.

What distributes work takes half a second to import, so it is imported only where there is work to distribute.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ingest.scaleout.crew import Crew
    from ingest.scaleout.tls import Credentials

MANY = 24
"""From so many slides on, starting workers takes less time than they save."""

Authority = Annotated[
    Path | None,
    typer.Option("--tls-ca", envvar="COVERSLIP_TLS_CA", help="Authority that signed a cluster's certificates, PEM."),
]
Certificate = Annotated[
    Path | None, typer.Option("--tls-cert", envvar="COVERSLIP_TLS_CERT", help="This machine's certificate, PEM.")
]
PrivateKey = Annotated[
    Path | None, typer.Option("--tls-key", envvar="COVERSLIP_TLS_KEY", help="The certificate's private key, PEM.")
]


@dataclass(frozen=True)
class Hands:
    """Who works on the slides, as it was asked for: this process, more of this machine, or those of a scheduler."""

    workers: int | None
    scheduler: str | None
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @contextmanager
    def for_slides(self, count: int) -> "Iterator[Crew | None]":
        """Get them together; None is this process alone.

        Raises
        ------
        ArchiveError
            If a scheduler cannot be used.
        """
        workers = self.workers or (cores() if count >= MANY else 1)
        if self.scheduler is None and workers == 1:
            yield None
            return
        from ingest.scaleout.crew import hired, joined

        with joined(self.scheduler, self._credentials()) if self.scheduler else hired(workers) as crew:
            yield crew

    def _credentials(self) -> "Credentials | None":
        from ingest.scaleout.tls import Credentials

        return Credentials.of(self.authority, self.certificate, self.key)


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""Offer this machine's cores to others: ``worker``."""

from typing import Annotated

import typer

from archive.cli.sentences import out, said
from ingest.cli.hands import Authority, Certificate, PrivateKey, cores


@said
def worker(
    scheduler: Annotated[
        str, typer.Option("--scheduler", metavar="ADDRESS", help="The dask scheduler: tls://machine:8786")
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Slides at once; one for each core unless given.")
    ] = None,
    tls_ca: Authority = None,
    tls_cert: Certificate = None,
    tls_key: PrivateKey = None,
) -> None:
    """Make scans for an ingest on another machine, which names the same scheduler; Ctrl-C ends it.

    This machine must see the delivered files and the archive's folder, at the paths that they have there. It needs no
    key vault and learns no name from the delivery list.
    """
    from ingest.scaleout.joining import work
    from ingest.scaleout.tls import Credentials

    count = workers or cores()
    out().print(f"Working for the scheduler with {count} processes. Ctrl-C ends it.")
    work(scheduler, Credentials.of(tls_ca, tls_cert, tls_key), count)

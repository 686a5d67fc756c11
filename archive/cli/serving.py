"""Show teaching collections in a browser: ``serve``."""

from pathlib import Path
from typing import Annotated

import typer

from archive.cli.sentences import ArchiveFolder, out, said
from archive.settings import ArchiveSettings

Host = Annotated[
    str, typer.Option(envvar="COVERSLIP_HOST", help="Address to listen on: one of this machine's own only.")
]
Port = Annotated[int, typer.Option(envvar="COVERSLIP_PORT", min=1, max=65535, help="TCP port.")]
Workers = Annotated[
    int,
    typer.Option(envvar="COVERSLIP_WORKERS", min=1, max=64, help="Server processes; about one a processor core."),
]

DEFAULT = ArchiveSettings.model_fields


@said
def serve(
    archive: ArchiveFolder = Path("coverslip-archive"),
    host: Host = DEFAULT["host"].default,
    port: Port = DEFAULT["port"].default,
    workers: Workers = DEFAULT["workers"].default,
) -> None:
    """Serve teaching collections on this machine, until Ctrl-C.

    The server opens no slide file and has no way to the key vault. Whether a slide may be shown is decided at each use.
    """
    from archive.server.run import serve as run

    run(
        ArchiveSettings(archive=archive, host=host, port=port, workers=workers),
        started=lambda address: out().print(f"Teaching collections are shown at {address} until Ctrl-C."),
    )

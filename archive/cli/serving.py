"""Show teaching collections in a browser: ``serve``."""

from pathlib import Path
from typing import Annotated

import typer

from archive.cli.sentences import ArchiveFolder, out, said
from archive.settings import ArchiveSettings, ShownColours

Host = Annotated[
    str,
    typer.Option(
        envvar="COVERSLIP_HOST",
        help="Address to listen on. Any but this machine's own needs accounts and a proxy that ends TLS.",
    ),
]
BehindTlsProxy = Annotated[
    bool,
    typer.Option(
        "--behind-tls-proxy", envvar="COVERSLIP_BEHIND_TLS_PROXY", help="Declare that a proxy in front ends TLS."
    ),
]
Hostname = Annotated[
    str | None,
    typer.Option(
        envvar="COVERSLIP_HOSTNAME",
        help="Name that browsers know the proxy by; every other is refused.",
        metavar="NAME",
    ),
]
RootPath = Annotated[
    str,
    typer.Option(
        envvar="COVERSLIP_ROOT_PATH",
        help="What every address begins with, such as /slides, where the proxy has other things under the same name.",
        metavar="PATH",
    ),
]
ProxyAddress = Annotated[
    str | None,
    typer.Option(
        envvar="COVERSLIP_PROXY_ADDRESS",
        help="Where the proxy connects from, such as 127.0.0.1; it is then believed what X-Forwarded-For says.",
        metavar="ADDRESS",
    ),
]
Port = Annotated[int, typer.Option(envvar="COVERSLIP_PORT", min=1, max=65535, help="TCP port.")]
Workers = Annotated[
    int,
    typer.Option(envvar="COVERSLIP_WORKERS", min=1, max=64, help="Server processes; about one a processor core."),
]

Colours = Annotated[
    ShownColours,
    typer.Option(
        envvar="COVERSLIP_COLOURS",
        help="How colours are shown until somebody switches: as scanned, or managed to sRGB by a slide's profile.",
    ),
]

DEFAULT = ArchiveSettings.model_fields


@said
def serve(
    archive: ArchiveFolder = Path("coverslip-archive"),
    host: Host = DEFAULT["host"].default,
    port: Port = DEFAULT["port"].default,
    workers: Workers = DEFAULT["workers"].default,
    behind_tls_proxy: BehindTlsProxy = DEFAULT["behind_tls_proxy"].default,
    hostname: Hostname = DEFAULT["hostname"].default,
    root_path: RootPath = DEFAULT["root_path"].default,
    proxy_address: ProxyAddress = DEFAULT["proxy_address"].default,
    colours: Colours = DEFAULT["colours"].default,
) -> None:
    """Serve teaching collections, until Ctrl-C.

    The server opens no slide file and has no way to the key vault. Whether a slide may be shown is decided at each use.

    Without accounts, this machine alone is served. With them, everybody signs in and sees what their role may see, and
    other machines can be served through a proxy that ends TLS: --behind-tls-proxy --hostname NAME.
    """
    from archive.server.run import serve as run

    run(
        ArchiveSettings(
            archive=archive,
            host=host,
            port=port,
            workers=workers,
            behind_tls_proxy=behind_tls_proxy,
            hostname=hostname,
            root_path=root_path,
            proxy_address=proxy_address,
            colours=colours,
        ),
        started=lambda address: out().print(f"Teaching collections are shown at {address} until Ctrl-C."),
    )

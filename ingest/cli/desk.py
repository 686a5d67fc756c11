"""The laboratory's own web app: ``desk``."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from archive.cli.sentences import ArchiveFolder, out, said
from archive.settings import ArchiveSettings
from ingest.cli.acting import Who, account
from ingest.cli.places import KeyFile, LimitsOnly, Places, VaultFolder

Port = Annotated[int | None, typer.Option(min=1, max=65535, help="TCP port; 8766, or COVERSLIP_DESK_PORT.")]
Open = Annotated[
    bool,
    typer.Option("--open/--no-open", help="Open the address in a browser at once; other accounts may see it then."),
]


@said
def desk(
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    port: Port = None,
    open_browser: Open = False,
    limits_only: LimitsOnly = False,
    who: Who = None,
) -> None:
    """Open the laboratory's desk on this machine, until Ctrl-C: find a case, judge what waits, correct, see the day.

    The address that is printed opens it once. Whatever is looked up or decided there is written down in the name of
    the account that started it, or of --who. No other machine can reach it. What an interrupted command left is put
    right first.
    """
    from ingest.cli.telling import tell_recovered
    from ingest.desk.room import Room
    from ingest.desk.run import serve
    from ingest.desk.settings import DeskSettings
    from ingest.pipeline.recovery import recover

    settings = DeskSettings() if port is None else DeskSettings(port=port)
    places = Places.of(archive, vault, vault_key)
    opened = False

    def announce(address: str) -> None:
        nonlocal opened
        out().print(f"The desk is open until Ctrl-C. This address opens it once:\n{address}", soft_wrap=True)
        if open_browser and not opened:
            opened = True
            webbrowser.open(address)

    with places.opened() as (holdings, keyvault):
        tell_recovered(recover(holdings, keyvault))
        settled = ArchiveSettings(archive=places.archive)
        room = Room(holdings, keyvault, settled, account(who), places.secret, limits_only)
        serve(room, settings, announce)

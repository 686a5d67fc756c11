"""The laboratory's own web app: ``desk``."""

import webbrowser
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import AccountStore
from archive.cli.proving import Who, system_user
from archive.cli.sentences import ArchiveFolder, out, said
from archive.settings import ArchiveSettings
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

    Where the archive has accounts, people sign in there, as custodian, laboratory or pathologist. Where it has none,
    the address that is printed opens it once, and all is done in the name of the system's user, or of --who. Whatever
    is looked up or decided is written down. No other machine can reach it. What an interrupted command left is put
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
        how = "Sign in at this address" if accounts else "This address opens it once"
        out().print(f"The desk is open until Ctrl-C. {how}:\n{address}", soft_wrap=True)
        if open_browser and not opened:
            opened = True
            webbrowser.open(address)

    with places.opened() as (holdings, keyvault), accounts_of(places.archive) as accounts:
        tell_recovered(recover(holdings, keyvault))
        settled = ArchiveSettings(archive=places.archive)
        acts = who or system_user()
        room = Room(holdings, keyvault, settled, acts, places.secret, limits_only, accounts)
        serve(room, settings, announce)


def accounts_of(archive: Path) -> AbstractContextManager[AccountStore | None]:
    """Open the accounts of an archive, if it has any."""
    return AccountStore.open(archive) if AccountStore.exists(archive) else nullcontext()

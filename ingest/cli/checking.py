"""Read again what a laboratory keeps, its key vault too: ``check``."""

from pathlib import Path
from typing import Annotated

import typer

from archive.accounts import Action, Actor
from archive.cli.checking import (
    DoRepair,
    From,
    MaxDuration,
    NoMark,
    Status,
    Subset,
    named_copy,
    plan_of,
    tell_check,
    tell_repairs,
    tell_status,
)
from archive.cli.proving import Who, actor_of
from archive.cli.sentences import ArchiveFolder, AsJson, said
from archive.errors import InvalidValue
from archive.settings import ArchiveSettings
from ingest.cli.places import KeyFile, LimitsOnly, Places, VaultFolder
from ingest.pipeline.checking import VaultCheck
from ingest.pipeline.repairing import repair_from_source

Source = Annotated[
    Path | None, typer.Option("--source", metavar="FILE", help="With --repair: the scanner's file of a damaged scan.")
]


@said
def check(
    archive: ArchiveFolder = Path("coverslip-archive"),
    vault: VaultFolder = None,
    vault_key: KeyFile = None,
    subset: Subset = "1/1",
    max_duration: MaxDuration = None,
    no_mark: NoMark = False,
    repair: DoRepair = False,
    backup: From = None,
    source: Source = None,
    limits_only: LimitsOnly = False,
    status: Status = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Read everything that is kept again, and tell every fault: what, where, expected, found.

    First the key vault and the links between it and the archive, then the archive's own records, then the scans. A
    scan that is not what was stored is marked, and from then on shown to nobody. A check that was stopped goes on when
    the same command is run again.

    Exit code 0: no fault; 4: faults were found, and all are told; 5: time was up, run the same command again; 1: it
    could not be checked.
    """
    places, settings = Places.of(archive, vault, vault_key), ArchiveSettings(archive=archive)
    actor = actor_of(archive, who, Action.CHECK_ARCHIVE)
    if status:
        tell_status(settings, as_json=as_json)
    elif source is not None:
        _repair_from(source, places, actor, repair=repair and backup is None, limits_only=limits_only, as_json=as_json)
    elif repair or backup is not None:
        copy = named_copy(repair, backup)
        tell_repairs(settings, lambda work: work.from_copy(copy), actor, as_json=as_json)
    else:
        plan = plan_of(subset, max_duration, no_mark)
        tell_check(settings, plan, actor, as_json=as_json, first=VaultCheck(places.vault, places.key, settings).faults)


def _repair_from(
    source: Path, places: Places, actor: Actor | None, *, repair: bool, limits_only: bool, as_json: bool
) -> None:
    from ingest.pipeline.jailed import PREPARED
    from ingest.sandbox import prepare

    if not repair:
        raise InvalidValue("--source names the one file to repair from; say --repair --source FILE")
    prepare(*PREPARED)
    with places.opened(actor) as (holdings, keyvault):
        told = repair_from_source(holdings, keyvault, source, keep_out=places.secret, limits_only=limits_only)
    tell_repairs(ArchiveSettings(archive=places.archive), lambda _: told, actor, as_json=as_json)

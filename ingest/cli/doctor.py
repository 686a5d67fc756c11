"""Look at the machine and the installation: ``doctor``."""

import platform
import shutil
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import typer
from rich.table import Table

from archive.cli.sentences import FAILED, ArchiveFolder, out, said
from archive.errors import ArchiveError
from ingest.cli.places import KeyFile, Places, VaultFolder
from ingest.pipeline.jailed import PREPARED
from ingest.sandbox import Level, jail_level, prepare, self_test, what_is_missing

SHOWN = ("coverslip", "openslide-bin", "tifffile", "imagecodecs", "zarr", "pillow", "sqlalchemy", "cryptography")

LOW_DISK_BYTES = 20 << 30
"""Less is told: a laboratory's day is about that much."""

Finding = tuple[bool, str, str]
"""Whether it is well, what was looked at, and what was found or is to be done."""


@said
def doctor(
    archive: ArchiveFolder = Path("coverslip-archive"), vault: VaultFolder = None, vault_key: KeyFile = None
) -> None:
    """Check versions, the jail that slides are read in, disk, viewer, archive and vault; say what to do."""
    prepare(*PREPARED)
    places = Places.of(archive, vault, vault_key)
    findings = [*_versions(), *_jail(places), _viewer(), *_places(places)]
    table = Table(box=None, show_header=False, pad_edge=False)
    for well, what, found in findings:
        table.add_row("[green]well[/green]" if well else "[red]look[/red]", what, found)
    out().print(table)
    if not all(well for well, _, _ in findings):
        raise typer.Exit(FAILED)


def _versions() -> list[Finding]:
    installed = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return [(sys.version_info >= (3, 11), "Python", platform.python_version()), (True, "packages", installed)]


def _jail(places: Places) -> list[Finding]:
    level = jail_level()
    if level is not Level.FULL:
        return [(False, "jail", f"{level}: {'; '.join(what_is_missing())}")]
    denials = self_test(places.key if places.key.is_file() else None)
    failed = [denial.act for denial in denials if not denial.denied]
    proven = f"{level}; {len(denials) - len(failed)} of {len(denials)} forbidden acts were denied"
    return [(not failed, "jail", proven + (f"; not denied: {', '.join(failed)}" if failed else ""))]


def _viewer() -> Finding:
    built = (files("archive.server") / "static" / "viewer.js").is_file()
    return built, "viewer", "built" if built else "not built; install Node.js with npm, then install Coverslip again"


def _places(places: Places) -> list[Finding]:
    free = shutil.disk_usage(places.archive.parent).free
    found: list[Finding] = [(free > LOW_DISK_BYTES, "disk", f"{free / 1e9:,.0f} GB free beside the archive")]
    if not places.exist:
        return [*found, (True, "archive", "none here yet; make one with: coverslip init")]
    try:
        with places.opened() as (archive, vault):
            slides, faults = len(archive.slides()), archive.audit_faults()
            trail = vault.verify_trail()
    except ArchiveError as error:
        return [*found, (False, "archive and vault", str(error))]
    found.append((True, "archive", f"{slides:,} slides"))
    found.append((not faults, "audit trail", "whole" if not faults else f"{len(faults)} faults"))
    found.append((not trail, "vault", "open; its audit trail is whole" if not trail else f"{len(trail)} faults"))
    return found

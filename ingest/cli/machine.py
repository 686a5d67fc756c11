"""What a machine must be, whatever the laboratory: versions, walls around readers, a viewer that was built."""

import platform
import re
import sys
from enum import StrEnum
from importlib.metadata import version
from importlib.resources import files
from typing import NamedTuple

from ingest.cli.places import Places
from ingest.sandbox import Level, jail_level, self_test, what_is_missing
from ingest.scanners.cropping import can_cut


class State(StrEnum):
    """How a finding is to be taken."""

    WELL = "[green]well[/green]"
    NOTE = "[yellow]note[/yellow]"
    """To be known; nothing is wrong."""
    LOOK = "[red]look[/red]"
    """To be put right."""

    @classmethod
    def if_well(cls, well: bool) -> "State":
        """Give ``well`` or ``look``."""
        return cls.WELL if well else cls.LOOK


class Finding(NamedTuple):
    """How it is, what was looked at, and what was found or is to be done."""

    state: State
    what: str
    found: str


FLOORS = {
    "openslide-bin": "4.0.1",
    "pillow": "13.0",
    "tifffile": "2026.1",
    "pydicom": "3.0.2",
    "imagecodecs": "2026.3.6",
    "zarr": "3.1.6",
    "starlette": "0.49.1",
    "sqlalchemy": "2.0.40",
    "cryptography": "44",
}
"""The oldest versions without a hole or a fault that matters here; a bundled C library is not seen by other tools."""

FLOORS_312 = {"imagecodecs": "2026.10.10", "zarr": "3.4"}
"""Newer floors where Python is 3.12 or newer; older Pythons are not given these versions."""


def machine(places: Places) -> list[Finding]:
    """Look at the installation and at the walls that this system gives."""
    return [*_versions(), _cutting(), *_jail(places), _viewer()]


def too_old(installed: dict[str, str], python: tuple[int, int]) -> list[str]:
    """Tell which versions are older than they may be."""
    floors = FLOORS | (FLOORS_312 if python >= (3, 12) else {})
    return [
        f"{name} {installed[name]} is older than {floor}"
        for name, floor in floors.items()
        if _numbers(installed[name]) < _numbers(floor)
    ]


def _versions() -> list[Finding]:
    python = platform.python_version()
    if sys.version_info < (3, 12):
        python += "; 3.12 or newer gets newer decoders"
    installed = {name: version(name) for name in FLOORS}
    old = too_old(installed, (sys.version_info.major, sys.version_info.minor))
    told = "; ".join(old) + "; install Coverslip again" if old else ", ".join(map(" ".join, installed.items()))
    return [
        Finding(State.if_well(sys.version_info >= (3, 11)), "Python", python),
        Finding(State.if_well(not old), "packages", f"coverslip {version('coverslip')}, {told}"),
    ]


def _cutting() -> Finding:
    if can_cut():
        return Finding(State.WELL, "lossless cutting", "libturbojpeg is here")
    told = "libturbojpeg is missing: some Hamamatsu slides take five times the room; install it (see Install Coverslip)"
    return Finding(State.NOTE, "lossless cutting", told)


def _jail(places: Places) -> list[Finding]:
    level = jail_level()
    if level is not Level.FULL:
        return [Finding(State.LOOK, "jail", f"{level}: {'; '.join(what_is_missing())}")]
    denials = self_test(places.key if places.key.is_file() else None)
    failed = [denial.act for denial in denials if not denial.denied]
    proven = f"{level}; {len(denials) - len(failed)} of {len(denials)} forbidden acts were denied"
    told = proven + (f"; not denied: {', '.join(failed)}" if failed else "")
    return [Finding(State.if_well(not failed), "jail", told)]


def _viewer() -> Finding:
    built = (files("archive.server") / "static" / "viewer.js").is_file()
    told = "built" if built else "not built; install Node.js with npm, then install Coverslip again"
    return Finding(State.if_well(built), "viewer", told)


def _numbers(told: str) -> tuple[int, ...]:
    """Read the numbers that a version begins with."""
    release = re.match(r"\d+(?:\.\d+)*", told)
    return tuple(map(int, release[0].split("."))) if release else ()

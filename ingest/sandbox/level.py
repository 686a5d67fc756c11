"""How much of a jail a machine can build: Linux 5.13 and newer all of it, other Unix systems only the limits.

The walls are Landlock (files) and a seccomp filter (system calls), both part of the Linux kernel and both open to any
user. macOS has no counterpart that a Python package could use, and does not enforce a limit on memory; Windows has no
``fork``.
"""

import sys
from enum import StrEnum
from functools import lru_cache

from ingest.sandbox import seccomp


class Level(StrEnum):
    """What is in force in a jail on this machine."""

    FULL = "full"
    """Files, system calls, memory, time."""
    LIMITS_ONLY = "limits only"
    """A process of its own with limits on memory and time, that could open any file its user can."""
    NONE = "none"
    """No jail at all."""


@lru_cache(maxsize=1)
def jail_level() -> Level:
    """Tell what is in force in a jail on this machine."""
    if sys.platform == "win32":
        return Level.NONE
    return Level.LIMITS_ONLY if what_is_missing() else Level.FULL


def what_is_missing() -> tuple[str, ...]:
    """Name, in one sentence each, what keeps the jail from being complete on this machine."""
    if sys.platform != "linux":
        return ("this system has no Landlock and no seccomp; ingest slides of unknown origin on Linux",)
    missing = []
    if not _landlock():
        missing.append("Landlock is not available; use Linux 5.13 or newer, with landlock in the kernel's list of LSMs")
    if not seccomp.available():
        missing.append("seccomp is not available for this kernel or processor; use Linux on x86-64 or ARM64")
    return tuple(missing)


def _landlock() -> bool:
    import landlockpy  # only Linux has it

    return landlockpy.supported()

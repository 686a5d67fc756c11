"""The walls of a jail, put up from inside, in an order in which each still can be: once up, none comes down.

1. A session of its own, and death with the fork server: nothing outlives the process that asked for it.
2. Limits on memory, time, files and bytes written.
3. Landlock: only the slide, the staged folder and the installed libraries. Everything else this kernel can forbid is
   forbidden, signals and abstract sockets to the outside included.
4. No privileges but reading files as the user could: root in a container is an ordinary user in a jail.
5. seccomp: the system calls that no reader needs.
"""

import ctypes
import os
import signal
import site
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import archive
import ingest
from ingest.sandbox import limits, seccomp
from ingest.sandbox.level import Level

_PR_SET_PDEATHSIG: Final = 1
_CAPABILITY_VERSION: Final = 0x20080522
_READ_AS_ROOT: Final = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: a service run as root may read slides that belong to somebody else."""

_SYSTEM_FOLDERS: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/usr/share/zoneinfo")
_SYSTEM_FILES: Final = ("/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/random", "/dev/null")


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one jail may do. ``read`` are files and folders, ``write`` and ``list_names`` folders, as absolute paths."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    list_names: tuple[str, ...]
    limits: limits.Limits
    level: Level


def confine(confinement: Confinement) -> None:
    """Put this process, which must have one thread, behind the walls.

    Raises
    ------
    OSError
        If a wall cannot be put up.
    """
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb") as score:
        score.write(b"1000")  # when memory runs out, this process goes first
    limits.apply(confinement.limits, sum(_file_bytes(path) for path in confinement.read))
    if confinement.level is Level.FULL:
        _landlock(confinement)
        _drop_capabilities()
        seccomp.install()


def leave_family(fork_server: int) -> None:
    """Start a session of its own, and die when the fork server dies."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != fork_server:  # it died in between
        os._exit(1)


def libraries() -> Iterator[Path]:
    """Name the folders and files of the system, the interpreter and the installed packages, as far as they exist.

    Landlock would stop an import inside the jail just as it stops any other reading.
    """
    named = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    named += [*site.getsitepackages(), site.getusersitepackages(), *archive.__path__, *ingest.__path__]
    paths = dict.fromkeys(Path(name) for name in (*named, *_SYSTEM_FOLDERS, *_SYSTEM_FILES))
    return (path for path in paths if path.exists())


def _landlock(confinement: Confinement) -> None:
    from landlockpy import AccessFS, Ruleset, Scope

    read_file = AccessFS.READ_FILE
    read_folder = read_file | AccessFS.READ_DIR
    write_folder = (
        read_folder | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG | AccessFS.MAKE_DIR
        | AccessFS.REMOVE_FILE | AccessFS.REMOVE_DIR | AccessFS.REFER
    )  # fmt: skip
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
        for path in (*libraries(), *map(Path, confinement.read)):
            rules.allow_path(path, read_folder if path.is_dir() else read_file)
        for folder in confinement.write:
            rules.allow_path(folder, write_folder)
        for folder in confinement.list_names:
            rules.allow_path(folder, AccessFS.READ_DIR)
        rules.allow_path(os.devnull, read_file | AccessFS.WRITE_FILE)
        rules.restrict()


def _drop_capabilities() -> None:
    """Keep no privilege of root's but reading files."""

    class Header(ctypes.Structure):
        _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))

    words = ctypes.c_uint32 * 6  # effective, permitted, inheritable; then their upper halves
    header, held = Header(_CAPABILITY_VERSION, 0), words()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capget(ctypes.byref(header), held) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities of this process cannot be read")
    kept = words(held[0] & _READ_AS_ROOT, held[1] & _READ_AS_ROOT, 0, 0, 0, 0)
    if libc.capset(ctypes.byref(header), kept) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities of this process cannot be dropped")


def _file_bytes(path: str) -> int:
    status = os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else 0

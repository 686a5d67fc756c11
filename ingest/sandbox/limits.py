"""What reading one slide may cost: a file of any size is read in bounded memory, and a small file in little time.

tifffile took six gigabytes for a file of one megabyte, and some damaged slides kept their reader busy without end.
"""

import sys
from dataclasses import dataclass
from typing import Final, Self

from archive.errors import InvalidValue

MIB: Final = 1 << 20
GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one jail may use.

    Attributes
    ----------
    memory_bytes : int
        Memory of its own, beyond what the fork server had imported. Honest readers stay under 400 MB.
    library_bytes : int
        Address space, and no memory, for libraries that are loaded inside the jail.
    cpu_seconds : int
        Time on processors, of all calls together.
    wall_seconds : float
        Time that the caller waits, of all calls together.
    written_bytes : int
        Bytes written, and the size of any one file.
    open_files : int
        Open files; a MIRAX slide has some tens.
    message_bytes : int
        Length of one answer, with a colour profile of up to 16 MB. Pixels and tables travel as files.
    messages : int
        Number of messages, progress included.
    """

    memory_bytes: int = 2 * GIB
    library_bytes: int = 0
    cpu_seconds: int = 1800
    wall_seconds: float = 3600.0
    written_bytes: int = 256 * GIB
    open_files: int = 64
    message_bytes: int = 32 * MIB
    messages: int = 100_000

    def __post_init__(self) -> None:
        if min(self.memory_bytes, self.cpu_seconds, self.written_bytes, self.message_bytes, self.messages) < 1:
            raise InvalidValue("a jail's limits are positive")
        if self.library_bytes < 0:
            raise InvalidValue("libraries take no less than no address space")
        if not 0 < self.wall_seconds < 10**7 or self.open_files < 16:
            raise InvalidValue("a jail lasts longer than nothing and may open at least 16 files")

    @classmethod
    def for_source(cls, source_bytes: int) -> Self:
        """Choose limits by a slide's size: 50 seconds and a gigabyte for a file of 5 MB, 36 minutes for one of 1 GB.

        The slowest honest work, decoding JPEG 2000 and storing it without loss, takes about a second a megabyte and
        writes up to sixteen times the source.
        """
        cpu_seconds = 40 + 2 * source_bytes // MIB
        return cls(cpu_seconds=cpu_seconds, wall_seconds=2.0 * cpu_seconds, written_bytes=GIB + 32 * source_bytes)


def apply(limits: Limits, readable_bytes: int) -> None:
    """Put this process under limits that it cannot raise again.

    Parameters
    ----------
    limits
        How much it may use.
    readable_bytes
        Size of the files that it may read: mapping them takes address space, but no memory.
    """
    import resource  # Windows has none

    if sys.platform == "linux":  # elsewhere these two are refused or not kept
        space, own = _mapped_bytes()
        _set(resource.RLIMIT_AS, space + limits.memory_bytes + limits.library_bytes + readable_bytes)
        _set(resource.RLIMIT_DATA, own + limits.memory_bytes)
    _set(resource.RLIMIT_FSIZE, limits.written_bytes)
    _set(resource.RLIMIT_NOFILE, limits.open_files)
    _set(resource.RLIMIT_CORE, 0)
    # At the first limit the kernel sends SIGXCPU, which ends the process unless it is caught; at the second, SIGKILL.
    _set(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)


def _set(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit; one that is tighter already stays."""
    import resource

    _, ceiling = resource.getrlimit(kind)
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))


def _mapped_bytes() -> tuple[int, int]:
    """Address space in use, and how much of it is this process's own; zero where the system does not tell."""
    try:
        with open("/proc/self/status", "rb") as status:
            lines = dict(line.split(b":", 1) for line in status if line.startswith((b"VmSize", b"VmData")))
    except OSError:
        return 0, 0
    return int(lines[b"VmSize"].split()[0]) << 10, int(lines[b"VmData"].split()[0]) << 10

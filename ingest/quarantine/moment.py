"""A file is the one that was looked at as long as its size and the time of its last change are the same."""

from pathlib import Path

Moment = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""

GONE: Moment = (0, 0)
"""The moment of a file that is not there or cannot be asked."""


def moment_of(path: Path) -> Moment:
    """Tell a file's size and time of last change; of a multi-file slide, those of its main file."""
    try:
        status = path.stat()
    except OSError:
        return GONE
    return status.st_size, status.st_mtime_ns

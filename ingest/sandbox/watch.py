"""The kernel tells the memory that a process has of its own, and how much it has written, while it runs.

Limits are set in the jail itself; the process outside looks as well, because shared memory escapes some of them and
the number of files all of them. It also learns what a receipt should say: how much memory a slide took.
"""

import os
import sys
import time
from contextlib import suppress
from typing import Final

_PIECE: Final = 4096


class Watch:
    """Looks at one process from time to time; on systems that tell nothing it sees nothing.

    Attributes
    ----------
    peak_rss_anon_bytes : int or None
        Most memory of its own that it was seen with, libraries imported before included; None if never seen.
    grown_bytes : int
        By how much its memory, shared memory included, was seen to have grown since the first look.
    written_bytes : int
        What it has written, as of the last look.
    """

    def __init__(self, process: int) -> None:
        self.peak_rss_anon_bytes: int | None = None
        self.grown_bytes = 0
        self.written_bytes = 0
        self._looked_at = 0.0
        self._first: int | None = None
        self._files: dict[str, int] = {}
        if sys.platform == "linux":
            for name in ("status", "io"):
                with suppress(OSError):
                    self._files[name] = os.open(f"/proc/{process}/{name}", os.O_RDONLY | os.O_CLOEXEC)

    def look(self, not_within: float = 0.0) -> None:
        """See what the process has now, unless it was looked at within so many seconds."""
        now = time.monotonic()
        if now - self._looked_at < not_within:
            return
        self._looked_at = now
        status = self._lines("status")
        if b"RssAnon" in status:
            own = int(status[b"RssAnon"].split()[0]) << 10
            shared = int(status[b"RssShmem"].split()[0]) << 10
            self.peak_rss_anon_bytes = max(self.peak_rss_anon_bytes or 0, own)
            self._first = own + shared if self._first is None else self._first
            self.grown_bytes = max(self.grown_bytes, own + shared - self._first)
        written = self._lines("io").get(b"wchar")
        if written is not None:
            self.written_bytes = int(written)

    def close(self) -> None:
        """Stop looking."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _lines(self, name: str) -> dict[bytes, bytes]:
        try:
            text = os.pread(self._files[name], _PIECE, 0)
        except (KeyError, OSError):  # OSError: the process has ended
            return {}
        return dict(line.split(b":", 1) for line in text.splitlines() if b":" in line)

"""What a backup says of itself, and what it has besides scans: the trail's heads, and the journal up to one act."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive import fixity
from archive.auditchain import Head
from archive.catalogue.journal import Line, Segment, segments
from archive.codes import InternalKey
from archive.errors import HoldingsUnavailable, InvalidValue
from archive.holdings.copying import copy_file

MARK = "backup.json"


@dataclass(frozen=True, slots=True)
class BackupState:
    """What a backup says of itself: whose copy it is; and of the newest finished one when, of which act and head."""

    archive: InternalKey
    finished: datetime | None = None
    acts: int = 0
    head: Head | None = None

    @classmethod
    def read(cls, folder: Path) -> "BackupState":
        """Read what a backup's folder says.

        Raises
        ------
        HoldingsUnavailable
            If there is no backup, or what it says is damaged.
        """
        try:
            told = json.loads((folder / MARK).read_bytes())
            finished = told["finished"] and datetime.fromisoformat(told["finished"])
            return cls(InternalKey(told["archive"]), finished, told["acts"], told["head"] and Head.parse(told["head"]))
        except OSError:
            raise HoldingsUnavailable("there is no backup in this folder; check the path") from None
        except (ValueError, TypeError, KeyError):
            raise HoldingsUnavailable("what this backup says of itself is damaged; use another backup") from None

    def write(self, folder: Path) -> None:
        """Write it down."""
        finished = self.finished and self.finished.isoformat(timespec="seconds")
        told = {"archive": self.archive, "format": 1, "finished": finished, "acts": self.acts}
        told["head"] = str(self.head) if self.head else None
        fixity.write(folder / MARK, json.dumps(told, sort_keys=True).encode())


def heads_of(folder: Path) -> tuple[Head, ...]:
    """Read the heads of the audit trail that a backup has; none before it is finished for the first time."""
    try:
        lines = (folder / "heads").read_text("ascii").splitlines()
        return tuple(Head.parse(line) for line in lines)
    except FileNotFoundError:
        return ()
    except (InvalidValue, UnicodeDecodeError):
        raise HoldingsUnavailable("the heads of the audit trail in this backup are damaged; look at its disk") from None


def copy_journal(source: Path, target: Path, acts: int) -> None:
    """Copy a journal up to an act; segments that were closed are copied once."""
    target.mkdir(mode=0o750, exist_ok=True)
    found = segments(source)
    for segment in found[:-1]:
        copy = target / segment.path.name
        if not copy.exists() or copy.stat().st_size != segment.path.stat().st_size:
            copy_file(segment.path, copy)
    for segment in found[-1:]:
        fixity.write(target / segment.path.name, b"".join(_until(segment, acts)))


def _until(segment: Segment, acts: int) -> list[bytes]:
    """Give the lines of a segment that tell of no later act, and no line that is being written."""
    kept = []
    with segment.path.open("rb") as file:
        for stored in file:
            line = Line.parse(stored[:-1])
            if not stored.endswith(b"\n") or (line is not None and line.number > acts):
                break
            kept.append(stored)
    return kept

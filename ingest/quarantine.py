"""A slide that could not be taken waits where it lies, untouched; what waits, and why, is written down.

Where a file lies often names a patient, so the entries are kept sealed in the key vault and never in the archive. An
entry ends when the file is taken in after all.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from archive.errors import InvalidValue
from ingest.errors import Reason

KIND = "quarantine"
"""The kind of declaration that an entry is for the vault."""

ID_BYTES = 4
"""An entry's number tells nothing of its file; it is typed by people, so it is short."""

ENDED = "{}"
"""The text of an entry whose file was taken in."""


class Declarations(Protocol):
    """What keeps the entries: the key vault."""

    def declare(self, kind: str, name: str, text: str, *, who: str) -> None:
        """Keep a text under a kind and a name, in place of the one before."""

    def declared(self, kind: str) -> dict[str, str]:
        """Give the texts of a kind, by name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that waits: its number, where it lies, why, and since when. The path is shown to the laboratory only."""

    number: str
    path: Path = field(repr=False)
    reason: Reason
    since: datetime


class Quarantine:
    """The files that wait, by number."""

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations

    def entries(self) -> tuple[Entry, ...]:
        """List what waits, the longest-waiting first.

        Raises
        ------
        InvalidValue
            If an entry cannot be read.
        """
        texts = self._declarations.declared(KIND)
        found = [_entry(number, text) for number, text in texts.items() if text != ENDED]
        return tuple(sorted(found, key=lambda entry: entry.since))

    def set_aside(self, path: Path, reason: Reason) -> Entry:
        """Write down that a file waits. A second refusal for the same reason changes nothing."""
        known = self._find(path)
        if known is not None and known.reason is reason:
            return known
        number = known.number if known else secrets.token_hex(ID_BYTES)
        since = known.since if known else datetime.now(UTC)
        text = {"path": str(path.absolute()), "reason": reason.value, "since": since.isoformat(timespec="seconds")}
        self._declarations.declare(KIND, number, json.dumps(text), who="ingest")
        return _entry(number, json.dumps(text))

    def release(self, path: Path) -> None:
        """Write down that a file waits no longer; harmless if it did not."""
        known = self._find(path)
        if known is not None:
            self._declarations.declare(KIND, known.number, ENDED, who="ingest")

    def _find(self, path: Path) -> Entry | None:
        wanted = path.absolute()
        return next((entry for entry in self.entries() if entry.path == wanted), None)


def _entry(number: str, text: str) -> Entry:
    try:
        content: Mapping[str, str] = json.loads(text)
        since = datetime.fromisoformat(content["since"])
        return Entry(number, Path(content["path"]), Reason(content["reason"]), since)
    except (ValueError, KeyError, TypeError):
        raise InvalidValue(
            "an entry of the quarantine cannot be read; check the vault with: coverslip doctor"
        ) from None

"""Each entry of a trail seals the one before it, so that no entry can be changed alone.

An entry is canonical JSON; its digest is SHA-256 over the digest before it, its number and its text. Whoever changes,
removes, inserts or moves an entry must make every later digest anew, and whoever cuts the end off or makes the whole
chain anew is found out by any *head* (number and digest of the newest entry) that was written to a second place. A
chain alone cannot show that its end is missing.

Entries speak in codes and roles, never in names.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from archive.errors import InvalidValue

Value: TypeAlias = "str | int | float | bool | Sequence[Value] | Mapping[str, Value] | None"
"""What an entry's details may be: values that look the same in every JSON library."""

_SHA256 = re.compile(r"[0-9a-f]{64}")

_NO_DIGEST = "0" * 64
"""Stands for a digest that is none, so that the chain can be told to be broken there."""


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The state of a chain: the number of its newest entry (0 before the first) and that entry's digest."""

    number: int
    digest: str

    def __post_init__(self) -> None:
        if self.number < 0 or not _SHA256.fullmatch(self.digest):
            raise InvalidValue("a head is an entry's number and its digest of 64 hexadecimal digits")

    def __str__(self) -> str:
        return f"{self.number} {self.digest}"

    @classmethod
    def parse(cls, line: str) -> "Head":
        """Read what ``str`` wrote."""
        number, _, digest = line.strip().partition(" ")
        if not number.isascii() or not number.isdigit():
            raise InvalidValue("a head is an entry's number and its digest of 64 hexadecimal digits")
        return cls(int(number), digest)


@dataclass(frozen=True, slots=True)
class Entry:
    """One sealed entry: its number counted from 1, its canonical JSON and its digest."""

    number: int
    text: str
    digest: str

    @property
    def head(self) -> Head:
        """The state of the chain when this entry was its newest."""
        return Head(self.number, self.digest)

    @classmethod
    def stored(cls, number: object, text: object, digest: object) -> "Entry":
        """Take an entry as a database gives it: whatever was written over a cell is an entry with a fault."""
        sound = isinstance(digest, str) and _SHA256.fullmatch(digest) is not None
        return cls(
            number if isinstance(number, int) and number > 0 else 0,
            text if isinstance(text, str) else "",
            str(digest) if sound else _NO_DIGEST,
        )

    @property
    def content(self) -> dict[str, Any]:
        """What it says; nothing where that is no JSON object, which `verify` reports."""
        try:
            content = json.loads(self.text)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


class FaultCode(StrEnum):
    """What can be wrong with a chain. The values are stable: scripts may rely on them."""

    CHANGED = "entry-changed"
    MISSING = "entries-missing"
    OUT_OF_ORDER = "entry-out-of-order"
    TRUNCATED = "end-missing"
    REPLACED = "chain-replaced"
    UNREADABLE = "trail-unreadable"
    ROOT = "root-differs"
    ROWS = "rows-differ"
    TRAIL_MISSING = "trail-missing"
    STATEMENT = "statement-changed"
    STATEMENT_MISSING = "statement-missing"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a chain: the number of the entry where it shows, what was expected and what was found."""

    number: int
    code: FaultCode
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Trail:
    """A chain that can be read: its name, its empty head, its entries in order, and heads known from elsewhere.

    ``beside`` finds faults in what stands beside the chain and must follow from what it tells.
    """

    name: str
    first: Head
    entries: Callable[[], Iterator[Entry]]
    heads: Callable[[], tuple[Head, ...]] = tuple
    beside: Callable[[], tuple[Fault, ...]] = tuple


def start(chain: str) -> Head:
    """Give the head of an empty chain; its name makes chains of two archives differ from the first entry on."""
    return Head(0, hashlib.sha256(b"audit chain\0" + chain.encode()).hexdigest())


def seal(head: Head, act: str, actor: str, at: datetime, details: Mapping[str, Value]) -> Entry:
    """Make the entry that follows a head.

    Parameters
    ----------
    head
        The chain's newest state.
    act
        What was done, one word or two, such as ``commit``.
    actor
        The role or account that did it, never a patient.
    at
        When, with a time zone; stored in UTC to the second.
    details
        Codes, counts and reasons. Screened by the caller: no names.
    """
    content = {"act": act, "actor": actor, "at": at.astimezone(UTC).isoformat(timespec="seconds"), **details}
    if len(content) != 3 + len(details):
        raise InvalidValue("an entry's details may not be called act, actor or at")
    try:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidValue("an entry's details are plain values that JSON can hold") from error
    number = head.number + 1
    return Entry(number, text, _digest(head.digest, number, text))


def verify(entries: Iterable[Entry], first: Head, heads: Iterable[Head] = ()) -> tuple[Fault, ...]:
    """List every fault of a chain.

    Parameters
    ----------
    entries
        All entries in the order of their storage.
    first
        The head of the empty chain, from ``start``.
    heads
        Heads that were written to a second place, in any order; without them a missing end cannot be seen.
    """
    outside: dict[int, set[str]] = {}
    for head in heads:
        outside.setdefault(head.number, set()).add(head.digest)
    faults: list[Fault] = []
    last = first
    for entry in entries:
        faults += _faults_of(entry, last)
        for digest in sorted(outside.pop(entry.number, set()) - {entry.digest}):
            faults.append(Fault(entry.number, FaultCode.REPLACED, digest[:8], entry.digest[:8]))
        last = entry.head
    faults += [
        Fault(number, FaultCode.TRUNCATED, f"entry {number}", f"the newest entry is {last.number}")
        for number in sorted(outside)
        if number > last.number
    ]
    return tuple(faults)


def _faults_of(entry: Entry, last: Head) -> list[Fault]:
    following = last.number + 1
    if entry.number > following:
        return [Fault(entry.number, FaultCode.MISSING, f"entry {following}", f"entry {entry.number}")]
    if entry.number < following:
        return [Fault(entry.number, FaultCode.OUT_OF_ORDER, f"entry {following}", f"entry {entry.number}")]
    digest = _digest(last.digest, entry.number, entry.text)
    if digest != entry.digest:
        return [Fault(entry.number, FaultCode.CHANGED, entry.digest[:8], digest[:8])]
    return []


def _digest(before: str, number: int, text: str) -> str:
    return hashlib.sha256(f"{before}\0{number}\0{text}".encode()).hexdigest()

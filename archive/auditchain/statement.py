"""A statement says how far each trail went at one moment; it is signed, counted, and bound to the one before.

Kept in another place than the trails, statements show that a trail was shortened or made anew, which the trail itself
cannot. The trail of the catalogue tells of each statement in turn, so that one that is taken out of the second place is
missed as well.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from archive.auditchain.chain import Fault, FaultCode, Head
from archive.auditchain.signing import PublicKey, SigningKey
from archive.errors import InvalidValue

NONE_BEFORE = "0" * 64
"""Stands before the first statement."""

_LINE = re.compile(r"([0-9a-f]{128}) (\{.*\})")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a trail went: its head, and the root of the tree of all its entries."""

    head: Head
    root: str

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.root):
            raise InvalidValue("the root of a trail has 64 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Statement:
    """How far the trails went at one moment.

    ``number`` counts from 1; ``before`` is the digest of the statement before this one; ``at`` is in UTC.
    """

    number: int
    before: str
    at: datetime
    trails: Mapping[str, Standing]

    @property
    def text(self) -> str:
        """Canonical JSON, which is what is signed."""
        trails = {
            name: {"entries": one.head.number, "digest": one.head.digest, "root": one.root}
            for name, one in self.trails.items()
        }
        content = {
            "number": self.number,
            "before": self.before,
            "at": self.at.astimezone(UTC).isoformat(timespec="seconds"),
            "trails": trails,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "Statement":
        """Read what ``text`` gave.

        Raises
        ------
        InvalidValue
            If it is no statement.
        """
        try:
            content = json.loads(text)
            trails = {
                str(name): Standing(Head(one["entries"], one["digest"]), one["root"])
                for name, one in content["trails"].items()
            }
            return cls(content["number"], content["before"], datetime.fromisoformat(content["at"]), trails)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidValue("this is no statement about audit trails") from error


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with its signature, as one line of a file."""

    statement: Statement
    signature: str

    @classmethod
    def by(cls, key: SigningKey, statement: Statement) -> "Signed":
        """Sign a statement."""
        return cls(statement, key.sign(statement.text))

    @property
    def line(self) -> str:
        """The line, without its end."""
        return f"{self.signature} {self.statement.text}"

    @property
    def digest(self) -> str:
        """What the next statement, and the catalogue's trail, know it by."""
        return hashlib.sha256(self.line.encode()).hexdigest()


def verified(content: bytes, key: PublicKey) -> tuple[tuple[Signed, ...], tuple[Fault, ...]]:
    """Read a file of statements: those that are signed and in their place, and the faults of all others.

    The first of a file may follow one that was lost with an older second place.
    """
    good: list[Signed] = []
    faults: list[Fault] = []
    lines = content.decode("ascii", "replace").split("\n")
    if lines[-1]:
        faults.append(Fault(len(lines), FaultCode.STATEMENT, "the end of a line", "a line without an end"))
    for place, line in enumerate(lines[:-1], start=1):
        one = _signed(line, key)
        if one is None:
            faults.append(Fault(place, FaultCode.STATEMENT, "a signed statement", "something else"))
        elif fault := _misplaced(one, good):
            faults.append(fault)
        else:
            good.append(one)
    return tuple(good), tuple(faults)


def _signed(line: str, key: PublicKey) -> Signed | None:
    found = _LINE.fullmatch(line)
    if found is None or not key.verifies(found[1], found[2]):
        return None
    try:
        one = Signed(Statement.parse(found[2]), found[1])
    except InvalidValue:
        return None
    return one if one.line == line else None


def _misplaced(one: Signed, good: Sequence[Signed]) -> Fault | None:
    number = one.statement.number
    if good and (number != good[-1].statement.number + 1 or one.statement.before != good[-1].digest):
        return Fault(number, FaultCode.STATEMENT_MISSING, f"statement {good[-1].statement.number + 1}", f"{number}")
    return None

"""An exported entry carries the proof that it stands in a signed trail, so that whoever has it needs no archive.

Where an entry's text may be shown as it is, the text goes along and its digest is made again. The vault's entries are
told by codes instead, because their text holds internal keys; their proof shows that an entry of this digest stands
at this number.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archive.auditchain.chain import Entry, Trail
from archive.auditchain.merkle import Proofs, root_by
from archive.auditchain.signing import PublicKey
from archive.auditchain.statement import Signed, verified
from archive.auditchain.told import Told
from archive.errors import InvalidValue

FORMAT = "coverslip audit export 1"
TOLD_BY_CODES = "vault"
"""The trail whose text is not shown."""


def exported(trails: Sequence[Trail], entries: Sequence[Told], statement: Signed | None) -> Iterator[str]:
    """Give the lines of an export: what it is and the newest statement, then one line for each entry."""
    yield json.dumps({"format": FORMAT, "statement": statement.line if statement else None})
    for trail in trails:
        chosen = [told for told in entries if told.trail == trail.name]
        if chosen:
            yield from _of_trail(trail, chosen, statement)


def _of_trail(trail: Trail, chosen: Sequence[Told], statement: Signed | None) -> Iterator[str]:
    wanted = {told.number for told in chosen}
    digests, sealed, before = list[str](), dict[int, tuple[str, Entry]](), trail.first.digest
    for entry in trail.entries():
        digests.append(entry.digest)
        if entry.number in wanted:
            sealed[entry.number] = before, entry
        before = entry.digest
    standing = statement.statement.trails.get(trail.name) if statement else None
    size = standing.head.number if standing else 0
    proofs = Proofs(digests[:size])
    for told in chosen:
        line: dict[str, Any] = {"trail": told.trail, "number": told.number, "digest": told.digest}
        if trail.name == TOLD_BY_CODES:
            line["told"] = {"act": told.act, "actor": told.actor, "at": told.at.isoformat(), **told.details}
        else:
            line["before"], line["text"] = sealed[told.number][0], sealed[told.number][1].text
        if told.number <= size:
            line["path"] = proofs.path(told.number)
        yield json.dumps(line, ensure_ascii=False)


def read_export(content: bytes, key: PublicKey) -> tuple[list[Told], int]:
    """Read an export, and give its entries and how many of them are proved.

    Raises
    ------
    InvalidValue
        If it is no export, its statement is not signed with this key, or an entry is not what was sealed.
    """
    try:
        first, *lines = [json.loads(line) for line in content.decode().splitlines()]
        if first["format"] != FORMAT:
            raise InvalidValue("this is no export of audit trails that this program knows")
        statement = _statement(first["statement"], key)
        found = [_read(line, statement) for line in lines]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue("this is no export of audit trails, or it is damaged; export it again") from None
    return [told for told, _ in found], sum(proved for _, proved in found)


def _statement(line: str | None, key: PublicKey) -> Signed | None:
    if line is None:
        return None
    good, _ = verified(f"{line}\n".encode(), key)
    if not good:
        raise InvalidValue("the statement in this export was not signed with this key; do not trust it")
    return good[0]


def _read(line: Mapping[str, Any], statement: Signed | None) -> tuple[Told, bool]:
    trail, number, digest = line["trail"], line["number"], line["digest"]
    told = line.get("told")
    text = json.dumps(told) if trail == TOLD_BY_CODES else line["text"]
    if trail != TOLD_BY_CODES:
        sealed = hashlib.sha256(f"{line['before']}\0{number}\0{text}".encode()).hexdigest()
        _require(sealed == digest, number)
    if "path" in line:
        standing = statement.statement.trails[trail] if statement else None
        _require(standing is not None, number)
        size, root = (standing.head.number, standing.root) if standing else (0, "")
        _require(number <= size and root_by(line["path"], number, size, digest) == root, number)
    return Told.of(trail, Entry.stored(number, text, digest)), "path" in line


def _require(holds: bool, number: int) -> None:
    if not holds:
        raise InvalidValue(f"entry {number} of this export is not what was sealed; do not trust it")

"""Whoever turns a key into a person, or a person into a key, leaves an entry in the vault's own hash-chained trail.

The entry is written in the transaction of the act: no entry, no answer. It names the account, the act and the internal
key. The reason is free text, so it lies sealed under the patient's key, and goes when the patient is erased; the chain
is over the sealed form, and stays whole.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from archive import auditchain
from archive.codes import InternalKey
from archive.errors import InvalidValue
from ingest.errors import VaultDamaged
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import audit, head

LONGEST_REASON = 500
"""Characters. Ticket, approver and purpose fit; a report does not."""

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


_DIGEST = re.compile(r"[0-9a-f]{64}")
_NO_DIGEST = "0" * 64
"""Stands for a digest that was damaged, so that the chain can be told to be broken there."""

_HEAD = select(head.c.number, head.c.digest)
_HEAD_LOCKED = _HEAD.with_for_update()
_NEW = insert(audit)
_NEW_HEAD = update(head)


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One entry as people read it; ``reason`` is None where none was given or its patient is erased.

    ``before`` says how it was before a correction, in the laboratory's own numbers, as long as there is that patient.
    """

    number: int
    digest: str
    act: str
    who: str
    at: datetime
    subject: InternalKey = field(repr=False)
    reason: str | None = field(repr=False)
    before: str | None = field(default=None, repr=False)


def begin(connection: Connection, vault_key: FieldKey) -> None:
    """Start the trail of a new vault."""
    start = first(vault_key)
    connection.execute(insert(head).values(only=1, number=start.number, digest=start.digest))


def append(
    connection: Connection,
    key: FieldKey,
    act: str,
    who: str,
    subject: str,
    reason: str = "",
    patient: str = "",
    before: str = "",
) -> None:
    """Append an entry in the transaction of the act that it tells of.

    Parameters
    ----------
    connection
        The act's own transaction.
    key
        What the reason is sealed with: the patient's key, or the vault's own where it must outlive the patient.
    act
        One or two words, such as ``identified``.
    who
        The account, in one word.
    subject
        The internal key that the act is about.
    reason
        Why, where a person acted.
    patient
        Whose key it is; empty for the vault's own.
    before
        How it was before, where the act changed it. It names the patient, so it is sealed apart: whoever reads why
        need not read whose.

    Raises
    ------
    InvalidValue
        If the account is no account or the reason too long.
    """
    if not _ACCOUNT.fullmatch(who):
        raise InvalidValue("name the account that acts: letters, digits, dots and hyphens, at most 64")
    if len(reason) > LONGEST_REASON:
        raise InvalidValue(f"a reason has at most {LONGEST_REASON} characters; write it shorter")
    last = newest(connection, lock=True)
    details: dict[str, auditchain.Value] = {"subject": subject, "patient": patient}
    for what, text in (("reason", reason), ("before", before)):
        if text:
            sealed = key.seal(text.encode(), *_place(what, last.number + 1, subject))
            details[what] = base64.b64encode(sealed).decode()
    entry = auditchain.seal(last, act, who, datetime.now(UTC), details)
    connection.execute(_NEW, {"number": entry.number, "text": entry.text, "digest": entry.digest})
    connection.execute(_NEW_HEAD, {"number": entry.number, "digest": entry.digest})


def told(entry: auditchain.Entry, key_of: Callable[[InternalKey], FieldKey | None], vault_key: FieldKey) -> TrailEntry:
    """Read one entry, with its reason where its key is still there."""
    content = json.loads(entry.text)
    key = key_of(content["patient"]) if content["patient"] else vault_key

    def opened(what: str) -> str | None:
        sealed = base64.b64decode(content.get(what, ""))
        return key.unseal(sealed, *_place(what, entry.number, content["subject"])).decode() if sealed and key else None

    return TrailEntry(
        entry.number,
        entry.digest,
        content["act"],
        content["actor"],
        datetime.fromisoformat(content["at"]),
        InternalKey(content["subject"]),
        opened("reason"),
        opened("before"),
    )


def newest(connection: Connection, *, lock: bool = False) -> auditchain.Head:
    """Read the head of the chain; locked, other writers wait until this transaction ends."""
    row = connection.execute(_HEAD_LOCKED if lock else _HEAD).one_or_none()
    if row is None or not _is_digest(row[1]):
        raise VaultDamaged()
    return auditchain.Head(row[0], row[1])


def entries(connection: Connection) -> Iterator[auditchain.Entry]:
    """Read the whole chain in order."""
    rows = connection.execution_options(yield_per=1000).execute(select(audit).order_by(audit.c.number))
    for number, text, digest in rows:
        yield auditchain.Entry(number, str(text), digest if _is_digest(digest) else _NO_DIGEST)


def subjects(connection: Connection, act: str) -> Iterator[InternalKey]:
    """Give what the entries of one act are about."""
    for entry in entries(connection):
        content = json.loads(entry.text)
        if content["act"] == act:
            yield InternalKey(content["subject"])


def verify(
    connection: Connection, vault_key: FieldKey, heads: Iterable[auditchain.Head] = ()
) -> tuple[auditchain.Fault, ...]:
    """List every fault of the chain; the head beside it counts as one of the heads."""
    try:
        known = (*heads, newest(connection))
    except VaultDamaged:
        return (auditchain.Fault(0, auditchain.FaultCode.TRUNCATED, "a head", "none"),)
    return auditchain.verify(entries(connection), first(vault_key), known)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _place(what: str, number: int, subject: str) -> tuple[str, ...]:
    return ("audit", what, str(number), subject)


def first(vault_key: FieldKey) -> auditchain.Head:
    """Give the head of a vault's chain before its first entry."""
    return auditchain.start(f"key vault {vault_key.name}")

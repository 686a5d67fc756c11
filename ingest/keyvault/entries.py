"""Who and what an internal key stands for: a tree from the patient down to the slide, every label sealed.

A label is sealed under its patient's key and found again by a look-up under the same key, so that with the patient's
key everything about the patient goes. A name and a birth date are entries as well: a patient may be known by several.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from archive.codes import InternalKey, new_key
from ingest.errors import VaultDamaged
from ingest.keyvault.identity import LONGEST, LONGEST_EVIDENCE, Identity, Kind, checked, compared
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import entry, file

# Made once: building and compiling a statement takes longer than running it.
_BY_KEY = select(entry).where(entry.c.key == bindparam("wanted"))
_BY_LOOK_UP = select(entry).where(entry.c.look_up == bindparam("wanted"))
_NEW = insert(entry)


@dataclass(frozen=True, slots=True)
class Owner:
    """The patient whose entries are read or written, and their key."""

    patient: InternalKey
    key: FieldKey


def find_or_make(
    connection: Connection,
    owner: Owner,
    kind: Kind,
    parent: InternalKey,
    label: str,
    key: InternalKey | None = None,
) -> InternalKey:
    """Return the internal key of a label below its parent, making the entry where there is none.

    Parameters
    ----------
    connection
        A transaction that writes.
    owner
        The patient.
    kind, parent, label
        What it is, what it belongs to (a patient to nothing: empty), and how the laboratory calls it.
    key
        The internal key for a new entry; a random one where not given.
    """
    label = checked(label, kind, LONGEST_EVIDENCE if kind is Kind.EVIDENCE else LONGEST)
    look_up = owner.key.look_up(kind, parent, compared(kind, label))
    row = connection.execute(_BY_LOOK_UP, {"wanted": look_up}).mappings().one_or_none()
    if row is not None:
        unsealed(owner, row)
        return InternalKey(row["key"])
    made = key or new_key()
    new: dict[str, Any] = {"key": made, "kind": kind, "parent": parent, "patient": owner.patient, "look_up": look_up}
    connection.execute(_NEW, {**new, "label": owner.key.seal(label.encode(), *_place(new))})
    return made


def unsealed(owner: Owner, row: RowMapping) -> str:
    """Open an entry's label.

    Raises
    ------
    VaultDamaged
        If any column of the row was changed, or the row's look-up is not that of its label.
    """
    label = owner.key.unseal(row["label"], *_place(row)).decode()
    if row["look_up"] != owner.key.look_up(row["kind"], row["parent"], compared(Kind(row["kind"]), label)):
        raise VaultDamaged()
    return label


def row_of(connection: Connection, key: InternalKey) -> RowMapping | None:
    """Read the entry of an internal key."""
    return connection.execute(_BY_KEY, {"wanted": key}).mappings().one_or_none()


def labels(connection: Connection, owner: Owner, kind: Kind, parent: InternalKey | None = None) -> tuple[str, ...]:
    """Open all labels of one kind that belong to a patient, or just those below one entry."""
    query = select(entry).where(entry.c.patient == owner.patient, entry.c.kind == kind)
    if parent is not None:
        query = query.where(entry.c.parent == parent)
    return tuple(sorted(unsealed(owner, row) for row in connection.execute(query).mappings()))


def below(connection: Connection, parent: InternalKey, kind: Kind) -> list[RowMapping]:
    """Read the entries of one kind that belong to another one."""
    query = select(entry).where(entry.c.parent == parent, entry.c.kind == kind)
    return list(connection.execute(query).mappings())


def slides_of(connection: Connection, case: InternalKey) -> list[InternalKey]:
    """Return the internal keys of all slides of a case."""
    blocks = select(entry.c.key).where(entry.c.parent == case)
    slides = select(entry.c.key).where(entry.c.parent.in_(blocks))
    return [InternalKey(key) for key in connection.scalars(slides)]


def identity(connection: Connection, owner: Owner, row: RowMapping, file_name: str | None = None) -> Identity:
    """Tell whom an entry belongs to, and what it is below that."""
    found: dict[Kind, str] = {}
    above: RowMapping | None = row
    while above is not None:
        found[Kind(above["kind"])] = unsealed(owner, above)
        above = row_of(connection, above["parent"])
    if Kind.PATIENT not in found:
        raise VaultDamaged()
    return Identity(
        patient=found[Kind.PATIENT],
        names=labels(connection, owner, Kind.NAME),
        birth_dates=labels(connection, owner, Kind.BIRTH_DATE),
        case=found.get(Kind.CASE),
        block=found.get(Kind.BLOCK),
        slide=found.get(Kind.SLIDE),
        file=file_name,
    )


def hang(
    connection: Connection, old: Owner, new: Owner, row: RowMapping, parent: InternalKey, label: str | None = None
) -> None:
    """Hang an entry below another parent, sealed under the key of that parent's patient; its internal key stays.

    Parameters
    ----------
    connection
        A transaction that writes.
    old, new
        Whose it was and whose it is now; mostly the same patient.
    row, parent
        The entry, and what it belongs to from now on.
    label
        What it is called from now on; as before where not given.
    """
    kind = Kind(row["kind"])
    text = unsealed(old, row) if label is None else checked(label, kind)
    moved = {"key": row["key"], "kind": row["kind"], "parent": parent, "patient": new.patient}
    moved["look_up"] = new.key.look_up(kind, parent, compared(kind, text))
    sealed = new.key.seal(text.encode(), *_place(moved))
    connection.execute(update(entry).where(entry.c.key == row["key"]).values(**moved, label=sealed))


def in_place(connection: Connection, owner: Owner, kind: Kind, parent: InternalKey, label: str) -> RowMapping | None:
    """Read the entry that a label below a parent has; None if there is none."""
    look_up = owner.key.look_up(kind, parent, compared(kind, checked(label, kind)))
    return connection.execute(_BY_LOOK_UP, {"wanted": look_up}).mappings().one_or_none()


def forget(connection: Connection, keys: Iterable[InternalKey]) -> None:
    """Delete entries that nothing belongs to any more."""
    connection.execute(delete(entry).where(entry.c.key.in_(list(keys))))


def forget_patient(connection: Connection, patient: InternalKey) -> None:
    """Delete all rows of a patient."""
    connection.execute(delete(file).where(file.c.patient == patient))
    connection.execute(delete(entry).where(entry.c.patient == patient))


def _place(row: Mapping[str, Any] | RowMapping) -> tuple[str | bytes, ...]:
    return ("entry", "label", row["key"], row["kind"], row["parent"], row["patient"], row["look_up"])

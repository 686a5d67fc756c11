"""What the laboratory declares once and relies on every day, such as a feed's defaults, must not change unseen.

A declaration is a name and a text, both sealed under the vault's own key. Nothing is overwritten: a new version is
added in the same transaction as its entry in the trail, and the highest version is in force.
"""

from sqlalchemy import Connection, RowMapping, func, insert, select

from ingest.keyvault.identity import checked
from ingest.keyvault.sealing import FieldKey
from ingest.keyvault.tables import declaration


def add(connection: Connection, key: FieldKey, kind: str, name: str, text: str) -> None:
    """Add a version of a declaration."""
    look_up = key.look_up("declaration", kind, checked(name, f"name of the {kind}"))
    known = select(func.max(declaration.c.version)).where(declaration.c.kind == kind, declaration.c.look_up == look_up)
    version = (connection.scalar(known) or 0) + 1
    row = {"kind": kind, "look_up": look_up, "version": version}
    place = (kind, look_up, str(version))
    connection.execute(
        insert(declaration).values(
            **row,
            name=key.seal(checked(name, kind).encode(), "declaration", "name", *place),
            text=key.seal(text.encode(), "declaration", "text", *place),
        )
    )


def in_force(connection: Connection, key: FieldKey, kind: str) -> dict[str, str]:
    """Return the newest text of every declaration of a kind, by name; raises VaultDamaged if one was changed."""
    query = select(declaration).where(declaration.c.kind == kind).order_by(declaration.c.version)
    return dict(opened(key, row) for row in connection.execute(query).mappings())


def opened(key: FieldKey, row: RowMapping) -> tuple[str, str]:
    """Open one version: its name and its text."""
    place = (row["kind"], row["look_up"], str(row["version"]))
    name = key.unseal(row["name"], "declaration", "name", *place)
    return name.decode(), key.unseal(row["text"], "declaration", "text", *place).decode()

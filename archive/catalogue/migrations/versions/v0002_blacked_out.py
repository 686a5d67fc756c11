"""Scans that are blacked out, what is black on them and who has older copies; a collection may show a slide's scans."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.String(32)
SHA256 = sa.String(64)

BEFORE = "status IN ('kept', 'quarantined', 'withdrawn', 'damaged', 'unreviewed')"
AFTER = "status IN ('kept', 'quarantined', 'withdrawn', 'damaged', 'unreviewed', 'redacting')"


def upgrade() -> None:
    """Let a scan be shut while it is made black, and remember the places and the copies."""
    _scans()
    _redactions()
    _copies_owed()
    with op.batch_alter_table("collection_slides") as table:
        table.drop_constraint("uq_collection_slides_collection_slide_key", type_="unique")
        table.create_unique_constraint("uq_collection_slides_collection_scan_key", ["collection", "scan_key"])


def _scans() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_scans_status"), "scans", type_="check")
        op.create_check_constraint(op.f("ck_scans_status"), "scans", AFTER)
        return
    # Other tables refer to this one, so it cannot be made anew within a transaction. Rewriting its text instead is what
    # SQLite's own manual gives for constraints that leave what is stored as it is (ALTER TABLE, section 7).
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = replace(sql, :before, :after) WHERE type = 'table' AND name = 'scans'"),
        {"before": BEFORE, "after": AFTER},
    )
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")


def _redactions() -> None:
    op.create_table(
        "redactions",
        sa.Column("scan_key", KEY, nullable=False),
        *(sa.Column(side, sa.Integer(), autoincrement=False, nullable=False) for side in ("x", "y", "width", "height")),
        sa.Column("act", sa.BigInteger(), nullable=False, comment="the number of its entry in the trail"),
        sa.Column(
            "replaced",
            SHA256,
            nullable=True,
            comment="of the manifest of the version that shows it; empty where none was kept",
        ),
        sa.Column("done", sa.Boolean(), nullable=False, comment="it is black"),
        sa.CheckConstraint("x >= 0 AND y >= 0 AND width > 0 AND height > 0", name=op.f("ck_redactions_extent")),
        sa.ForeignKeyConstraint(["scan_key"], ["scans.key"], name="fk_redactions_scan_key"),
        sa.PrimaryKeyConstraint("scan_key", "x", "y", "width", "height", name="pk_redactions"),
    )


def _copies_owed() -> None:
    op.create_table(
        "copies_owed",
        sa.Column(
            "act", sa.BigInteger(), autoincrement=False, nullable=False, comment="the number of its entry in the trail"
        ),
        sa.Column("holder", sa.String(80), nullable=False, comment="a project, or a backup by its handle"),
        sa.Column("scan_key", KEY, nullable=False),
        sa.Column(
            "reason", sa.String(200), nullable=True, comment="how it was dealt with; empty until somebody says so"
        ),
        sa.ForeignKeyConstraint(["scan_key"], ["scans.key"], name="fk_copies_owed_scan_key"),
        sa.PrimaryKeyConstraint("act", "holder", name="pk_copies_owed"),
    )

"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.String(32)
CODE = sa.String(13)
HANDLE = sa.String(26)
SHA256 = sa.String(64)
WORD = sa.String(64)


def upgrade() -> None:
    """Make the tables of an archive with coded slides and teaching collections."""
    _bookkeeping()
    _chain()
    _consents()
    _scans()
    _searching()
    _collections()
    _ruling()


def _bookkeeping() -> None:
    op.create_table(
        "archive",
        sa.Column("id", KEY, nullable=False, comment="random; the archive's folder holds the same"),
        sa.Column(
            "changes",
            sa.BigInteger(),
            nullable=False,
            comment="counts committed acts; its lock makes writers take turns",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_archive"),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="canonical JSON, as archive.auditchain seals it"),
        sa.Column("digest", SHA256, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    op.create_table(
        "projects",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_projects"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
    )
    op.create_table(
        "codes",
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(1), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("code", CODE, nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.number"], name="fk_codes_project"),
        sa.PrimaryKeyConstraint("project", "kind", "key", name="pk_codes"),
        sa.UniqueConstraint("code", name="uq_codes_code"),
    )
    op.create_index("ix_codes_project_code", "codes", ["project", "code"])


def _chain() -> None:
    op.create_table(
        "patients", sa.Column("key", KEY, nullable=False), sa.PrimaryKeyConstraint("key", name="pk_patients")
    )
    op.create_table(
        "cases",
        sa.Column("key", KEY, nullable=False),
        sa.Column("patient_key", KEY, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False, comment="archive.consent.Facts as canonical JSON"),
        sa.Column(
            "told",
            sa.Text(),
            nullable=True,
            comment="the same without what was recorded since; empty where that is nothing",
        ),
        sa.ForeignKeyConstraint(["patient_key"], ["patients.key"], name="fk_cases_patient_key"),
        sa.PrimaryKeyConstraint("key", name="pk_cases"),
    )
    op.create_index("ix_cases_patient_key", "cases", ["patient_key"])
    op.create_table(
        "blocks",
        sa.Column("key", KEY, nullable=False),
        sa.Column("case_key", KEY, nullable=False),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_blocks_case_key"),
        sa.PrimaryKeyConstraint("key", name="pk_blocks"),
    )
    op.create_index("ix_blocks_case_key", "blocks", ["case_key"])
    op.create_table(
        "slides",
        sa.Column("key", KEY, nullable=False),
        sa.Column("case_key", KEY, nullable=False),
        sa.Column("block_key", KEY, nullable=True),
        sa.Column("stain", WORD, nullable=True),
        sa.Column("organ_scheme", WORD, nullable=True),
        sa.Column("organ_code", WORD, nullable=True),
        sa.Column("diagnosis_scheme", WORD, nullable=True),
        sa.Column("diagnosis_code", WORD, nullable=True),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_slides_case_key"),
        sa.ForeignKeyConstraint(["block_key"], ["blocks.key"], name="fk_slides_block_key"),
        sa.PrimaryKeyConstraint("key", name="pk_slides"),
    )
    for column in ("case_key", "block_key", "stain", "organ_code", "diagnosis_code"):
        op.create_index(f"ix_slides_{column}", "slides", [column])


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="in the order of recording"),
        sa.Column("key", KEY, nullable=False, comment="random; the key vault has the evidence under it"),
        sa.Column("patient_key", KEY, nullable=True),
        sa.Column("case_key", KEY, nullable=True),
        sa.Column("text", sa.Text(), nullable=False, comment="archive.consent.records.ConsentRecord as canonical JSON"),
        sa.Column("annulled", sa.Boolean(), nullable=False, comment="it was a mistake, and counts no more"),
        sa.CheckConstraint("(patient_key IS NULL) <> (case_key IS NULL)", name=op.f("ck_consents_subject")),
        sa.ForeignKeyConstraint(["patient_key"], ["patients.key"], name="fk_consents_patient_key"),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_consents_case_key"),
        sa.PrimaryKeyConstraint("number", name="pk_consents"),
        sa.UniqueConstraint("key", name="uq_consents_key"),
    )
    for column in ("patient_key", "case_key"):
        op.create_index(f"ix_consents_{column}", "consents", [column])
    op.create_table(
        "obligations",
        sa.Column("case_key", KEY, nullable=False),
        sa.Column("record", WORD, nullable=False, comment="the document that the rules ask for"),
        sa.Column(
            "done", sa.Boolean(), nullable=False, comment="whether it exists; false if it was said to and does not"
        ),
        sa.Column("by", WORD, nullable=False, comment="a staff account"),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_obligations_case_key"),
        sa.PrimaryKeyConstraint("case_key", "record", name="pk_obligations"),
    )


def _scans() -> None:
    op.create_table(
        "scans",
        sa.Column("key", KEY, nullable=False),
        sa.Column("slide_key", KEY, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False, comment="px at level 0"),
        sa.Column("height", sa.Integer(), nullable=False, comment="px at level 0"),
        sa.Column("level_count", sa.Integer(), nullable=False),
        sa.Column("levels_added", sa.Integer(), nullable=False),
        sa.Column("mpp_x", sa.Float(), nullable=True, comment="micrometres per px at level 0"),
        sa.Column("mpp_y", sa.Float(), nullable=True, comment="micrometres per px at level 0"),
        sa.Column("objective_power", sa.Float(), nullable=True),
        sa.Column("scanner_maker", WORD, nullable=True),
        sa.Column("scanner_model", WORD, nullable=True),
        sa.Column("fidelity", WORD, nullable=False),
        sa.Column("quality", sa.Integer(), nullable=True),
        sa.Column("might_identify", WORD, nullable=False),
        sa.Column("rescreen", sa.Boolean(), nullable=False),
        sa.Column("deidentified", sa.Boolean(), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("manifest_sha256", SHA256, nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0 AND level_count > 0", name=op.f("ck_scans_extent")),
        sa.CheckConstraint(
            "status IN ('kept', 'quarantined', 'withdrawn', 'damaged', 'unreviewed')", name=op.f("ck_scans_status")
        ),
        sa.ForeignKeyConstraint(["slide_key"], ["slides.key"], name="fk_scans_slide_key"),
        sa.PrimaryKeyConstraint("key", name="pk_scans"),
    )
    op.create_index("ix_scans_slide_key", "scans", ["slide_key"])


def _searching() -> None:
    op.create_table(
        "situations",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False, comment="those of the case"),
        sa.Column("might_identify", WORD, nullable=False, comment="that of the scan"),
        sa.Column("report_bound", sa.Boolean(), nullable=False),
        sa.Column("digest", SHA256, nullable=False, comment="of the three"),
        sa.PrimaryKeyConstraint("number", name="pk_situations"),
        sa.UniqueConstraint("digest", name="uq_situations_digest"),
    )
    words = ("stain", "organ", "diagnosis", "maker", "model")
    op.create_table(
        "searched",
        sa.Column(
            "patient",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="as archive.catalogue.searching says",
        ),
        sa.Column("scan_key", KEY, nullable=False),
        sa.Column("slide", sa.BigInteger(), nullable=False),
        sa.Column("situation", sa.Integer(), nullable=False),
        sa.Column("scans", sa.Integer(), nullable=False, comment="of the slide, that are kept"),
        *(sa.Column(word, WORD, nullable=True) for word in words),
        sa.Column("objective", sa.Float(), nullable=True),
        sa.Column("mpp", sa.Float(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("fidelity", WORD, nullable=False),
        sa.ForeignKeyConstraint(["scan_key"], ["scans.key"], name="fk_searched_scan_key"),
        sa.ForeignKeyConstraint(["situation"], ["situations.number"], name="fk_searched_situation"),
        sa.PrimaryKeyConstraint("patient", "scan_key", name="pk_searched"),
        sqlite_with_rowid=False,
    )
    for column in ("slide", "situation"):
        op.create_index(f"ix_searched_{column}", "searched", [column])
    for column in (*words, "objective"):
        columns = [column, "patient", "situation", "scans"]
        op.create_index(f"ix_searched_{'_'.join(columns)}", "searched", columns)
    numbers = ["patient", "situation", "scans", "objective", "mpp", "width", "height"]
    op.create_index("ix_searched_numbers", "searched", numbers)
    asked = ["slide", "situation", "scans", *words, "objective", "mpp", "width", "height", "fidelity"]
    several = sa.text("scans > 1")
    op.create_index("ix_searched_again", "searched", asked, sqlite_where=several, postgresql_where=several)


def _collections() -> None:
    op.create_table(
        "collections",
        sa.Column("handle", HANDLE, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("handle", name="pk_collections"),
        sa.UniqueConstraint("name", name="uq_collections_name"),
    )
    op.create_table(
        "collection_slides",
        sa.Column("handle", HANDLE, nullable=False),
        sa.Column("collection", HANDLE, nullable=False),
        sa.Column("slide_key", KEY, nullable=False),
        sa.Column("scan_key", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="counted from 1, in the order the teacher gave"),
        sa.ForeignKeyConstraint(["collection"], ["collections.handle"], name="fk_collection_slides_collection"),
        sa.ForeignKeyConstraint(["slide_key"], ["slides.key"], name="fk_collection_slides_slide_key"),
        sa.ForeignKeyConstraint(["scan_key"], ["scans.key"], name="fk_collection_slides_scan_key"),
        sa.PrimaryKeyConstraint("handle", name="pk_collection_slides"),
        sa.UniqueConstraint("collection", "slide_key", name="uq_collection_slides_collection_slide_key"),
        sa.UniqueConstraint("collection", "position", name="uq_collection_slides_collection_position"),
    )
    op.create_index("ix_collection_slides_slide_key", "collection_slides", ["slide_key"])


def _ruling() -> None:
    op.create_table(
        "rules",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="the highest is in force"),
        sa.Column("version", WORD, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_rules"),
    )
    op.create_table(
        "rulings",
        sa.Column("digest", SHA256, nullable=False, comment="that of the situation"),
        sa.Column("version", WORD, nullable=False, comment="of the rules that ruled so"),
        sa.Column("outcomes", sa.Text(), nullable=False, comment="verdict and row for each question, as JSON"),
        sa.PrimaryKeyConstraint("digest", name="pk_rulings"),
    )
    op.create_table(
        "losses",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False, comment="what the lost acts told was entered again"),
        sa.PrimaryKeyConstraint("number", name="pk_losses"),
    )
    op.create_table(
        "tombstones",
        sa.Column("case_key", KEY, nullable=False),
        sa.Column(
            "act", sa.BigInteger(), autoincrement=False, nullable=False, comment="the number of its entry in the trail"
        ),
        sa.Column("by", WORD, nullable=False, comment="in which role somebody withdrew"),
        sa.Column("scope", WORD, nullable=False),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_tombstones_case_key"),
        sa.PrimaryKeyConstraint("case_key", "act", name="pk_tombstones"),
    )

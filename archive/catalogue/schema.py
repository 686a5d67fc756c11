"""The tables of the catalogue: internal keys, codes, closed vocabularies and numbers; no name and no free text but two.

The two are a collection's name and a reason, in the audit trail, of an obligation or of a copy; both are screened.
Every type here exists in SQLite and in PostgreSQL alike. No row carries a time but the audit trail's, and no list is
given in the order of storing, because order and time would join slides to a laboratory's list.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISION = "0002"
"""The newest migration. Revisions are numbers of four digits, so that a later one compares as greater."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

DERIVED = {"derived": True}
"""Marks a table that `archive.catalogue.searching` makes from the others, so that nobody needs to keep it."""

KEY = String(32)
CODE = String(13)
HANDLE = String(26)
SHA256 = String(64)
WORD = String(64)

archive = Table(
    "archive",
    metadata,
    Column("id", KEY, primary_key=True, comment="random; the archive's folder holds the same"),
    Column("changes", BigInteger, nullable=False, comment="counts committed acts; its lock makes writers take turns"),
)

projects = Table(
    "projects",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", WORD, nullable=False, unique=True),
)

codes = Table(
    "codes",
    metadata,
    Column("project", Integer, ForeignKey("projects.number"), primary_key=True),
    Column("kind", String(1), primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("code", CODE, nullable=False, unique=True),
    Index(None, "project", "code"),
)

patients = Table("patients", metadata, Column("key", KEY, primary_key=True))

cases = Table(
    "cases",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("patient_key", KEY, ForeignKey("patients.key"), nullable=False, index=True),
    Column("facts", Text, nullable=False, comment="archive.consent.Facts as canonical JSON"),
    Column("told", Text, comment="the same without what was recorded since; empty where that is nothing"),
)

consents = Table(
    "consents",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False, comment="in the order of recording"),
    Column("key", KEY, nullable=False, unique=True, comment="random; the key vault has the evidence under it"),
    Column("patient_key", KEY, ForeignKey("patients.key"), index=True),
    Column("case_key", KEY, ForeignKey("cases.key"), index=True),
    Column("text", Text, nullable=False, comment="archive.consent.records.ConsentRecord as canonical JSON"),
    Column("annulled", Boolean, nullable=False, comment="it was a mistake, and counts no more"),
    CheckConstraint("(patient_key IS NULL) <> (case_key IS NULL)", name="subject"),
)
"""What was said or found out, of one case or of all cases of a patient."""

obligations = Table(
    "obligations",
    metadata,
    Column("case_key", KEY, ForeignKey("cases.key"), primary_key=True),
    Column("record", WORD, primary_key=True, comment="the document that the rules ask for"),
    Column("done", Boolean, nullable=False, comment="whether it exists; false if it was said to and does not"),
    Column("by", WORD, nullable=False, comment="a staff account"),
    Column("reason", String(200), nullable=False),
)

losses = Table(
    "losses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("settled", Boolean, nullable=False, comment="what the lost acts told was entered again"),
)
"""That a catalogue was made again from a journal that was not whole."""

blocks = Table(
    "blocks",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("case_key", KEY, ForeignKey("cases.key"), nullable=False, index=True),
)

slides = Table(
    "slides",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("case_key", KEY, ForeignKey("cases.key"), nullable=False, index=True),
    Column("block_key", KEY, ForeignKey("blocks.key"), index=True),
    Column("stain", WORD, index=True),
    Column("organ_scheme", WORD),
    Column("organ_code", WORD, index=True),
    Column("diagnosis_scheme", WORD),
    Column("diagnosis_code", WORD, index=True),
)

scans = Table(
    "scans",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("slide_key", KEY, ForeignKey("slides.key"), nullable=False, index=True),
    Column("width", Integer, nullable=False, comment="px at level 0"),
    Column("height", Integer, nullable=False, comment="px at level 0"),
    Column("level_count", Integer, nullable=False),
    Column("levels_added", Integer, nullable=False),
    Column("mpp_x", Float, comment="micrometres per px at level 0"),
    Column("mpp_y", Float, comment="micrometres per px at level 0"),
    Column("objective_power", Float),
    Column("scanner_maker", WORD),
    Column("scanner_model", WORD),
    Column("fidelity", WORD, nullable=False),
    Column("quality", Integer),
    Column("might_identify", WORD, nullable=False),
    Column("rescreen", Boolean, nullable=False),
    Column("deidentified", Boolean, nullable=False),
    Column("status", WORD, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("manifest_sha256", SHA256, nullable=False),
    CheckConstraint("width > 0 AND height > 0 AND level_count > 0", name="extent"),
    CheckConstraint(
        "status IN ('kept', 'quarantined', 'withdrawn', 'damaged', 'unreviewed', 'redacting')", name="status"
    ),
)

redactions = Table(
    "redactions",
    metadata,
    Column("scan_key", KEY, ForeignKey("scans.key"), primary_key=True),
    *(Column(side, Integer, primary_key=True, autoincrement=False) for side in ("x", "y", "width", "height")),
    Column("act", BigInteger, nullable=False, comment="the number of its entry in the trail"),
    Column("replaced", SHA256, comment="of the manifest of the version that shows it; empty where none was kept"),
    Column("done", Boolean, nullable=False, comment="it is black"),
    CheckConstraint("x >= 0 AND y >= 0 AND width > 0 AND height > 0", name="extent"),
)
"""What is to be black on a scan, in pixels of level 0, and on every other copy that is made of it."""

copies_owed = Table(
    "copies_owed",
    metadata,
    Column("act", BigInteger, primary_key=True, autoincrement=False, comment="the number of its entry in the trail"),
    Column("holder", String(80), primary_key=True, comment="a project, or a backup by its handle"),
    Column("scan_key", KEY, ForeignKey("scans.key"), nullable=False),
    Column("reason", String(200), comment="how it was dealt with; empty until somebody says so"),
)
"""Copies that were made of a scan before it was blacked out."""

situations = Table(
    "situations",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("facts", Text, nullable=False, comment="those of the case"),
    Column("might_identify", WORD, nullable=False, comment="that of the scan"),
    Column("report_bound", Boolean, nullable=False),
    Column("digest", SHA256, nullable=False, unique=True, comment="of the three"),
    info=DERIVED,
)

searched = Table(
    "searched",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False, comment="as archive.catalogue.searching says"),
    Column("scan_key", KEY, ForeignKey("scans.key"), primary_key=True),
    Column("slide", BigInteger, nullable=False, index=True),
    Column("situation", Integer, ForeignKey("situations.number"), nullable=False, index=True),
    Column("scans", Integer, nullable=False, comment="of the slide, that are kept"),
    Column("stain", WORD),
    Column("organ", WORD),
    Column("diagnosis", WORD),
    Column("maker", WORD),
    Column("model", WORD),
    Column("objective", Float),
    Column("mpp", Float),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("fidelity", WORD, nullable=False),
    # Patients are counted as they come: within one value, or in the whole table, they are in their order.
    *(
        Index(None, column, "patient", "situation", "scans")
        for column in ("stain", "organ", "diagnosis", "maker", "model", "objective")
    ),
    Index("ix_searched_numbers", "patient", "situation", "scans", "objective", "mpp", "width", "height"),
    # Slides with several scans, with everything that may be asked of them: few, and counted apart.
    Index(
        "ix_searched_again",
        *("slide", "situation", "scans", "stain", "organ", "diagnosis", "maker", "model"),
        *("objective", "mpp", "width", "height", "fidelity"),
        sqlite_where=text("scans > 1"),
        postgresql_where=text("scans > 1"),
    ),
    info=DERIVED,
    sqlite_with_rowid=False,
)
"""What cohorts ask about, one line for each kept scan."""

collections = Table(
    "collections",
    metadata,
    Column("handle", HANDLE, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
)

collection_slides = Table(
    "collection_slides",
    metadata,
    Column("handle", HANDLE, primary_key=True),
    Column("collection", HANDLE, ForeignKey("collections.handle"), nullable=False),
    Column("slide_key", KEY, ForeignKey("slides.key"), nullable=False, index=True),
    Column("scan_key", KEY, ForeignKey("scans.key"), nullable=False),
    Column("position", Integer, nullable=False, comment="counted from 1, in the order the teacher gave"),
    UniqueConstraint("collection", "scan_key"),
    UniqueConstraint("collection", "position"),
)

rules = Table(
    "rules",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False, comment="the highest is in force"),
    Column("version", WORD, nullable=False),
)

rulings = Table(
    "rulings",
    metadata,
    Column("digest", SHA256, primary_key=True, comment="that of the situation"),
    Column("version", WORD, nullable=False, comment="of the rules that ruled so"),
    Column("outcomes", Text, nullable=False, comment="verdict and row for each question, as JSON"),
)
"""What was ruled on every situation that occurs, so that a program with other rules can tell what would change."""

tombstones = Table(
    "tombstones",
    metadata,
    Column("case_key", KEY, ForeignKey("cases.key"), primary_key=True),
    Column("act", BigInteger, primary_key=True, autoincrement=False, comment="the number of its entry in the trail"),
    Column("by", WORD, nullable=False, comment="in which role somebody withdrew"),
    Column("scope", WORD, nullable=False),
)
"""That consent was withdrawn, whatever is recorded of the case later."""

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False, comment="canonical JSON, as archive.auditchain seals it"),
    Column("digest", SHA256, nullable=False),
)

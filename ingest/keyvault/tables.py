"""The vault's tables: random keys and sealed fields; no column holds anything that a person could be known by.

Two databases. The vault's own holds what is known, sealed under each patient's own key. The key store is small and
holds those keys, wrapped under the key file's key.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

SCHEMA_VERSION = 1
"""Of the vault's tables; a vault of another version is not opened."""

_KEY = String(32)

vault_tables = MetaData()

about = Table(
    "about",
    vault_tables,
    Column("schema_version", Integer, primary_key=True),
    Column("seal", LargeBinary, nullable=False, comment="opens with this vault's own key and no other"),
)

entry = Table(
    "entry",
    vault_tables,
    Column("key", _KEY, primary_key=True),
    Column("kind", String(16), nullable=False, comment="patient, name, birth date, case, block, slide or evidence"),
    Column("parent", _KEY, nullable=False, index=True, comment="what it belongs to; a patient's is empty"),
    Column("patient", _KEY, nullable=False, index=True, comment="whose key seals the label"),
    Column("look_up", LargeBinary(32), nullable=False, unique=True),
    Column("label", LargeBinary, nullable=False, comment="sealed"),
)

file = Table(
    "file",
    vault_tables,
    Column("scan", _KEY, primary_key=True),
    Column("slide", _KEY, nullable=False, index=True),
    Column("patient", _KEY, nullable=False, index=True),
    Column("look_up", LargeBinary(32), nullable=False, unique=True, comment="of the file's digest"),
    Column("name", LargeBinary, nullable=False, comment="sealed"),
    Column("committed", Boolean, nullable=False, comment="whether the archive has the scan"),
    Column("recorded", Float, nullable=False, comment="seconds since 1970, UTC"),
)

directory = Table(
    "directory",
    vault_tables,
    Column("case_key", _KEY, primary_key=True),
    Column("patient", _KEY, nullable=False, index=True),
    Column("look_up", LargeBinary(32), nullable=False, index=True, comment="of the case's number, whoever's it is"),
)

correction = Table(
    "correction",
    vault_tables,
    Column("key", _KEY, primary_key=True),
    Column("subject", _KEY, nullable=False, unique=True, comment="the slide or case that is being corrected"),
    Column("text", LargeBinary, nullable=False, comment="what the archive is to record; sealed"),
)

declaration = Table(
    "declaration",
    vault_tables,
    Column("kind", String(16), primary_key=True),
    Column("look_up", LargeBinary(32), primary_key=True, comment="of its name"),
    Column("version", Integer, primary_key=True, comment="counts from 1; the highest is in force"),
    Column("name", LargeBinary, nullable=False, comment="sealed"),
    Column("text", LargeBinary, nullable=False, comment="sealed"),
)

intake = Table(
    "intake",
    vault_tables,
    Column("number", String(8), primary_key=True, comment="random; what people call a delivered file by"),
    Column("look_up", LargeBinary(32), nullable=False, unique=True, comment="of its path"),
    Column("state", String(8), nullable=False),
    Column("reason", String(32), nullable=False, comment="of a closed list, or empty"),
    Column("since", BigInteger, nullable=False, comment="milliseconds since 1970, UTC"),
    Column("scan", _KEY, nullable=False, comment="what it became; empty for nothing"),
    Column("patient", _KEY, nullable=False, index=True, comment="whose key seals the content; empty: the vault's own"),
    Column("source_bytes", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="sealed: its path and whatever else may name a person"),
    Index("ix_intake_state_since", "state", "since"),
    Index("ix_intake_scan_state", "scan", "state"),
)

intake_event = Table(
    "intake_event",
    vault_tables,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="counts from 1"),
    Column("at", BigInteger, nullable=False, index=True, comment="milliseconds since 1970, UTC"),
    Column("entry", String(8), nullable=False, comment="the number of the file in the table intake"),
    Column("state", String(8), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("source_bytes", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="sealed"),
)

awaited = Table(
    "awaited",
    vault_tables,
    Column("look_up", LargeBinary(32), primary_key=True, comment="of what tells a list's row from every other"),
    Column("since", BigInteger, nullable=False, comment="milliseconds since 1970, UTC"),
    Column("arrived", BigInteger, nullable=False, comment="when its file came, likewise; 0 for not yet"),
    Column("content", LargeBinary, nullable=False, comment="sealed: the list and the row's number"),
    Index("ix_awaited_arrived_since", "arrived", "since"),
)

lookup_request = Table(
    "lookup_request",
    vault_tables,
    Column("number", String(8), primary_key=True, comment="random; what people call a request to identify by"),
    Column("content", LargeBinary, nullable=False, comment="sealed: whose keys, who asks and why, and who approved"),
)

erasure = Table(
    "erasure",
    vault_tables,
    Column("patient", _KEY, primary_key=True, comment="begun, and not finished until the old key is destroyed"),
)

audit = Table(
    "audit",
    vault_tables,
    Column("number", Integer, primary_key=True, autoincrement=False, comment="counts from 1 without gaps"),
    Column("text", Text, nullable=False, comment="canonical JSON, as it was hashed"),
    Column("digest", String(64), nullable=False),
)

head = Table(
    "head",
    vault_tables,
    Column("only", Integer, primary_key=True, comment="1: writers lock this row, so that they come one after another"),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
)

key_tables = MetaData()

wrapped_key = Table(
    "wrapped_key",
    key_tables,
    Column("owner", _KEY, primary_key=True, comment="a patient's internal key, or empty for the vault's own"),
    Column("look_up", LargeBinary(32), nullable=False, unique=True),
    Column("wrapped", LargeBinary, nullable=False, comment="key and inner look-up, sealed under the key file's key"),
)

wrapped_under = Table(
    "wrapped_under",
    key_tables,
    Column("key_name", _KEY, primary_key=True),
)

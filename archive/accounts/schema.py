"""The tables of the account database: staff logins, what they may act as, who is in now, and the access trail.

No password, token or cookie stands here as it is: passwords as argon2id, the others as SHA-256, which is enough for
256 random bits. Nothing here is about a patient. Times are seconds since 1970, UTC.
"""

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Integer, MetaData, String, Table, Text

SCHEMA_VERSION = 1

metadata = MetaData(
    naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
)

_NAME = String(64)
_SHA256 = String(64)

store = Table(
    "store",
    metadata,
    Column("only", Integer, CheckConstraint("only = 1", name="one_row"), primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("id", String(32), nullable=False, comment="random; opens the access trail"),
    Column("head_number", Integer, nullable=False, comment="the trail's newest entry, so that a cut end shows"),
    Column("head_digest", _SHA256, nullable=False),
    Column("strangers", Integer, nullable=False, comment="failed tries that are not in the trail yet"),
    Column("strangers_told", Float, nullable=False, comment="when the trail was last told of such tries"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("password", Text, comment="argon2id in its usual text form; null where another system vouches"),
    Column("state", String(16), nullable=False),
    Column("failures", Integer, nullable=False, comment="wrong passwords in a row"),
    Column("locked_until", Float),
)

grants = Table(
    "grants",
    metadata,
    Column("account", _NAME, ForeignKey("accounts.name"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("project", _NAME, primary_key=True, comment="empty for a role in the whole archive"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", _SHA256, primary_key=True, comment="SHA-256 of the cookie"),
    Column("account", _NAME, ForeignKey("accounts.name"), nullable=False, index=True),
    Column("role", String(16), comment="null until one was chosen"),
    Column("project", _NAME, nullable=False),
    Column("used", Float, nullable=False),
    Column("ends", Float, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("number", Integer, primary_key=True, comment="names the token without telling it"),
    Column("digest", _SHA256, nullable=False, unique=True, comment="SHA-256 of the secret"),
    Column("account", _NAME, ForeignKey("accounts.name"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("project", _NAME, nullable=False),
    Column("actions", Text, comment="JSON list; null for all that the role may do"),
    Column("expires", Float, nullable=False),
    sqlite_autoincrement=True,
)

persons = Table(
    "persons",
    metadata,
    Column("account", _NAME, ForeignKey("accounts.name"), primary_key=True),
    Column(
        "person", _SHA256, nullable=False, unique=True, comment="SHA-256 of a provider's name and its word for them"
    ),
)

addresses = Table(
    "addresses",
    metadata,
    Column("address", _NAME, primary_key=True, comment="of whoever failed to sign in; forgotten when it ended"),
    Column("failures", Integer, nullable=False),
    Column("first", Float, nullable=False, comment="when the first of them was"),
)

openings = Table(
    "openings",
    metadata,
    Column("account", _NAME, ForeignKey("accounts.name"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("project", _NAME, primary_key=True),
    Column("slide", _NAME, primary_key=True),
    Column("told", Float, nullable=False, index=True, comment="when the trail was told; forgotten after an hour"),
)

trail = Table(
    "trail",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("digest", _SHA256, nullable=False),
)

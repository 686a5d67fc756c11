"""A database keeps its word only if it is told to: each engine is set so that a commit survives a power cut.

SQLite in WAL mode loses committed transactions under ``synchronous=NORMAL`` and none under ``FULL``, and its locks and
shared memory only work on a disk of this machine. PostgreSQL keeps its commits unless ``fsync``, ``full_page_writes``
or ``synchronous_commit`` is switched off. What is set wrong is refused when the catalogue is opened.
"""

import logging
import re
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Pool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from archive.errors import CatalogueUnavailable

_log = logging.getLogger(__name__)

WRITES = "coverslip_writes"
"""Execution option of a connection that will write; SQLite must know it when the transaction begins."""

BUSY_MILLISECONDS = 30_000
"""How long SQLite waits for another writer. A commit takes about a millisecond; an adoption may verify for seconds."""

_PRAGMAS = {
    "foreign_keys": "ON",
    "trusted_schema": "OFF",
    "cell_size_check": "ON",
    "mmap_size": "0",
    "busy_timeout": str(BUSY_MILLISECONDS),
}
_WRITING_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "fullfsync": "ON",
    "checkpoint_fullfsync": "ON",
    "secure_delete": "ON",
    "cache_size": "-65536",
}
"""64 MiB of pages: random keys touch pages everywhere, and in a catalogue of a million slides 2 MiB hold none of them.

The two fullfsync settings matter on macOS only, where a plain fsync leaves data in the drive's cache."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs"})
_NETWORK_FUSE = ("fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.glusterfs", "fuse.ceph", "fuse.gcsfuse")


def sqlite_engine(file: Path, *, read_only: bool, pool: type[Pool] | None = None) -> Engine:
    """Open an SQLite catalogue; ``pool`` keeps its connections, unless the engine is to choose.

    Raises
    ------
    CatalogueUnavailable
        If the file lies on a network file system, where SQLite's locks cannot be relied on.
    """
    kind = file_system(file.parent)
    if is_on_network(kind):
        raise CatalogueUnavailable(
            f"the archive lies on a network file system ({kind}), where SQLite may lose data; "
            "put it on a local disk, or keep the catalogue in PostgreSQL"
        )
    query = {"uri": "true", "mode": "ro" if read_only else "rwc"}
    url = URL.create("sqlite", database=file.absolute().as_uri(), query=query)
    engine = create_engine(url, hide_parameters=True, poolclass=pool)
    pragmas = _PRAGMAS | ({"query_only": "ON"} if read_only else _WRITING_PRAGMAS)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is said below; left to itself the driver begins too late
        cursor = connection.cursor()
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later cannot wait for another writer; one that says so at once can.
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def postgresql_engine(url: str, *, read_only: bool) -> Engine:
    """Open a PostgreSQL catalogue.

    Raises
    ------
    CatalogueUnavailable
        If the URL is none of PostgreSQL's, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise CatalogueUnavailable("the database URL must begin with postgresql://; leave it out for SQLite")
        options = f"-c default_transaction_read_only={'on' if read_only else 'off'} -c lock_timeout={BUSY_MILLISECONDS}"
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"options": options},
        )
    except (ArgumentError, NoSuchModuleError):
        raise CatalogueUnavailable("the database URL cannot be read; check its form") from None
    except ModuleNotFoundError:
        raise CatalogueUnavailable(
            "PostgreSQL's driver is not installed; run: pip install 'coverslip[postgresql]'"
        ) from None


def count_act(connection: Connection) -> None:
    """Raise the count of acts in the first page of an SQLite file, as whoever writes does.

    SQLite raises its own count with the first page. A file of which neither has grown was not written to, and a check
    can tell that every byte must be the same (`archive.catalogue.resting`). PostgreSQL has checksums of its own.
    """
    if connection.dialect.name == "sqlite":
        count = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        connection.exec_driver_sql(f"PRAGMA user_version={(count + 1) % 2**31}")


def require_durable(connection: Connection) -> None:
    """Refuse a server that may forget what it committed.

    Raises
    ------
    CatalogueUnavailable
        If a setting that commits depend on is switched off. Missing data checksums are only logged as a warning.
    """
    if connection.dialect.name == "sqlite":
        if connection.scalar(text("PRAGMA journal_mode")) != "wal":
            raise CatalogueUnavailable("SQLite cannot keep its write-ahead log here; put the archive on a local disk")
        return
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        if connection.scalar(text(f"SHOW {setting}")) == "off":
            raise CatalogueUnavailable(f"the database server has {setting} off and may lose data; switch it on")
    if connection.scalar(text("SHOW data_checksums")) == "off":
        _log.warning("the database server keeps no data checksums; consider pg_checksums --enable")


def is_on_network(kind: str) -> bool:
    """Tell whether a kind of file system is another machine's, where SQLite's locks cannot be relied on."""
    return kind in _NETWORK or kind.startswith(_NETWORK_FUSE)


def file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Tell the kind of file system that a folder is on, such as ``ext4``; empty where the system does not say.

    Linux lists its mounts in ``/proc/self/mountinfo`` (proc(5)): the mount point is the fifth word, and the kind is
    the first word after a single hyphen. Elsewhere nothing can be told without native code.
    """
    place = folder.resolve()
    deepest, kind = -1, ""
    for line in mounts.read_text("utf-8", "surrogateescape").splitlines() if mounts.is_file() else ():
        before, _, after = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split(" ")[4]))
        # A later mount on the same point hides the earlier one.
        if place.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), after.split(" ")[0]
    return kind

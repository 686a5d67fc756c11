"""An archive runs with no configuration at all; each setting here is there because some laboratory must differ.

Values come from the environment as ``COVERSLIP_<NAME>`` (for example ``COVERSLIP_PORT=9000``) or from the caller, are
checked when they are read, and do not change afterwards. Nothing about the key vault is here: a machine that only
serves has no setting that could lead to it.
"""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ShownColours(StrEnum):
    """How a slide's colours are shown until whoever looks chooses for themselves."""

    SCANNED = "scanned"
    """As the scanner stored them."""
    SRGB = "srgb"
    """Turned into sRGB by the scanner's profile, where there is one."""


class ArchiveSettings(BaseSettings):
    """Where an archive lies and how it is served."""

    model_config = SettingsConfigDict(
        env_prefix="COVERSLIP_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    archive: Path = Path("coverslip-archive")
    """Folder of the archive, on a disk of this machine: SQLite and renames are only safe on a local file system."""

    database_url: SecretStr | None = None
    """URL of a PostgreSQL database, such as ``postgresql://archive@db.example/coverslip``. None keeps the catalogue
    in an SQLite file inside the archive, which one machine can use without any server. Secret because it may hold a
    password."""

    host: str = "127.0.0.1"
    """Address that the server listens on. Loopback, because whatever anyone can open is the public domain; any other
    needs accounts and a proxy that ends TLS."""

    behind_tls_proxy: bool = False
    """Whether a proxy in front of the server ends TLS. Declared and never guessed from what a request says, because
    passwords and session cookies must not travel in the clear."""

    hostname: str | None = None
    """Name that browsers know the proxy by, such as ``slides.hospital.example``; requests under any other are refused,
    so that no foreign page can reach in through a visitor's browser. Only with ``behind_tls_proxy``."""

    root_path: str = ""
    """What every address begins with, such as ``/slides``, where the proxy has other things under the same name. The
    proxy passes addresses on as they are. Only with ``behind_tls_proxy``."""

    proxy_address: str | None = None
    """Address or network that the proxy connects from, such as ``127.0.0.1``, where the proxy writes its client's
    address as the last of ``X-Forwarded-For``: failed sign-ins are then counted for each client. None believes nobody
    about that, and counts them for each account only. Only with ``behind_tls_proxy``."""

    port: int = Field(8765, ge=1, le=65535)
    """TCP port of the server; above 1023, so that no privilege is needed to listen on it."""

    workers: int = Field(2, ge=1, le=64)
    """Server processes. Two, so that one slow request does not hold up the class; about one a core is best."""

    tile_cache_bytes: int = Field(256 * 2**20, ge=0)
    """Bytes of memory for derived tiles, in each worker. 256 MiB holds about 10,000 tiles, a class's morning."""

    colours: ShownColours = ShownColours.SCANNED
    """How colours are shown until whoever looks switches. ``scanned`` sends the stored bytes themselves, of slides with
    and without a profile alike; ``srgb`` is for screens that are known to show sRGB."""

    decision_cache_seconds: float = Field(0.5, ge=0, le=1)
    """Seconds for which a consent decision may be used again. At most 1, because a withdrawal must act within a second
    on every worker."""

    audit_second_place: Path | None = None
    """File that the head of the audit chain is added to after every act. On another disk or machine than the archive,
    it shows when the end of the chain was cut off or the chain was made anew; None leaves that unseen."""

    audit_copy: Path | None = None
    """Folder of the signed statements about all audit trails, best on another machine. With it, verifying shows when
    any trail's end was cut off; None leaves that unseen."""

    oidc_issuer: str | None = None
    """Name of the OpenID Connect provider that signs staff in, an address such as
    ``https://login.hospital.example/realms/staff``. None leaves passwords only, and no connection is ever made."""

    oidc_client_id: str = "coverslip"
    """What the provider calls this server."""

    oidc_client_secret: SecretStr | None = None
    """What this server shows the provider to be itself. None where the provider knows it as a public client."""

    oidc_claim: str = "preferred_username"
    """What the provider calls the account's name. It must be one that people cannot choose themselves."""

"""What is sent to another machine tells of patients' slides, so it is sent encrypted and to known machines only.

On one machine the connection is encrypted as well, with certificates that exist in memory only: whoever may connect
to a scheduler can run programs as the user who started it, and other users of a machine can reach its loopback address.
"""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from distributed.security import Security

from archive.errors import InvalidValue


@dataclass(frozen=True)
class Credentials:
    """Three PEM files: the authority that signed all certificates of a cluster, one of these, and its private key."""

    authority: Path
    certificate: Path
    key: Path = field(repr=False)

    def __post_init__(self) -> None:
        for file in (self.authority, self.certificate, self.key):
            if not file.is_file():
                raise InvalidValue("a TLS file is not there; check --tls-ca, --tls-cert and --tls-key")

    @classmethod
    def of(cls, authority: Path | None, certificate: Path | None, key: Path | None) -> "Credentials | None":
        """Make them of what was given: all three, or nothing.

        Raises
        ------
        InvalidValue
            If one is missing.
        """
        given = [file for file in (authority, certificate, key) if file is not None]
        if not given:
            return None
        if len(given) < 3:
            raise InvalidValue("give all three of --tls-ca, --tls-cert and --tls-key")
        return cls(*given)

    def security(self) -> Security:
        """Give them in the form that `distributed` wants; it then accepts no connection without them."""
        certificate, key = str(self.certificate), str(self.key)
        return Security(
            require_encryption=True,
            tls_ca_file=str(self.authority),
            tls_client_cert=certificate,
            tls_client_key=key,
            tls_worker_cert=certificate,
            tls_worker_key=key,
            tls_scheduler_cert=certificate,
            tls_scheduler_key=key,
        )


def security_for(address: str, credentials: Credentials | None) -> Security | None:
    """Choose how to speak with the scheduler at an address; None is in the clear, on this machine.

    Raises
    ------
    InvalidValue
        If it is no address, or one on another machine that could be listened to.
    """
    try:
        parts = urlsplit(address)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        scheme, host, port = "", "", None
    if scheme not in ("tls", "tcp") or not host or not port:
        raise InvalidValue("a scheduler's address looks like tls://machine:8786; give it with --scheduler")
    if scheme == "tls":
        if credentials is None:
            raise InvalidValue("a scheduler at tls:// wants certificates; give --tls-ca, --tls-cert and --tls-key")
        return credentials.security()
    if not is_loopback(host):
        raise InvalidValue(
            "a scheduler on another machine is spoken with by tls:// only, because what is sent tells of patients' "
            "slides; start it with certificates and give --tls-ca, --tls-cert and --tls-key"
        )
    return None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine and nothing else; a name other than ``localhost`` may be anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

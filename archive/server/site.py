"""Where a server is reached: on this machine alone, or under one name behind a proxy that ends TLS.

A browser sends whoever controls a name to any address at all, so a server answers only to names that are its own.
"""

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from archive.errors import InvalidValue
from archive.server.status import ForeignHost
from archive.settings import ArchiveSettings

_HOST: Final = re.compile(r"(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+)(:[0-9]{1,5})?")
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?")
_ROOT: Final = re.compile(r"(/[A-Za-z0-9_-]{1,64}){0,4}")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else: an address of the loopback network, or ``localhost``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def require_loopback(host: str) -> None:
    """Refuse to listen where other machines could reach.

    Raises
    ------
    InvalidValue
        If `host` is anything but this machine's loopback.
    """
    if not is_loopback(host):
        raise InvalidValue(
            "without accounts and a TLS proxy this listens on this machine only (127.0.0.1, ::1 or localhost), because "
            "an address that anyone can open is the public domain; give people accounts and say --behind-tls-proxy and "
            "--hostname, or use an SSH tunnel to look from elsewhere"
        )


def require_own_host(host: str) -> None:
    """Refuse a request that names another host than this machine, as ``host`` or ``host:port``.

    Raises
    ------
    ForeignHost
        If it does.
    """
    found = _HOST.fullmatch(host)
    if found is None or not is_loopback(found[1]):
        raise ForeignHost


@dataclass(frozen=True, slots=True)
class Site:
    """The names that a server answers to, and what its addresses begin with.

    ``name`` is the host that browsers know a proxy by, in lower case, with its port if that is not 443; None if only
    this machine's own names lead here. ``root`` is what every address begins with, such as ``/slides``, or nothing.
    ``proxy`` is where the proxy connects from, which is believed when it says who asks; None believes nobody.
    """

    name: str | None = None
    root: str = ""
    proxy: IPv4Network | IPv6Network | None = None

    def __post_init__(self) -> None:
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise InvalidValue("a host name is written as browsers show it, such as slides.hospital.example")
        if not _ROOT.fullmatch(self.root):
            raise InvalidValue("a root path begins with / and does not end with it, such as /slides")

    @classmethod
    def of(cls, settings: ArchiveSettings, *, accounts: bool) -> "Site":
        """Give the site that settings ask for, if it may be served.

        Raises
        ------
        InvalidValue
            If others could reach it who need no account, or whose passwords would travel in the clear.
        """
        if not accounts:
            require_loopback(settings.host)
            if settings.behind_tls_proxy:
                raise InvalidValue(
                    "a proxy lets others in, so accounts are needed first; make them with: coverslip setup"
                )
        if not settings.behind_tls_proxy:
            require_loopback(settings.host)
            if settings.hostname or settings.root_path or settings.proxy_address:
                raise InvalidValue(
                    "--hostname, --root-path and --proxy-address describe a proxy; declare it with --behind-tls-proxy"
                )
            return cls()
        if not settings.hostname:
            raise InvalidValue("behind a proxy, say with --hostname which name browsers know it by")
        proxy = None if settings.proxy_address is None else _network(settings.proxy_address)
        return cls(settings.hostname.lower(), settings.root_path, proxy)

    @property
    def encrypted(self) -> bool:
        """Whether browsers reach it through TLS."""
        return self.name is not None

    def admit(self, host: str) -> None:
        """Refuse a request under a name that is not the server's.

        Raises
        ------
        ForeignHost
            If it is another's.
        """
        if self.name is None:
            require_own_host(host)
        elif host.lower() != self.name:
            raise ForeignHost

    def origin(self, host: str) -> str:
        """Give the origin of the server's own pages, as browsers name it, for a host that was admitted."""
        return f"http://{host.lower()}" if self.name is None else f"https://{self.name}"

    def within(self, path: str) -> str | None:
        """Give a path without what every address begins with; None if it does not begin so."""
        if not self.root:
            return path
        if path == self.root:
            return "/"
        return path.removeprefix(self.root) if path.startswith(f"{self.root}/") else None


def _network(written: str) -> IPv4Network | IPv6Network:
    try:
        return ipaddress.ip_network(written)
    except ValueError:
        raise InvalidValue(
            "--proxy-address is the proxy's address or network as this machine sees it, such as 127.0.0.1"
        ) from None

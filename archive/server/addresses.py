"""An address says whose tries are whose; behind a proxy it is known only from the proxy that was declared.

Anybody can write into a request that it comes from somewhere else. So nothing that a request says counts, but for the
last word of ``X-Forwarded-For`` where a declared proxy brought it: that word is the proxy's own.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fastapi import Request

from archive.server.site import Site

ONE_HOUSEHOLD_BITS = 64
"""Of an address of IPv6 the rest is a device's to choose, as often as it likes."""


def address_of(request: Request, site: Site) -> str | None:
    """Give the address that a request comes from, in one spelling; None where that is not known."""
    peer = request.client.host if request.client is not None else ""
    return sender(peer, request.headers.getlist("x-forwarded-for"), site)


def sender(peer: str, forwarded: Sequence[str], site: Site) -> str | None:
    """Give the address of whoever sent a request.

    Parameters
    ----------
    peer : str
        The other end of the connection.
    forwarded : sequence of str
        Every ``X-Forwarded-For`` of the request, in their order.
    site : Site
        Says whether there is a proxy, and where.
    """
    found = _address(peer)
    if not site.encrypted:
        return _spelt(found)
    if site.proxy is None or found is None:
        return None
    if found not in site.proxy:
        return _spelt(found)
    return _spelt(_address(",".join(forwarded).rpartition(",")[2].strip()))


def _address(written: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(written.strip("[]"))
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _spelt(address: IPv4Address | IPv6Address | None) -> str | None:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, ONE_HOUSEHOLD_BITS), strict=False))
    return None if address is None else str(address)

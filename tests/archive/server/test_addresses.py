"""Where somebody comes from is what the connection says, or the declared proxy, never what a request says of itself."""

from ipaddress import ip_network

import pytest

from archive.errors import InvalidValue
from archive.server.addresses import sender
from archive.server.site import Site
from archive.settings import ArchiveSettings

ALONE = Site()
PROXIED = Site("slides.example", "", ip_network("10.9.0.0/28"))
TOLD = ["198.51.100.7, 203.0.113.9"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "site", "address"),
    [
        ("127.0.0.1", TOLD, ALONE, "127.0.0.1"),
        ("[::1]", TOLD, ALONE, "::/64"),
        ("10.9.0.3", TOLD, PROXIED, "203.0.113.9"),
        ("10.9.0.3", ["203.0.113.9", "198.51.100.7"], PROXIED, "198.51.100.7"),
        ("::ffff:10.9.0.3", TOLD, PROXIED, "203.0.113.9"),
        ("10.9.0.3", ["2001:db8:1:2:3:4:5:6"], PROXIED, "2001:db8:1:2::/64"),
        ("10.9.0.3", ["::ffff:203.0.113.9"], PROXIED, "203.0.113.9"),
        ("10.9.0.3", ["203.0.113.9, unknown"], PROXIED, None),
        ("10.9.0.3", [], PROXIED, None),
        ("10.9.0.99", TOLD, PROXIED, "10.9.0.99"),
        ("127.0.0.1", TOLD, PROXIED, "127.0.0.1"),
        ("10.9.0.3", TOLD, Site("slides.example"), None),
        ("", TOLD, PROXIED, None),
        ("unix:", TOLD, ALONE, None),
    ],
)
def test_only_the_declared_proxy_is_believed(peer: str, forwarded: list[str], site: Site, address: str | None) -> None:
    assert sender(peer, forwarded, site) == address


def test_a_proxy_is_declared_by_its_address_or_network() -> None:
    def site(written: str) -> Site:
        named = ArchiveSettings(behind_tls_proxy=True, hostname="slides.example", proxy_address=written)
        return Site.of(named, accounts=True)

    assert site("10.9.0.3").proxy == ip_network("10.9.0.3/32")
    assert site("2001:db8::/126").proxy == ip_network("2001:db8::/126")
    for wrong in ("", "proxy.example", "10.9.0.3/16", "10.9.0.3:80"):
        with pytest.raises(InvalidValue, match="--proxy-address is"):
            site(wrong)


def test_a_proxy_address_without_a_proxy_is_refused() -> None:
    with pytest.raises(InvalidValue, match="--behind-tls-proxy"):
        Site.of(ArchiveSettings(proxy_address="127.0.0.1"), accounts=True)

"""Which addresses may be fetched from, and what a name means."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from assets.fetching._words import FetchRefused

NAT64 = ip_network("64:ff9b::/96")  # an IPv4 address inside an IPv6 one
OF_CLOUDS = [ip_network("192.0.0.0/24"), ip_network("168.63.129.16/32")]
"""Where machines of some clouds ask about themselves; to some versions of Python the first is public."""
Address = IPv4Address | IPv6Address


def checked(url: str) -> str:
    """The address, if it is one of the web without a password in it. Raises FetchRefused."""
    try:
        parts = urlsplit(url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise FetchRefused("This is no address that can be fetched.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise FetchRefused("Only addresses that begin with http:// or https:// can be fetched.")
    if parts.username or parts.password:
        raise FetchRefused("An address with a name or password in it is not fetched.")
    return url.strip()


def vetted(host: str, port: int) -> list[Address]:
    """The addresses of a host which may be connected to, at least one. Raises FetchRefused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchRefused(f"There is no server called {host}.") from None
    addresses = [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
    allowed = [address for address in dict.fromkeys(addresses) if may_connect(address)]
    if not allowed:
        raise FetchRefused(f"{host} is in a private network, which imports may not read from.")
    return allowed


def may_connect(address: Address) -> bool:
    """Whether it is public or in IMPORT_ALLOWED_NETWORKS. One inside an IPv6 address counts itself."""
    inner = _inside(address)
    if inner is not None:
        return may_connect(inner)
    for network in settings.IMPORT_ALLOWED_NETWORKS:
        if address in ip_network(network, strict=False):
            return True
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    special = special or any(address in network for network in OF_CLOUDS)
    return address.is_global and not (
        special or address.is_link_local or getattr(address, "is_site_local", False)
    )


def _inside(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64 or int(address) >> 32 == 0 and int(address) > 1:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour

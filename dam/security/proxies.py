"""Who asks, where a proxy stands between: headers about that are believed from named proxies alone."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

Next = Callable[[HttpRequest], HttpResponseBase]
Address = IPv4Address | IPv6Address

TOLD = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


def proxies(get_response: Next) -> Next:
    """REMOTE_ADDR becomes the address of the person; what others than TRUSTED_PROXIES say of it goes."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        peer = _address(request.META.get("REMOTE_ADDR", ""))
        if peer is not None and trusted(peer):
            peer = _behind(request.META.get("HTTP_X_FORWARDED_FOR", ""), peer)
        else:
            for name in TOLD:
                request.META.pop(name, None)
        request.META["REMOTE_ADDR"] = str(peer) if peer is not None else ""
        return get_response(request)

    return middleware


def trusted(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def _behind(forwarded: str, peer: Address) -> Address:
    """The last address that no proxy of ours has: what stands before it is said by whoever asks."""
    for text in reversed(forwarded.split(",")):
        found = _address(text.strip())
        if found is None:
            break
        peer = found
        if not trusted(found):
            break
    return peer


def _address(text: str) -> Address | None:
    """Also of `1.2.3.4:5678` and `[::1]:5678`, as some servers and proxies write it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(name, strict=False) for name in names]

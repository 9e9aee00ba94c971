"""Photoshop's image resources (8BIM): the place of IPTC IIM, and of the digest that XMP was made by."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

SIGNATURES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")
IIM, DIGEST = 0x0404, 0x0425
NO_NAME = b"\x00\x00"


class Resource(NamedTuple):
    signature: bytes
    id: int
    name: bytes
    """A Pascal string, padded."""
    data: bytes


def resources(block: bytes) -> tuple[list[Resource], bytes]:
    """The resources of a block, and what behind them is none: empty for a sound block."""
    found: list[Resource] = []
    at = 0
    while at + 12 <= len(block) and block[at : at + 4] in SIGNATURES:
        start = at + 6 + (block[at + 6] + 2 & ~1)
        size = int.from_bytes(block[start : start + 4], "big")
        if len(block) < start + 4 + size:
            break
        number = int.from_bytes(block[at + 4 : at + 6], "big")
        name, data = block[at + 6 : start], block[start + 4 : start + 4 + size]
        found.append(Resource(block[at : at + 4], number, name, data))
        at = start + 4 + size + size % 2
    return found, block[at:].rstrip(b"\x00")


def packed(found: Iterable[Resource]) -> bytes:
    """The block of these resources."""
    block = b""
    for signature, number, name, data in found:
        head = signature + number.to_bytes(2, "big") + name + len(data).to_bytes(4, "big")
        block += head + data + b"\x00" * (len(data) % 2)
    return block


def data_of(block: bytes, number: int) -> bytes:
    """The data of the first resource of this number, empty where there is none."""
    return next((one.data for one in resources(block)[0] if one.id == number), b"")


def with_iim(found: Iterable[Resource], iim: bytes, elsewhere: bool = False) -> list[Resource]:
    """The same resources with this IIM and its digest; without both where it is empty.

    `elsewhere`: the IIM itself has a place of its own, as in a TIFF.
    """
    kept = [one for one in found if one.id not in (IIM, DIGEST)]
    if not iim:
        return kept
    digest = hashlib.md5(iim, usedforsecurity=False).digest()
    block = [] if elsewhere else [Resource(b"8BIM", IIM, NO_NAME, iim)]
    return [*block, Resource(b"8BIM", DIGEST, NO_NAME, digest), *kept]


def is_newer(digest: bytes, iim: bytes) -> bool:
    """Whether IIM was changed after XMP was made to agree with it (Metadata Working Group 2.0, 5.4)."""
    forms = (iim, iim.rstrip(b"\x00"))  # in a TIFF it may be filled up to a multiple of four bytes
    return bool(digest) and digest not in [
        hashlib.md5(form, usedforsecurity=False).digest() for form in forms
    ]

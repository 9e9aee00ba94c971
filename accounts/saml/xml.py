"""Reading XML of others: no document types, no entities, nothing from elsewhere, and not much of it."""

from typing import Any

NAMES = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
LARGEST = 256 * 1024  # bytes of a document; some hundred groups fit
Element = Any  # lxml has no types, and need not be installed


class Refused(Exception):
    """What somebody sent cannot be believed; says why, for the log."""


def parsed(data: bytes) -> Element:
    """The root of an XML document in UTF-8, without its comments. Raises Refused."""
    from lxml import etree

    if len(data) > LARGEST:
        raise Refused(f"The document is larger than {LARGEST} bytes.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Refused("The document is not in UTF-8.") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Refused("The document has a document type or entities.")
    # What was looked at above is what is read: whatever encoding a document claims, it is read as UTF-8.
    # Comments go before anything is read, so that none can cut a text in two.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        raise Refused(f"The document is not XML: {error}") from error
    if root.getroottree().docinfo.doctype:
        raise Refused("The document has a document type.")
    return root


def tag(name: str) -> str:
    """`saml:Issuer` as lxml names it."""
    space, _, local = name.partition(":")
    return f"{{{NAMES[space]}}}{local}"


def text_of(element: Element | None) -> str:
    """All the text in an element, as one; empty if there is no element."""
    return "" if element is None else "".join(element.itertext()).strip()

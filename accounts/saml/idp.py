"""The other side: who it is, where it signs people in, and by which certificates it is known."""

from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from django.utils import timezone

from accounts.saml.xml import Element, Refused, parsed, tag, text_of

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
BY_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
COMMAND = ".venv/bin/pip install -c constraints.txt -r requirements-saml.txt"
SOON = timedelta(days=30)


class Incomplete(Refused):
    """The settings do not say enough; says what is missing, for administrators."""


@dataclass(frozen=True)
class Idp:
    entity_id: str
    address: str  # to which browsers are sent with a question
    certificates: tuple[x509.Certificate, ...]  # any of them may have signed


def is_installed() -> bool:
    """Whether the packages of requirements-saml.txt are there."""
    return all(find_spec(name) for name in ("lxml", "signxml"))


def described(rules: dict[str, Any]) -> Idp:
    """The other side by the settings of one provider, its files read anew. Raises Incomplete."""
    if not is_installed():
        raise Incomplete(f"Packages are missing: {COMMAND}")
    entity_id, address = rules["entity_id"], rules["address"]
    certificates = [one for path in rules["certificates"] for one in _certificates(path)]
    if rules["metadata"]:
        found = _from_metadata(rules["metadata"], entity_id)
        entity_id, address = found.entity_id, address or found.address
        certificates += found.certificates
    if not (entity_id and address and certificates):
        raise Incomplete("Needed are metadata, or entity id, address and certificates: docs/accounts.md")
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise Incomplete("The address of the provider must begin with https.")
    return Idp(entity_id, address, tuple(certificates))


def expiring(idp: Idp) -> list[str]:
    """The days on which certificates end that are no longer good in a month, if no other is."""
    ends = [one.not_valid_after_utc for one in idp.certificates]
    soon = timezone.now() + SOON
    return [] if max(ends) > soon else [f"{end:%Y-%m-%d}" for end in ends]


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise Incomplete(f"A file cannot be read: {error}") from error


def _certificates(path: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError as error:
        raise Incomplete(f"No certificates in the form PEM are in {path}: {error}") from error


def _from_metadata(path: str, wanted: str) -> Idp:
    try:
        root = parsed(_read(path))
        entities = root.iter(tag("md:EntityDescriptor"))
        entity = _only(one for one in entities if not wanted or one.get("entityID") == wanted)
        role = _only(entity.findall(tag("md:IDPSSODescriptor")))
        certificates = [one for key in role.findall(tag("md:KeyDescriptor")) for one in _of_key(key)]
    except (Refused, ValueError) as error:
        raise Incomplete(f"The metadata of one provider are not in {path}: {error}") from error
    services = role.findall(tag("md:SingleSignOnService"))
    addresses = [one.get("Location", "") for one in services if one.get("Binding") == BY_REDIRECT]
    return Idp(entity.get("entityID", ""), next(iter(addresses), ""), tuple(certificates))


def _only(found: Any) -> Element:
    """The one that there is. Raises ValueError if there is another number of them."""
    (one,) = found
    return one


def _of_key(key: Element) -> list[x509.Certificate]:
    """Those for signing; a key without a use is for everything."""
    if key.get("use", "signing") != "signing":
        return []
    found = [text_of(one) for one in key.iter(tag("ds:X509Certificate"))]
    head, foot = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return [x509.load_pem_x509_certificate(f"{head}\n{one}\n{foot}".encode()) for one in found]

"""A provider of single sign-on by SAML: it reads our question and answers it, signed by xmlsec.

It needs no server of its own: all goes by the browser, which the tests are.
"""

import base64
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from itertools import starmap
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

ENTITY_ID, ADDRESS = "https://idp.museum.example/saml", "https://idp.museum.example/sso?tenant=1"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
MAIL = "urn:oid:0.9.2342.19200300.100.1.3"
NAMES = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
DECLARED = f'xmlns:saml="{NAMES["saml"]}" xmlns:samlp="{NAMES["samlp"]}"'
RESPONSE = """<samlp:Response {declared} xmlns:xs="http://www.w3.org/2001/XMLSchema"
 ID="_r-{id}" Version="2.0" IssueInstant="{now}" Destination="{destination}" InResponseTo="{answers}">
 <saml:Issuer>{sender}</saml:Issuer>
 <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></samlp:Status>
 <saml:Assertion xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  ID="{id}" Version="2.0" IssueInstant="{now}">
  <saml:Issuer>{issuer}</saml:Issuer>
  <saml:Subject><saml:NameID Format="{format}">{name}</saml:NameID>
   <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:{method}"><saml:SubjectConfirmationData
    Recipient="{recipient}" InResponseTo="{confirms}" NotOnOrAfter="{confirmed}"/></saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}">
   <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>{condition}
  </saml:Conditions>
  <saml:AuthnStatement AuthnInstant="{now}"><saml:AuthnContext/></saml:AuthnStatement>
  <saml:AttributeStatement>{attributes}</saml:AttributeStatement>
 </saml:Assertion>
</samlp:Response>"""
DAYS = {"old": 1}
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}">
 <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
  <md:KeyDescriptor use="encryption"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"/></md:KeyDescriptor>
  <md:KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>
   {certificate}</X509Certificate></X509Data></KeyInfo></md:KeyDescriptor>
  <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://no.example"/>
  <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{address}"/>
 </md:IDPSSODescriptor>
</md:EntityDescriptor>"""


@dataclass(frozen=True)
class Signer:
    """A key and its certificate, in the form PEM."""

    key: bytes
    certificate: str


@cache
def signer(name: str) -> Signer:
    """The same at each call, as a key takes a tenth of a second to make."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    about = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(about, about, key.public_key(), x509.random_serial_number())
    begin = datetime.now(UTC) - timedelta(days=2)
    made = made.not_valid_before(begin).not_valid_after(begin + timedelta(days=DAYS.get(name, 365)))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, *form)
    signed = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return Signer(text, signed.decode())


def metadata(who: Signer, path: Path) -> str:
    """Written there, as its administrators would hand it over."""
    certificate = "".join(who.certificate.splitlines()[1:-1])
    entity = {"entity": ENTITY_ID, "address": ADDRESS.replace("&", "&amp;"), "certificate": certificate}
    path.write_text(METADATA.format(**entity))
    return str(path)


@dataclass(frozen=True)
class Asked:
    """What a browser brings to the provider."""

    id: str
    recipient: str
    audience: str
    relay: str

    @classmethod
    def read(cls, address: str) -> "Asked":
        assert address.startswith(f"{ADDRESS}&")
        query = dict(parse_qsl(urlsplit(address).query))
        root = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))
        assert root.tag == f"{{{NAMES['samlp']}}}AuthnRequest" and root.get("Destination") == ADDRESS
        assert len(query["RelayState"]) <= 80  # characters, as the binding has it
        recipient = root.get("AssertionConsumerServiceURL")
        return cls(root.get("ID"), recipient, root.findtext("saml:Issuer", None, NAMES), query["RelayState"])


@dataclass
class Idp:
    """A test changes what it says; `after` may change the document when it is signed."""

    who: str = "museum"
    name: str = "p-1"
    attributes: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    sign: tuple[str, ...] = ("Assertion",)
    hashed: str = "SHA256"
    digest: str = ""  # of the content, if it is another than that of the signature
    after: Callable[[Any], Any] | None = None
    number: int = 0

    def answer(self, asked: Asked) -> bytes:
        self.number += 1
        parts = {"id": f"_a-{self.number}", **self.usual(asked), **self.said}
        root = etree.fromstring(RESPONSE.format(**parts))
        for name in self.sign:
            signed(
                root if name == "Response" else root.find("saml:Assertion", NAMES),
                signer(self.who),
                self.hashed,
                self.digest,
            )
        changed = root if self.after is None else self.after(root)
        return changed if isinstance(changed, bytes) else etree.tostring(changed)

    def usual(self, asked: Asked) -> dict[str, str]:
        parts = {"declared": DECLARED, "issuer": ENTITY_ID, "sender": ENTITY_ID, "status": "Success"}
        parts |= {"answers": asked.id, "confirms": asked.id, "destination": asked.recipient}
        parts |= {"recipient": asked.recipient, "audience": escape(asked.audience), "condition": ""}
        parts |= {"method": "bearer", "format": PERSISTENT, "name": self.name}
        parts |= {"now": at(0), "begin": at(-30), "end": at(300), "confirmed": at(300)}
        return {**parts, "attributes": "".join(starmap(attribute, self.attributes.items()))}


def attribute(name: str, values: list[str]) -> str:
    text = "".join(
        f'<saml:AttributeValue xsi:type="xs:string">{value}</saml:AttributeValue>' for value in values
    )
    return f'<saml:Attribute Name="{name}">{text}</saml:Attribute>'


def at(seconds: int) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}Z"


def signed(element: Any, who: Signer, hashed: str, digest: str) -> None:
    """Put a signature into an element, after its issuer."""
    method = getattr(xmlsec.Transform, f"RSA_{hashed}")
    signature = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, method, ns="ds")
    element.insert(1, signature)
    made = getattr(xmlsec.Transform, digest or hashed)
    reference = xmlsec.template.add_reference(signature, made, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    of_types = xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    xmlsec.template.transform_add_c14n_inclusive_namespaces(of_types, ["xs"])
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(who.key, xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(who.certificate.encode(), xmlsec.KeyFormat.PEM)
    context.register_id(element, "ID")
    context.sign(signature)

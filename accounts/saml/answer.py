"""Whether an answer of the other side can be believed, and what it says.

Only an assertion that is signed itself counts, and only the bytes that were signed are read: signxml gives
them back. What stands around them decides nothing, except that it can be a reason to refuse. The rules are
those of the profile for browsers (SAML 2.0 Profiles, 4.1.4) and of signatures (SAML 2.0 Core, 5.4).
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from accounts.saml.idp import Idp
from accounts.saml.xml import LARGEST, NAMES, Element, Refused, parsed, tag, text_of

LEEWAY = timedelta(seconds=60)  # by which the clocks of two machines may differ
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
METHODS = frozenset(
    SignatureMethod[f"{key}_SHA{bits}"] for key in ("RSA", "ECDSA") for bits in (256, 384, 512)
)
DIGESTS = frozenset(DigestAlgorithm[f"SHA{bits}"] for bits in (256, 384, 512))
CONFIGURATION = SignatureConfiguration(
    require_x509=True,
    location=f"./{tag('saml:Assertion')}/",
    signature_methods=METHODS,
    digest_algorithms=DIGESTS,
    ignore_ambiguous_key_info=True,  # whatever key a message brings along, those of the settings count
)
CONDITIONS = frozenset(map(tag, ("saml:AudienceRestriction", "saml:OneTimeUse", "saml:ProxyRestriction")))


@dataclass(frozen=True)
class Question:
    """What an answer has to fit."""

    id: str
    recipient: str  # our address for answers
    audience: str  # our entity id
    idp: Idp


@dataclass(frozen=True)
class Told:
    """What a believable answer says."""

    id: str  # of the assertion, which counts once
    until: datetime  # it could be used again
    name: str
    name_format: str
    attributes: dict[str, list[str]]  # by their `Name`


def believed(sent: str, question: Question, now: datetime) -> Told:
    """What the answer in a field `SAMLResponse` says. Raises Refused with the reason."""
    if len(sent) > LARGEST * 3 // 2:
        raise Refused("The answer is too long.")
    try:
        root = parsed(base64.b64decode("".join(sent.split()), validate=True))
    except binascii.Error as error:
        raise Refused("The answer is not base64.") from error
    _envelope(root, question)
    assertion = _signed(root, question.idp)
    _same("issuer", text_of(assertion.find("saml:Issuer", NAMES)), question.idp.entity_id)
    _conditions(assertion, question, now)
    subject = assertion.find("saml:Subject", NAMES)
    name = None if subject is None else subject.find("saml:NameID", NAMES)
    return Told(
        id=assertion.get("ID"),
        until=_confirmed(subject, question, now) + LEEWAY,
        name=text_of(name),
        name_format="" if name is None else name.get("Format", ""),
        attributes=_attributes(assertion),
    )


def _envelope(root: Element, question: Question) -> None:
    """What is around the assertion; nobody signed it."""
    if root.tag != tag("samlp:Response") or root.get("Version") != "2.0":
        raise Refused("This is no answer of SAML 2.0.")
    codes = [one.get("Value", "") for one in root.iterfind("samlp:Status//samlp:StatusCode", NAMES)]
    if codes[:1] != [SUCCESS]:
        said = text_of(root.find("samlp:Status/samlp:StatusMessage", NAMES))
        raise Refused(f"The provider says no: {' '.join(codes)[:300]} {said[:300]}")
    _same("destination", root.get("Destination", ""), question.recipient)
    _same("question", root.get("InResponseTo", ""), question.id)
    if (issuer := root.find("saml:Issuer", NAMES)) is not None:
        _same("issuer", text_of(issuer), question.idp.entity_id)
    if next(root.iter(tag("saml:EncryptedAssertion")), None) is not None:
        raise Refused("The assertion is encrypted; the provider has to send it as it is, over https.")


def _signed(root: Element, idp: Idp) -> Element:
    """The one assertion, read anew from the very bytes that one of the certificates vouches for."""
    found = list(root.iter(tag("saml:Assertion")))
    if len(found) != 1 or found[0].getparent() is not root:
        raise Refused("There must be one assertion, in its place.")
    identity = found[0].get("ID", "")
    signatures = found[0].findall("ds:Signature", NAMES)
    if not identity or len(signatures) != 1:
        raise Refused("The assertion is not signed.")
    _profile(signatures[0], identity)
    wrong = []
    for certificate in idp.certificates:
        try:
            result = XMLVerifier().verify(
                root, x509_cert=certificate, id_attribute="ID", expect_config=CONFIGURATION
            )
        except (
            SignXMLException,
            etree.LxmlError,
            UnsupportedAlgorithm,
            NotImplementedError,
            TypeError,  # an empty signature
            ValueError,
        ) as error:
            wrong.append(f"{type(error).__name__}: {error}"[:300])
            continue
        signed = getattr(result, "signed_xml", None)
        if signed is None or signed.tag != tag("saml:Assertion") or signed.get("ID") != identity:
            raise Refused("Something else than the assertion is signed.")
        return signed
    raise Refused(f"The signature is not valid: {'; '.join(wrong)}")


def _profile(signature: Element, identity: str) -> None:
    """A signature of SAML is over its parent alone, and changes nothing of it but to leave itself out."""
    references = signature.findall("ds:SignedInfo/ds:Reference", NAMES)
    if [one.get("URI") for one in references] != [f"#{identity}"]:
        raise Refused("The signature is not that of its assertion.")
    methods = signature.findall("ds:SignedInfo/ds:CanonicalizationMethod", NAMES)
    transforms = references[0].findall("ds:Transforms/ds:Transform", NAMES)
    used = [one.get("Algorithm") for one in (*methods, *transforms)]
    if used != [EXCLUSIVE, ENVELOPED, EXCLUSIVE] or signature.find("ds:Object", NAMES) is not None:
        raise Refused("The signature is made in a way that SAML does not have.")


def _conditions(assertion: Element, question: Question, now: datetime) -> None:
    conditions = assertion.find("saml:Conditions", NAMES)
    if conditions is None or assertion.get("Version") != "2.0":
        raise Refused("The assertion has no conditions.")
    if unknown := [one.tag for one in conditions if one.tag not in CONDITIONS]:
        raise Refused(f"The assertion has conditions that are not known: {unknown}")
    _now(conditions, now)
    restrictions = conditions.findall("saml:AudienceRestriction", NAMES)
    audiences = [{text_of(one) for one in each.findall("saml:Audience", NAMES)} for each in restrictions]
    if not audiences or not all(question.audience in each for each in audiences):
        raise Refused(f"The assertion is for others: {audiences}")
    statements = assertion.findall("saml:AuthnStatement", NAMES)
    if not statements:
        raise Refused("The assertion does not say that anybody signed in.")
    for one in statements:
        if (end := _time(one, "SessionNotOnOrAfter")) and end <= now - LEEWAY:
            raise Refused("The session there has ended.")


def _confirmed(subject: Element | None, question: Question, now: datetime) -> datetime:
    """Until when the person may come with it: the bearer, to us, with the answer to this question."""
    reasons = []
    confirmations: Iterable[Element] = (
        [] if subject is None else subject.findall("saml:SubjectConfirmation", NAMES)
    )
    for one in confirmations:
        data = one.find("saml:SubjectConfirmationData", NAMES)
        if one.get("Method") != BEARER or data is None:
            continue
        try:
            _same("recipient", data.get("Recipient", ""), question.recipient)
            _same("question", data.get("InResponseTo", ""), question.id)
            return _now(data, now)
        except Refused as error:
            reasons.append(str(error))
    raise Refused(f"The person is not confirmed: {' '.join(reasons)}")


def _now(element: Element, now: datetime) -> datetime:
    """The end of a time that has begun and not ended. Raises Refused, also where a time has no end."""
    begin, end = _time(element, "NotBefore"), _time(element, "NotOnOrAfter")
    if begin and begin > now + LEEWAY:
        raise Refused(f"This is good from {begin} on.")
    if end is None or end <= now - LEEWAY:
        raise Refused(f"This was good until {end}.")
    return end


def _time(element: Element, name: str) -> datetime | None:
    text = element.get(name)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{name} is no time.") from error
    if time.tzinfo is None:
        raise Refused(f"{name} has no time zone.")
    return time


def _same(what: str, told: str, wanted: str) -> None:
    if told != wanted:
        raise Refused(f"The {what} is {told[:300]!r}, not {wanted!r}.")


def _attributes(assertion: Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in assertion.iterfind("saml:AttributeStatement/saml:Attribute", NAMES):
        values = [text_of(value) for value in one.findall("saml:AttributeValue", NAMES)]
        found.setdefault(one.get("Name", ""), []).extend(value for value in values if value)
    return found

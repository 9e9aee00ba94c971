"""Single sign-on by SAML against a provider that signs as others do, and lies in every way we thought of."""

import base64
import copy
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group
from django.test import Client
from lxml import etree

from accounts import checks
from accounts.models import User
from accounts.saml.provider import TOO_MANY, TRANSIENT
from accounts.saml.xml import LARGEST
from audit import Event
from audit.models import Entry
from tests.accounts.idp import ADDRESS, ENTITY_ID, MAIL, NAMES, Asked, Idp, at, metadata, signer

pytestmark = pytest.mark.django_db
AT = "/accounts/saml/museum"


@pytest.fixture
def rules(tmp_path: Path) -> dict[str, Any]:
    found = {"create": True, "match_email": False, "groups_claim": "groups", "groups": ""}
    files = {"metadata": metadata(signer("museum"), tmp_path / "metadata.xml"), "certificates": []}
    return {**found, **files, "entity_id": "", "address": "", "own_entity_id": "", "attributes": {}}


@pytest.fixture
def idp(settings: Any, rules: dict[str, Any]) -> Idp:
    app = {"provider_id": "museum", "name": "Museum", "client_id": "museum", "settings": rules}
    saml = {"provider_class": "accounts.saml.provider.Provider", "APPS": [app]}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": []}, "saml": saml}
    return Idp()


def asked(client: Client, onward: str = "") -> Asked:
    """What this browser takes to the provider."""
    answer = client.get(f"{AT}/login/", {"next": onward} if onward else {})
    assert answer.status_code == 302, answer.content
    return Asked.read(answer["Location"])


def posted(relay: str, document: bytes) -> str:
    """Where an answer leads, which comes from another site: without cookies, and without a token of ours."""
    form = {"SAMLResponse": base64.b64encode(document).decode(), "RelayState": relay}
    answer = Client(enforce_csrf_checks=True).post(f"{AT}/answer/", form)
    assert answer.status_code == 303 and not answer.cookies, answer.content
    assert answer["Location"].startswith(f"{AT}/finish/?answer=")
    return str(answer["Location"])


def there_and_back(client: Client, idp: Idp, onward: str = "") -> Any:
    question = asked(client, onward)
    return client.get(posted(question.relay, idp.answer(question)))


def signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def assert_refused(answer: Any, log: pytest.LogCaptureFixture, reason: str) -> None:
    assert answer.status_code == 401 and "Signing in did not work" in answer.content.decode()
    assert reason in log.text
    assert not User.objects.exists()


def test_somebody_new_gets_an_account_and_lands_where_they_wanted_to(client: Client, idp: Idp) -> None:
    idp.attributes = {
        MAIL: ["anna@museum.example"],
        "urn:oid:2.5.4.42": ["Anna"],
        "urn:oid:2.5.4.4": ["de Vries"],
    }
    page = client.get("/accounts/login/", {"next": "/trash/"}).content.decode()
    assert f'href="{AT}/login/?next=%2Ftrash%2F"' in page and "Continue with Museum" in page
    answer = there_and_back(client, idp, "/trash/")
    assert (answer.status_code, answer["Location"]) == (302, "/trash/") and signed_in(client)
    user = User.objects.get()
    assert (user.email, user.first_name, user.last_name) == ("anna@museum.example", "Anna", "de Vries")
    assert not user.has_usable_password() and not user.is_staff and not user.is_superuser
    assert SocialAccount.objects.get().uid == "p-1"
    assert Entry.objects.filter(event=Event.SIGNED_IN, user_id=user.pk).count() == 1
    there_and_back(Client(), idp)
    assert User.objects.count() == 1


def test_without_the_setting_nobody_new_comes_in(client: Client, idp: Idp, rules: dict[str, Any]) -> None:
    rules["create"] = False
    assert "You have no account here" in there_and_back(client, idp).content.decode()
    assert not User.objects.exists() and not signed_in(client)


def test_what_we_are_is_told_to_whoever_asks(client: Client, idp: Idp, rules: dict[str, Any]) -> None:
    answer = client.get(f"{AT}/metadata/")
    root = etree.fromstring(answer.content)
    assert answer["Content-Type"] == "application/samlmetadata+xml"
    assert root.get("entityID") == f"http://testserver{AT}/metadata/" == asked(client).audience
    assert root[0].get("WantAssertionsSigned") == "true"
    assert root[0][0].get("Location") == f"http://testserver{AT}/answer/" == asked(client).recipient
    rules["own_entity_id"] = "https://a&b.example"
    assert etree.fromstring(client.get(f"{AT}/metadata/").content).get("entityID") == asked(client).audience
    assert there_and_back(client, idp).status_code == 302


def test_there_are_no_other_providers_and_no_other_ways(client: Client, idp: Idp) -> None:
    for name in ("login", "finish", "metadata"):
        assert client.get(f"/accounts/saml/other/{name}/").status_code == 404
    assert client.get("/accounts/oidc/museum/login/").status_code == 404
    assert client.get(f"{AT}/answer/").status_code == client.post(f"{AT}/login/").status_code == 405


SAYS: dict[str, tuple[dict[str, str], str]] = {
    "no": ({"status": "Responder"}, "The provider says no"),
    "another issuer": ({"issuer": "https://other.example"}, "The issuer is"),
    "another sender": ({"sender": "https://other.example"}, "The issuer is"),
    "another audience": ({"audience": "https://other.example"}, "is for others"),
    "another recipient": ({"recipient": "https://other.example/acs"}, "The recipient is"),
    "another destination": ({"destination": "https://other.example/acs"}, "The destination is"),
    "another question, around it": ({"answers": "_other"}, "The question is"),
    "another question": ({"confirms": "_other"}, "The question is"),
    "not by its bearer": ({"method": "sender-vouches"}, "is not confirmed"),
    "ended": ({"end": at(-61)}, "was good until"),
    "ended for its bearer": ({"confirmed": at(-61)}, "was good until"),
    "not yet": ({"begin": at(86_400)}, "is good from"),  # these times are from when the tests were collected
    "a time without a zone": ({"end": "2126-01-01T00:00:00"}, "no time zone"),
    "a condition that we do not know": ({"condition": "<saml:Condition/>"}, "not known"),
    "nobody": ({"name": ""}, "who the person is"),
    "somebody else each time": ({"format": TRANSIENT}, "who the person is"),
    "far too much": ({"name": "p" * 192}, "who the person is"),
}


@pytest.mark.parametrize("case", SAYS)
def test_an_answer_that_does_not_fit_is_refused(
    client: Client, idp: Idp, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    idp.said, reason = SAYS[case]
    assert_refused(there_and_back(client, idp), caplog, reason)


def test_clocks_may_differ_by_a_minute(client: Client, idp: Idp, caplog: pytest.LogCaptureFixture) -> None:
    idp.said = {"begin": at(90)}
    assert_refused(there_and_back(client, idp), caplog, "is good from")
    idp.said = {"begin": at(40), "end": at(-40), "confirmed": at(-40)}
    assert there_and_back(client, idp).status_code == 302


def evil(root: Any, identity: str = "_evil") -> Any:
    """The assertion of a document for somebody else, without its signature."""
    made = copy.deepcopy(root.find("saml:Assertion", NAMES))
    made.remove(made.find("ds:Signature", NAMES))
    made.set("ID", identity)
    made.find("saml:Subject/saml:NameID", NAMES).text = "admin"
    return made


def aside(root: Any) -> Any:
    """Where schemas let anything stand."""
    made = etree.Element(f"{{{NAMES['samlp']}}}Extensions")
    root.insert(1, made)
    return made


def moved_aside(root: Any) -> Any:
    other, original = evil(root), root.find("saml:Assertion", NAMES)
    root.replace(original, other)
    aside(root).append(original)
    return root


def moved_aside_with_its_signature_in_the_other(root: Any) -> Any:
    other, original = evil(root), root.find("saml:Assertion", NAMES)
    root.replace(original, other)
    other.insert(1, original.find("ds:Signature", NAMES))
    aside(root).append(original)
    return root


def moved_aside_and_the_other_has_its_name(root: Any) -> Any:
    other, original = (
        evil(root, root.find("saml:Assertion", NAMES).get("ID")),
        root.find("saml:Assertion", NAMES),
    )
    root.replace(original, other)
    other.insert(1, copy.deepcopy(original.find("ds:Signature", NAMES)))
    aside(root).append(original)
    return root


def another_before(root: Any) -> Any:
    root.insert(2, evil(root))
    return root


def another_after(root: Any) -> Any:
    root.append(evil(root))
    return root


def another_around(root: Any) -> Any:
    other, original = evil(root), root.find("saml:Assertion", NAMES)
    root.replace(original, other)
    other.append(original)
    return root


def in_the_signature_of_the_other(root: Any) -> Any:
    other, original = evil(root), root.find("saml:Assertion", NAMES)
    root.replace(original, other)
    signature = original.find("ds:Signature", NAMES)
    other.insert(1, signature)
    etree.SubElement(signature, f"{{{NAMES['ds']}}}Object").append(original)
    return root


def hidden_under_another_name(root: Any) -> Any:
    """The bytes that were signed, and an assertion that is none by its own name."""
    other, original = (
        evil(root, root.find("saml:Assertion", NAMES).get("ID")),
        root.find("saml:Assertion", NAMES),
    )
    root.replace(original, other)
    other.insert(1, original.find("ds:Signature", NAMES))
    original.tag = f"{{{NAMES['saml']}}}Advice"
    aside(root).append(original)
    return root


def whole_answer_in_another(root: Any) -> Any:
    outer = copy.deepcopy(root)
    outer.replace(outer.find("saml:Assertion", NAMES), evil(root))
    outer.set("ID", "_outer")
    aside(outer).append(root)
    return outer


def somebody_else(root: Any) -> Any:
    root.find("saml:Assertion/saml:Subject/saml:NameID", NAMES).text = "admin"
    return root


def another_transform(root: Any) -> Any:
    root.find(".//ds:Transform[2]", NAMES).set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    return root


def all_of_it(root: Any) -> Any:
    root.find(".//ds:Reference", NAMES).set("URI", "")
    return root


def no_signature(root: Any) -> Any:
    root.find("saml:Assertion", NAMES).remove(root.find("saml:Assertion/ds:Signature", NAMES))
    return root


def by_a_shared_secret(root: Any) -> Any:
    method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    root.find(".//ds:SignatureMethod", NAMES).set("Algorithm", method)
    return root


def encrypted(root: Any) -> Any:
    root.find("saml:Assertion", NAMES).tag = f"{{{NAMES['saml']}}}EncryptedAssertion"
    return root


ONE, NOT_SIGNED, NOT_VALID = "There must be one assertion", "The assertion is not signed", "is not valid"
WRAPPED = {
    moved_aside: ONE,
    moved_aside_with_its_signature_in_the_other: ONE,
    moved_aside_and_the_other_has_its_name: ONE,
    another_before: ONE,
    another_after: ONE,
    another_around: ONE,
    in_the_signature_of_the_other: ONE,
    hidden_under_another_name: NOT_VALID,
    whole_answer_in_another: ONE,
    somebody_else: NOT_VALID,
    another_transform: "in a way that SAML does not have",
    all_of_it: "is not that of its assertion",
    no_signature: NOT_SIGNED,
    by_a_shared_secret: NOT_VALID,
    encrypted: "is encrypted",
}


@pytest.mark.parametrize("change", WRAPPED, ids=lambda change: change.__name__)
def test_what_was_changed_or_wrapped_after_signing_is_refused(
    client: Client, idp: Idp, caplog: pytest.LogCaptureFixture, change: Any
) -> None:
    idp.after = change
    assert_refused(there_and_back(client, idp), caplog, WRAPPED[change])


WEAK: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"sign": ()}, NOT_SIGNED),
    "around it": ({"sign": ("Response",)}, NOT_SIGNED),
    "SHA-1": ({"hashed": "SHA1"}, "RSA_SHA1 forbidden"),
    "SHA-1 of the content": ({"digest": "SHA1"}, "Digest algorithm SHA1 forbidden"),
    "by somebody else": ({"who": "another"}, NOT_VALID),
}


@pytest.mark.parametrize("case", WEAK)
def test_a_signature_that_is_not_enough_is_refused(
    client: Client, idp: Idp, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    change, reason = WEAK[case]
    assert_refused(there_and_back(client, replace(idp, **change)), caplog, reason)


def test_both_may_be_signed_and_by_the_next_certificate(
    client: Client, idp: Idp, rules: dict[str, Any], tmp_path: Path
) -> None:
    idp.sign, idp.hashed, idp.who = ("Assertion", "Response"), "SHA512", "another"
    both = tmp_path / "both.pem"
    both.write_text(signer("museum").certificate + signer("another").certificate)
    rules.update(metadata="", entity_id=ENTITY_ID, address=ADDRESS, certificates=[str(both)])
    assert there_and_back(client, idp).status_code == 302 and signed_in(client)


def test_a_certificate_that_has_ended_is_not_believed(
    client: Client, idp: Idp, rules: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    idp.who = "old"
    rules["metadata"] = metadata(signer("old"), tmp_path / "old.xml")
    assert_refused(there_and_back(client, idp), caplog, "has expired")
    assert [one.id for one in checks.accounts(None)] == ["accounts.W001"]


def test_an_answer_counts_once(client: Client, idp: Idp, caplog: pytest.LogCaptureFixture) -> None:
    question = asked(client)
    document = idp.answer(question)
    back = posted(question.relay, document)
    assert client.get(back).status_code == 302
    User.objects.all().delete()
    other = Client()
    assert_refused(other.get(back), caplog, "There is no answer")
    assert_refused(client.get(posted(question.relay, document)), caplog, "Nobody put a question")
    assert_refused(other.get(posted(asked(other).relay, document)), caplog, "The question is")
    idp.number -= 1  # the same assertion, as an answer to another question
    assert_refused(there_and_back(other, idp), caplog, "was used before")


@pytest.mark.parametrize("relay", ["", "x" * 32, "https://evil.example/", "saml:asked:*"])
def test_nobody_comes_in_unasked(
    client: Client, idp: Idp, caplog: pytest.LogCaptureFixture, relay: str
) -> None:
    answer = client.get(posted(relay, idp.answer(asked(client))))
    assert_refused(answer, caplog, "Nobody put a question")


def test_only_the_browser_that_asked_comes_in(
    client: Client, idp: Idp, caplog: pytest.LogCaptureFixture
) -> None:
    """Else somebody could have others sign in as themselves, and watch what they do."""
    question, other = asked(client), Client()
    asked(other)
    assert_refused(
        other.get(posted(question.relay, idp.answer(question))), caplog, "This browser did not put"
    )
    assert not signed_in(other)


def test_one_does_not_land_on_another_site(client: Client, idp: Idp) -> None:
    assert there_and_back(client, idp, "https://evil.example/")["Location"] == "/"


def test_a_comment_does_not_cut_a_name_in_two(idp: Idp) -> None:
    """The signature is over the text without its comments, so they could be put in afterwards."""
    idp.name = "user@museum.example.evil.example"
    whole, cut = b"user@museum.example.evil.example", b"user@museum.example<!-- -->.evil.example"
    idp.after = lambda root: etree.tostring(root).replace(whole, cut)
    assert there_and_back(Client(), idp).status_code == 302
    assert SocialAccount.objects.get().uid == "user@museum.example.evil.example"


ENTITY = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
DOCUMENTS = {
    "a document type": (lambda one: b"<!DOCTYPE r>" + one, "has a document type"),
    "an entity": (lambda one: ENTITY + one.replace(b"p-1", b"&x;"), "has a document type"),
    "an encoding to hide it in": (lambda one: (ENTITY + one).decode().encode("utf-16"), "not in UTF-8"),
    "no XML": (lambda one: one[:-1], "is not XML"),
    "another document": (lambda one: b"<a/>", "no answer of SAML"),
    "too large": (lambda one: one + b" " * LARGEST, "is larger than"),
    "far too large": (lambda one: one + b" " * 3_500_000, "is too long"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_documents_are_small_and_have_no_entities(
    client: Client, idp: Idp, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    change, reason = DOCUMENTS[case]
    idp.after = lambda root: change(etree.tostring(root))
    assert_refused(there_and_back(client, idp), caplog, reason)


def test_groups_follow_the_provider_at_each_sign_in(idp: Idp, rules: dict[str, Any]) -> None:
    for name in ("Curators", "Registrars", "Volunteers"):
        Group.objects.get_or_create(name=name)
    rules.update(groups="cn=cur,dc=x=Curators; reg=Registrars", attributes={"groups": ["memberOf"]})

    def groups(**told: list[str]) -> set[str]:
        idp.attributes = told
        there_and_back(Client(), idp)
        return set(User.objects.get().groups.values_list("name", flat=True))

    assert groups(memberOf=["cn=cur,dc=x", "other"], groups=["reg"]) == {"Curators"}
    User.objects.get().groups.add(Group.objects.get(name="Volunteers"))
    assert groups(memberOf=["reg"]) == {"Registrars", "Volunteers"}
    assert groups(**{TOO_MANY: ["https://graph.example"]}) == {"Registrars", "Volunteers"}
    assert groups() == {"Volunteers"}


def test_an_address_finds_an_account_where_the_setting_says_so(
    client: Client, idp: Idp, viewer: User, rules: dict[str, Any]
) -> None:
    User.objects.update(email="Anna@museum.example")
    rules["create"], idp.attributes = False, {MAIL: ["anna@museum.example"]}
    assert "You have no account here" in there_and_back(client, idp).content.decode()
    rules["match_email"] = True
    assert there_and_back(client, idp).status_code == 302 and signed_in(client)
    assert SocialAccount.objects.get().user == viewer


def test_an_address_of_two_accounts_finds_neither(client: Client, idp: Idp, rules: dict[str, Any]) -> None:
    for name in ("one", "two"):
        User.objects.create_user(name, email="anna@museum.example")
    rules.update(match_email=True, create=False)
    idp.attributes = {MAIL: ["anna@museum.example"]}
    assert "You have no account here" in there_and_back(client, idp).content.decode()
    assert not SocialAccount.objects.exists()


def test_who_was_switched_off_does_not_come_in_this_way_either(client: Client, idp: Idp) -> None:
    there_and_back(Client(), idp)
    User.objects.update(is_active=False)
    assert there_and_back(client, idp)["Location"] == "/accounts/login/"
    assert not signed_in(client)


def test_a_second_factor_is_asked_for_as_of_others(client: Client, idp: Idp, settings: Any) -> None:
    settings.SECOND_FACTOR_FOR = "everybody"
    there_and_back(client, idp)
    assert client.get("/trash/")["Location"] == "/accounts/"
    totp.TOTP.activate(User.objects.get(), totp.generate_totp_secret())
    again = Client()
    assert there_and_back(again, idp)["Location"].startswith("/accounts/second-factor/code/")
    assert not signed_in(again)


def test_an_attribute_may_say_who_it_is(client: Client, idp: Idp, rules: dict[str, Any]) -> None:
    rules["attributes"] = {"id": ["urn:oasis:names:tc:SAML:attribute:subject-id"]}
    assert there_and_back(client, idp).status_code == 401
    idp.attributes = {"urn:oasis:names:tc:SAML:attribute:subject-id": ["anna@museum.example"]}
    idp.said = {"format": TRANSIENT}
    assert there_and_back(client, idp).status_code == 302
    assert SocialAccount.objects.get().uid == "anna@museum.example"


def told(settings: Any) -> list[str]:
    return [str(one.id) for one in checks.accounts(None)]


def test_settings_that_do_not_fit_are_told(
    client: Client, idp: Idp, settings: Any, rules: dict[str, Any], tmp_path: Path
) -> None:
    assert told(settings) == []
    assert there_and_back(Client(), idp).status_code == 302
    (tmp_path / "none.pem").write_text("none")
    for wrong in (
        {"metadata": ""},
        {"metadata": "/no/such.xml"},
        {"metadata": str(tmp_path / "none.pem")},
        {"entity_id": "https://other.example"},
        {"address": "http://idp.museum.example/"},
        {"address": "javascript:alert(1)"},
        {"certificates": [str(tmp_path / "none.pem")]},
        {"certificates": ["/no/such.pem"]},
    ):
        before = {name: rules[name] for name in wrong}
        rules.update(wrong)
        assert told(settings) == ["accounts.E002"], wrong
        assert client.get(f"{AT}/login/").status_code == 401
        rules.update(before)
    rules["groups"] = "a=b; c"
    assert told(settings) == ["accounts.E004"]
    rules["groups"] = ""
    settings.SOCIALACCOUNT_PROVIDERS["saml"]["APPS"] *= 2
    assert told(settings) == ["accounts.E005"]


def test_packages_that_are_missing_are_told(
    client: Client, idp: Idp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "signxml", None)  # as if it were not installed
    (missing,) = checks.accounts(None)
    assert (
        missing.id == "accounts.E006"
        and "pip install -c constraints.txt -r requirements-saml.txt" in missing.hint
    )
    with caplog.at_level(logging.WARNING):
        assert client.get(f"{AT}/login/").status_code == 401
    assert "requirements-saml.txt" in caplog.text

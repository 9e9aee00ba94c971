from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiToken, User
from assets.changes import apply, operation
from assets.models import Asset
from search.models import EmbeddingSpace
from tests.encoder import ColourEncoder
from tests.factories import asset, picture, process

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(viewer: User) -> Client:
    return Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})


def upload(content: bytes, name: str = "a.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/jpeg")


def test_every_address_wants_a_token(viewer: User) -> None:
    for headers in ({}, {"authorization": "Bearer pm_wrong"}, {"authorization": "Basic x"}):
        stranger = Client(headers=headers)
        assert stranger.get("/api/v1/search").status_code == 401
        assert stranger.post("/api/v1/assets", {"file": upload(picture())}).status_code == 401
    assert not Asset.objects.exists()


def test_a_token_of_somebody_who_left_is_worth_nothing(client: Client, viewer: User) -> None:
    User.objects.update(is_active=False)
    assert client.get("/api/v1/search").status_code == 401


def test_the_command_prints_a_token_once_and_can_revoke_it(viewer: User, capsys: Any) -> None:
    call_command("token", "viewer")
    token = capsys.readouterr().out.strip()
    assert ApiToken.objects.user_of(token) == viewer
    assert token not in str(ApiToken.objects.values())
    call_command("token", "viewer", "--revoke")
    assert ApiToken.objects.user_of(token) is None
    with pytest.raises(CommandError, match="Known: viewer"):
        call_command("token", "nobody")


def test_a_picture_goes_in_and_is_found(client: Client, space: EmbeddingSpace) -> None:
    form = {
        "file": upload(picture("green"), "浮世絵.jpg"),
        "title": "Study",
        "tags": "a; b",
        "accession": "1.2",
    }
    created = client.post("/api/v1/assets", form)
    assert created.status_code == 201, created.content
    found = created.json()["asset"]
    assert (found["filename"], found["title"], found["tags"]) == ("浮世絵.jpg", "Study", ["a", "b"])
    assert (found["accession"], found["state"], found["width"]) == ("1.2", "processing", 320)
    process(Asset.objects.get())
    assert client.get(f"/api/v1/assets/{found['id']}").json()["state"] == "searchable"
    results = client.get("/api/v1/search", {"q": "green", "tag": ["a", "b"], "limit": 5}).json()
    assert results["space"] == space.slug and results["total"] == 1
    assert results["results"][0]["id"] == found["id"] and results["results"][0]["signals"] == {
        "visual": 1,
        "words": 1,
    }
    again = client.post("/api/v1/assets", {"file": upload(picture("green"))})
    assert again.status_code == 201


def test_the_same_picture_again_is_the_same_asset(client: Client) -> None:
    content = picture()
    first = client.post("/api/v1/assets", {"file": upload(content)})
    second = client.post("/api/v1/assets", {"file": upload(content, "b.jpg")})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["outcome"] == "duplicate"
    assert second.json()["asset"]["id"] == first.json()["asset"]["id"]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 422),
        ({"file": "text instead of a file"}, 422),
        ({"file": upload(b"Dear Sir")}, 422),
        ({"file": upload(b"")}, 422),
        ({"file": upload(picture()), "title": "x" * 501}, 422),
    ],
)
def test_bad_input_is_answered_with_a_reason(client: Client, form: dict[str, Any], status: int) -> None:
    response = client.post("/api/v1/assets", form)
    assert response.status_code == status and response.json()["detail"]
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    "question",
    [{"mode": "x"}, {"limit": 0}, {"limit": 9999}, {"offset": -1}, {"like": "x"}, {"q": "x" * 3000}],
)
def test_bad_questions_are_answered_with_a_reason(client: Client, question: dict[str, Any]) -> None:
    response = client.get("/api/v1/search", question)
    assert response.status_code == 422 and response.json()["detail"]


@pytest.mark.parametrize("text", ["\x00", "'\"();--", "🎨" * 50, "a" * 2000, "%s %d", "OR OR -"])
def test_strange_questions_are_no_error(client: Client, space: EmbeddingSpace, text: str) -> None:
    assert client.get("/api/v1/search", {"q": text, "tag": text[:100]}).status_code == 200


def test_like_and_picture(client: Client, space: EmbeddingSpace, encoder: ColourEncoder) -> None:
    one, two, three = asset("red", done=True), asset("red", done=True), asset("blue", done=True)
    like = client.get("/api/v1/search", {"like": str(one.uid)}).json()
    assert [r["id"] for r in like["results"]] == [str(two.uid), str(three.uid)]
    shown = client.post("/api/v1/search", {"picture": upload(picture("blue")), "limit": 1}).json()
    assert [r["id"] for r in shown["results"]] == [str(three.uid)]
    for content in (b"x", b""):
        unreadable = client.post("/api/v1/search", {"picture": upload(content)})
        assert unreadable.status_code == 422 and "could not be read" in unreadable.json()["detail"]


def test_a_plain_list_goes_on_to_its_end_and_a_search_does_not(client: Client, space: EmbeddingSpace) -> None:
    asset(tags="river")
    for question in ({}, {"tag": "river"}):
        answer = client.get("/api/v1/search", question | {"offset": 9_000})
        assert (answer.status_code, answer.json()["results"]) == (200, [])
    deep = client.get("/api/v1/search", {"q": "river", "offset": 1_001})
    assert deep.status_code == 422 and "narrower" in deep.json()["detail"]
    assert client.get("/api/v1/search", {"q": "river", "offset": 1_000}).status_code == 200


def test_hidden_assets_do_not_exist(client: Client) -> None:
    one = asset()
    apply(operation("edit", ""), [one], {"access": "restricted"})
    assert client.get(f"/api/v1/assets/{one.uid}").status_code == 404
    assert client.get("/api/v1/search", {"like": str(one.uid)}).status_code == 404
    assert client.get("/api/v1/search").json()["total"] == 0


def test_the_description_names_every_address(client: Client) -> None:
    described = Client().get("/api/v1/openapi.json").json()
    of_one = {f"/api/v1/assets/{{uid}}{part}" for part in ("", "/fields", "/metadata.xmp", "/relations")}
    assert set(described["paths"]) == {
        "/api/v1/assets",
        *of_one,
        "/api/v1/records/{uid}",
        "/api/v1/records/{uid}/fields",
        "/api/v1/search",
        "/api/v1/search/facets",
        "/api/v1/search/suggest",
    }
    assert set(described["paths"]["/api/v1/search"]) == {"get", "post"}


def test_health(space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    ready = Client().get("/readyz")
    assert ready.status_code == 200, ready.content
    EmbeddingSpace.objects.update(state="retired")
    response = Client().get("/readyz")
    assert response.status_code == 503 and response.json()["parts"]["embedding space"] is False

"""Cohere, Voyage, Jina, infinity, vLLM and Immich, each against a server that holds it to its contract."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from search import encoders
from search.encoders import EncoderUnavailable, UnreadableImage
from tests.search import services
from tests.search.remote import BAD_NUMBERS, Time, found, picture, unit
from tests.search.services import KEY, numbers
from tests.search.serving import Fault, Server, serving

OTHERS: dict[str, tuple[services.Contract, dict[str, Any], int]] = {
    "cohere": (services.Cohere(), {}, 8),
    "voyage": (services.Voyage(), {}, 8),
    "jina": (services.Jina(), {}, 8),
    "infinity": (services.Infinity(), {"ENCODER": "openai", "ENCODER_MODEL": "some/siglip"}, 8),
    "vllm": (
        services.Vllm(),
        {"ENCODER": "openai", "ENCODER_MODEL": "some/siglip", "ENCODER_SHAPE": "vllm", "ENCODER_KEY": ""},
        1,
    ),
    "immich": (services.Immich(), {"ENCODER_MODEL": "ViT-B-32__openai", "ENCODER_KEY": ""}, 1),
}


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest, clean: Any, made_time: Time) -> Iterator[tuple[Any, Server, int]]:
    """An encoder, its server, and how many items go in a call."""
    contract, changed, batch = OTHERS[request.param]
    contract.change = None
    with serving(contract) as running:
        clean.ENCODER, clean.ENCODER_URL, clean.ENCODER_KEY = request.param, running.url, KEY
        clean.ENCODER_DIMENSIONS = services.SIZE
        for name, value in changed.items():
            setattr(clean, name, value)
        encoders.reset()
        encoder = encoders.get()
        yield encoder, running, batch
        encoder.client.close()  # type: ignore[attr-defined]
        encoders.reset()


def test_others_ask_as_their_contracts_say(other: tuple[Any, Server, int]) -> None:
    encoder, server, batch = other
    assert found() == {} and isinstance(encoder, encoders.Encoder) and encoder.limits.batch_size == batch
    colors = [(shade, 0, 255 - shade) for shade in range(0, 250, 25)]
    pictures = encoder.encode_images([picture(color) for color in colors])
    assert len(server.requests) == -(-len(colors) // batch)
    assert all(r.picture is not None for r in server.requests)
    seeds = [str([channel // 24 for channel in color]).encode() for color in colors]
    for row, seed in zip(pictures, seeds, strict=True):
        assert np.allclose(row, unit(numbers(seed, services.SIZE)), atol=1e-6), "in the order they were given"
    words = [f"text {n} über ☃" for n in range(9)]
    for row, text in zip(encoder.encode_texts(words), words, strict=True):
        assert np.allclose(row, unit(numbers(text.encode(), services.SIZE)), atol=1e-6)
    assert server.connections == 1
    assert ("Authorization" in server.requests[0].headers) == bool(encoder.service.key)


def test_questions_and_texts_to_be_found_are_told_apart(other: tuple[Any, Server, int]) -> None:
    """Where the service knows the difference."""
    encoder, server, _ = other
    encoder.encode_texts(["cat"])
    encoder.encode_texts(["cat"], role="document")
    said = [json.loads(r.body).get("input_type") for r in server.requests if r.body.startswith(b"{")]
    kinds = {"cohere": ["search_query", "search_document"], "voyage": ["query", "document"]}
    assert [kind for kind in said if kind] == kinds.get(encoder.service.kind, [])


@pytest.mark.parametrize("change", BAD_NUMBERS.values(), ids=BAD_NUMBERS.keys())
def test_others_let_no_bad_numbers_pass(other: tuple[Any, Server, int], change: Any) -> None:
    encoder, server, _ = other
    for ask in (lambda: encoder.encode_texts(["cat"]), lambda: encoder.encode_images([picture()])):
        server.faults.append(Fault(change=change))
        with pytest.raises(EncoderUnavailable):
            ask()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"data": 7, "clip": 7, "embeddings": 7}', b'{"data": [{}]}']
)
def test_others_let_no_other_form_pass(other: tuple[Any, Server, int], body: bytes) -> None:
    encoder, server, _ = other
    server.faults.append(Fault(body=body))
    with pytest.raises(EncoderUnavailable):
        encoder.encode_images([picture()])


def test_a_vector_too_few_or_twice_the_same_place_is_an_error(other: tuple[Any, Server, int]) -> None:
    encoder, server, batch = other
    if batch == 1:
        pytest.skip("one item a call")

    def fewer(answer: Any) -> Any:
        (answer["data"] if "data" in answer else answer["embeddings"]["float"]).pop()
        return answer

    def same_place(answer: Any) -> Any:
        for item in answer.get("data", []):
            item["index"] = 0
        return answer if "data" in answer else {}

    server.faults.extend([Fault(answer=fewer), Fault(answer=same_place)])
    for _ in range(2):
        with pytest.raises(EncoderUnavailable):
            encoder.encode_texts(["a", "b"])


def test_others_try_again_and_say_what_is_wrong(other: tuple[Any, Server, int], made_time: Time) -> None:
    encoder, server, _ = other
    server.faults.extend([Fault(503), Fault(429, {"Retry-After": "6"})])
    encoder.encode_images([picture()])
    assert made_time.slept[1] == 6
    server.faults.append(Fault(401, body=b'{"detail": "no"}'))
    with pytest.raises(EncoderUnavailable, match="refused the key"):
        encoder.encode_texts(["cat"])
    encoders.resume(encoder.service.name)
    server.faults.append(Fault(413, body=b"{}"))
    with pytest.raises(UnreadableImage, match="too large"):
        encoder.encode_images([picture()])


def test_others_hear_no_for_a_wrong_key(other: tuple[Any, Server, int], clean: Any) -> None:
    if not clean.ENCODER_KEY:
        pytest.skip("needs no key")
    clean.ENCODER_KEY = "another-key"
    encoders.reset()
    with pytest.raises(EncoderUnavailable, match="refused the key.*ENCODER_KEY"):
        encoders.get().encode_texts(["cat"])


def test_others_need_to_be_told_how_long_their_vectors_are(
    other: tuple[Any, Server, int], clean: Any
) -> None:
    clean.ENCODER_DIMENSIONS = 0
    assert "Set ENCODER_DIMENSIONS" in found()["search.E002"]
    encoders.reset()
    with pytest.raises(EncoderUnavailable, match="Set ENCODER_DIMENSIONS"):
        encoders.get()


def test_every_model_length_and_server_is_a_space_of_its_own(clean: Any) -> None:
    clean.ENCODER_URL, clean.ENCODER_KEY, slugs = "https://encoder.example", KEY, []
    for name in ("cohere", "voyage", "jina", "openai", "immich"):
        clean.ENCODER = name
        for changed in ({}, {"MODEL": "other"}, {"DIMENSIONS": 32}, {"SHAPE": "vllm"}):
            clean.ENCODER_MODEL, clean.ENCODER_DIMENSIONS, clean.ENCODER_SHAPE = "one", 16, "infinity"
            for setting, value in changed.items():
                setattr(clean, f"ENCODER_{setting}", value)
            encoders.reset()
            slugs.append(encoders.get(name).identity.slug())
    assert len(set(slugs)) == 5 * 3 + 1, "the shape matters to openai alone"
    clean.ENCODER, clean.ENCODER_URL, clean.ENCODER_MODEL = "cohere", "https://moved.example", "one"
    clean.ENCODER_DIMENSIONS = 16
    encoders.reset()
    assert encoders.get("cohere").identity.slug() == slugs[0], "a moved service keeps its space"
    encoders.reset()


def test_openai_needs_a_known_shape_and_a_model(clean: Any) -> None:
    clean.ENCODER, clean.ENCODER_URL, clean.ENCODER_DIMENSIONS = "openai", "http://localhost:7997", 16
    assert "needs a model. Set ENCODER_MODEL" in found()["search.E002"]
    clean.ENCODER_MODEL, clean.ENCODER_SHAPE = "some/siglip", "ollama"
    assert "infinity, vllm" in found()["search.E002"]

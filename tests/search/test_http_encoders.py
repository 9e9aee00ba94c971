"""The encoders that ask a service, over real HTTP against servers that hold them to the contracts."""

import json
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets.stages import PermanentFailure, Postponed, pipeline
from search import encoders, spaces, sql
from search.encoders import EncoderError, EncoderUnavailable, UnreadableImage, _http
from search.encoders._azure import AzureEncoder
from tests.factories import asset
from tests.search import services
from tests.search.remote import BAD_NUMBERS, Time, picture, unit
from tests.search.services import KEY, numbers
from tests.search.serving import Fault, Server

# --- azure ----------------------------------------------------------------------------------------


def test_azure_asks_as_the_contract_says_and_gives_unit_vectors(azure: AzureEncoder, server: Server) -> None:
    pictures = azure.encode_images([picture("red"), picture("blue")])
    texts = azure.encode_texts(["  a   cat\n", "a dog"])
    assert isinstance(azure, encoders.Encoder) and azure.notice == ""
    assert pictures.shape == texts.shape == (2, 1024) and pictures.dtype == texts.dtype == np.float32
    assert np.allclose(np.linalg.norm(np.concatenate([pictures, texts]), axis=1), 1, atol=1e-6)
    assert not np.allclose(pictures[0], pictures[1], atol=0.01)
    assert np.allclose(texts[0], unit(numbers(b"2023-04-15 a cat", 1024)), atol=1e-6)
    assert server.connections == 1, "the connection is used again"


def test_azure_speaks_with_a_token_and_the_other_model_version(clean: Any, server: Server) -> None:
    clean.ENCODER_KEY, clean.ENCODER_TOKEN, clean.ENCODER_MODEL = "", KEY, "2022-04-11"
    encoder = AzureEncoder(encoders.configured("azure"))
    assert np.allclose(encoder.encode_texts(["cat"])[0], unit(numbers(b"2022-04-11 cat", 1024)), atol=1e-6)
    assert "Ocp-Apim-Subscription-Key" not in server.requests[0].headers
    clean.ENCODER_MODEL = "2023-04-15"
    assert encoder.identity.slug() != AzureEncoder(encoders.configured("azure")).identity.slug()


def test_nothing_asked_is_nothing_sent(azure: AzureEncoder, server: Server) -> None:
    assert azure.encode_images([]).shape == azure.encode_texts([]).shape == (0, 1024)
    assert not server.requests


def test_an_answer_of_another_model_version_is_no_vector(azure: AzureEncoder, server: Server) -> None:
    server.contract.returned_version = "2022-04-11"  # type: ignore[attr-defined]
    for ask in (lambda: azure.encode_texts(["cat"]), lambda: azure.encode_images([picture()])):
        with pytest.raises(EncoderUnavailable, match="'2022-04-11' instead of 2023-04-15.*ENCODER_MODEL"):
            ask()


@pytest.mark.parametrize(
    ("image", "size"),
    [
        (picture(size=(1, 1)), (11, 11)),
        (picture(size=(30, 5)), (66, 11)),
        (picture(size=(4000, 1000)), (1024, 256)),
        (picture(size=(20_000, 2)), (15_999, 11)),
        (picture(mode="CMYK"), (60, 40)),
        (picture(mode="RGBA"), (60, 40)),
        (picture(mode="P"), (60, 40)),
        (picture(mode="1"), (60, 40)),
        (Image.new("I;16", (60, 40), 40_000), (60, 40)),
    ],
)
def test_every_picture_goes_as_a_jpeg_within_the_limits(
    azure: AzureEncoder, server: Server, image: Image.Image, size: tuple[int, int]
) -> None:
    azure.encode_images([image])
    sent = server.requests[0].picture
    assert sent is not None and sent.format == "JPEG" and sent.size == size and sent.mode == "RGB"


def test_what_a_file_says_about_itself_stays_at_home(azure: AzureEncoder, server: Server) -> None:
    image = picture()
    image.info.update(comment=b"private", icc_profile=b"profile", exif=b"Exif\0\0")
    azure.encode_images([image])
    sent = server.requests[0].picture
    assert sent is not None and not {"comment", "icc_profile", "exif"} & set(sent.info)
    assert image.info["comment"] == b"private", "the caller's picture is not touched"


def test_noise_stays_far_below_the_byte_limit(azure: AzureEncoder, server: Server) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    azure.encode_images([Image.fromarray(noise)])
    assert len(server.requests[0].body) < 3_000_000


def test_pictures_without_pixels_are_not_sent(azure: AzureEncoder, server: Server) -> None:
    with pytest.raises(UnreadableImage):
        azure.encode_images([Image.new("RGB", (0, 5))])
    assert not server.requests


def test_a_refused_picture_is_not_tried_again(azure: AzureEncoder, server: Server) -> None:
    """The contract's own words for a bad picture make a permanent failure, with the reason in it."""
    refusal = services.Azure.refused(400, "InvalidRequest", "odd", "InvalidImageFormat")
    inner = json.dumps(refusal.body).encode()
    server.faults.extend([Fault(400, body=inner), Fault(413, body=b"{}")])
    for words in ("in this form.*odd", "too large"):
        with pytest.raises(UnreadableImage, match=words):
            azure.encode_images([picture()])
    assert len(server.requests) == 2
    server.faults.append(Fault(400, body=inner))
    with pytest.raises(EncoderUnavailable):  # the same about a text is nothing about a picture
        azure.encode_texts(["cat"])


def test_long_texts_are_cut_to_what_the_service_takes(azure: AzureEncoder, server: Server) -> None:
    words = [f"w{n}" for n in range(71)]
    long, cut = azure.encode_texts([" ".join(words), " ".join(words[:70])])
    assert np.array_equal(long, cut)
    assert azure.limits.max_text_words == 70


def test_a_text_without_a_word_is_an_error_and_a_broken_one_is_not(
    azure: AzureEncoder, server: Server
) -> None:
    for empty in ("", " \n\t"):
        with pytest.raises(EncoderError, match="without a word"):
            azure.encode_texts([empty])
    assert not server.requests
    assert azure.encode_texts(["lone \ud800 surrogate", "\x00 ???"]).shape == (2, 1024)


# --- bad answers never become vectors -------------------------------------------------------------


@pytest.mark.parametrize("change", BAD_NUMBERS.values(), ids=BAD_NUMBERS.keys())
def test_bad_numbers_are_an_error(azure: AzureEncoder, server: Server, change: Any) -> None:
    server.faults.extend([Fault(change=change), Fault(change=change)])
    with pytest.raises(EncoderUnavailable, match="127.0.0.1"):
        azure.encode_texts(["cat"])
    with pytest.raises(EncoderUnavailable, match="127.0.0.1"):
        azure.encode_images([picture()])
    assert azure.encode_texts(["cat"]).shape == (1, 1024), "and the next good one is taken"


def test_extreme_but_finite_numbers_are_normalised(azure: AzureEncoder, server: Server) -> None:
    for factor in (1e300, 1e-300):
        server.faults.append(Fault(change=lambda row, by=factor: [number * by for number in row]))
    assert np.allclose(np.linalg.norm(azure.encode_texts(["a", "b"]), axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>A login page</html>", b'{"modelVersion": "2023-04-15", "vec', b"[" * 100_000, b"\xff\xfe"],
)
def test_what_is_no_json_is_an_error(azure: AzureEncoder, server: Server, body: bytes) -> None:
    server.faults.append(Fault(body=body))
    with pytest.raises(EncoderUnavailable, match="no complete JSON.*ENCODER_URL"):
        azure.encode_texts(["cat"])


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"7", b'"text"', b"{}", b'{"vector": [1]}', b'{"modelVersion": 7}']
)
def test_json_of_another_form_is_an_error(azure: AzureEncoder, server: Server, body: bytes) -> None:
    server.faults.append(Fault(body=body))
    with pytest.raises(EncoderUnavailable):
        azure.encode_texts(["cat"])


def test_an_answer_without_end_is_given_up(
    azure: AzureEncoder, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http, "MAX_ANSWER_BYTES", 1000)
    with pytest.raises(EncoderUnavailable, match="far too long"):
        azure.encode_texts(["cat"])


# --- what people read, and what nobody may --------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            Fault(401, body=b'{"error": {"code": "PermissionDenied", "message": "no"}}'),
            "ENCODER_KEY.*says: no",
        ),
        (Fault(402, body=b'{"message": "pay"}'), "nothing left to spend.*pay"),
        (Fault(404, body=b"<html>404</html>"), "no such service.*ENCODER_URL and ENCODER_MODEL[.] Calls"),
        (Fault(413, body=b"{}"), "too large"),
        (Fault(422, body=b'{"detail": [{"msg": "bad field"}]}'), "did not accept.*bad field"),
        (Fault(429, body=b'{"detail": "20 a minute"}'), "quota of the account.*20 a minute"),
        (Fault(400, body=b'{"error": "plain"}'), "says: plain"),
    ],
)
def test_errors_say_what_to_do(azure: AzureEncoder, server: Server, fault: Fault, words: str) -> None:
    server.faults.extend([fault] * 3)
    with pytest.raises(EncoderUnavailable, match=words):
        azure.encode_texts(["cat"])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "ENCODER_NEXT_KEY or ENCODER_NEXT_TOKEN"),
        (404, "ENCODER_NEXT_URL and ENCODER_NEXT_MODEL"),
        (422, "ENCODER_NEXT_MODEL and ENCODER_NEXT_DIMENSIONS"),
        (200, "ENCODER_NEXT_URL"),
    ],
)
def test_errors_name_the_variables_of_that_very_encoder(
    settings: Any, server: Server, status: int, words: str
) -> None:
    values = {"kind": "azure", "prefix": "ENCODER_NEXT", "url": server.url, "key": KEY}
    settings.ENCODERS = {**settings.ENCODERS, "next": values}
    server.faults.append(Fault(status, body=b"-"))
    with pytest.raises(EncoderUnavailable, match=words):
        AzureEncoder(encoders.configured("next")).encode_texts(["cat"])


def test_a_long_error_is_quoted_shortly(azure: AzureEncoder, server: Server) -> None:
    server.faults.append(Fault(400, body=b'{"message": "%s\\n\\u0007"}' % (b"very " * 500)))
    with pytest.raises(EncoderUnavailable) as caught:
        azure.encode_texts(["cat"])
    assert len(str(caught.value)) < 400 and str(caught.value).isprintable()


@pytest.mark.parametrize("fault", [None, Fault(mode="drop"), Fault(500), Fault(body=b"no")])
def test_no_key_anywhere(
    clean: Any, server: Server, made_time: Time, caplog: pytest.LogCaptureFixture, fault: Fault | None
) -> None:
    """Not in a message that echoes it, a traceback, a repr or a log of any level."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "search"):
        caplog.set_level(logging.DEBUG, logger=name)
    secret = clean.ENCODER_KEY = KEY if fault else "wr0ng-key-that-the-server-repeats"
    server.faults.extend([fault] * 5 if fault else [])
    encoder = AzureEncoder(encoders.configured("azure"))
    with pytest.raises(EncoderUnavailable) as caught:
        encoder.encode_texts(["cat"])
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    shown += repr([encoder, encoder.client, encoder.service, encoder.identity, vars(encoder)])
    assert secret not in shown
    assert fault or "[key]" in str(caught.value), "the server did repeat it"


@pytest.mark.parametrize("key", ["with space", "line\nbreak", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_said_and_not_shown(clean: Any, server: Server, key: str) -> None:
    clean.ENCODER_KEY = key
    with pytest.raises(EncoderUnavailable, match="ENCODER_KEY contains") as caught:
        AzureEncoder(encoders.configured("azure"))
    assert key not in "".join(traceback.format_exception(caught.value))


def test_threads_share_an_encoder(azure: AzureEncoder, server: Server) -> None:
    texts = [f"text {n}" for n in range(24)]
    with ThreadPoolExecutor(6) as pool:
        rows = list(pool.map(lambda text: azure.encode_texts([text])[0], texts))
    for row, text in zip(rows, texts, strict=True):
        assert np.allclose(row, unit(numbers(f"2023-04-15 {text}".encode(), 1024)), atol=1e-6)
    assert server.connections <= 6


# --- what reaches the database --------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_of_a_bad_answer_is_stored(
    clean: Any, server: Server, made_time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage itself: bad numbers and a service that is away are retried, a refused picture is not."""
    encoders.reset()
    space, _ = spaces.ensure()
    shown = asset("red", "one.jpg")
    version = shown.current_version
    assert version is not None
    pipeline()["make_renditions"](version)()
    stage = pipeline()["vectorise_picture"]
    for fault in (Fault(change=BAD_NUMBERS["NaN"]), Fault(401), Fault(body=b"{")):
        server.faults.append(fault)
        with pytest.raises((EncoderUnavailable, Postponed)):
            stage(version, space.pk)
        encoders.resume("azure")
    server.faults.append(Fault(413))
    with pytest.raises(PermanentFailure, match="too large"):
        stage(version, space.pk)
    assert space.dimensions == 1024
    assert sql.vectors_of(space, [shown.pk]) == {}
    stage(version, space.pk)()
    assert np.isclose(np.linalg.norm(sql.vectors_of(space, [shown.pk])[shown.pk]), 1, atol=1e-2)
    encoders.reset()

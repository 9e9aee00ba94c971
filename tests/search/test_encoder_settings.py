"""What is missing or wrong in the settings of an encoder is said by a check, and by the encoder itself."""

import re
from typing import Any

import pytest

from search import encoders
from search.encoders import EncoderUnavailable
from search.encoders._azure import AzureEncoder
from tests.search.remote import found
from tests.search.serving import Server


def test_good_settings_pass_the_checks(server: Server) -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ENCODER_URL": ""}, "needs an address. Set ENCODER_URL"),
        ({"ENCODER_URL": "museum.cognitiveservices.azure.com"}, "not a web address"),
        ({"ENCODER_URL": "http://[::1"}, "not a web address"),
        ({"ENCODER_URL": "https://me:secret@host"}, "a key belongs in ENCODER_KEY"),
        ({"ENCODER_URL": "https://host?key=secret"}, "a key belongs in ENCODER_KEY"),
        ({"ENCODER_KEY": ""}, "needs a key. Set ENCODER_KEY, or ENCODER_TOKEN"),
        ({"ENCODER_TOKEN": "too"}, "Both ENCODER_KEY and ENCODER_TOKEN"),
        ({"ENCODER_MODEL": "latest"}, "knows no model 'latest'.*2023-04-15, 2022-04-11"),
        ({"ENCODER_DIMENSIONS": 512}, "have 1024 numbers, not 512"),
        ({"ENCODER_TIMEOUT": 0.0}, "ENCODER_TIMEOUT is 0 seconds"),
        ({"ENCODER_TIMEOUT": 500.0}, "STAGE_SECONDS"),
        ({"ENCODER_PER_SECOND": -1.0}, "ENCODER_PER_SECOND is -1"),
        ({"ENCODER_PER_SECOND": float("inf")}, "ENCODER_PER_SECOND is inf"),
        ({"ENCODER_AT_ONCE": -1}, "ENCODER_AT_ONCE is -1"),
        ({"ENCODER_PER_MONTH": -1}, "ENCODER_PER_MONTH is -1"),
    ],
)
def test_wrong_settings_are_said_by_a_check_and_by_the_encoder(
    clean: Any, server: Server, changed: dict[str, Any], words: str
) -> None:
    for name, value in changed.items():
        setattr(clean, name, value)
    assert re.search(words, found()["search.E002"])
    with pytest.raises(EncoderUnavailable, match=words):
        AzureEncoder(encoders.configured("azure"))
    assert "secret" not in found()["search.E002"]


def test_an_unknown_encoder_is_said_by_a_check(clean: Any) -> None:
    clean.ENCODER = "nonesuch"
    assert "azure, builtin, cohere" in found()["search.E001"]


def test_a_key_in_the_open_is_warned_of(clean: Any, server: Server) -> None:
    clean.ENCODER_URL = "http://encoder.museum.example"
    assert "https" in found()["search.W001"]
    clean.ENCODER_URL = "https://encoder.museum.example"
    assert found() == {}


def test_the_builtin_encoder_needs_no_settings(clean: Any) -> None:
    clean.ENCODER = "builtin"
    assert found() == {}


def test_an_open_model_needs_a_name(clean: Any) -> None:
    clean.ENCODER = "onnx"
    assert "Set ENCODER_MODEL to a folder" in found()["search.E002"]
    clean.ENCODER_MODEL = "owner/model"
    assert found() == {}


def test_a_further_encoder_that_is_not_complete_keeps_nothing_closed(server: Server, settings: Any) -> None:
    settings.ENCODERS = {**settings.ENCODERS, "next": {"kind": "cohere", "prefix": "ENCODER_NEXT"}}
    assert set(found()) == {"search.W102"} and "ENCODER_NEXT_" in found()["search.W102"]
    settings.ENCODERS = {**settings.ENCODERS, "next": {"kind": "nonesuch", "prefix": "ENCODER_NEXT"}}
    assert "(ENCODER_NEXT_KIND)" in found()["search.W101"]

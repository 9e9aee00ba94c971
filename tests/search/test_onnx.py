"""The encoder of kind onnx, on tiny pairs with random weights, and its downloads from a hub on loopback."""

import json
import os
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from onnx import TensorProto
from PIL import Image

from assets.models import StageRun
from search import encoders, spaces, sql
from search.encoders import (
    EncoderUnavailable,
    _onnx_download,
    _onnx_files,
    _onnx_graph,
    _onnx_layout,
    _onnx_prepare,
)
from search.encoders._onnx_pixels import of_openclip, of_transformers
from search.encoders._onnx_tokens import CLEANING, TextRules, Texts
from tests.factories import asset
from tests.search import hub, onnx_pairs

UNUSUAL = TensorProto.INT16
TEXTS = ["a red cat", "", "Two DOGS, in the snow!", "x" * 5000, "map \ud800 \x00 猫 🐈", "word " * 3000]


def picture(color: Any = "red", size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    noise = np.random.default_rng(7).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.blend(Image.fromarray(noise), Image.new("RGB", size, color), 0.5).convert(mode)


@pytest.fixture
def configured(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes the encoder of the given settings the only one."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_onnx_download.Hub, "sleep", staticmethod(lambda seconds: None))
    settings.MODEL_DIR = tmp_path / "models"
    settings.ENCODER = "onnx"

    def configure(**values: Any) -> None:
        encoders.reset()
        settings.ENCODERS = {"onnx": {"kind": "onnx", **values}}

    yield configure
    encoders.reset()


def get(configure: Any, folder: Path, **values: Any) -> encoders.Encoder:
    configure(model=str(folder), **values)
    return encoders.get()


# --- vectors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", onnx_pairs.MAKERS.values(), ids=onnx_pairs.MAKERS)
def test_a_pair_of_either_layout_gives_unit_vectors(make, configured, tmp_path):
    encoder = get(configured, make(tmp_path / "pair"))
    pictures = [picture(size=(n + 20, 50)) for n in range(10)]
    rows, texts = encoder.encode_images(pictures), encoder.encode_texts(TEXTS)
    for vectors, count in ((rows, 10), (texts, len(TEXTS))):
        assert vectors.dtype == np.float32 and vectors.shape == (count, encoder.identity.dimensions)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert isinstance(encoder, encoders.Encoder) and encoder.identity.dimensions == onnx_pairs.DIMENSIONS
    assert np.abs(encoder.encode_images(pictures[3:4]) - rows[3]).max() < 1e-5
    assert np.abs(encoder.encode_texts(TEXTS[2:3]) - texts[2]).max() < 1e-5
    assert encoder.encode_images([]).shape == encoder.encode_texts([]).shape == (0, 16)
    assert encoder.limits.input_pixels == onnx_pairs.SIDE
    ends = 1 if "siglip" in make.__name__ else 2
    assert encoder.limits.max_text_words == onnx_pairs.CONTEXT - ends


def test_threads_do_not_disturb_each_other(configured, tmp_path):
    encoder = get(configured, onnx_pairs.clip_of_transformers(tmp_path))
    texts, start = [f"{n} cats on the chair" for n in range(8)], threading.Barrier(8)
    alone, image = encoder.encode_texts(texts), encoder.encode_images([picture()])[0]

    def work(text: str) -> Any:
        start.wait(10)
        return encoder.encode_texts([text])[0], encoder.encode_images([picture()])[0]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, texts))
    assert np.abs(np.stack([text for text, _ in found]) - alone).max() < 1e-6
    assert np.abs(np.stack([row for _, row in found]) - image).max() < 1e-6


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"]
)
@pytest.mark.parametrize("size", [(1, 1), (3, 3000), (64, 48)])
@pytest.mark.parametrize("make", ["openclip-clip", "transformers-siglip"])
def test_any_mode_and_size_gives_a_finite_unit_vector(make, mode, size, configured, tmp_path):
    encoder = get(configured, onnx_pairs.MAKERS[make](tmp_path / "pair"))
    row = encoder.encode_images([Image.new(mode, size)])[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_pixels_that_cannot_be_decoded_are_an_error_for_people(configured, tmp_path):
    encoder = get(configured, onnx_pairs.clip_of_openclip(tmp_path / "pair"))
    path = tmp_path / "cut.jpg"
    picture(size=(300, 200)).save(path)
    path.write_bytes(path.read_bytes()[:4000])
    with Image.open(path) as cut, pytest.raises(encoders.UnreadableImage, match="cannot be decoded"):
        encoder.encode_images([cut])


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_other_precisions_are_near_and_spaces_of_their_own(precision, configured, tmp_path):
    folder = onnx_pairs.clip_of_transformers(tmp_path)
    onnx_pairs.clip_of_transformers(tmp_path, precision)
    full, other = get(configured, folder), get(configured, folder, precision=precision)
    assert other.identity.digest != full.identity.digest
    assert any(precision[:4] in name or "quantized" in name for name in other.identity.files)
    images = [picture(), picture("blue", (30, 90))]
    assert (full.encode_images(images) * other.encode_images(images)).sum(axis=1).min() > 0.99
    assert (full.encode_texts(TEXTS) * other.encode_texts(TEXTS)).sum(axis=1).min() > 0.99


def test_the_graphs_that_immich_exports_in_half_precision_too(configured, tmp_path):
    folder = onnx_pairs.clip_of_openclip(tmp_path, "fp16")
    assert get(configured, folder, precision="fp16").encode_texts(["a"]).shape == (1, 16)


def test_a_batch_of_a_fixed_size_is_filled_up(configured, tmp_path):
    folder = onnx_pairs.clip_of_openclip(tmp_path)
    alone = get(configured, folder).encode_images([picture(), picture("blue"), picture("green")])
    onnx_pairs.visual(folder / "visual/model.onnx", given="image", output="embedding", batch=2)
    (folder / "manifest-fp32.json").unlink()
    encoder = get(configured, folder)
    assert np.abs(encoder.encode_images([picture(), picture("blue"), picture("green")]) - alone).max() < 1e-5


def test_what_is_transparent_counts_as_white_and_sixteen_bits_are_scaled(configured, tmp_path):
    encoder = get(configured, onnx_pairs.siglip_of_openclip(tmp_path))
    clear, white = Image.new("RGBA", (9, 9), (255, 0, 0, 0)), Image.new("RGB", (9, 9), "white")
    grey = picture(mode="L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    first, second, third, fourth = encoder.encode_images([clear, white, grey, deep])
    assert first @ second > 0.9999 and third @ fourth > 0.999


# --- what is said of a model ---------------------------------------------------------------------------


def test_the_identity_names_the_files_and_the_recipe(configured, tmp_path):
    folder = onnx_pairs.clip_of_openclip(tmp_path / "ViT")
    identity = get(configured, folder).identity
    assert (identity.encoder, identity.model) == ("onnx", "ViT")
    assert identity.preprocessing == "openclip 1, fp32" and identity.version.startswith("files-")
    assert identity.files["visual/model.onnx"] == _onnx_files.sha256(folder / "visual/model.onnx")
    assert set(identity.files) == {
        "config.json",
        "textual/model.onnx",
        "textual/tokenizer.json",
        "visual/model.onnx",
        "visual/preprocess_cfg.json",
    }


def test_a_folder_below_the_model_directory_may_be_named_shortly(configured, settings):
    onnx_pairs.clip_of_openclip(settings.MODEL_DIR / "mine" / "ViT")
    configured(model="mine/ViT")
    assert encoders.get().identity.model == "ViT"


def test_weights_outside_the_graph_are_part_of_the_model(configured, tmp_path):
    import onnx

    folder = onnx_pairs.clip_of_transformers(tmp_path)
    path = folder / "onnx/text_model.onnx"
    before = get(configured, folder).encode_texts(TEXTS)
    onnx.save(
        onnx.load(path),
        str(path),
        save_as_external_data=True,
        location="text_model.onnx_data",
        size_threshold=256,
    )
    (folder / "manifest-fp32.json").unlink()
    encoder = get(configured, folder)
    assert "onnx/text_model.onnx_data" in encoder.identity.files
    assert np.abs(encoder.encode_texts(TEXTS) - before).max() < 1e-6


def test_a_graph_is_loaded_only_when_it_is_used(configured, tmp_path, monkeypatch):
    folder = onnx_pairs.clip_of_openclip(tmp_path)
    get(configured, folder)  # the first time, both are tried
    loaded = []
    real = _onnx_graph._session
    monkeypatch.setattr(
        _onnx_graph, "_session", lambda path, names: loaded.append(path.name) or real(path, names)
    )
    encoder = get(configured, folder)
    assert loaded == []
    encoder.encode_texts(["a"])
    encoder.encode_texts(["b"])
    assert loaded == ["model.onnx"]


def test_text_is_cut_at_the_context_and_keeps_its_end(tmp_path):
    onnx_pairs.bpe().save(str(tmp_path / "tokenizer.json"))
    texts = Texts(tmp_path / "tokenizer.json", TextRules("lower", 12, 0))
    ids, mask = texts(["cat " * 100, "Cat", "cat"])
    assert ids.shape == (3, 12) and ids[0, 0] == 1 and ids[0, -1] == 2 and mask[0].all()
    assert ids[1].tolist() == ids[2].tolist() and ids[1, -1] == 0 and mask[1].sum() == (ids[1] != 0).sum()
    left = Texts(tmp_path / "tokenizer.json", TextRules("lower", 12, "!", on_the_left=True))(["cat"])[0][0]
    assert left[0] == 0 and left[-1] == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lower", "it's “a b” <c>_d".replace("“", '"').replace("”", '"')),
        ("whitespace", 'It\'s "A b" <C>_d'),
        ("canonicalize", "its a b c d"),
        ("siglip", "its “a b” ltcgtd"),
        ("none", " It's “A\n b” &lt;C&gt;_d "),
    ],
)
def test_texts_are_cleaned_as_each_family_does(name, expected):
    assert CLEANING[name](" It's “A\n b” &lt;C&gt;_d ") == expected


# --- wrong settings and files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": ""}, "needs a model. Set ENCODER_MODEL"),
        ({"precision": "fp8"}, "no precision 'fp8'; there are: fp32, fp16, int8"),
        ({"precision": "int8"}, r"missing: visual/model_quantized.onnx \(there is only fp32\), textual/"),
        ({"providers": ("tpu",)}, "no provider 'tpu'; there are: cpu, cuda"),
        ({"providers": ("cuda", "cpu")}, "cuda is not available. Install onnxruntime-gpu"),
        ({"dimensions": 8}, "have 16 numbers, not 8. Leave ENCODER_DIMENSIONS unset"),
    ],
)
def test_a_wrong_setting_is_said_in_one_sentence(values, words, configured, tmp_path):
    onnx_pairs.clip_of_openclip(tmp_path)
    configured(**{"model": str(tmp_path), **values})
    with pytest.raises(EncoderUnavailable, match=words):
        encoders.get()


def test_the_settings_of_the_kind_pass_the_checks(configured, tmp_path):
    configured(model="immich-app/ViT-B-16-SigLIP2__webli")
    assert [message for message in run_checks() if message.id and message.id.startswith("search")] == []


def test_providers_are_those_of_onnxruntime():
    assert _onnx_graph.chosen(()) == _onnx_graph.chosen(("cpu",)) == ["CPUExecutionProvider"]


@pytest.mark.parametrize(
    "name", ["visual/model.onnx", "textual/tokenizer.json", "visual/preprocess_cfg.json"]
)
def test_a_missing_file_is_named_with_its_folder(name, configured, tmp_path):
    folder = onnx_pairs.clip_of_openclip(tmp_path / "ViT")
    (folder / name).unlink()
    configured(model=str(folder))
    with pytest.raises(EncoderUnavailable, match=f"in {re.escape(str(folder))}; missing: {name}. Put"):
        encoders.get()


def test_an_empty_folder_asks_for_either_layout(configured, tmp_path):
    configured(model=str(tmp_path / "nowhere"))
    with pytest.raises(EncoderUnavailable, match=r"either visual/model.onnx, .* or onnx/vision_model.onnx"):
        encoders.get()


def test_a_changed_file_is_an_error_and_never_another_model(configured, tmp_path):
    folder = onnx_pairs.clip_of_openclip(tmp_path)
    path = folder / "visual/model.onnx"
    first, content = get(configured, folder).identity, path.read_bytes()
    os.utime(path, (1, 1))
    assert get(configured, folder).identity == first  # only its time differs
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        EncoderUnavailable, match=r"visual/model.onnx is missing or not what .* manifest-fp32"
    ):
        get(configured, folder)
    path.unlink()
    with pytest.raises(EncoderUnavailable, match=r"missing: visual/model.onnx"):
        get(configured, folder)


def test_a_damaged_manifest_says_what_to_delete(configured, tmp_path):
    folder = onnx_pairs.clip_of_openclip(tmp_path)
    (folder / "manifest-fp32.json").write_text("{")
    with pytest.raises(EncoderUnavailable, match="manifest-fp32.json cannot be read .* delete it"):
        get(configured, folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "onnx/text_model.onnx").write_bytes(b"no"), "text_model.onnx cannot be loaded"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "cannot be read as a tokenizer"),
        (lambda f: (f / "config.json").write_text("[]"), "does not hold what such a file holds"),
        (lambda f: (f / "config.json").write_text('{"model_type": "blip"}'), "of the type 'blip'"),
        (lambda f: (f / "config.json").write_text("nonsense"), "config.json cannot be read"),
        (
            lambda f: (f / "preprocessor_config.json").write_text('{"image_mean": 3}'),
            "not that of a known model",
        ),
        (
            lambda f: (f / "preprocessor_config.json").write_text(
                '{"image_processor_type": "Siglip2ImageProcessor"}'
            ),
            "rule of Siglip2ImageProcessor",
        ),
        (
            lambda f: onnx_pairs.visual(f / "onnx/vision_model.onnx", output="image_embeds", side=64),
            "does not take pictures of 32x32 pixels",
        ),
        (
            lambda f: onnx_pairs.textual(f / "onnx/text_model.onnx", output="text_embeds", context=77),
            "does not take 12 tokens",
        ),
        (
            lambda f: onnx_pairs.textual(f / "onnx/text_model.onnx", output="text_embeds", length=8),
            "pictures become 16 numbers, texts 8",
        ),
        (
            lambda f: onnx_pairs.textual(f / "onnx/text_model.onnx", output="text_embeds", ids=UNUSUAL),
            "is of the type tensor.int16., which is not known",
        ),
        (
            lambda f: onnx_pairs.visual(f / "onnx/vision_model.onnx", output="image_embeds", scale=0.0),
            "gives a vector of zeros",
        ),
        (
            lambda f: onnx_pairs.visual(f / "onnx/vision_model.onnx", output="image_embeds", scale=np.nan),
            "gives numbers that are not finite",
        ),
    ],
)  # fmt: skip
def test_a_model_that_is_none_is_refused_in_words(change, words, configured, tmp_path):
    folder = onnx_pairs.clip_of_transformers(tmp_path)
    change(folder)
    with pytest.raises(EncoderUnavailable, match=words):
        get(configured, folder)


def test_an_unpooled_graph_is_refused(configured, tmp_path):
    import onnx

    folder = onnx_pairs.clip_of_transformers(tmp_path)
    path = folder / "onnx/text_model.onnx"
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.append(
        onnx.helper.make_tensor_value_info("bent", TensorProto.FLOAT, ["n", "length", 24])
    )
    onnx.save(model, str(path))
    with pytest.raises(EncoderUnavailable, match="gives bent, and none of them is one vector"):
        get(configured, folder)


@pytest.mark.parametrize(
    "config",
    [
        {"resize_mode": "longest"},
        {"interpolation": "nearest"},
        {"size": [224, 196], "resize_mode": "shortest"},
    ],
)
def test_rules_for_pictures_that_are_not_known_are_refused(config):
    with pytest.raises(EncoderUnavailable, match="cannot be prepared by the rule"):
        of_openclip(config)


def test_the_forms_that_sizes_take():
    for size in (32, [32], [32, 32]):
        assert (of_openclip({"size": size}).height, of_openclip({"size": size}).width) == (32, 32)
    for size in (32, {"shortest_edge": 32}):
        rules = of_transformers({"size": size, "crop_size": {"height": 30, "width": 28}})
        assert (rules.shortest, rules.height, rules.width) == (32, 30, 28)
    siglip = {"image_processor_type": "SiglipImageProcessor", "size": 48}
    assert of_transformers(siglip).shortest == 0 and of_transformers(siglip).mean == (0.5, 0.5, 0.5)
    plain = of_transformers({"size": 32, "do_normalize": False, "do_rescale": False})
    assert (plain.mean, plain.std, plain.scale) == ((0, 0, 0), (1, 1, 1), 1)


def test_nothing_outside_the_folder_is_ever_chosen():
    names = {*onnx_names(), "onnx/vision_model.onnx_data/../../../evil", "README.md", "../evil"}
    pair = _onnx_layout.choose(names, "fp32")
    assert pair and set(pair.files) == onnx_names()


def onnx_names() -> set[str]:
    graphs = {"onnx/vision_model.onnx", "onnx/text_model.onnx", "onnx/text_model.onnx_data"}
    return graphs | {"config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"}


# --- downloads --------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path, configured):
    onnx_pairs.clip_of_transformers(tmp_path / "hub")
    (tmp_path / "hub/README.md").write_text("not needed")
    (tmp_path / "hub/onnx/vision_model_fp16.onnx").write_bytes(b"not asked for")
    with hub.serving(tmp_path / "hub") as serving:
        configured(model="own/pair", url=serving.url)
        yield serving


def prepare(*args: str) -> str:
    out = StringIO()
    call_command("prepare_models", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def folder_of(settings: Any) -> Path:
    return Path(settings.MODEL_DIR) / "onnx/own--pair"


def test_a_model_is_downloaded_checked_and_pinned(server, settings):
    with pytest.raises(
        EncoderUnavailable, match=r"own--pair; missing: either .*prepare_models --encoder onnx"
    ):
        encoders.get()
    assert server.requests == []  # nothing is downloaded by the way
    assert f"own/pair ready in {folder_of(settings)} (fp32, 16 numbers, version {hub.COMMIT})" in prepare()
    identity = encoders.get().identity
    assert (identity.model, identity.version, identity.dimensions) == ("own/pair", hub.COMMIT, 16)
    assert set(identity.files) == onnx_names() - {"onnx/text_model.onnx_data"}
    asked = len(server.requests)
    assert prepare().count("\n") == 1 and len(server.requests) == asked
    assert all("resolve/main" not in path for path, _ in server.requests)
    assert not list(folder_of(settings).rglob("*.part"))


def test_a_pinned_revision_is_asked_for_and_has_its_own_folder(server, settings, configured):
    configured(model="own/pair", url=server.url, revision="v1")
    prepare("--encoder", "onnx")
    assert server.requests[0][0].startswith("/api/models/own/pair/revision/v1?")
    assert (Path(settings.MODEL_DIR) / "onnx/own--pair@v1/manifest-fp32.json").exists()
    assert encoders.get().identity.version == hub.COMMIT
    configured(model="own/pair", url=server.url, revision="v2")
    with pytest.raises(CommandError, match="does not have the model own/pair at v2. Check ENCODER_MODEL and"):
        prepare()


def test_a_broken_transfer_goes_on_where_it_stopped(server):
    server.cut_after = 3000
    prepare()
    ranges = [wanted for path, wanted in server.requests if path.endswith("text_model.onnx")]
    assert ranges[:3] == [None, "bytes=3000-", "bytes=6000-"]
    assert encoders.get().encode_texts(["a"]).shape == (1, 16)


def test_a_killed_download_goes_on_where_it_stopped(server, settings):
    class Killed(BaseException):
        pass

    def kill(name: str, done: int, size: int) -> None:
        if name.endswith("text_model.onnx"):
            raise Killed

    server.cut_after = 3000
    with pytest.raises(Killed):
        _onnx_prepare.prepare(encoders.configured("onnx"), kill)
    (part,) = folder_of(settings).rglob("*.part")
    there = part.stat().st_size
    assert 0 < there <= 3000
    server.cut_after = 0
    prepare()
    path = f"/own/pair/resolve/{hub.COMMIT}/onnx/text_model.onnx"
    assert [wanted for asked, wanted in server.requests if asked == path] == [None, f"bytes={there}-"]


def test_a_server_without_ranges_begins_again(server):
    server.ignores_ranges, server.cut_after = True, 3000
    with pytest.raises(CommandError, match="could not be had from"):
        prepare()
    server.cut_after = 0
    prepare()
    assert encoders.get().identity.version == hub.COMMIT


def test_a_part_that_is_too_long_begins_again(server, settings):
    target = folder_of(settings) / "onnx/text_model.onnx"
    target.parent.mkdir(parents=True)
    sibling = next(s for s in server.listing()["siblings"] if s["rfilename"] == "onnx/text_model.onnx")
    target.with_name(f"{target.name}.{sibling['lfs']['sha256'][:12]}.part").write_bytes(
        b"x" * sibling["size"]
    )
    with pytest.raises(CommandError, match="other bytes than it had announced"):
        prepare()
    prepare()
    assert target.stat().st_size == sibling["size"]


@pytest.mark.parametrize("name", ["onnx/vision_model.onnx", "config.json"])
def test_a_wrong_digest_is_thrown_away(server, settings, name):
    content = bytearray(server.content(name))
    content[len(content) // 2] ^= 1
    server.wrong[name] = bytes(content)
    with pytest.raises(CommandError, match=f"sent {name} with other bytes .* thrown away"):
        prepare()
    assert not (folder_of(settings) / name).exists() and not list(folder_of(settings).rglob("*.part"))
    with pytest.raises(EncoderUnavailable, match="prepare_models"):
        encoders.get()
    server.wrong.clear()
    prepare()


def test_a_complete_file_is_not_downloaded_twice(server, settings):
    target = folder_of(settings) / "onnx/text_model.onnx"
    target.parent.mkdir(parents=True)
    target.write_bytes(server.content("onnx/text_model.onnx"))
    prepare()
    assert not any(path.endswith("text_model.onnx") for path, _ in server.requests)


def test_a_lost_file_comes_from_the_pinned_commit(server, settings):
    prepare()
    before = encoders.get().identity
    lost = folder_of(settings) / "onnx/text_model.onnx"
    lost.unlink()
    encoders.reset()
    with pytest.raises(
        EncoderUnavailable, match=r"missing: onnx/text_model.onnx. Run `manage.py prepare_models"
    ):
        encoders.get()
    prepare()
    assert encoders.get().identity == before
    assert [path for path, _ in server.requests if "/revision/" in path][1].startswith(
        f"/api/models/own/pair/revision/{hub.COMMIT}"
    )


def test_files_of_two_commits_are_never_mixed(server, settings, configured):
    """A download over other files that stops in the middle leaves no model behind."""
    onnx_pairs.clip_of_transformers(folder_of(settings))
    (folder_of(settings) / "config.json").write_text('{"model_type": "clip", "old": true}')
    (folder_of(settings) / "onnx/text_model.onnx").write_bytes(b"old")
    server.ignores_ranges, server.cut_after = True, 3000
    with pytest.raises(CommandError, match=r"could not be had from .* What has arrived is kept in"):
        prepare()
    configured(model="own/pair", url=nobody())
    with pytest.raises(CommandError, match=r"no connection.* is not complete in [^;]*\. Run"):
        prepare()
    with pytest.raises(EncoderUnavailable, match="not yet checked and pinned"):
        encoders.get()


def test_busy_answers_are_waited_for(server):
    server.statuses = [503, 429]
    prepare()
    assert encoders.get().identity.dimensions == 16


def test_a_model_behind_a_door_needs_a_token(server, configured, settings):
    server.token = "hf_secret"
    with pytest.raises(CommandError, match=r"refuses .* \(401\).* Set ENCODER_TOKEN"):
        prepare()
    configured(model="own/pair", url=server.url, token="hf_secret")
    assert "hf_secret" not in prepare()
    manifest = (folder_of(settings) / "manifest-fp32.json").read_text()
    assert "hf_secret" not in manifest and json.loads(manifest)["version"] == hub.COMMIT


def test_a_token_stays_with_the_hub_when_files_come_from_elsewhere(server, configured):
    with hub.serving(server.folder) as store:
        server.token, server.store, store.cut_after = "hf_secret", store.url, 3000
        configured(model="own/pair", url=server.url, token="hf_secret")
        prepare()
        assert server.authorizations == {"Bearer hf_secret"} and store.authorizations == {None}
        assert "bytes=3000-" in {wanted for _, wanted in store.requests}
    assert encoders.get().identity.dimensions == 16


def test_what_is_left_of_another_version_is_cleared_away(server, settings):
    old = folder_of(settings) / "onnx/text_model.onnx.0123456789ab.part"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"of an older commit")
    prepare()
    assert not old.exists()


def test_a_model_that_is_no_pair_says_what_it_lacks(server):
    (server.folder / "preprocessor_config.json").unlink()
    with pytest.raises(CommandError, match="not a pair of ONNX graphs: missing preprocessor_config.json"):
        prepare()


def test_what_is_no_hub_is_said(server):
    server.statuses = [200]
    with pytest.raises(CommandError, match="does not answer as a hub of models does"):
        prepare()


def nobody() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_offline_it_is_said_which_files_go_where(configured, settings):
    configured(model="own/pair", url=nobody())
    with pytest.raises(CommandError, match=r"cannot be reached \(no connection\)") as caught:
        prepare()
    for words in (str(folder_of(settings)), "onnx/vision_model.onnx", "textual/tokenizer.json", "copy them"):
        assert words in str(caught.value)


def test_offline_files_put_there_by_hand_are_taken(configured, settings):
    onnx_pairs.clip_of_transformers(folder_of(settings))
    configured(model="own/pair", url=nobody())
    assert "own/pair ready" in prepare()
    assert encoders.get().identity.version.startswith("files-")


def test_a_full_disk_is_said_before_the_download(server, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(_onnx_download.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(CommandError, match="has no room for"):
        prepare()


def test_a_model_directory_that_cannot_be_written_is_said(server, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.MODEL_DIR = tmp_path / "file"
    with pytest.raises(CommandError, match="MODEL_DIR cannot be written"):
        prepare()


def test_progress_is_a_line_now_and_then_where_nobody_watches(server):
    err = StringIO()
    call_command("prepare_models", stdout=StringIO(), stderr=err)
    lines = err.getvalue().splitlines()
    assert any(re.search(r"onnx/text_model.onnx: 0 of 0 MB", line) for line in lines) and len(lines) <= 14


def test_progress_is_a_bar_on_a_terminal(server, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    prepare()
    assert "onnx/text_model.onnx: 100%" in capsys.readouterr().err


def test_an_encoder_without_files_has_nothing_to_prepare(configured, settings):
    settings.ENCODERS = {"immich": {"kind": "immich"}}
    assert "immich has nothing to prepare" in prepare()
    with pytest.raises(CommandError, match="no encoder 'nonesuch'"):
        prepare("--encoder", "nonesuch")


# --- the whole product ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_picture_gets_its_vectors_by_the_stages(configured, tmp_path):
    configured(model=str(onnx_pairs.clip_of_openclip(tmp_path / "pair")))
    space, _ = spaces.ensure()
    shown = asset("red", done=True, title="A red square")
    assert space.dimensions == 16 and space.identity["files"] == encoders.get().identity.files
    for kind in ("visual", "words"):
        kept = sql.vectors_of(space, [shown.pk], kind)[shown.pk]
        assert np.linalg.norm(kept) == pytest.approx(1, abs=1e-2)


@pytest.mark.django_db
def test_a_model_that_is_away_is_named_beside_the_picture(configured, tmp_path):
    folder = onnx_pairs.clip_of_openclip(tmp_path / "pair")
    configured(model=str(folder))
    spaces.ensure()
    encoders.reset()
    (folder / "visual/model.onnx").unlink()
    shown = asset("red", done=True)
    run = StageRun.objects.get(version__asset=shown, stage="vectorise_picture")
    assert run.state == "waiting" and "visual/model.onnx" in run.reason

"""The encoders' public face and the built-in encoder, on real pictures that come inside a package."""

import dataclasses
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from django.core.management import call_command
from PIL import Image

from search import encoders
from search.encoders import _e5, _efficientnet, _make_data, _pixels, _prepared, _semantics

PICTURES = ("chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "coins.png", "page.png")


def picture(name):
    folder = Path(find_spec("skimage").origin).parent / "data"
    with Image.open(folder / name) as image:
        image.load()
    return image


@pytest.fixture(scope="module")
def encoder():
    return encoders.get("builtin")


@pytest.fixture(scope="module")
def rows(encoder):
    return encoder.encode_images([picture(name) for name in PICTURES])


def first(encoder, rows, text):
    return PICTURES[int((encoder.encode_texts([text]) @ rows.T).argmax())]


# --- the public face -------------------------------------------------------------------------------


def test_an_encoder_is_made_once_and_keeps_the_protocol(encoder):
    with ThreadPoolExecutor(4) as pool:
        assert {id(e) for e in pool.map(encoders.get, ["builtin"] * 8)} == {id(encoder)}
    assert isinstance(encoder, encoders.Encoder)
    assert encoder.notice and "\n" not in encoder.notice


def test_an_unknown_encoder_is_named_with_those_there_are():
    with pytest.raises(encoders.UnknownEncoder, match="'nonesuch'.*builtin"):
        encoders.get("nonesuch")


@pytest.mark.parametrize(
    "change",
    [
        {"encoder": "other"},
        {"model": "other"},
        {"version": "0"},
        {"preprocessing": "0"},
        {"dimensions": 8},
        {"files": {"imagenet_labels.tsv": "0" * 64}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_the_identity_makes_another_space(encoder, change):
    other = dataclasses.replace(encoder.identity, **change)
    assert other.digest != encoder.identity.digest
    assert other.slug() != encoder.identity.slug()


def test_the_identity_does_not_depend_on_the_order_of_files():
    first = encoders.SpaceIdentity("e", "M / x", "1", "1", 8, {"a": "1", "b": "2"})
    second = encoders.SpaceIdentity("e", "M / x", "1", "1", 8, {"b": "2", "a": "1"})
    assert first.slug() == second.slug() and hash(first) == hash(second)
    assert first.slug().startswith("e-m-x-")


# --- vectors ------------------------------------------------------------------------------------------


def test_rows_are_unit_float32_and_fit_a_half_vector(encoder, rows):
    texts = encoder.encode_texts(["a cat", "eine Katze"])
    for vectors in (rows, texts):
        assert vectors.dtype == np.float32 and vectors.shape[1] == encoder.identity.dimensions
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.identity.dimensions % 8 == 0 and encoder.identity.dimensions <= 640
    halves = rows.astype(np.float16).astype(np.float32)
    assert np.abs(halves @ texts.T - rows @ texts.T).max() < 1e-3


def test_features_that_are_kept_as_halves_give_the_same_vectors(encoder, rows):
    features, vectors = encoder.look([picture(name) for name in PICTURES[:3]])
    assert features.shape == (3, 1280) and np.abs(vectors - rows[:3]).max() < 1e-5
    kept = features.astype(np.float16).astype(np.float32)
    assert np.abs(encoder.project(kept) - vectors).max() < 1e-3


def test_nothing_in_nothing_out(encoder):
    assert [part.shape[0] for part in encoder.look([])] == [0, 0]
    assert encoder.encode_images([]).shape == (0, encoder.identity.dimensions)
    assert encoder.encode_texts([]).shape == (0, encoder.identity.dimensions)


def test_a_batch_is_the_same_as_one_at_a_time(encoder, rows):
    many = encoder.encode_images([picture(PICTURES[0])] * (encoder.limits.batch_size + 1))
    assert np.abs(many - rows[0]).max() < 1e-5
    texts = ["a dog", "", "Ein Pferd auf einer Wiese im Nebel", "猫"]
    alone = np.concatenate([encoder.encode_texts([text]) for text in texts])
    assert np.abs(encoder.encode_texts(texts) - alone).max() < 1e-5


def test_threads_do_not_disturb_each_other(encoder):
    texts = [f"{n} boats on the water" for n in range(8)]
    image, alone = picture(PICTURES[1]), encoder.encode_texts(texts)
    expected, start = encoder.encode_images([image]), threading.Barrier(8)

    def work(text):
        start.wait(10)
        return encoder.encode_texts([text])[0], encoder.encode_images([image])[0]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, texts))
    assert np.abs(np.stack([text for text, _ in results]) - alone).max() < 1e-6
    assert np.abs(np.stack([row for _, row in results]) - expected).max() < 1e-6


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"]
)
@pytest.mark.parametrize("size", [(1, 1), (3, 700), (64, 48)])
def test_any_mode_and_size_gives_a_finite_unit_vector(encoder, mode, size):
    row = encoder.encode_images([Image.new(mode, size)])[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_sixteen_bits_are_scaled_and_not_clipped(encoder):
    grey = picture(PICTURES[0]).convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    plain, scaled = encoder.encode_images([grey, deep])
    assert plain @ scaled > 0.999


def test_not_a_number_in_the_pixels_does_no_harm(encoder):
    row = encoder.encode_images([Image.fromarray(np.full((9, 9), np.nan, np.float32))])
    assert np.isfinite(row).all()


def test_what_is_transparent_counts_as_white():
    layer = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    layer.putpixel((1, 0), (255, 0, 0, 255))
    assert np.asarray(_pixels.as_rgb(layer)).reshape(-1, 3).tolist() == [[255, 255, 255], [255, 0, 0]]


def test_the_camera_orientation_is_followed(encoder, rows):
    image = picture(PICTURES[0])
    turned = image.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6
    assert encoder.encode_images([turned])[0] @ rows[0] > 0.999


def test_pixels_that_cannot_be_decoded_are_an_error_for_people(encoder, tmp_path):
    path = tmp_path / "cut.jpg"
    picture(PICTURES[0]).save(path)
    path.write_bytes(path.read_bytes()[:4000])
    with Image.open(path) as cut, pytest.raises(encoders.UnreadableImage, match="cannot be decoded"):
        encoder.encode_images([cut])


@pytest.mark.parametrize(
    "text",
    ["", " \n", "\x00", "🐈🐕", "\ud800", "\ufdfa" * 400, "word " * 5000, "長" * 9000, "�", "a" * 10**6],
)
def test_any_text_gives_a_finite_unit_vector(encoder, text):
    assert np.linalg.norm(encoder.encode_texts([text])[0]) == pytest.approx(1, abs=1e-5)


def test_text_is_cut_at_the_limit_that_is_told(encoder):
    within = " ".join(["cat"] * encoder.limits.max_text_words)
    same, longer = encoder.encode_texts([within, within + " rocket" * 50])
    assert np.array_equal(same, longer)
    assert _e5.clean("a\x00b\u2028c  \ufb01sh\ud800") == "a b c fish"


# --- meaning ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a cat", "chelsea.png"),
        ("eine Katze", "chelsea.png"),
        ("een kat", "chelsea.png"),
        ("un chat", "chelsea.png"),
        ("猫", "chelsea.png"),
        ("a cup of coffee on a table", "coffee.png"),
        ("eine Tasse Kaffee", "coffee.png"),
        ("a motorcycle", "motorcycle_left.png"),
        ("ein Motorrad", "motorcycle_left.png"),
        ("une moto", "motorcycle_left.png"),
        ("オートバイ", "motorcycle_left.png"),
        ("a rocket is launched into space", "rocket.jpg"),
    ],
)
def test_a_sentence_finds_its_picture_first(encoder, rows, text, name):
    assert first(encoder, rows, text) == name


def test_a_changed_copy_is_nearest_to_its_original(encoder, rows):
    for index, name in enumerate(PICTURES[:4]):
        image = picture(name).convert("RGB")
        width, height = image.size
        part = image.crop((width // 8, height // 8, width * 7 // 8, height * 7 // 8))
        for copy in (image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), part, image.convert("L")):
            assert int((encoder.encode_images([copy]) @ rows.T).argmax()) == index


def test_the_network_recognises_a_cat(encoder):
    pixels = _pixels.network_input(picture("chelsea.png"))
    logits = encoder._network.run(["logits"], {"image": pixels[None]})[0][0]
    names = [line.split("\t")[1] for line in _semantics.LABELS.read_text("utf-8").splitlines()]
    assert "cat" in names[int(logits.argmax())]
    assert len(names) == _semantics.CLASSES


# --- the files made once ------------------------------------------------------------------------------


def test_the_graph_has_the_shapes_it_should(encoder, settings):
    graph = onnx.load(str(_prepared.prepare(settings.MODEL_DIR).graph)).graph
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes == {"image": ["n", 3, 260, 260], "features": ["n", 1280], "logits": ["n", 1000]}
    assert sum(node.op_type == "Conv" for node in graph.node) == 64


def test_files_of_another_recipe_or_other_labels_lie_elsewhere(monkeypatch, tmp_path):
    before = _prepared._folder(tmp_path)
    monkeypatch.setattr(_semantics, "RECIPE", "another")
    recipe = _prepared._folder(tmp_path)
    labels = tmp_path / "labels"
    labels.write_text("other")
    monkeypatch.setattr(_semantics, "LABELS", labels)
    assert len({before, recipe, _prepared._folder(tmp_path)}) == 3


def _pretend(folder):
    for name in (_prepared.GRAPH, _prepared.TEXTS):
        (folder / name).write_bytes(b"12345")
    (folder / _prepared.MANIFEST).write_text(
        '{"sources": {}, "outputs": {}, "sizes": {"image.onnx": 5, "semantics.npz": 5}}'
    )


def test_processes_that_build_together_agree_on_one_result(monkeypatch, tmp_path):
    together, built = threading.Barrier(4), []

    def fill(folder):
        together.wait(10)
        built.append(folder)
        _pretend(folder)

    monkeypatch.setattr(_prepared, "_fill", fill)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: _prepared._build(tmp_path / "models").folder, range(4)))
    assert len(made) == 1 and len(built) == 4
    assert list((tmp_path / "models").iterdir()) == list(made)


def test_a_damaged_file_is_built_again_and_a_complete_folder_is_not(monkeypatch, tmp_path):
    monkeypatch.setattr(_prepared, "_fill", _pretend)
    made = _prepared.prepare(tmp_path)
    made.graph.write_bytes(b"1")
    assert _prepared.find(tmp_path) is None
    assert _prepared.prepare(tmp_path).graph.read_bytes() == b"12345"
    monkeypatch.setattr(_prepared, "_fill", lambda folder: pytest.fail("built again"))
    assert _prepared.prepare(tmp_path).folder == made.folder


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(encoders.EncoderUnavailable, match="MODEL_DIR"):
        _prepared.prepare(tmp_path / "file" / "models")


def test_the_command_says_in_one_line_what_is_ready(encoder, capsys):
    call_command("prepare_models")
    assert capsys.readouterr().out.count("\n") == 1


def test_weights_that_would_run_code_are_refused(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps(Path))
    with pytest.raises(encoders.EncoderUnavailable, match="refused: pathlib"):
        _efficientnet.load_weights(path)


# --- the data made beforehand ----------------------------------------------------------------------------


def test_every_text_is_there_in_five_languages_and_names_real_classes():
    phrases, fits = _make_data.read_phrases()
    assert fits.shape == (len(phrases), _semantics.CLASSES) and fits.sum(axis=1).max() < 200
    labels, scenes = _make_data.read_labels(), _make_data.rows_of(_make_data.SCENES)
    assert len(labels) == _semantics.CLASSES and len(scenes) > 300
    for texts in (phrases, labels, scenes):
        assert all(len(t) == _make_data.LANGUAGES and all(t) for t in texts)


def test_the_kept_data_was_made_from_the_lists_as_they_are():
    with np.load(_semantics.SPACE) as kept:
        assert list(kept["made_from"]) == _make_data.made_from(), "run python -m search.encoders._make_data"


def test_the_kept_data_is_what_the_lists_and_rules_give():
    """Classes without a phrase: the difference of two is that of their names, however all were centred."""
    _, fits = _make_data.read_phrases()
    some = np.flatnonzero(fits.sum(axis=0) == 0)[[0, 20, 40, 60]]
    sentences = _make_data.label_sentences([_make_data.read_labels()[i] for i in some])
    vectors = _e5.E5()([text for texts in sentences for text in texts])
    names = np.average(vectors.reshape(4, 5, -1), axis=1, weights=_make_data.LANGUAGE_WEIGHTS)
    with np.load(_semantics.SPACE) as kept:
        expected = (names - names[:1]) @ kept["said"].astype(np.float32)
        rows = (kept["shown"] * kept["scale"])[some]
        errors = 3 * kept["scale"].max()
    assert np.abs((rows - rows[:1]) - expected).max() < errors < np.abs(expected).max() / 20


def test_differences_between_translations_are_shrunk_and_others_kept():
    rng = np.random.default_rng(0)
    meaning, language = np.eye(8)[:4], np.eye(8)[4]
    phrases = meaning[rng.integers(0, 4, 50), None] + rng.normal(size=(50, 5, 1)) * language
    said = _make_data.neutraliser(phrases)
    assert np.linalg.norm(language @ said) < 0.25 * np.linalg.norm(meaning[0] @ said)
    assert said == pytest.approx(said.T)

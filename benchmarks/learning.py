"""Learning from a large catalogue, and giving every picture its new vector: time, memory, and what it saves.

    python -m benchmarks learning [--assets 20000] [--json]

Rows alone, as benchmarks.library makes them, with titles and descriptions. The 1,280 features of each picture
are drawn so that they say something of the words of its title; the vectors of texts are drawn too, since
encoding them is done once for each text (25 ms) and is not what is measured. Then `lessons.learn` as it is:
reading the words, five folds and the proof. Beside it: numpy.linalg.lstsq on the same arrays, without proof
or choice of a strength; and encoding pictures again instead of taking their features. It fails where a bound
of 100,000 assets (BOUNDS) is missed, in proportion; six factorisations cost the same for any number.
"""

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.library import Text, database, fill

BOUNDS = {"learn_s": 120.0, "peak_gb": 1.5, "project_s": 60.0}  # of WHOLE assets
WHOLE, COMPARED, FILLED, LOOKED_AT, AT_ONCE = 100_000, 8_000, 20.0, 32, 2_000
FEATURES, MEANING = 1280, 384
Found = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: Found = {"assets": options.assets}
    with database():
        with seconds(found, "making_s"):
            fill(options.assets, with_vectors=False)
            draw()
        measure(found)
    missed = beyond(found)
    if options.json:
        print(json.dumps({**found, "missed": missed}))
    else:
        print("\n".join(f"{name:28} {value}" for name, value in found.items()))
        print("beyond the bounds: " + (", ".join(missed) or "nothing"))
    return int(bool(missed))


def measure(found: Found) -> None:
    from search import encoders, spaces
    from search.learning import lessons, library

    encoder = encoders.get("builtin")
    with seconds(found, "words_s"):
        read = library.of(encoder)
    places = np.arange(read.described)
    with seconds(found, "numbers_s"):
        read_again = sum(len(some) for some, _ in read.chunks(places))
    assert read_again == found["assets"]
    compared(found, read)
    del read, places
    gc.collect()
    reset_peak()
    with seconds(found, "learn_s"):
        report = lessons.learn()
    found["peak_gb"] = round(peak() / 1e9, 2)
    found["learner_s"] = round(found["learn_s"] - found["words_s"] - found["numbers_s"], 1)
    found["recall@10"] = [report.figures[name]["recall@10"] for name in ("before", "after")]
    assert report.space, report.why
    projected(found, spaces.encoder_of(spaces.get(report.space)))
    filled(found, report.space)


def draw() -> None:
    """Features and vectors of texts of all that is there, as if both had been kept one after the other."""
    from assets.models import Asset
    from search import encoders, kept
    from search.learning import library, words

    known = Text().words
    of_words = dict(zip(known, np.random.default_rng(1).normal(size=(len(known), MEANING)), strict=True))
    to_features = np.random.default_rng(2).normal(size=(MEANING, FEATURES)).astype(np.float32) / MEANING**0.5
    noise, encoder = np.random.default_rng(3), encoders.get("builtin")
    model, side = encoder.identity.slug(), encoders.looking(encoder)

    def meant(text: str) -> np.ndarray:
        said = np.sum([of_words[word] for word in text.lower().split()], axis=0)
        return np.asarray(said / np.linalg.norm(said), np.float32)

    told = Asset.objects.order_by("pk").values_list("current_version_id", "title", "description")
    for some in library.batched(told.iterator(AT_ONCE), AT_ONCE):
        titles = np.stack([meant(title) for _, title, _ in some])
        hidden = 3 * titles @ to_features + noise.normal(size=(len(some), FEATURES)).astype(np.float32)
        seen = zip([pk for pk, _, _ in some], np.maximum(hidden, 0), strict=True)
        put("search_features (model, version_id, numbers)", ((side.features_name, pk, x) for pk, x in seen))
        texts = {words.digest(text): text for _, *both in some for text in both}
        new = texts.keys() - kept.texts_known(model, list(texts))
        put("search_textvector (model, digest, numbers)", ((model, one, meant(texts[one])) for one in new))
    for pk in labels():
        kept.keep_text_vectors(model, {words.digest(pk): meant(pk)})


def labels() -> list[str]:
    from assets.models import Term

    return list(Term.objects.values_list("label", flat=True).distinct())


def put(into: str, rows: Iterator[tuple[str, int, np.ndarray]]) -> None:
    from django.db import connection

    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["varchar", "int8", "bytea"])
        for model, pk, numbers in rows:
            packed = np.array([len(numbers), 0], ">i2").tobytes() + numbers.astype(">f2").tobytes()
            copy.write_row((model, pk, packed))


def compared(found: Found, read: Any) -> None:
    """The closed form, its strength by leave-one-out included, and least squares on the same arrays."""
    from search.learning import ridge

    some = np.random.default_rng(4).permutation(read.described)[:COMPARED]
    chunks = [chunk for _, chunk in read.chunks(some)]
    fitted: Found = {}
    with seconds(fitted, "ridge"):
        ridge.fit(lambda: chunks)
    x, u, y = (np.concatenate(rows) for rows in zip(*chunks, strict=True))
    with seconds(fitted, "lstsq"):
        np.linalg.lstsq(np.hstack([np.ones((len(x), 1), np.float32), x]), y - u, rcond=None)
    found["ridge_s"], found["lstsq_s"] = fitted["ridge"], fitted["lstsq"]
    found["ridge_vs_lstsq"] = round(fitted["ridge"] / fitted["lstsq"], 2)


def projected(found: Found, learned: Any) -> None:
    """All pictures in portions as a worker takes them: reading features and the product, without writing."""
    from assets.models import Asset
    from search import filling, kept

    versions = list(Asset.objects.order_by("pk").values_list("current_version_id", flat=True))
    began, reading = time.monotonic(), 0.0
    for start in range(0, len(versions), filling.PROJECTED_AT_ONCE):
        at = time.monotonic()
        seen = list(
            kept.features(learned.features_name, versions[start : start + filling.PROJECTED_AT_ONCE]).values()
        )
        reading += time.monotonic() - at
        learned.project(np.stack(seen))
    took = time.monotonic() - began
    found |= {"project_s": round(took, 1), "reading_of_these_s": round(reading, 1)}
    again = encoded(learned.base)
    found |= {"encode_ms": round(1000 * again, 1), "project_ms": round(1000 * took / len(versions), 2)}
    found["encode_vs_project"] = round(again / (took / len(versions)))


def encoded(encoder: Any) -> float:
    """Seconds a picture of encoding, decoded already."""
    from PIL import Image

    size = encoder.limits.input_pixels
    pixels = np.random.default_rng(5).integers(0, 256, (LOOKED_AT, size, size, 3), dtype=np.uint8)
    images = [Image.fromarray(one) for one in pixels]
    encoder.encode_images(images[:8])
    began = time.monotonic()
    encoder.encode_images(images)
    return (time.monotonic() - began) / LOOKED_AT


def filled(found: Found, slug: str) -> None:
    """How many rows a second one worker writes, with their runs; for FILLED seconds."""
    from assets import pipeline
    from search import filling, spaces
    from search.vectorise import vectorise_picture

    space = spaces.get(slug)
    while not space.planned:
        filling.tend()
        space.refresh_from_db()
    began, done = time.monotonic(), 0
    while (turn := pipeline.work_off(vectorise_picture.name, space.pk, filling.PROJECTED_AT_ONCE)) > 0:
        done += turn
        if time.monotonic() - began > FILLED:
            break
    found["filled_a_second"] = round(done / (time.monotonic() - began))


@contextmanager
def seconds(found: Found, name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    found[name] = round(time.monotonic() - began, 2)


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Bytes of memory that this process had at most since then."""
    lines: Sequence[str] = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def beyond(found: Found) -> list[str]:
    """The bounds that are missed; those of time in proportion, from half of WHOLE down by half."""
    part = found["assets"] / WHOLE
    return [n for n, most in BOUNDS.items() if found[n] > most * (1 if n == "peak_gb" else max(part, 0.5))]


if __name__ == "__main__":
    sys.exit(main())

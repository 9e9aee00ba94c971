"""How well the built-in encoder finds, and how fast it is.

    python benchmarks/encoder.py --photographs DIR [--paintings DIR] [--json]

--photographs holds catalogue.csv (file, title) and golden.csv (query, filename); every picture competes, and
both the questions and the titles are asked. encoder_queries.csv beside this file asks about some of the same
pictures in five languages. --paintings holds images/ and metadata.csv (file, creator). No service is needed.
"""

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")

from search import encoders  # noqa: E402
from search.encoders import _builtin, _pixels, _semantics  # noqa: E402

LANGUAGES = ("en", "de", "nl", "fr", "ja")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ranks(pictures: np.ndarray, questions: np.ndarray, answers: Sequence[int]) -> np.ndarray:
    """The rank, from 1, of each question's one right picture among all."""
    scores = questions @ pictures.T
    right = scores[np.arange(len(answers)), answers]
    return 1 + (scores > right[:, None]).sum(axis=1)


def report(found: np.ndarray) -> dict[str, float]:
    recalls = {f"recall@{k}": round(100 * float((found <= k).mean()), 1) for k in (1, 5, 10)}
    return {**recalls, "median_rank": float(np.median(found))}


def plain_conse(encoder: _builtin.BuiltinEncoder, logits: np.ndarray) -> np.ndarray:
    """Pictures by the simple recipe: label names centred by their mean, softmax at temperature 2."""
    lines = _semantics.LABELS.read_text("utf-8").splitlines()
    names = encoder._embed([line.split("\t")[1] for line in lines])
    likely = np.exp((logits - logits.max(axis=1, keepdims=True)) / 2)
    likely /= likely.sum(axis=1, keepdims=True)
    return _semantics.unit(likely @ (names - names.mean(axis=0)))


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
    return image


def logits_of(encoder: _builtin.BuiltinEncoder, images: Sequence[Image.Image]) -> np.ndarray:
    inputs = (_pixels.network_input(image)[None] for image in images)
    return np.concatenate([encoder._network.run(["logits"], {"image": x})[0] for x in inputs])


def measure_photographs(encoder: _builtin.BuiltinEncoder, folder: Path) -> dict[str, Any]:
    golden, catalogue = rows(folder / "golden.csv"), rows(folder / "catalogue.csv")
    asked = [(r["query"], r["filename"]) for r in golden]
    asked += [(r["title"], Path(r["file"]).name) for r in catalogue]
    files = sorted({name for _, name in asked})
    place = {name: i for i, name in enumerate(files)}
    images = [opened(folder / "images" / name) for name in files]
    pictures, plain = encoder.encode_images(images), plain_conse(encoder, logits_of(encoder, images))

    def ask(texts: Sequence[str], names: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
        """By the built-in encoder, and by the simple recipe, whose questions are centred by their own mean
        (which a real search could not know)."""
        vectors, answers = encoder._embed(texts), [place[name] for name in names]
        centred = _semantics.unit(vectors - vectors.mean(axis=0))
        ours = ranks(pictures, encoder._space.sentences(vectors), answers)
        return report(ours), report(ranks(plain, centred, answers))

    out: dict[str, Any] = {"pictures": len(files), "questions": len(asked)}
    out["builtin"], out["plain ConSE"] = ask([text for text, _ in asked], [name for _, name in asked])
    several = [r for r in rows(HERE / "encoder_queries.csv") if r["filename"] in place]
    for language in LANGUAGES if several else ():
        found = ask([r[language] for r in several], [r["filename"] for r in several])
        out[language], out[f"{language}, plain ConSE"] = found
        english = out["en"]["recall@10"] or 1
        out[language]["of English"] = round(out[language]["recall@10"] / english, 2)
    return out


def measure_paintings(encoder: _builtin.BuiltinEncoder, folder: Path) -> dict[str, float]:
    """Percent of pictures whose changed copy finds them first, and of the same creator's among five."""
    records = rows(folder / "metadata.csv")
    images = [opened(folder / record["file"]) for record in records]
    pictures = encoder.encode_images(images)

    def part(left: float, top: float, right: float, bottom: float) -> Callable[[Image.Image], Image.Image]:
        return lambda im: im.crop(
            tuple(int(f * s) for f, s in zip((left, top, right, bottom), im.size * 2, strict=True))
        )

    changes = {
        "mirrored": ImageOps.mirror,
        "cropped": part(0.05, 0.1, 0.8, 0.9),
        "detail": part(0.4, 0.4, 0.9, 0.9),
        "grey": lambda im: im.convert("L"),
    }
    out, own = {}, list(range(len(images)))
    for name, change in changes.items():
        copies = encoder.encode_images([change(image) for image in images])
        out[name] = report(ranks(pictures, copies, own))["recall@1"]
    near = pictures @ pictures.T
    np.fill_diagonal(near, -2)
    makers = np.array([record["creator"] for record in records])
    same = makers[np.argsort(-near, axis=1)[:, :5]] == makers[:, None]
    return {**out, "same creator among five": round(100 * float(same.mean()), 1)}


def measure_speed(encoder: _builtin.BuiltinEncoder) -> dict[str, float]:
    """Milliseconds of processor time, from the model input size to the vector; a good run of forty."""
    side = encoder.limits.input_pixels
    noise = np.random.default_rng(0).integers(0, 256, (side, side * 4 // 3, 3), dtype=np.uint8)
    image, text = Image.fromarray(noise), "An old woman in a blue dress sits by the window and reads a letter"

    def typical(work: Callable[[], object]) -> float:
        times = []
        for _ in range(40):
            started = time.process_time()
            work()
            times.append(1000 * (time.process_time() - started))
        return round(sorted(times)[len(times) // 4], 1)

    return {
        "ms a picture": typical(lambda: encoder.encode_images([image])),
        "ms a sentence": typical(lambda: encoder.encode_texts([text])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--paintings", type=Path)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    encoder = encoders.get("builtin")
    assert isinstance(encoder, _builtin.BuiltinEncoder)
    results: dict[str, Any] = {"space": encoder.identity.slug(), "speed": measure_speed(encoder)}
    if chosen.photographs:
        results["photographs"] = measure_photographs(encoder, chosen.photographs)
    if chosen.paintings:
        results["paintings"] = measure_paintings(encoder, chosen.paintings)
    if chosen.json:
        print(json.dumps(results, indent=1, ensure_ascii=False))
        return
    for part, found in results.items():
        print(f"\n{part}" if isinstance(found, dict) else f"{part}: {found}")
        for name, value in found.items() if isinstance(found, dict) else ():
            shown = "  ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            print(f"  {name:24} {shown}")


if __name__ == "__main__":
    main()

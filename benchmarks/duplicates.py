"""Finding copies: what the index of fingerprints finds and costs, and what fingerprints tell of pictures.

    python -m benchmarks duplicates [--rows 200000] [--json]
    python -m benchmarks duplicates --pictures DIR [--pictures DIR] [--each 8] [--without-vectors] [--json]

The first: so many fingerprints drawn by lot, and copies of some of them, up to 88 bits away. Milliseconds of
the database's processor time for one question, and for each row that is added; recall by how far the copy is.
`all` and `pieces` are the two ways of assets.duplicates.near: each is compared, or those that have one of the
sixteen 16-bit pieces in common (multi-index hashing, Norouzi et al. 2012). `hnsw` is the graph of pgvector.

The second: of every `--each`-th picture below the folders, copies made by code; how many of them lie within
SURE bits, and within WIDE where the vectors of the built-in encoder agree. All other pairs of pictures are
taken to be different ones: false pairs among them, of so many.
"""

import argparse
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from benchmarks.library import ROOT, database
from benchmarks.measuring import Clock, machine

QUESTIONS, ADDED = 300, 500
FAR = ((0, 16), (17, 32), (33, 64), (65, 88))
MADE = """
INSERT INTO assets_asset (id, uid, title, description, date, medium, rights, rights_holder, credit_line,
    usage_terms, fields, created_at, changed_at, collection_id, access, alt_text, is_demo)
    SELECT n, gen_random_uuid(), '', '', '', '', '', '', '', '', '{}', now(), now(), 1, 'staff', '', false
    FROM generate_series(1, %(rows)s) n;
INSERT INTO assets_assetversion (id, asset_id, number, blob_id, original_filename, format, width, height,
    color, embedded_metadata, created_at)
    SELECT n, n, 1, 1, '', 'JPEG', 1, 1, '', '{}', now() FROM generate_series(1, %(rows)s) n;
UPDATE assets_asset SET current_version_id = id;
"""
WALKED = """SELECT version_id, bits <~> %s::bit(256) AS distance FROM walked
    WHERE (SELECT set_config('hnsw.ef_search', '200', true)) IS NOT NULL ORDER BY distance LIMIT 40"""
GRAPH = """
CREATE TABLE walked AS SELECT version_id, bits FROM assets_fingerprint;
CREATE INDEX walked_bits ON walked USING hnsw (bits bit_hamming_ops) WITH (m = 16, ef_construction = 64)
"""
Change = Callable[[Image.Image], Image.Image]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--pictures", type=Path, action="append")
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--without-vectors", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.pictures:
        without_database()
        found = Pictures(options.pictures, options.each, not options.without_vectors).measured()
    else:
        with database():
            found = Index(options.rows).measured()
    print(json.dumps(found) if options.json else f"{machine()}\n{json.dumps(found, indent=1)}")


# --- the index ------------------------------------------------------------------------------------------


def text(bits: np.ndarray) -> str:
    return "".join("01"[bit] for bit in bits.tolist())


class Index:
    def __init__(self, rows: int) -> None:
        from search import sql

        self.rows, draw = rows, np.random.default_rng(3)
        self.bits = draw.random((rows + ADDED, 256)) < 0.5
        self.chosen = draw.choice(rows, QUESTIONS, replace=False)
        self.far = draw.integers(0, FAR[-1][1] + 1, QUESTIONS)
        self.asked = self.bits[self.chosen].copy()
        for row, far in zip(self.asked, self.far, strict=True):
            row[draw.permutation(256)[:far]] ^= True
        self._load()
        self.backend = Clock(sql.rows("SELECT pg_backend_pid()", [])[0][0])

    def _load(self) -> None:
        from django.db import connection

        from assets.models import Blob, Collection

        Collection.objects.named("all")
        Blob.objects.create(sha256="0", size=1, media_type="image/jpeg", state="stored")
        with connection.cursor() as cursor:
            cursor.execute(MADE.replace("%(rows)s", str(self.rows + ADDED)))
            cursor.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_workers_per_gather = 0")
            with cursor.copy("COPY assets_fingerprint (version_id, bits) FROM STDIN") as copy:
                for pk, row in enumerate(self.bits[: self.rows], 1):
                    copy.write_row((pk, text(row)))
            cursor.execute(GRAPH)
            cursor.execute("VACUUM ANALYZE")

    def measured(self) -> dict[str, Any]:
        from assets import duplicates
        from search import sql

        def near(bits: str, by_pieces: bool) -> list[int]:
            return [pk for pk, _ in duplicates.near(0, bits, by_pieces)]

        arms: dict[str, Callable[[str], list[int]]] = {
            "all": lambda bits: near(bits, by_pieces=False),
            "pieces": lambda bits: near(bits, by_pieces=True),
            "hnsw": lambda bits: [pk for pk, distance in sql.rows(WALKED, [bits]) if distance <= FAR[-1][1]],
        }
        found: dict[str, Any] = {"rows": self.rows}
        for name, arm in arms.items():
            found[name] = self._ask(arm)
        found["ms to add one"] = self._add()
        found["ratio of all to pieces"] = round(found["all"]["p50 ms"] / found["pieces"]["p50 ms"], 1)
        return found

    def _ask(self, arm: Callable[[str], list[int]]) -> dict[str, Any]:
        questions = [text(row) for row in self.asked]
        for question in questions[:10]:
            arm(question)
        times, right = [], []
        for question, row in zip(questions, self.chosen, strict=True):
            before = self.backend.read()
            answer = arm(question)
            times.append(self.backend.read() - before)
            right.append(int(row) + 1 in answer)
        hit = np.array(right)
        recall = {
            f"{low} to {high} bits": round(float(hit[(self.far >= low) & (self.far <= high)].mean()), 3)
            for low, high in FAR
        }
        return {
            "p50 ms": round(float(np.median(times)), 2),
            "p95 ms": round(float(np.quantile(times, 0.95)), 2),
            "recall": recall,
        }

    def _add(self) -> dict[str, float]:
        from django.db import connection

        rows = [(self.rows + n + 1, text(row)) for n, row in enumerate(self.bits[self.rows :])]
        statements = {
            "pieces": "INSERT INTO assets_fingerprint (version_id, bits) VALUES (%s, %s)",
            "hnsw": "INSERT INTO walked (version_id, bits) VALUES (%s, %s)",
        }
        found = {}
        for name, statement in statements.items():
            before = self.backend.read()
            with connection.cursor() as cursor:
                cursor.executemany(statement, rows)
            found[name] = round((self.backend.read() - before) / len(rows), 3)
        return found


# --- the pictures ---------------------------------------------------------------------------------------


def compressed(quality: int) -> Change:
    def change(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return change


def cropped(share: float) -> Change:
    def change(image: Image.Image) -> Image.Image:
        dx, dy = int(image.width * share), int(image.height * share)
        left, top = (dx + dy) % (dx + 1), (3 * dy) % (dy + 1)
        return image.crop((left, top, image.width - dx + left, image.height - dy + top))

    return change


def marked(image: Image.Image) -> Image.Image:
    image = image.copy()
    font = ImageFont.load_default(size=max(12, image.width // 12))
    place = (image.width * 0.15, image.height * 0.45)
    ImageDraw.Draw(image, "RGBA").text(place, "MUSEUM 2024", fill=(255, 255, 255, 140), font=font)
    return image


def warmer(image: Image.Image) -> Image.Image:
    factors = (1.15, 1.0, 0.8)
    bands = [
        band.point([min(255, int(value * factor)) for value in range(256)])
        for band, factor in zip(image.split(), factors, strict=True)
    ]
    return Image.merge("RGB", bands)


COPIES: dict[str, Change] = {
    "JPEG, quality 90": compressed(90),
    "JPEG, quality 60": compressed(60),
    "JPEG, quality 30": compressed(30),
    "25 % of the size": lambda image: image.resize((image.width // 4, image.height // 4)),
    "cropped by 2 %": cropped(0.02),
    "cropped by 5 %": cropped(0.05),
    "cropped by 10 %": cropped(0.10),
    "grey": lambda image: ImageOps.grayscale(image).convert("RGB"),
    "with a watermark": marked,
    "brighter by 30 %": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "darker by 30 %": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.4),
    "warmer": warmer,
    "turned, with EXIF": lambda image: ImageOps.exif_transpose(with_exif(image)),
    "with a white frame": lambda image: ImageOps.expand(image, int(image.width * 0.03), "white"),
}


def with_exif(image: Image.Image) -> Image.Image:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=90, exif=exif)
    return Image.open(buffer)


def without_database() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
    os.environ.setdefault("MODEL_DIR", str(ROOT / "var" / "models"))
    import django

    django.setup()


class Pictures:
    def __init__(self, folders: Sequence[Path], each: int, with_vectors: bool) -> None:
        from search import encoders

        self.files = sorted(path for folder in folders for path in folder.rglob("*.jpg"))
        self.each, self.encoder = each, encoders.get("builtin") if with_vectors else None

    def look(self, image: Image.Image) -> tuple[np.ndarray | None, np.ndarray]:
        """Bits and vector, as the pipeline makes them of the small and of the middle rendition."""
        from assets.fingerprints import fingerprint

        small, buffer = image.copy(), io.BytesIO()
        small.thumbnail((256, 256))
        small.save(buffer, "WEBP", quality=82, method=2)
        bits = fingerprint(Image.open(buffer))
        vector = self.encoder.encode_images([image])[0] if self.encoder else np.zeros(1)
        return None if bits is None else np.array([bit == "1" for bit in bits]), vector

    def measured(self) -> dict[str, Any]:
        from assets.duplicates import SURE, WIDE
        from search.duplicates import LOWEST

        originals, copies = [], {name: [] for name in COPIES}  # type: ignore[var-annotated]
        for number, path in enumerate(self.files):
            with Image.open(path) as opened:
                image = ImageOps.exif_transpose(opened).convert("RGB")
            image.thumbnail((640, 640))
            originals.append(self.look(image))
            if number % self.each == 0 and originals[-1][0] is not None:
                for name, change in COPIES.items():
                    copies[name].append((originals[-1], self.look(change(image))))
        shown = {}
        for name, pairs in copies.items():
            far = np.array([256 if b[0] is None else int((a[0] != b[0]).sum()) for a, b in pairs])
            near = np.array([float(a[1] @ b[1]) for a, b in pairs])
            agreed = (far <= SURE) | ((far <= WIDE) & (near >= LOWEST["builtin"]))
            shown[name] = {
                "bits, middle": int(np.median(far)),
                "bits, most": int(far.max()),
                f"within {SURE}": round(float((far <= SURE).mean()), 3),
                f"or within {WIDE} and alike": round(float(agreed.mean()), 3),
                "cosine, lowest": round(float(near.min()), 2),
            }
        return {"copies": shown, "false pairs": self._false(originals)}

    def _false(self, originals: Sequence[tuple[np.ndarray | None, np.ndarray]]) -> dict[str, Any]:
        from assets.duplicates import SURE, WIDE
        from search.duplicates import LOWEST

        good = [(bits, vector) for bits, vector in originals if bits is not None]
        signs = np.array([2 * bits.astype(np.int16) - 1 for bits, _ in good])
        vectors = np.array([vector for _, vector in good])
        above = np.triu_indices(len(good), 1)
        far = ((256 - signs @ signs.T) // 2)[above]
        near = (vectors @ vectors.T)[above]
        return {
            "pairs": len(far),
            "without a fingerprint": len(originals) - len(good),
            "nearest, bits": [int(n) for n in np.sort(far)[:5]],
            f"within {SURE}": int((far <= SURE).sum()),
            f"within {WIDE}": int((far <= WIDE).sum()),
            f"within {WIDE} and alike": int(((far <= WIDE) & (near >= LOWEST["builtin"])).sum()),
            "alike by the vectors alone": int((near >= LOWEST["builtin"]).sum()),
        }


if __name__ == "__main__":
    main()

"""A large library made of rows alone: clustered vectors, Zipf tags, nested collections, words, dates.

Nothing is decoded or encoded, so that 100,000 assets take a minute. Everything is drawn from one seed.
"""

import hashlib
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate, count
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
# fmt: off
WORDS = [
    "river", "boat", "woman", "man", "child", "window", "street", "market", "horse",
    "dog", "cat", "church", "tower", "garden", "flower", "tree", "bridge", "harbour",
    "ship", "winter", "summer", "night", "morning", "portrait", "landscape", "still", "life",
    "letter", "map", "coin", "vase", "chair", "table", "lamp", "soldier", "dancer",
    "musician", "reading", "walking", "sleeping", "working", "red", "blue", "green", "gold",
    "silver", "wooden", "stone", "marble", "paper", "old", "young", "large", "small",
    "broken", "painted", "printed", "woven", "carved",
]
# fmt: on
RARE = 20_000
"""Words beside WORDS, each of which few texts have."""
CHUNK = 5000


@contextmanager
def database(settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """An embedded PostgreSQL and Valkey of its own under var/bench, with empty tables and these settings."""
    from tests.services_fixture import running

    data = ROOT / "var" / "bench"
    with running(data, settings=settings) as parts:
        found = {name: value for part in parts for name, value in part.addresses.items()}
        found["DATABASE_URL"] = found.pop("DATABASE_OWNER_URL")  # it drops and makes all tables
        os.environ.update(found)
        os.environ.update(DATA_DIR=str(data), DJANGO_SETTINGS_MODULE="dam.settings")
        os.environ.setdefault("MODEL_DIR", str(ROOT / "var" / "models"))
        (data / "static").mkdir(exist_ok=True)
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        yield


def vectors(rows: int, dimensions: int, seed: int = 1) -> np.ndarray:
    """float32 (rows, dimensions), unit length, in some hundred clusters of different sizes."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(max(20, rows // 100), dimensions)).astype(np.float32)
    chosen = np.minimum(draw.zipf(1.3, rows) - 1, len(centres) - 1)
    found = centres[chosen] + 0.6 * draw.normal(size=(rows, dimensions)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


class Text:
    """Words as unevenly frequent as a museum writes them, WORDS first: of texts of 29 words, the first stands
    in 95 %, the twentieth in 13, the 59th in 5, the thousandth in 0.3. Of 87,000 records of the Carnegie
    Museum of Art, which have as many words, it is 85, 22, 7 and 0.3 %.
    """

    def __init__(self) -> None:
        self.draw = random.Random(2)
        self.words = [*WORDS, *(_made_up(n) for n in range(RARE))]
        self.sums = list(accumulate(1 / place for place in range(1, len(self.words) + 1)))

    def of(self, words: int) -> str:
        return " ".join(self.draw.choices(self.words, cum_weights=self.sums, k=words))


def _made_up(number: int) -> str:
    """A word that can be spoken, of two syllables or more."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    first, second, third = number % 70, number // 70 % 70, number // 4900
    return syllables[first] + syllables[second] + (syllables[third - 1] if third else "")


def fill(rows: int, with_vectors: bool = True) -> np.ndarray:
    """Make the assets in the present database; returns their vectors, in the order of their ids."""
    from assets.models import Asset, AssetTerm, AssetVersion, Blob, Collection, Rendition, StageRun, Term
    from assets.stages import pipeline
    from search import partitions, spaces
    from search import rows as search_rows
    from search.models import Embedding

    draw, written = random.Random(1), Text()
    space, _ = spaces.ensure()
    made = vectors(rows if with_vectors else 0, space.dimensions)
    _without_indexes(space)
    tags = [Term.objects.labelled("tags", f"{a} {b}") for a in WORDS[:20] for b in WORDS[20:30]]
    homes = [Collection.objects.named(f"{a} / {b}") for a in WORDS[:6] for b in WORDS[6:11]]
    weights = [1 / n for n in range(1, len(tags) + 1)]
    number = count()
    for start in range(0, rows, CHUNK):
        size = min(CHUNK, rows - start)
        names = [f"{next(number):07}.jpg" for _ in range(size)]
        hashes = [hashlib.sha256(name.encode()).hexdigest() for name in names]
        blobs = Blob.objects.bulk_create(
            Blob(sha256=h, size=1000, media_type="image/jpeg", state="stored") for h in hashes
        )
        assets = Asset.objects.bulk_create(
            Asset(
                title=written.of(4).capitalize(),
                description=written.of(25),
                year_earliest=draw.randint(1500, 1990),
                collection=draw.choice(homes),
            )
            for _ in names
        )
        versions = AssetVersion.objects.bulk_create(
            AssetVersion(asset=a, blob=b, original_filename=n, format="JPEG", width=1200, height=900)
            for a, b, n in zip(assets, blobs, names, strict=True)
        )
        for one, version in zip(assets, versions, strict=True):
            one.current_version = version
        Asset.objects.bulk_update(assets, ["current_version"], batch_size=1000)
        Rendition.objects.bulk_create(
            Rendition(
                version=v,
                name=n,
                storage_name=f"{v.pk}/{n}",
                media_type="image/webp",
                width=w,
                height=h,
                size=9,
            )
            for v in versions
            for n, w, h in (("small", 256, 192), ("medium", 640, 480), ("large", 1200, 900))
        )
        StageRun.every.bulk_create(
            StageRun(version=v, stage=name, variant=0 if 0 in stage.variants() else space.pk, state="done")
            for name, stage in pipeline().items()
            for v in versions
        )
        picked = [(a, t) for a in assets for t in set(draw.choices(tags, weights, k=4))]
        AssetTerm.objects.bulk_create(AssetTerm(asset=a, term=t) for a, t in picked)
        Embedding.objects.bulk_create(
            Embedding(space=space, version=v, asset=a, kind="visual", vector=made[start + n].tolist())
            for n, (v, a) in enumerate(zip(versions, assets, strict=True))
            if with_vectors
        )
        search_rows.refresh([a.pk for a in assets])
    partitions.build_indexes(space)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return made


def _without_indexes(space: Any) -> None:
    """They are built at the end, which takes a quarter of the time."""
    from django.db import connection

    from search import partitions
    from search.models import Embedding

    with connection.cursor() as cursor:
        for kind in Embedding.Kind.values:
            cursor.execute(f"DROP INDEX {partitions.index_name(space, kind)}")

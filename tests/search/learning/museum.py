"""A museum that calls colours by other names than the encoder, so that there is something to learn."""

from itertools import combinations

import numpy as np

from assets.models import Asset, AssetVersion, Blob, Collection, StageRun
from search import kept, rows, spaces, sql
from search.encoders import looking
from search.models import EmbeddingSpace
from tests.encoder import COLOURS

NAMES = list(COLOURS)
PAIRS = list(combinations(range(len(NAMES)), 2))


def titles(times: int = 2) -> list[str]:
    """What people write: two colours each, and a number that makes it a title of its own."""
    return [f"{NAMES[i]} and {NAMES[j]}, no. {n}" for n in range(times) for i, j in PAIRS]


def features(times: int = 2, seed: int = 0) -> np.ndarray:
    """What is to be seen, unit rows (n, 8): each colour is what the encoder calls by another name."""
    draw = np.random.default_rng(seed)
    seen = np.zeros((times * len(PAIRS), len(NAMES)), np.float32)
    for row, (i, j) in zip(seen, PAIRS * times, strict=True):
        row[[(i + 3) % len(NAMES), (j + 3) % len(NAMES)]] += 1
    seen += draw.normal(size=seen.shape).astype(np.float32) * 0.05
    return np.asarray(seen / np.linalg.norm(seen, axis=1, keepdims=True), dtype=np.float32)


def pictures(space: EmbeddingSpace, words: list[str], seen: np.ndarray, known: bool = True) -> list[Asset]:
    """Assets without any file, whose previews count as made: whoever opens a picture fails.

    They have a vector in `space`, and features if `known`.
    """
    home = Collection.objects.named("Library")
    made = Asset.objects.bulk_create(Asset(collection=home, title=title) for title in words)
    blobs = Blob.objects.bulk_create(
        Blob(sha256=f"{one.pk:064}", size=1, media_type="image/jpeg", state="stored") for one in made
    )
    file = {"original_filename": "a.jpg", "format": "JPEG", "width": 9, "height": 9}
    versions = AssetVersion.objects.bulk_create(
        AssetVersion(asset=one, blob=blob, **file) for one, blob in zip(made, blobs, strict=True)
    )
    for one, version in zip(made, versions, strict=True):
        one.current_version = version
    Asset.objects.bulk_update(made, ["current_version"])
    done = {"state": "done", "input_hash": "0" * 64}
    for stage, variant in (("make_renditions", 0), ("vectorise_picture", space.pk)):
        StageRun.every.bulk_create(
            StageRun(version=v, stage=stage, variant=variant, **done) for v in versions
        )
    rows.refresh([one.pk for one in made])
    for version, vector in zip(versions, seen, strict=True):
        sql.write_vector(space, version.pk, version.asset_id, "visual", vector)
        if known:
            kept.keep_features(looking(spaces.encoder_of(space)).features_name, version.pk, vector)
    return made

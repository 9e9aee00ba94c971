"""Pictures and assets made by code."""

import io
from itertools import count
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from assets import ingest, pipeline
from assets.models import Asset, Batch, StageRun
from tests.encoder import COLOURS

_serial = count(1)


def picture(
    color: str = "red", size: tuple[int, int] = (320, 240), format: str = "JPEG", **save: Any
) -> bytes:
    """One plain colour; a small number in a corner makes each picture's bytes its own."""
    image = Image.new("RGB", size, COLOURS.get(color, color))
    ImageDraw.Draw(image).text((2, 2), str(next(_serial)), fill="gray")
    return encoded(image, format, **save)


def scene(seed: int, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """A picture with shapes large and small, as no other seed has them."""
    rng = np.random.default_rng(seed)
    width, height = size
    image = Image.new("RGB", size, tuple(int(n) for n in rng.integers(60, 200, 3)))
    draw = ImageDraw.Draw(image)
    for share in np.linspace(0.6, 0.05, 60):
        x, y = rng.random() * width - 40, rng.random() * height - 40
        box = (x, y, x + share * width * rng.random(), y + share * height * rng.random())
        draw.ellipse(box, fill=tuple(int(n) for n in rng.integers(0, 256, 3)))
    return image


def encoded(image: Image.Image, format: str = "JPEG", **save: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **save)
    return buffer.getvalue()


def take_in(content: bytes, name: str = "picture.jpg", **options: Any) -> ingest.Outcome:
    options.setdefault("batch", Batch.objects.create(source="test"))
    return ingest.accept(io.BytesIO(content), name, **options)


def asset(color: str = "red", name: str = "picture.jpg", *, done: bool = False, **words: str) -> Asset:
    """A new asset; with `done` all stages have run."""
    outcome = take_in(picture(color), name, words=words)
    assert outcome.asset is not None, outcome.reason
    if done:
        process(outcome.asset)
    return Asset.objects.get(pk=outcome.asset.pk)


def process(*assets: Asset) -> None:
    """Run all stages that are ready, here and now, until none is."""
    versions = [a.current_version_id for a in assets]
    while ready := list(pipeline._ready().filter(version__in=versions).order_by("pk")):
        for run in ready:
            pipeline.run(run.pk)
        StageRun.objects.filter(state="queued").update(state="waiting", lease_until=None)

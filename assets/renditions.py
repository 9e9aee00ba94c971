"""Pictures for screens: one decode, then a cascade of smaller sizes, upright, sRGB, flattened on white."""

import io
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image

from assets import changes, storage
from assets.colors import colors_of
from assets.decode import DAMAGED, Undecodable, decode_apart, reason, shrunk, upright_rgb
from assets.models import AssetVersion, Rendition
from assets.stages import PermanentFailure, Write, stage

SIZES = {"large": 1600, "medium": 640, "small": 256}  # pixels of the longest side, largest first
IN_PROCESS_PIXELS = {"JPEG": 60_000_000}  # a JPEG is reduced while it is decoded
OTHER_IN_PROCESS_PIXELS = 20_000_000
QUALITY, METHOD = 82, 2  # WebP: method 4 takes more than twice as long for little


@stage("Preview")
def make_renditions(version: AssetVersion) -> Write:
    """Decode the original and put all SIZES into the renditions storage; the write lists them."""
    with storage.local_copy(version.blob) as original:
        image = decoded(original, version.format, version.width * version.height)
    made: list[Rendition] = []
    for name, longest in SIZES.items():
        image = shrunk(image, longest)
        made.append(_save(version, name, image))
    pixel = image.resize((1, 1), Image.Resampling.BOX).convert("RGB").getpixel((0, 0))
    colors = colors_of(image.convert("RGB"))
    color = "#{:02x}{:02x}{:02x}".format(*pixel)  # type: ignore[misc]

    def write() -> None:
        Rendition.objects.bulk_create(
            made,
            update_conflicts=True,
            unique_fields=["version", "name"],
            update_fields=["storage_name", "media_type", "width", "height", "size"],
        )
        AssetVersion.objects.filter(pk=version.pk).update(color=color, colors=colors)
        changes.facts_changed([version.asset_id])

    return write


def decoded(original: Path, format: str, pixels: int) -> Image.Image:
    """An upright RGB picture of at most the largest size. Raises PermanentFailure."""
    try:
        if pixels > IN_PROCESS_PIXELS.get(format, OTHER_IN_PROCESS_PIXELS):
            return _decoded_apart(original)
        with Image.open(original) as image:
            return upright_rgb(image, SIZES["large"])
    except Undecodable as error:
        raise PermanentFailure(str(error)) from error
    except FileNotFoundError as error:
        raise PermanentFailure("The original is missing from storage. Restore it from a backup.") from error
    except DAMAGED as error:
        if "truncated" in str(error):
            said = "The file is truncated: it ends before the picture does. Copy or export it again."
        else:
            said = f"The picture cannot be decoded ({reason(error)}). Copy or export it again."
        raise PermanentFailure(said) from error


def _decoded_apart(original: Path) -> Image.Image:
    with tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR, prefix="decode-") as folder:
        target = Path(folder) / "picture.png"
        decode_apart(original, target, SIZES["large"], settings.STAGE_SECONDS * 0.8)
        with Image.open(target) as image:
            return image.convert("RGB")


def _save(version: AssetVersion, name: str, image: Image.Image) -> Rendition:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=METHOD)
    content = buffer.getvalue()
    uid = str(version.asset.uid)
    stored = storage.renditions().save(f"{uid[:2]}/{uid}/v{version.number}/{name}.webp", ContentFile(content))
    return Rendition(
        version=version,
        name=name,
        storage_name=stored,
        media_type="image/webp",
        width=image.width,
        height=image.height,
        size=len(content),
    )

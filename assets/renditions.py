"""Pictures for screens: one decode, then a cascade of smaller sizes, upright, sRGB, flattened on white."""

import io
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, UnidentifiedImageError

from assets import apart, changes, storage
from assets.colors import colors_of
from assets.decode import DAMAGED, reason, shrunk, upright_rgb
from assets.kinds import KINDS, OTHER
from assets.models import AssetVersion, DocumentText, Rendition
from assets.stages import PermanentFailure, Write, stage

SIZES = {"large": 1600, "medium": 640, "small": 256}  # pixels of the longest side, largest first
IN_PROCESS_PIXELS = {"JPEG": 60_000_000}  # a JPEG is reduced while it is decoded
OTHER_IN_PROCESS_PIXELS = 20_000_000
MISSING = "The original is missing from storage. Restore it from a backup."
QUALITY, METHOD = 82, 2  # WebP: method 4 takes more than twice as long for little


@stage("Preview")
def make_renditions(version: AssetVersion) -> Write:
    """Decode the original and put all SIZES into the renditions storage; the write lists them.

    Of what is no picture none are made, which is no failure.
    """
    if version.format == OTHER:
        return lambda: None
    try:
        with storage.local_copy(version.blob) as original:
            image, text = decoded(original, version.format, version.width * version.height)
    except storage.OriginalMissing as error:
        raise PermanentFailure(MISSING) from error
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
        if text:
            DocumentText.objects.update_or_create(version=version, defaults={"text": text})
            changes.facts_changed([version.asset_id])
        else:
            changes.colors_changed([version.asset_id])

    return write


def decoded(original: Path, format: str, pixels: int) -> tuple[Image.Image, str]:
    """Upright RGB of at most the largest size, and the words in a document. Raises PermanentFailure."""
    if KINDS[format].apart or pixels > IN_PROCESS_PIXELS.get(format, OTHER_IN_PROCESS_PIXELS):
        return _decoded_apart(original, format)
    try:
        with Image.open(original) as image:
            return upright_rgb(image, SIZES["large"]), ""
    except UnidentifiedImageError:
        return _decoded_apart(original, format)  # libvips knows kinds of TIFF that Pillow does not
    except FileNotFoundError as error:
        raise PermanentFailure(MISSING) from error
    except DAMAGED as error:
        if "truncated" in str(error):
            said = "The file is truncated: it ends before the picture does. Copy or export it again."
        else:
            said = f"The picture cannot be decoded ({reason(error)}). Copy or export it again."
        raise PermanentFailure(said) from error


def _decoded_apart(original: Path, format: str) -> tuple[Image.Image, str]:
    if not original.exists():
        raise PermanentFailure(MISSING)
    with tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR, prefix="decode-") as folder:
        target = Path(folder) / "picture.png"
        try:
            text = apart.show(original, format, target, SIZES["large"], settings.STAGE_SECONDS * 0.8)
        except apart.Undecodable as error:
            raise PermanentFailure(str(error)) from error
        with Image.open(target) as image:
            return image.convert("RGB"), text


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

"""Pictures for screens: one decode, then a cascade of smaller sizes, upright, sRGB, flattened on white."""

import io
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, ImageCms, ImageOps

from assets import storage
from assets.decode import Undecodable, decode_apart
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
    color = "#{:02x}{:02x}{:02x}".format(*pixel)  # type: ignore[misc]

    def write() -> None:
        Rendition.objects.bulk_create(
            made,
            update_conflicts=True,
            unique_fields=["version", "name"],
            update_fields=["storage_name", "media_type", "width", "height", "size"],
        )
        AssetVersion.objects.filter(pk=version.pk).update(color=color)

    return write


def decoded(original: Path, format: str, pixels: int) -> Image.Image:
    """An upright RGB picture of at most the largest size and a little more. Raises PermanentFailure."""
    try:
        with Image.open(original) as image:
            small = pixels <= IN_PROCESS_PIXELS.get(format, OTHER_IN_PROCESS_PIXELS)
            if small and not image.mode.startswith(("I", "F")):
                image.draft("RGB", _fitted(image.size, SIZES["large"]))
                image.load()
                return to_srgb(ImageOps.exif_transpose(image))
        return _decoded_apart(original)
    except Undecodable as error:
        raise PermanentFailure(str(error)) from error
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, ArithmeticError, LookupError) as error:
        if isinstance(error, FileNotFoundError):
            raise PermanentFailure(
                "The original is missing from storage. Restore it from a backup."
            ) from error
        if "truncated" in str(error):
            reason = "The file is truncated: it ends before the picture does. Copy or export it again."
        else:
            reason = f"The picture cannot be decoded ({error}). Copy or export it again."
        raise PermanentFailure(reason) from error


def _decoded_apart(original: Path) -> Image.Image:
    with tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR, prefix="decode-") as folder:
        target = Path(folder) / "picture.png"
        decode_apart(original, target, SIZES["large"], settings.STAGE_SECONDS * 0.8)
        with Image.open(target) as image:
            return image.convert("RGB")


def to_srgb(image: Image.Image) -> Image.Image:
    """Colour-managed to sRGB where the picture has a usable profile; transparency becomes white."""
    profile = image.info.get("icc_profile")
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    if profile and image.mode in {"RGB", "CMYK", "L"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            managed = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            image = managed or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged or unsuitable profile: the plain conversion below is the best that can be done
    return image if image.mode == "RGB" else image.convert("RGB")


def shrunk(image: Image.Image, longest: int) -> Image.Image:
    """A copy whose longest side is at most `longest` pixels; never enlarged."""
    size = _fitted(image.size, longest)
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.5)


def _fitted(size: tuple[int, int], longest: int) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


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

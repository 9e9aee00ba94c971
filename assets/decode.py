"""Decoding pictures, upright and in sRGB. No Django here: assets.apart must start fast."""

import io
import re
import struct
import zlib

from PIL import Image, ImageCms, ImageOps

INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC  # as libvips has it: large and small pictures look the same
SMOOTH = {"L", "RGB", "RGBA", "CMYK"}  # modes that can be made smaller as they are
PATH = re.compile(r"""b?'/[^']*'|"/[^"]*"|(?<!\w)/[^\s'":,)]+""")

# What Pillow's decoders raise for damaged files.
DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    AttributeError,
    TypeError,
    MemoryError,
    struct.error,
    zlib.error,
)


class Undecodable(Exception):
    """The message is for people."""


def reason(error: BaseException) -> str:
    """What an error says, in one line, without the paths of this server and without control characters."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if len(error.args) == 1 and isinstance(error.args[0], bytes):
        said = error.args[0].decode(errors="replace")
    plain = "".join(c if c >= " " else " " for c in PATH.sub("the file", said))
    return " ".join(plain.split()) or type(error).__name__


def upright_rgb(image: Image.Image, longest: int) -> Image.Image:
    """An opened picture as upright sRGB of at most `longest` pixels a side. Raises one of DAMAGED."""
    image.draft("RGB", _fitted(image.size, longest))
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    image = _eight_bits(image)
    if image.mode in SMOOTH and "transparency" not in image.info:
        image = shrunk(image, longest)  # before the conversion, which takes time for each pixel
    return shrunk(_srgb(image), longest)


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


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits by its nominal range; of 32 bits, which has none, from its darkest to its brightest."""
    if not image.mode.startswith(("I", "F")):
        return image
    import numpy as np  # takes longer than all else here, and is seldom needed

    pixels = np.asarray(image).astype(np.float32)
    if image.mode.startswith("I;16"):
        pixels /= 257
    else:
        known = pixels[np.isfinite(pixels)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        pixels = np.nan_to_num(pixels, nan=low, posinf=high, neginf=low)
        pixels = (pixels - low) * (255 / ((high - low) or 1.0))
    grey = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    grey.info = {name: value for name, value in image.info.items() if name == "icc_profile"}
    return grey


def _srgb(image: Image.Image) -> Image.Image:
    """Colour-managed to sRGB where the picture has a usable profile; transparency becomes white."""
    profile = image.info.get("icc_profile")
    if "A" in image.getbands() and image.mode != "LAB" or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    target = ImageCms.createProfile("sRGB")
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, lab, target, outputMode="RGB") or image
    if profile and image.mode in {"RGB", "CMYK", "L"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            managed = ImageCms.profileToProfile(image, source, target, INTENT, outputMode="RGB")
            image = managed or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged or unsuitable profile: the plain conversion below is the best that can be done
    return image if image.mode == "RGB" else image.convert("RGB")

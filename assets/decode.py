"""Decoding pictures, upright and in sRGB: here, or for large ones in a process of its own with limits.

    python -m assets.decode SOURCE TARGET LONGEST

writes SOURCE as an upright sRGB PNG of at most LONGEST pixels and exits 0; a reason for people goes to
standard error with exit status 3. A file that crashes the decoder takes only this process with it.
No Django here: it must start fast.
"""

import io
import os
import re
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MEMORY_BYTES = 3 * 1024**3
CPU_SECONDS = 90
REFUSED = 3
CODE_DIR = Path(__file__).resolve().parent.parent
NOT_FOR_VIPS = ("BMP", "JPEG2000")  # the libvips that we install has no loader for them
SMOOTH = {"L", "RGB", "RGBA", "CMYK"}  # modes that can be made smaller as they are
PATH = re.compile(r"""'/[^']*'|"/[^"]*"|(?<!\w)/[^\s'":,)]+""")

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
            managed = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            image = managed or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged or unsuitable profile: the plain conversion below is the best that can be done
    return image if image.mode == "RGB" else image.convert("RGB")


def decode_apart(source: Path, target: Path, longest: int, seconds: float) -> None:
    """Run this module in a child process. Raises Undecodable."""
    command = [sys.executable, "-m", "assets.decode", str(source.absolute()), str(target), str(longest)]
    # One thread each: every thread would take address space, which is limited.
    environment = {**os.environ, "VIPS_CONCURRENCY": "1", "VIPS_WARNING": "0", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and module)
            command,
            cwd=CODE_DIR,
            env=environment,
            capture_output=True,
            timeout=seconds,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Undecodable(f"Decoding took longer than {seconds:.0f} seconds and was stopped.") from None
    if done.returncode == REFUSED:
        raise Undecodable(done.stderr.strip().splitlines()[-1])
    if done.returncode != 0:
        raise Undecodable(
            f"The decoder stopped (status {done.returncode}): the file is damaged, "
            f"or needs more than {MEMORY_BYTES // 1024**3} GB of memory or {CPU_SECONDS} seconds."
        )


def main(source: str, target: str, longest: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    import pyvips

    pyvips.cache_set_max(0)
    Image.MAX_IMAGE_PIXELS = None  # the limits above are what counts here
    try:
        try:
            with Image.open(source, formats=NOT_FOR_VIPS) as image:
                upright_rgb(image, int(longest)).save(target, compress_level=1)
        except UnidentifiedImageError:
            _by_vips(pyvips, source, int(longest)).write_to_file(target, compression=1, keep="none")
    except (pyvips.Error, *DAMAGED) as error:
        said = reason(error).replace(source, "the file")
        sys.stderr.write(f"\nThe picture cannot be decoded completely ({said}). Export or copy it again.")
        return REFUSED
    return 0


def _by_vips(pyvips: Any, source: str, side: int) -> Any:
    header = pyvips.Image.new_from_file(source)
    if header.bands == 1 and header.format not in ("uchar", "ushort"):
        image = _stretched(pyvips, source).thumbnail_image(side, height=side, size="down")
    else:
        image = pyvips.Image.thumbnail(source, side, height=side, size="down", fail_on="error")
    if image.hasalpha():
        image = image.flatten(background=255)
    if image.interpretation not in ("srgb", "b-w"):
        image = image.colourspace("srgb")
    return image if image.format == "uchar" else image.cast("uchar", shift=image.format == "ushort")


def _stretched(pyvips: Any, source: str) -> Any:
    """Grey of 32 bits from its darkest to its brightest, read twice so that it is never all in memory."""
    stats = pyvips.Image.new_from_file(source, access="sequential", fail_on="error").stats()
    low, high = stats(0, 0)[0], stats(1, 0)[0]
    image = pyvips.Image.new_from_file(source, access="sequential", fail_on="error")
    return ((image - low) * (255 / ((high - low) or 1))).cast("uchar").copy(interpretation="b-w")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))

"""Any PIL image as the square of RGB numbers that the network reads."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from search.encoders._protocol import UnreadableImage

SIDE = 260  # pixels of the square


def network_input(image: Image.Image) -> NDArray[np.float32]:
    """float32 (3, 260, 260), (x - 127) / 128. Raises UnreadableImage if the pixels cannot be decoded."""
    try:
        rgb = as_rgb(ImageOps.exif_transpose(image))
        squeezed = rgb.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=centre_box(*rgb.size))
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"The picture cannot be decoded: {error}") from error
    return (np.asarray(squeezed, np.float32).transpose(2, 0, 1) - np.float32(127)) / np.float32(128)


def centre_box(width: int, height: int) -> tuple[float, float, float, float]:
    """The centre that becomes the square: left, top, right, bottom in pixels.

    A long picture is half cut and half squeezed: both sides keep the square root of their ratio.
    """
    ratio = (max(width, height) / min(width, height)) ** 0.5
    wide, high = min(width, height * ratio), min(height, width * ratio)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def as_rgb(image: Image.Image) -> Image.Image:
    """An RGB copy of any mode: transparency on white, more than 8 bits scaled down and not clipped."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    if image.mode == "LAB":  # Pillow converts it only through a colour profile: its lightness has to do
        image = image.getchannel(0)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    return image.convert("RGB")


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """8-bit values pass; 16-bit ones are divided; anything else is stretched between its extremes."""
    numbers = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = float(numbers.min()), float(numbers.max())
    if low < 0 or high > 65535 or values.dtype.kind == "f":
        numbers = (numbers - low) * (255 / (high - low or 1))
    elif high > 255:
        numbers = numbers / 257
    return numbers.clip(0, 255).astype(np.uint8)

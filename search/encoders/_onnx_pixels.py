"""A picture as the numbers that a vision graph reads, by the rules that are published with its model.

The rules are those of OpenCLIP's `preprocess_cfg.json` and of transformers' `preprocessor_config.json`; tests
compare the numbers with both libraries. They differ in one thing: where the middle of an odd rest lies.
Colours become RGB first, where OpenCLIP reduces the picture first; for the RGB renditions it is all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from search.encoders._pixels import as_rgb
from search.encoders._protocol import EncoderUnavailable, UnreadableImage

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
LONGEST_RATIO = (
    24  # of the sides of what is reduced; a longer strip loses ends that the crop takes away anyway
)
FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "random": Image.Resampling.BICUBIC,  # only training draws lots
}


@dataclass(frozen=True)
class PixelRules:
    """How a picture becomes float32 (3, height, width)."""

    height: int
    width: int
    shortest: int  # pixels that the shorter side is reduced to before the middle is cut out; 0: squeezed
    resample: Image.Resampling
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = 1 / 255
    rounds: bool = True  # the middle of an odd rest: to the even pixel (torchvision), or down (transformers)

    @property
    def input_pixels(self) -> int:
        """Of the shorter side of a picture that loses nothing."""
        return self.shortest or max(self.height, self.width)

    def __call__(self, image: Image.Image) -> NDArray[np.float32]:
        """float32 (3, height, width). Raises UnreadableImage if the pixels cannot be decoded."""
        try:
            fitted = self._fit(as_rgb(ImageOps.exif_transpose(image)))
        except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
            raise UnreadableImage(f"The picture cannot be decoded: {error}") from error
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        values = (np.asarray(fitted, np.float32) * np.float32(self.scale) - mean) / std
        return np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)

    def _fit(self, image: Image.Image) -> Image.Image:
        if not self.shortest:
            return image.resize((self.width, self.height), self.resample)
        image = _middle_of_strip(image)
        width, height = image.size
        short, long = min(width, height), max(width, height)
        longest = int(self.shortest * long / short)
        size = (self.shortest, longest) if width <= height else (longest, self.shortest)
        image = image.resize(size, self.resample)
        left, top = self._start(size[0] - self.width), self._start(size[1] - self.height)
        return image.crop((left, top, left + self.width, top + self.height))

    def _start(self, rest: int) -> int:
        return round(rest / 2) if self.rounds else rest // 2


def _middle_of_strip(image: Image.Image) -> Image.Image:
    """At most LONGEST_RATIO times as long as wide: a line of pixels would grow to a huge picture."""
    width, height = image.size
    longest = LONGEST_RATIO * min(width, height)
    if max(width, height) <= longest:
        return image
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return image.crop((left, top, left + min(width, longest), top + min(height, longest)))


def of_openclip(config: Mapping[str, Any]) -> PixelRules:
    """From `preprocess_cfg.json`. Raises EncoderUnavailable for a rule that is not known."""
    height, width = _sides(config.get("size", 224))
    mode = str(config.get("resize_mode", "shortest"))
    filter_name = str(config.get("interpolation", "bicubic"))
    known = mode == "squash" or (mode == "shortest" and height == width)
    if not known or filter_name not in FILTERS:
        rule = f"{mode}, {filter_name}, {height}x{width}"
        raise EncoderUnavailable(f"Pictures cannot be prepared by the rule {rule}.")
    return PixelRules(
        height=height,
        width=width,
        shortest=height if mode == "shortest" else 0,
        resample=FILTERS[filter_name],
        mean=tuple(config.get("mean") or CLIP_MEAN),
        std=tuple(config.get("std") or CLIP_STD),
    )


def of_transformers(config: Mapping[str, Any]) -> PixelRules:
    """From `preprocessor_config.json` of a CLIP or SigLIP. Raises EncoderUnavailable for another one."""
    kind = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "CLIP")
    is_siglip = kind.startswith("Siglip")
    if not kind.startswith(("CLIP", "SiglipImage")) or not config.get("do_resize", True):
        raise EncoderUnavailable(f"Pictures cannot be prepared by the rule of {kind}.")
    size = config.get("size", 224)
    shortest = _shortest(size, by_default=not is_siglip)
    height, width = _sides(size) if not shortest else (shortest, shortest)
    if config.get("do_center_crop", not is_siglip):
        height, width = _sides(config.get("crop_size", (height, width)))
    elif shortest:
        raise EncoderUnavailable("Pictures cannot be prepared: the rule leaves them of different sizes.")
    if shortest and shortest < max(height, width):
        raise EncoderUnavailable("Pictures cannot be prepared: the rule cuts out more than there is.")
    plain = ((0.5,) * 3, (0.5,) * 3) if is_siglip else (CLIP_MEAN, CLIP_STD)
    normal = config.get("do_normalize", True)
    return PixelRules(
        height=height,
        width=width,
        shortest=shortest,
        resample=Image.Resampling(config.get("resample", Image.Resampling.BICUBIC)),
        mean=tuple(config.get("image_mean") or plain[0]) if normal else (0.0,) * 3,
        std=tuple(config.get("image_std") or plain[1]) if normal else (1.0,) * 3,
        scale=config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0,
        rounds=False,
    )


def _shortest(size: Any, by_default: bool) -> int:
    """What the shorter side becomes; 0 where both sides are given, and the picture is squeezed."""
    if isinstance(size, Mapping):
        return int(size.get("shortest_edge", 0))
    return int(size) if isinstance(size, int) and by_default else 0


def _sides(size: Any) -> tuple[int, int]:
    """Height and width."""
    if isinstance(size, Mapping):
        edge = size.get("shortest_edge", 0)
        return int(size.get("height", edge)), int(size.get("width", edge))
    if isinstance(size, int):
        return size, size
    height, width = (*size, *size)[:2] if len(size) == 1 else size
    return int(height), int(width)

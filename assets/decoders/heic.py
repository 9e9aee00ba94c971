"""HEIC and HEIF, as telephones take pictures: by libheif, with libde265 inside and no encoder."""

import pi_heif
from PIL import Image

from assets.decode import upright_rgb
from assets.decoders import Look

FORMATS = ("HEIF",)
pi_heif.register_heif_opener(thumbnails=False)


def look(path: str) -> Look:
    with Image.open(path, formats=FORMATS) as image:
        width, height = image.size  # turned already, as the file says
        return Look(width, height, max(1, getattr(image, "n_frames", 1)), None, "image/heic")


def show(path: str, longest: int) -> Image.Image:
    with Image.open(path, formats=FORMATS) as image:
        return upright_rgb(image, longest)

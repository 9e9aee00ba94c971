"""Any PIL image as a JPEG that every service takes."""

import io

from PIL import Image, ImageOps

from search.encoders._pixels import as_rgb
from search.encoders._protocol import UnreadableImage

LONGEST, QUALITY = 1024, 90
MIN_SIDE, MAX_SIDE = 11, 15_999  # pixels; Azure wants more than 10 and less than 16,000
RECIPE = f"jpeg-{QUALITY}-{LONGEST}"  # part of a space's identity: change it with the rule


def jpeg(image: Image.Image) -> bytes:
    """Upright RGB, at most LONGEST pixels long, tiny ones enlarged; without EXIF, comment or profile.

    Far below 20 MB: noise of 1024 x 1024 pixels is 1.5 MB. Raises UnreadableImage.
    """
    if 0 in image.size:
        raise UnreadableImage("The picture has no pixels.")
    try:
        rgb = as_rgb(ImageOps.exif_transpose(image))
        size = fitted(*rgb.size)
        if size != rgb.size:
            rgb = rgb.resize(size, Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        rgb.save(buffer, "JPEG", quality=QUALITY, comment=b"", exif=b"", icc_profile=None)
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"The picture cannot be decoded: {error}") from error
    return buffer.getvalue()


def fitted(width: int, height: int) -> tuple[int, int]:
    """The size to send: LONGEST at most, unless the shorter side would fall below MIN_SIDE."""
    scale = min(1.0, LONGEST / max(width, height))
    scale = max(scale, MIN_SIDE / min(width, height))
    return tuple(max(MIN_SIDE, min(MAX_SIDE, round(side * scale))) for side in (width, height))  # type: ignore[return-value]

"""Camera raw, by LibRaw: the camera's own preview where it is large enough, else what the sensor saw."""

import io

import rawpy
from PIL import Image

from assets.decode import DAMAGED, upright_rgb
from assets.decoders import Look, Refused

TURNS = {3: Image.Transpose.ROTATE_180, 5: Image.Transpose.ROTATE_90, 6: Image.Transpose.ROTATE_270}
ORIENTATION = 0x0112  # in EXIF
ERRORS = (rawpy.LibRawError,)
UNKNOWN = "This camera's raw format is not known here, or the file is damaged. Export it as DNG or TIFF."


def look(path: str) -> Look:
    with _opened(path) as raw:
        width, height = raw.sizes.iwidth, raw.sizes.iheight
        if raw.sizes.flip in (5, 6):
            width, height = height, width
        return Look(width, height, 1, None, "image/x-raw")


def show(path: str, longest: int) -> Image.Image:
    with _opened(path) as raw:
        whole = max(raw.sizes.iwidth, raw.sizes.iheight)
        preview = _preview(raw)
        if preview is not None and max(preview.size) >= min(longest, whole) * 0.95:
            return upright_rgb(_turned(preview, raw.sizes.flip), longest)
        half = whole // 2 >= longest
        pixels = raw.postprocess(
            use_camera_wb=True, half_size=half, output_color=rawpy.ColorSpace.sRGB, output_bps=8
        )
    return upright_rgb(Image.fromarray(pixels), longest)


def _opened(path: str) -> rawpy.RawPy:
    try:
        return rawpy.imread(path)
    except rawpy.LibRawFileUnsupportedError as error:
        raise Refused(UNKNOWN) from error


def _preview(raw: rawpy.RawPy) -> Image.Image | None:
    """The largest picture that the camera put into the file, if it is a JPEG that can be read."""
    try:
        thumb = raw.extract_thumb()
        if thumb.format != rawpy.ThumbFormat.JPEG:
            return None
        return Image.open(io.BytesIO(bytes(thumb.data)), formats=("JPEG",))
    except (rawpy.LibRawError, *DAMAGED):
        return None


def _turned(preview: Image.Image, flip: int) -> Image.Image:
    """Upright: some cameras say in the preview itself how it was held, others only in the file."""
    if preview.getexif().get(ORIENTATION, 1) != 1 or flip not in TURNS:
        return preview
    profile = preview.info.get("icc_profile")
    turned = preview.transpose(TURNS[flip])
    if profile:
        turned.info["icc_profile"] = profile
    return turned

"""The stage that gives a picture its vector in the space in use."""

import numpy as np
from PIL import Image

from assets import storage
from assets.models import AssetVersion, Rendition
from assets.stages import PermanentFailure, Write, stage
from search import encoders, spaces, sql


@stage("Likeness", needs=("make_renditions",))
def vectorise_picture(version: AssetVersion) -> Write:
    """Encode the smallest rendition that the encoder loses nothing with; the write puts its row."""
    space, _ = spaces.ensure()
    encoder = encoders.get(space.encoder)
    rendition = smallest_sufficient(list(version.renditions.all()), encoder.limits.input_pixels)
    with storage.renditions().open(rendition.storage_name) as file, Image.open(file) as image:
        try:
            vector = encoder.encode_images([image])[0]
        except encoders.UnreadableImage as error:
            raise PermanentFailure(str(error)) from error
    if vector.shape != (space.dimensions,) or not np.isfinite(vector).all():
        raise PermanentFailure(f"The encoder {space.encoder} gave no usable vector for this picture.")
    return lambda: sql.write_vector(space, version.pk, version.asset_id, "visual", vector)


def smallest_sufficient(renditions: list[Rendition], pixels: int) -> Rendition:
    """The smallest rendition whose shorter side has at least `pixels`, else the largest there is."""
    if not renditions:
        raise PermanentFailure("There is no rendition to look at. Retry the stage that makes the renditions.")
    by_size = sorted(renditions, key=lambda r: min(r.width, r.height))
    return next((r for r in by_size if min(r.width, r.height) >= pixels), by_size[-1])

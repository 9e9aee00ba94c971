"""What cameras and picture editors wrote into the file: EXIF, IPTC IIM and XMP (Dublin Core).

`extract_metadata` keeps what was found on the version and fills those words of the asset that nobody has
written yet. A damaged metadata block is noted beside the others, never a reason to lose them or the picture.
"""

from typing import Any

from PIL import Image

from assets import changes, storage
from assets.decode import DAMAGED, reason
from assets.metadata.reading import Words, read
from assets.models import Asset, AssetVersion
from assets.stages import PermanentFailure, Write, stage


@stage("Embedded metadata", essential=False)
def extract_metadata(version: AssetVersion) -> Write:
    with storage.local_copy(version.blob) as original:
        try:
            with Image.open(original) as image:
                words, raw = read(image)
        except DAMAGED as error:
            raise PermanentFailure(f"The metadata in the file cannot be read ({reason(error)}).") from error

    def write() -> None:
        AssetVersion.objects.filter(pk=version.pk).update(embedded_metadata=raw)
        asset = Asset.objects.select_for_update().get(pk=version.asset_id)
        if patch := missing_words(asset, words):
            op = changes.operation("embedded metadata", f"Read from {version.original_filename}")
            changes.apply(op, [asset], patch)

    return write


def missing_words(asset: Asset, words: Words) -> dict[str, Any]:
    """The patch that fills what is still empty, of the asset and of the record it depicts."""
    record = asset.record
    patch: dict[str, Any] = {}
    for name in ("title", "description", "date", "rights", "credit_line"):
        value = getattr(words, name)
        taken = getattr(asset, name) or getattr(record, name, "")
        limit = Asset._meta.get_field(name).max_length  # type: ignore[union-attr]
        if value and not taken:
            patch[name] = value[:limit]
    terms: dict[str, list[str]] = {}
    if words.keywords:
        terms["tags"] = words.keywords
    if words.creators and not asset.creators and not (record and record.creators):  # type: ignore[attr-defined]
        terms["creators"] = words.creators
    return {**patch, **({"add_terms": terms} if terms else {})}

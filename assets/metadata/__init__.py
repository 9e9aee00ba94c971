"""What cameras and picture editors wrote into the file: EXIF, IPTC IIM and XMP, embedded or in a sidecar.

`extract_metadata` keeps what was found on the version and fills those words of the asset that nobody has
written yet. A damaged metadata block is noted beside the others, never a reason to lose them or the picture.
`assets.metadata.writing` puts the museum's words into a download. docs/metadata.md says which field is which.
"""

from typing import Any

from assets import changes, storage
from assets.decode import DAMAGED, reason
from assets.metadata import technical
from assets.metadata.mapping import Words
from assets.metadata.reading import read
from assets.metadata.writing import why_not
from assets.models import PLACES, Asset, AssetVersion
from assets.stages import PermanentFailure, Postponed, Write, stage

OPENED = {"JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF"}  # damaged where nothing opens them
OF_OBJECT = ("title", "description", "date", "rights", "rights_holder", "credit_line", "usage_terms")


@stage("Embedded metadata", essential=False)
def extract_metadata(version: AssetVersion) -> Write:
    with storage.local_copy(version.blob) as original:
        try:
            words, raw, damage = read(original, version.sidecar)
            head = technical.of_file(original)
            unwritable = why_not(original, version.format)
        except DAMAGED as error:
            raise PermanentFailure(f"The metadata in the file cannot be read ({reason(error)}).") from error
    if damage and not raw and version.format in OPENED:
        raise PermanentFailure(f"The metadata in the file cannot be read ({damage}).")

    def write() -> None:
        same = AssetVersion.objects.filter(pk=version.pk, sidecar=version.sidecar)
        found = raw | ({technical.NAME: head} if head else {})
        if not same.update(embedded_metadata=found, unwritable=unwritable):
            raise Postponed("A sidecar came while the file was read.", 0)
        if words == Words():
            return
        asset = Asset.objects.select_for_update().get(pk=version.asset_id)
        if patch := missing_words(asset, words):
            op = changes.operation("embedded metadata", f"Read from {version.original_filename}")
            changes.apply(op, [asset], patch)

    return write


def missing_words(asset: Asset, words: Words) -> dict[str, Any]:
    """The patch that fills what is still empty, of the asset and of the record it depicts."""
    record: Any = asset.record
    patch: dict[str, Any] = {}
    for name in (*OF_OBJECT, "alt_text"):
        value = getattr(words, name)
        taken = getattr(asset, name) or getattr(record, name, "")
        limit = Asset._meta.get_field(name).max_length  # type: ignore[union-attr]
        if value and not taken:
            patch[name] = value[:limit]
    if asset.latitude is None and words.latitude is not None and words.longitude is not None:
        patch |= {"latitude": words.latitude, "longitude": words.longitude}
    terms: dict[str, list[str]] = {}
    if words.keywords:
        terms["tags"] = words.keywords
    if words.creators and not asset.creators and not (record and record.creators):
        terms["creators"] = words.creators
    if words.places and not asset.labels(PLACES) and not (record and record.labels(PLACES)):
        terms["places"] = words.places
    return {**patch, **({"add_terms": terms} if terms else {})}

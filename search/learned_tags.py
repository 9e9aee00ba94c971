"""What the newest lesson in tags says of a picture, from its kept features: nothing is opened for it."""

from functools import lru_cache

from assets.models import Asset
from search import encoders, kept, spaces
from search.learning import tags
from search.models import EmbeddingSpace, TagLesson


def newest() -> TagLesson | None:
    """Without its arrays."""
    return TagLesson.objects.defer("arrays").first()


def probabilities(asset_id: int, space: EmbeddingSpace) -> tuple[str, dict[int, float]]:
    """The sha256 of what was learned, and by term how likely the picture has it, 0 to 1.

    Nothing where nothing was learned from what this space's encoder sees, or the picture has no features yet.
    """
    lesson = newest()
    if lesson is None or not lesson.sha256:
        return "", {}
    try:
        name = encoders.looking(spaces.encoder_of(space)).features_name
    except encoders.EncoderError:
        return "", {}
    version = Asset.objects.filter(pk=asset_id).values_list("current_version", flat=True).first()
    found = kept.features(name, [version]) if version and name == lesson.model else {}
    if version not in found:
        return "", {}
    head = _head(lesson.pk)
    if head is None:
        return "", {}
    said = head.probabilities(found[version][None])[0]
    return lesson.sha256, dict(zip(head.terms.tolist(), said.tolist(), strict=True))


@lru_cache(maxsize=2)
def _head(pk: int) -> tags.TagHead | None:
    """None where another has taken its place meanwhile."""
    content = TagLesson.objects.values_list("arrays", flat=True).filter(pk=pk).first()
    return tags.unpacked(bytes(content)) if content else None

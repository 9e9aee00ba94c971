"""Two pictures in words, side by side, with what differs."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from assets.descriptions import subject_of
from assets.forms import collection_path
from assets.models import Asset
from assets.views import facts

LEFT_OUT = {"SHA-256", "Version"}
MOST_WORDS = 400  # of a text that is compared word by word
Pieces = list[tuple[str, bool]]
"""Pieces of a text, and whether the other text has them not."""


@dataclass(frozen=True)
class Row:
    label: str
    left: Pieces
    right: Pieces

    @property
    def differs(self) -> bool:
        return self.left != self.right


def rows(left: Asset, right: Asset) -> list[Row]:
    """What is known of either, in the order of an asset's page; nothing of what both have not."""
    one, two = ({label: value for label, value in _facts(a) if value} for a in (left, right))
    labels = dict.fromkeys([*one, *two])
    return [Row(label, *_marked(one.get(label, ""), two.get(label, ""))) for label in labels]


def _facts(asset: Asset) -> Iterator[tuple[str, str]]:
    subject = subject_of(asset)
    yield "Title", subject.title
    yield "Maker", "; ".join(subject.creators)
    yield from facts.of_object(subject)
    yield "Description", subject.description
    yield "Tags", "; ".join(asset.tags)
    yield "Collection", collection_path(asset.collection)
    yield "Access", asset.get_access_display()
    yield from ((label, value) for label, value in facts.of_file(asset) if label not in LEFT_OUT)
    yield "Added", f"{asset.created_at:%-d %B %Y}"


def _marked(left: str, right: str) -> tuple[Pieces, Pieces]:
    """Both texts in pieces; as a whole where one is empty or long, or where they are equal."""
    if left == right or not left or not right:
        return [(left, False)], [(right, False)]
    one, two = left.split(), right.split()
    if max(len(one), len(two)) > MOST_WORDS:
        return [(left, True)], [(right, True)]
    same = SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return _pieces(one, [(m.a, m.size) for m in same]), _pieces(two, [(m.b, m.size) for m in same])


def _pieces(words: list[str], same: list[tuple[int, int]]) -> Pieces:
    found, at = [], 0
    for start, size in same:  # the last is empty, and stands behind the end
        found += [(words[at:start], True), (words[start : start + size], False)]
        at = start + size
    return [(" ".join(part), new) for part, new in found if part]

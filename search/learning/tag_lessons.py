"""One time of learning tags: from pictures that have some, and then guesses for all that people may look at.

Whoever gave a picture tags is taken to have looked at it: of the tags it has not, each counts as not fitting.
A picture whose tags were all suggested is not taken so: of it, only what was answered counts.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

import numpy as np
from django.conf import settings
from django.db import connection

from search import encoders, kept, learned_tags, spaces, tag_rows
from search.learning import tags
from search.learning.library import CHUNK, batched, groups
from search.learning.ridge import Array, Rows
from search.models import TagLesson
from search.tag_rows import Example, Guess

FEWEST = 8
"""Things that show a tag, and that do not: below, nothing is learned about it."""
MOST_TAGS = 1000
"""The commonest ones."""
LEAST, MOST = 0.5, 6
"""The lowest probability that people are asked about, and of how many tags of one picture."""
LEARNING = 0x1EA3  # advisory lock


class _Known:
    """The examples, those that show the same one after the other, and what is known of which tag."""

    def __init__(self, found: Sequence[Example]) -> None:
        named = groups([one.asset_id for one in found], kept.same_thing()).tolist()
        self.examples = [one for _, one in sorted(zip(named, found, strict=True), key=_by_group)]
        self.groups = np.sort(np.array(named, np.int64))
        numbered = list(zip(self.groups.tolist(), self.examples, strict=True))
        catalogued = {number for number, one in numbered if one.catalogued}
        things = Counter(term for term, _ in {(term, number) for number, one in numbered for term in one.own})
        enough = [(n, t) for t, n in things.items() if n >= FEWEST and len(catalogued) - n >= FEWEST]
        self.terms = np.array(sorted(t for _, t in sorted(enough, reverse=True)[:MOST_TAGS]), np.int64)
        self.place = {term: n for n, term in enumerate(self.terms.tolist())}

    def answers(self, some: Sequence[int]) -> Rows:
        """(n, t) of +1, -1, and 0 for unknown, of the examples at these places."""
        found = np.zeros((len(some), len(self.terms)), np.float32)
        for row, one in zip(found, (self.examples[place] for place in some), strict=True):
            row[:] = -1 if one.catalogued else 0
            for terms, value in ((one.refused, -1), (one.terms, 1)):
                row[[self.place[term] for term in terms if term in self.place]] = value
        return found

    def shares(self) -> Array:
        yes, known = (np.zeros(len(self.terms)) for _ in range(2))
        for some in batched(range(len(self.examples)), CHUNK):
            found = self.answers(some)
            yes += (found > 0).sum(axis=0)
            known += (found != 0).sum(axis=0)
        return yes / np.maximum(known, 1)

    def chunks(self, model: str) -> Iterator[tags.Examples]:
        for some in batched(range(len(self.examples)), CHUNK):
            seen = kept.features(model, [self.examples[place].version_id for place in some])
            here = [place for place in some if self.examples[place].version_id in seen]
            if here:
                features = np.stack([seen[self.examples[place].version_id] for place in here])
                yield tags.Examples(features, self.answers(here), self.groups[here])


def learn() -> TagLesson | None:
    """Learn, note it, and guess for all pictures. None where no space is in use, or somebody is at it.

    Raises EncoderError. What is the very same as before is not noted again.
    """
    with _alone() as alone:
        space = spaces.active()
        if space is None or not alone:
            return None
        model = encoders.looking(spaces.encoder_of(space)).features_name
        found = tag_rows.examples(model, settings.LEARN_FROM_RESTRICTED)
        if len(found) > settings.LEARN_MOST:
            found = Random(0).sample(found, settings.LEARN_MOST)  # noqa: S311
        known = _Known(found)
        fit = None
        if len(known.terms):
            fit = tags.learn(lambda: known.chunks(model), known.terms, known.shares(), len(known.examples))
        lesson = _note(model, len(found), fit)
        if fit:
            _guess(model, lesson, fit.head)
        tag_rows.forget_guesses(lesson.pk)
        return lesson


def _note(model: str, pictures: int, fit: tags.TagFit | None) -> TagLesson:
    content = fit.head.packed() if fit else None
    sha256 = hashlib.sha256(content).hexdigest() if content else ""
    last = learned_tags.newest()
    if last and (last.sha256, last.model, last.pictures) == (sha256, model, pictures):
        return last
    lesson = TagLesson.objects.create(
        model=model,
        pictures=pictures,
        tags=len(fit.head.terms) if fit else 0,
        reliability=fit.reliability if fit else [],
        sha256=sha256,
        arrays=content,
    )
    TagLesson.objects.exclude(pk=lesson.pk).exclude(arrays=None).update(arrays=None)
    return lesson


def _guess(model: str, lesson: TagLesson, head: tags.TagHead) -> None:
    for pictures in batched(kept.can_take_part(model, restricted=True), CHUNK):
        seen = kept.features(model, [version for _, version in pictures])
        here = [(asset, seen[version]) for asset, version in pictures if version in seen]
        guesses: list[Guess] = []
        if here:
            said = head.probabilities(np.stack([features for _, features in here]))
            has = tag_rows.terms_of([asset for asset, _ in here])
            for (asset, _), row in zip(here, said, strict=True):
                likely = [
                    n for n in np.argsort(-row) if row[n] >= LEAST and head.terms[n] not in has.get(asset, ())
                ]
                guesses += [Guess(asset, int(head.terms[n]), float(row[n]), lesson.pk) for n in likely[:MOST]]
        tag_rows.put_guesses([asset for asset, _ in pictures], guesses)


def _by_group(pair: tuple[int, Example]) -> tuple[int, int]:
    return pair[0], pair[1].asset_id


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LEARNING])
        mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LEARNING])

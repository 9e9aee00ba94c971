"""Pairs that look alike, weighed by their vectors."""

import numpy as np
import pytest

from assets import duplicates as found_by_bits
from assets.models import Asset, DuplicateCandidate
from search import duplicates, sql
from search.models import EmbeddingSpace
from tests.factories import asset

pytestmark = pytest.mark.django_db
SURE, WIDE = found_by_bits.SURE, found_by_bits.WIDE


def pair(one: Asset, two: Asset, distance: int) -> DuplicateCandidate:
    state = "alike" if distance <= SURE else "unsure"
    return DuplicateCandidate.objects.create(first=one, second=two, distance=distance, state=state)


@pytest.fixture
def four(space: EmbeddingSpace) -> list[Asset]:
    """Two that the model finds alike, one that it does not, and one without a vector."""
    vectors = np.eye(space.dimensions, dtype=np.float32)
    alike = vectors[0] + 0.2 * vectors[1]
    made = [asset() for _ in range(4)]
    for one, vector in zip(made, (vectors[0], alike / np.linalg.norm(alike), vectors[2]), strict=False):
        assert one.current_version_id is not None
        sql.write_vector(space, one.current_version_id, one.pk, "visual", vector)
    return made


def test_vectors_decide_where_the_fingerprints_are_not_near_enough(four: list[Asset]) -> None:
    alike, unlike = pair(four[0], four[1], WIDE), pair(four[0], four[2], SURE + 1)
    near, waiting = pair(four[1], four[2], SURE), pair(four[0], four[3], SURE + 1)
    assert not DuplicateCandidate.objects.open().exclude(pk=near.pk).exists()
    assert duplicates.weigh(2) == 2 and duplicates.weigh(10) == 1 and duplicates.weigh(10) == 0
    for one in (alike, near, waiting):
        one.refresh_from_db()
    assert alike.state == "alike" and alike.likeness == pytest.approx(0.98, abs=0.01)
    assert near.state == "alike" and near.likeness == pytest.approx(0, abs=0.01), "a near one stays whatever"
    assert waiting.state == "unsure" and waiting.likeness is None
    assert not DuplicateCandidate.objects.filter(pk=unlike.pk).exists()


def test_a_library_without_a_model_has_its_near_pairs(db: None) -> None:
    pair(asset(), asset(), SURE)
    assert duplicates.weigh(10) == 0 and DuplicateCandidate.objects.open().count() == 1

"""The terms that labels stand for, made when missing, in one order for everybody."""

from collections.abc import Mapping, Sequence

from assets.models import Term
from assets.text import label_key

Labels = Mapping[str, Sequence[str]]
Terms = Mapping[tuple[str, str], int]


def make_terms(labels: Labels) -> dict[str, list[int]]:
    """The ids of these labels by vocabulary, made when missing, in one order for everybody.

    Two transactions that made the same new terms in different orders would wait for each other for ever.
    """
    return ids_among(labels, terms_by_key(labels))


def terms_by_key(labels: Labels) -> dict[tuple[str, str], int]:
    """As `make_terms`, by vocabulary and label_key; one query for all that are there already."""
    wanted = {(slug, _key(label)): label for slug, names in labels.items() for label in names if _key(label)}
    found = Term.objects.filter(vocabulary__slug__in=labels, key__in={key for _, key in wanted})
    made = {(slug, key): pk for slug, key, pk in found.values_list("vocabulary__slug", "key", "pk")}
    for slug, key in sorted(set(wanted) - set(made)):
        made[slug, key] = Term.objects.labelled(slug, wanted[slug, key]).pk
    return made


def ids_among(labels: Labels, terms: Terms) -> dict[str, list[int]]:
    """The ids of these labels by vocabulary, of terms that are known already."""
    pairs = {slug: [(slug, _key(label)) for label in names] for slug, names in labels.items()}
    return {slug: [terms[pair] for pair in found if pair in terms] for slug, found in pairs.items()}


def _key(label: str) -> str:
    return label_key(label)[:200]

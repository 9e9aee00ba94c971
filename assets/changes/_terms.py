"""The terms that labels stand for, made when missing, in one order for everybody; and what became of some."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from assets.models import Change, Term, Vocabulary
from assets.text import label_key

Labels = Mapping[str, Sequence[str]]
Terms = Mapping[tuple[str, str], int]


class Went(NamedTuple):
    """How a term came to be no more."""

    label: str
    into: int | None
    """The living term that it is a part of now; None where it was deleted, or that one was."""
    change: int
    """The id of the change that took it away."""


def make_terms(labels: Labels) -> dict[str, list[int]]:
    """The ids of these labels by vocabulary, made when missing, in one order for everybody.

    Two transactions that made the same new terms in different orders would wait for each other for ever.
    """
    return ids_among(labels, terms_by_key(labels))


def terms_by_key(labels: Labels) -> dict[tuple[str, str], int]:
    """As `make_terms`, by vocabulary and label_key, in a fixed number of statements.

    A label that no term has as its first is that of the one term which has it among its others.
    """
    wanted = {(slug, _key(label)): label for slug, names in labels.items() for label in names if _key(label)}
    known = known_terms(wanted) if wanted else {}
    if missing := sorted(set(wanted) - set(known)):
        vocabularies = {
            vocabulary.slug: vocabulary for vocabulary in Vocabulary.objects.filter(slug__in=labels)
        }
        Term.objects.bulk_create(
            (Term(vocabulary=vocabularies[s], key=key, label=_label(wanted[s, key])) for s, key in missing),
            ignore_conflicts=True,  # somebody else has made it meanwhile
        )
        known = known_terms(wanted)
    return known


def known_terms(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The terms that are meant by these pairs of vocabulary and label_key, as far as there are any."""
    wanted = set(wanted)
    terms = Term.objects.filter(vocabulary__slug__in={slug for slug, _ in wanted})
    found = terms.filter(key__in={key for _, key in wanted})
    known = {(slug, key): pk for slug, key, pk in found.values_list("vocabulary__slug", "key", "pk")}
    if missing := wanted - set(known):
        others = terms.filter(other_keys__overlap=[key for _, key in missing])
        said: dict[tuple[str, str], list[int]] = {}
        for slug, keys, pk in others.values_list("vocabulary__slug", "other_keys", "pk"):
            for key in keys:
                said.setdefault((slug, key), []).append(pk)
        known |= {pair: said[pair][0] for pair in missing if len(said.get(pair, ())) == 1}
    return known


def ids_among(labels: Labels, terms: Terms) -> dict[str, list[int]]:
    """The ids of these labels by vocabulary, of terms that are known already."""
    pairs = {slug: [(slug, _key(label)) for label in names] for slug, names in labels.items()}
    return {slug: [terms[pair] for pair in found if pair in terms] for slug, found in pairs.items()}


def went(ids: Iterable[int]) -> dict[int, Went]:
    """What became of terms that are gone, by their ids, as far as the history knows."""
    found: dict[int, Went] = {}
    asked, alive = set(ids), set[int]()
    while asked:
        gone = Change.objects.filter(object_kind=Change.Kind.TERM, object_id__in=asked, field="deleted")
        new = {
            one.object_id: Went((one.before or {}).get("label", ""), (one.after or {}).get("into"), one.pk)
            for one in gone.order_by("pk")  # of several the last: the others were undone
        }
        found |= new
        asked = {one.into for one in new.values() if one.into} - set(found)
        alive |= set(Term.objects.filter(pk__in=asked).values_list("pk", flat=True))
        asked -= alive
    for one in found:
        into = found[one].into
        while into in found:
            into = found[into].into
        found[one] = found[one]._replace(into=into if into in alive else None)
    return found


def _label(text: str) -> str:
    return " ".join(text.replace("\x00", " ").split())[:200]


def _key(label: str) -> str:
    return label_key(label)[:200]

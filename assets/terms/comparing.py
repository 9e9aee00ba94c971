"""What a file says of terms against what is known: what is new, what changes, and what cannot be.

Terms are the same where their addresses are; else, where one has none, by their labels. What a person has
changed since an import stays as it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from assets import changes
from assets.models import Change, Term, Vocabulary
from assets.terms.concepts import Concept
from assets.text import label_key

KINDS = ("vocabulary import", "undo")  # of operations that are no work of people
Node = int | str
"""A term by its id, or one that is not stored yet by its address or key."""
Problem = tuple[str, str]
"""Where, and what."""


@dataclass
class Compared:
    new: list[Term] = field(default_factory=list)
    changed: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By the id of the term: a patch, see changes.change_terms."""
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)


class Comparison:
    """Of one vocabulary; it remembers which labels the concepts that it has seen are going to have."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.claimed: dict[str, str] = {}
        """By key: the reference of the concept that takes it."""
        self.nodes: dict[str, Node] = {}
        """By the reference of a concept."""

    def compare(self, concepts: Sequence[Concept]) -> Compared:
        found = Compared()
        terms = self.terms_of(concepts)
        owners = _owners(self.vocabulary, concepts)
        edited = edited_by_people(term.pk for term in terms.values())
        for concept in concepts:
            if not label_key(concept.label):
                said = _("It has no label in the languages that were chosen, and is left out.")
                found.problems.append((concept.where, said))
                continue
            term = terms.get(reference(concept))
            label = self._label(concept, term, owners, found)
            self.nodes[reference(concept)] = term.pk if term else reference(concept)
            if len(concept.uri) > 500:
                found.problems.append((concept.where, _("Its address is too long, and is left out.")))
            elif term is None:
                values = {"labels": concept.labels, "uri": concept.uri, "note": concept.note}
                found.new.append(Term(vocabulary=self.vocabulary, label=label, **values))
            elif patch := _patch(concept, label, term, edited):
                found.changed[term.pk] = patch
            else:
                found.unchanged += 1
        return found

    def terms_of(self, concepts: Iterable[Concept]) -> dict[str, Term]:
        """By reference, the terms that these concepts are."""
        concepts = list(concepts)
        slug = self.vocabulary.slug
        by_uri = Term.objects.filter(vocabulary=self.vocabulary, uri__in=[c.uri for c in concepts if c.uri])
        found = {term.uri: term for term in by_uri}
        others = {label_key(c.label)[:200]: c for c in concepts if c.uri not in found}
        known = changes.known_terms((slug, key) for key in others)
        terms = Term.objects.in_bulk(known.values())
        for key, concept in others.items():
            term = terms.get(known.get((slug, key), 0))
            # By its first label alone where it has an address: a synonym may be that of another concept.
            if term and (not concept.uri or not term.uri and term.key == key):
                found[reference(concept)] = term
        return found

    def _label(self, concept: Concept, term: Term | None, owners: Mapping[str, Term], found: Compared) -> str:
        """What the term is going to be called: two terms of one vocabulary cannot have one label."""
        if term and not concept.uri:
            return term.label
        key, ref = label_key(concept.label)[:200], reference(concept)
        owner = owners.get(key)
        free = owner is None or owner == term
        if free and self.claimed.setdefault(key, ref) == ref:
            return concept.label
        own = re.split(r"[/#]", concept.uri.rstrip("/#"))[-1] or concept.where
        label = f"{concept.label[: 190 - len(own[:60])]} ({own[:60]})"
        if term is None or term.label != label:
            said = _("Another term is called “%(label)s” too; this one becomes “%(new)s”.")
            found.problems.append((concept.where, said % {"label": concept.label, "new": label}))
        return label

    # --- the hierarchy ----------------------------------------------------------------------------

    def links(self, concepts: Sequence[Concept], graph: "Graph") -> tuple[dict[int, Any], list[Problem]]:
        """Patches with the broader terms of these, and what cannot be. `graph` is changed accordingly."""
        problems: list[Problem] = []
        patches: dict[int, Any] = {}
        concepts = [concept for concept in concepts if concept.broader]
        own = self._nodes_of(concepts)
        above = self._known(one for concept in concepts for one in concept.broader)
        edited = edited_by_people(pk for pk in own.values() if isinstance(pk, int))
        for concept in concepts:
            node = own.get(reference(concept))
            if node is None:
                continue
            wanted = [above[one] for one in concept.broader if one in above]
            problems += [(concept.where, _no_term(one)) for one in concept.broader if one not in above]
            before = set(graph.parents.get(node, ()))
            if (node, "parents") in edited or not wanted:
                continue
            graph.parents[node] = before & set(wanted)
            for parent in wanted:
                if not graph.add(node, parent):
                    said = _("It would be above itself by way of “%s”, so that is left out.")
                    problems.append((concept.where, said % _shown(concept.broader, above, parent)))
            if isinstance(node, int) and graph.parents[node] != before:
                patches[node] = {"parents": graph.parents[node]}
        return patches, problems

    def _nodes_of(self, concepts: Sequence[Concept]) -> dict[str, Node]:
        missing = [concept for concept in concepts if reference(concept) not in self.nodes]
        stored: dict[str, Node] = {ref: term.pk for ref, term in self.terms_of(missing).items()}
        return self.nodes | stored if self.nodes else dict(stored)

    def _known(self, references: Iterable[str]) -> dict[str, Node]:
        """What the names of broader terms stand for: concepts of this file, else terms that are here."""
        found: dict[str, Node] = {}
        missing = []
        for one in set(references):
            node = self.nodes.get(one) or self.nodes.get(_by_key(one))
            if node:
                found[one] = node
            else:
                missing.append(one)
        by_uri = Term.objects.filter(vocabulary=self.vocabulary, uri__in=missing)
        found |= dict(by_uri.values_list("uri", "pk"))
        keys = {one: label_key(one)[:200] for one in missing if one not in found}
        slug = self.vocabulary.slug
        known = changes.known_terms((slug, key) for key in keys.values())
        return found | {one: known[slug, key] for one, key in keys.items() if (slug, key) in known}


class Graph:
    """Who is below whom. No term ever comes to be above itself."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.parents: dict[Node, set[Node]] = {}
        links = Term.parents.through.objects.filter(from_term__vocabulary=vocabulary)
        for child, parent in links.values_list("from_term_id", "to_term_id"):
            self.parents.setdefault(child, set()).add(parent)

    def add(self, child: Node, parent: Node) -> bool:
        """Put one below another; False where that would make a circle."""
        seen, left = {parent}, [parent]
        while left:
            node = left.pop()
            if node == child:
                return False
            new = self.parents.get(node, set()) - seen
            seen |= new
            left.extend(new)
        self.parents.setdefault(child, set()).add(parent)
        return True


def reference(concept: Concept) -> str:
    """What stands for a concept in its file."""
    return concept.uri or _by_key(concept.label)


def edited_by_people(ids: Iterable[int]) -> set[tuple[int | str, str]]:
    """(term, field) of what people have changed."""
    of_terms = Change.objects.filter(object_kind=Change.Kind.TERM, object_id__in=list(ids))
    return set(of_terms.exclude(operation__kind__in=KINDS).values_list("object_id", "field"))


def _by_key(label: str) -> str:
    return f" {label_key(label)[:200]}"


def _owners(vocabulary: Vocabulary, concepts: Iterable[Concept]) -> dict[str, Term]:
    keys = {label_key(concept.label)[:200] for concept in concepts}
    return {term.key: term for term in Term.objects.filter(vocabulary=vocabulary, key__in=keys)}


def _patch(concept: Concept, label: str, term: Term, edited: set[tuple[int | str, str]]) -> dict[str, Any]:
    """What the file says otherwise. Labels are only added: what is here may be the museum's own."""
    patch: dict[str, Any] = {}
    if label != term.label and (term.pk, "label") not in edited:
        patch["label"] = label
    labels = {language: list(found) for language, found in term.labels.items()}
    for language, said in concept.labels.items():
        labels[language] = list(dict.fromkeys([*said, *labels.get(language, [])]))
    if labels != term.labels and (term.pk, "labels") not in edited:
        patch["labels"] = labels
    if concept.uri and not term.uri:
        patch["uri"] = concept.uri
    if concept.note and concept.note != term.note and (not term.note or (term.pk, "note") not in edited):
        patch["note"] = concept.note
    return patch


def _no_term(name: str) -> str:
    return _("There is no term “%s” that it could be below.") % name


def _shown(broader: Iterable[str], above: Mapping[str, Node], node: Node) -> str:
    return next((one for one in broader if above.get(one) == node), str(node))

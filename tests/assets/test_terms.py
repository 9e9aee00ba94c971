"""Terms: editing, merging and taking back, with all that follows."""

from typing import Any

import pytest

from accounts.models import User
from assets import changes
from assets.changes import ChangeRefused
from assets.models import (
    Asset,
    FieldDefinition,
    Operation,
    Record,
    RecordTerm,
    TagAnswer,
    Term,
    TermRedirect,
    TermWork,
    Vocabulary,
)
from assets.terms import editing, merging, work
from search.models import SearchRow
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_a_clock")]


def term(label: str, *, above: str = "", **values: Any) -> Term:
    tags = Vocabulary.objects.get(slug="tags")
    made = editing.create(
        tags, {"label": label, **values}, editing.named(tags, [above]) if above else [], None
    )
    return Term.objects.get(pk=made.pk)


def tagged(*labels: str) -> Asset:
    return asset(tags="; ".join(labels))


def labels(of: Asset) -> list[str]:
    return Asset.objects.get(pk=of.pk).tags


def found_by(word: str) -> set[int]:
    """The assets whose search row has the word."""
    rows = SearchRow.objects.extra(where=["words @@ plainto_tsquery('museum', %s)"], params=[word])
    return set(rows.values_list("asset_id", flat=True))


def test_a_new_label_is_found_at_once_and_undone_as_a_whole(viewer: User) -> None:
    dog, picture = term("hund"), tagged("hund")
    done = editing.edit(dog, {"label": "dog", "labels": {"de": ["Hund", "Köter"]}}, [], viewer)
    assert done and done.state == TermWork.State.DONE and done.done == 1
    assert found_by("dog") == found_by("köter") == {picture.pk}
    back = work.undo(done, viewer)
    assert back.state == TermWork.State.DONE and not found_by("dog") and found_by("hund") == {picture.pk}
    assert Term.objects.get(pk=dog.pk).other_keys == []
    with pytest.raises(ChangeRefused, match="undone already"):
        work.undo(done, viewer)


def test_the_steps_go_on_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    dog, pictures = term("dog"), [tagged("dog") for _ in range(5)]
    monkeypatch.setattr(work, "AT_ONCE", 2)
    monkeypatch.setattr(work, "BRIEF_SECONDS", 0.0)
    begun = editing.edit(dog, {"label": "hound"}, [], None)
    assert begun and begun.state == TermWork.State.WORKING and not found_by("hound")
    steps = 0
    while work.step(begun.pk, 0):
        steps += 1
    begun.refresh_from_db()
    assert (begun.state, begun.done, begun.total, steps > 1) == ("done", 5, 5, True)
    assert found_by("hound") == {picture.pk for picture in pictures}


def test_a_term_never_comes_to_be_above_itself() -> None:
    animal = term("animal")
    dog = term("dog", above="animal")
    picture = tagged("dog")
    assert animal.pk in SearchRow.objects.get(asset=picture).term_ids
    with pytest.raises(ChangeRefused, match="below “animal” already"):
        editing.edit(animal, {}, [dog], None)
    with pytest.raises(ChangeRefused, match="broader than itself"):
        editing.edit(dog, {}, [dog], None)
    done = editing.edit(dog, {}, [], None)
    assert animal.pk not in SearchRow.objects.get(asset=picture).term_ids
    editing.edit(animal, {}, [dog], None)
    back = work.undo(done, None) if done else None  # it would close a circle now
    assert back and "1 later changes kept" in Operation.objects.get(pk=back.operations[0]).label
    assert not Term.objects.get(pk=dog.pk).parents.exists()


def test_only_what_nothing_has_is_deleted_and_it_comes_back_as_it_was() -> None:
    animal = term("animal", uri="http://example.org/animal")
    dog = term("dog", above="animal")
    picture = tagged("dog")
    with pytest.raises(ChangeRefused, match="“dog” is in use"):
        editing.delete(dog, None)
    done = editing.delete(animal, None)
    assert not Term.objects.filter(pk=animal.pk).exists()
    work.undo(done, None)
    again = Term.objects.get(pk=animal.pk)
    assert (again.uid, again.uri, list(again.children.all())) == (animal.uid, animal.uri, [dog])
    assert animal.pk in SearchRow.objects.get(asset=picture).term_ids


def test_two_terms_cannot_have_one_label() -> None:
    dog = term("dog")
    term("cat")
    with pytest.raises(ChangeRefused, match="Another term is called “Cat”"):
        editing.edit(dog, {"label": "Cat"}, [], None)
    with pytest.raises(ChangeRefused, match="needs a name"):
        term("  ")


def test_a_tag_by_a_synonym_is_the_term_itself() -> None:
    dog = term("dog", labels={"de": ["Hund", "Köter"]})
    picture = tagged("köter", "river")
    assert labels(picture) == ["dog", "river"]
    assert Term.objects.labelled("tags", "HUND") == dog
    term("cat", labels={"fr": ["Hund"]})  # now two are called so, and nobody knows which is meant
    assert Term.objects.labelled("tags", "hund") not in Term.objects.filter(label__in=["dog", "cat"])
    changes.apply(changes.operation("edit", ""), [picture], {"remove_terms": {"tags": ["Köter"]}})
    assert labels(picture) == ["river"]


def merged(viewer: User) -> tuple[Term, Term, TermWork]:
    dog = term("dog", labels={"en": ["dog"]})
    hound = term("hound", labels={"fr": ["chien"]}, uri="http://example.org/hound")
    return dog, hound, merging.merge(dog, [hound], viewer)


def test_after_merging_everything_follows(viewer: User) -> None:
    term("animal")
    term("hound", above="animal")
    term("beagle", above="hound")
    pictures = [tagged("hound", "river"), tagged("dog", "hound"), tagged("beagle")]
    record = Record.objects.create(accession_number="1", accession_key="1")
    RecordTerm.objects.create(record=record, term=Term.objects.get(label="hound"))
    FieldDefinition.objects.create(
        slug="kind", name="Kind", type="term", vocabulary=Vocabulary.objects.get(slug="tags")
    )
    Record.objects.filter(pk=record.pk).update(fields={"kind": {"": ["hound", "dog"]}})
    dog, hound = Term.objects.get(label="dog"), Term.objects.get(label="hound")
    TagAnswer.objects.create(asset=pictures[2], term=hound, answer="refused", score=0.5)
    seen = merging.preview(dog, [hound])
    assert (seen.pictures, seen.objects, [t.label for t in seen.narrower]) == (2, 1, ["beagle"])
    done = merging.merge(dog, [hound], viewer)
    assert done.state == TermWork.State.DONE, done.problem
    assert [labels(picture) for picture in pictures] == [["dog", "river"], ["dog"], ["beagle"]]
    assert Record.objects.get(pk=record.pk).fields == {"kind": {"": ["dog"]}}
    assert list(record.term_uses.values_list("term__label", flat=True)) == ["dog"]
    dog.refresh_from_db()
    assert dog.labels == {"": ["hound"]} and [t.label for t in dog.parents.all()] == ["animal"]
    assert TermRedirect.objects.get(pk=hound.uid).term == dog
    said = TagAnswer.objects.values_list("term__label", "answer")
    assert list(said) == [("dog", "refused")]
    assert all(dog.pk in SearchRow.objects.get(asset=picture).term_ids for picture in pictures)
    assert found_by("hound") == {pictures[0].pk, pictures[1].pk}

    work.undo(done, viewer)
    assert [labels(picture) for picture in pictures] == [["hound", "river"], ["dog", "hound"], ["beagle"]]
    assert Term.objects.get(pk=hound.pk).uid == hound.uid and not TermRedirect.objects.exists()
    assert [t.label for t in Term.objects.get(label="beagle").parents.all()] == ["hound"]
    assert Record.objects.get(pk=record.pk).fields == {"kind": {"": ["hound", "dog"]}}
    dog.refresh_from_db()
    assert dog.labels == {} and not dog.parents.exists()


def test_merging_takes_labels_and_the_address_along(viewer: User) -> None:
    dog, _, done = merged(viewer)
    dog.refresh_from_db()
    assert (dog.labels, dog.uri) == (
        {"en": ["dog"], "fr": ["chien"], "": ["hound"]},
        "http://example.org/hound",
    )
    assert done.state == TermWork.State.DONE


def test_a_term_that_gets_a_picture_while_it_is_merged_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, viewer: User
) -> None:
    monkeypatch.setattr(work, "BRIEF_SECONDS", 0.0)
    dog, hound, begun = merged(viewer)
    begun.phase = TermWork.Phase.WRITING
    begun.save()
    late = tagged("hound")
    work.step(begun.pk, 0)
    begun.refresh_from_db()
    assert begun.phase == TermWork.Phase.USES
    work.step(begun.pk)
    assert labels(late) == ["dog"] and not Term.objects.filter(pk=hound.pk).exists()


def test_what_cannot_be_merged_is_told() -> None:
    dog, person = term("dog"), Term.objects.labelled("creators", "dog")
    for sources, said in (([], "at least one"), ([dog], "into itself"), ([person], "same vocabulary")):
        with pytest.raises(ChangeRefused, match=said):
            merging.merge(dog, sources, None)

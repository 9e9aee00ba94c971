"""From one model to the next: making, filling, using, leaving and dropping embedding spaces."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.models import User
from assets import changes, outcomes, pipeline
from assets.models import Asset, AssetVersion, StageRun
from search import comparing, encoders, filling, nearest, partitions, spaces, sql
from search.evaluation import Golden
from search.hybrid import HybridQuery
from search.models import Embedding, EmbeddingSpace
from search.query import run
from search.spaces import SpaceError
from tests.encoder import ColourEncoder
from tests.factories import asset, picture, process, take_in

State = EmbeddingSpace.State
THREE = ("red", "green", "blue")


def fill(space: EmbeddingSpace) -> EmbeddingSpace:
    """What beat and the workers do, until nothing is left to do."""
    for _ in range(20):
        tasks = [task for task, pk in filling.tend() if pk == space.pk]
        if filling.FILL in tasks:
            filling.work(space.pk)
        if filling.INDEX in tasks:
            index_here(space)
        space.refresh_from_db()
        if not tasks and space.planned:
            break
    return space


def index_here(space: EmbeddingSpace) -> None:
    """As partitions.build_indexes, in the transaction of a test."""
    partitions._execute("SET CONSTRAINTS ALL IMMEDIATE")
    for kind in Embedding.Kind.values:
        if not partitions.has_index(space, kind):
            partitions._execute(partitions._definition(space, kind, ""))


def vectors(space: EmbeddingSpace, kind: str = "visual") -> set[int]:
    return set(Embedding.objects.filter(space=space, kind=kind).values_list("asset_id", flat=True))


@pytest.fixture
def pictures(space: EmbeddingSpace) -> list[Asset]:
    return [asset(color, f"{color}.jpg", done=True, title=f"A {color} thing") for color in THREE]


@pytest.fixture
def filled(pictures: list[Asset], next_encoder: ColourEncoder) -> EmbeddingSpace:
    """A ready space of the next encoder, beside the one in use."""
    return fill(spaces.create("next"))


# --- making and filling ---------------------------------------------------------------------------


def test_the_first_space_is_in_use_at_once_and_indexed(space: EmbeddingSpace) -> None:
    assert space.state == State.ACTIVE and partitions.is_indexed(space)
    assert spaces.ensure() == (space, False)


def test_a_new_space_is_filled_beside_the_one_in_use(
    pictures: list[Asset], space: EmbeddingSpace, next_encoder: ColourEncoder, viewer: User
) -> None:
    made = spaces.create("next")
    assert made.state == State.BUILDING and spaces.active() == space and not partitions.is_indexed(made)
    assert filling.progress_of(made).doing == "looking which pictures are missing"
    later = asset("cyan", "later.jpg", done=False)  # arrives meanwhile
    fill(made)
    assert made.state == State.BUILDING or made.state == State.READY
    process(later)
    fill(made)
    assert made.state == State.READY and made.ready_at and partitions.is_indexed(made)
    described = {a.pk for a in pictures}  # the later one has no words
    assert vectors(made) == vectors(space) == {*described, later.pk} and vectors(made, "words") == described
    progress = filling.progress_of(made)
    assert (progress.total, progress.done, progress.failed, progress.waiting) == (4, 4, 0, 0)
    assert (progress.words, progress.share, progress.doing) == (4, 1.0, "complete") and progress.bytes > 0
    assert run(HybridQuery(user=viewer, text="red")).space == space.slug


def test_what_cannot_be_made_is_said(
    space: EmbeddingSpace, next_encoder: ColourEncoder, monkeypatch: Any
) -> None:
    with pytest.raises(SpaceError, match="has its space already"):
        spaces.create("test")
    with pytest.raises(encoders.UnknownEncoder, match="there are: test, next, builtin"):
        spaces.create("nonesuch")
    next_encoder.away = True
    with pytest.raises(encoders.EncoderUnavailable):
        spaces.create("next")
    next_encoder.away = False
    long = encoders.SpaceIdentity("test", "long", "1", "mean", 5000)
    monkeypatch.setattr(ColourEncoder, "identity", long)
    with pytest.raises(SpaceError, match="have 5,000 numbers; an index can hold at most 4,000. Choose"):
        spaces.create("next")
    limits = encoders.Limits(32, None, 4, any_length=True)
    monkeypatch.setattr(ColourEncoder, "limits", limits)
    with pytest.raises(SpaceError, match="Set ENCODER_DIMENSIONS to 4,000 or fewer"):
        spaces.create("next")
    assert EmbeddingSpace.objects.count() == 1


def test_a_changed_encoder_gets_a_space_of_its_own_which_takes_over_when_it_is_filled(
    pictures: list[Asset], space: EmbeddingSpace, encoder: ColourEncoder, viewer: User
) -> None:
    """In place, the old one cannot be asked any more, so that nothing is lost by switching."""
    encoder.version = "changed"
    made, new = spaces.ensure()
    assert new and made != space and made.state == State.BUILDING and spaces.active() == space
    results = run(HybridQuery(user=viewer, text="red"))
    assert [a.filename for a in results.assets] == ["red.jpg"] and "was changed" in " ".join(results.notices)
    fill(made)
    assert made.state == State.ACTIVE and spaces.active() == made
    encoder.version = "1"
    assert spaces.rollback() == space and spaces.active() == space


def test_an_empty_library_switches_at_once(space: EmbeddingSpace, encoder: ColourEncoder) -> None:
    encoder.version = "changed"
    made, _ = spaces.ensure()
    assert spaces.active() == made and partitions.is_indexed(made)


def test_an_encoder_that_is_away_costs_no_attempts(
    pictures: list[Asset], next_encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = spaces.create("next")

    def down(*_: Any) -> None:
        raise encoders.EncoderDown("The service rests.", retry_after=30)

    with monkeypatch.context() as patch:
        patch.setattr(next_encoder, "encode_images", down)
        filling.tend()
        filling.work(made.pk)
    waiting = StageRun.every.filter(variant=made.pk, stage="vectorise_picture")
    assert {(r.state, r.attempts, r.reason) for r in waiting} == {("waiting", 0, "The service rests.")}
    assert made.state == State.BUILDING and not pipeline.is_ready("vectorise_picture", made.pk)
    waiting.update(not_before=None)
    assert fill(made).state == State.READY


def test_one_refused_picture_spoils_no_other_and_can_be_tried_again(
    pictures: list[Asset], next_encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = spaces.create("next"), next_encoder.encode_images

    def refuses_red(images: Any) -> Any:
        if any(np.asarray(image.convert("RGB"))[100, 100, 0] > 200 for image in images):
            raise encoders.UnreadableImage("This picture is refused.")
        return real(images)

    with monkeypatch.context() as patch:
        patch.setattr(next_encoder, "encode_images", refuses_red)
        fill(made)
    progress = filling.progress_of(made)
    assert made.state == State.READY and (progress.done, progress.failed) == (2, 1)
    assert not StageRun.objects.filter(state="failed").exists(), "nobody's concern while it is not in use"
    assert filling.try_again(made) == 1
    fill(made)
    assert filling.progress_of(made).done == 3 and vectors(made) == {a.pk for a in pictures}


def test_a_space_where_nothing_works_does_not_become_ready(
    pictures: list[Asset], next_encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = spaces.create("next")
    monkeypatch.setattr(next_encoder, "encode_images", lambda images: np.ones((len(images), 3), np.float32))
    fill(made)
    assert made.state == State.BUILDING and "gave no usable vector" in made.problem
    assert filling.progress_of(made).doing == made.problem
    with pytest.raises(SpaceError, match="still being filled"):
        spaces.activate(made)


def test_results_are_written_together_and_one_that_fails_spoils_no_other(
    pictures: list[Asset], next_encoder: ColourEncoder
) -> None:
    made = spaces.create("next")
    filling.tend()
    waiting = StageRun.every.filter(variant=made.pk, stage="vectorise_picture").order_by("pk")
    claims = pipeline._claim_many(waiting, 3)
    written: list[int] = []

    def fails() -> None:
        sql.rows("SELECT 1 / 0", [])

    outcomes.finish_all([(claim, lambda n=n: written.append(n)) for n, claim in enumerate(claims)])
    assert written == [0, 1, 2] and {run.state for run in waiting} == {"done"}
    outcomes.finish_all([(claim, fails) for claim in claims])
    assert {run.state for run in waiting.all()} == {"done"}, "without their tokens nothing is written"

    waiting.update(state="waiting")
    first, second, third = pipeline._claim_many(waiting.all(), 3)
    waiting.filter(pk=third.run.pk).update(token=None)
    outcomes.finish_all([(first, lambda: None), (second, fails), (third, fails)])
    states = dict(waiting.values_list("pk", "state"))
    assert [states[claim.run.pk] for claim in (first, second, third)] == ["done", "waiting", "running"]
    assert "division by zero" in waiting.get(pk=second.run.pk).reason


def test_no_vector_comes_from_a_replaced_file(
    pictures: list[Asset], space: EmbeddingSpace, next_encoder: ColourEncoder
) -> None:
    made, one = spaces.create("next"), pictures[0]
    filling.tend()
    old = StageRun.every.get(variant=made.pk, stage="vectorise_picture", version=one.current_version_id)
    claim = pipeline._claim(old.pk, "slow worker")
    assert claim is not None
    outcome = pipeline.pipeline()["vectorise_picture"](claim.run.version, made.pk)
    replaced = take_in(picture("white"), "white.jpg").asset
    assert replaced is not None and replaced.current_version is not None
    new = AssetVersion.objects.get(pk=replaced.current_version_id)
    AssetVersion.objects.filter(pk=new.pk).update(asset=one, number=2)
    Asset.objects.filter(pk=replaced.pk).update(current_version=None)
    Asset.objects.filter(pk=one.pk).update(current_version=new)
    outcomes.record(claim, outcome)
    assert one.pk not in vectors(made)
    process(Asset.objects.get(pk=one.pk))
    fill(made)
    found = Embedding.objects.get(space=made, kind="visual", asset=one)
    assert found.version_id == new.pk


# --- using, going back, dropping ------------------------------------------------------------------


def test_switching_and_going_back(
    pictures: list[Asset], space: EmbeddingSpace, filled: EmbeddingSpace, viewer: User
) -> None:
    spaces.activate(filled)
    assert run(HybridQuery(user=viewer, text="red")).space == filled.slug
    space.refresh_from_db()
    assert space.state == State.RETIRED
    with pytest.raises(SpaceError, match="in use already"):
        spaces.activate(filled)
    late = asset("cyan", "late.jpg", done=True)
    changes.apply(changes.operation("edit", "x"), [pictures[0]], {"title": "A changed thing"})
    fill(filled)
    assert late.pk in vectors(filled) and late.pk not in vectors(space), "a retired space costs nothing"
    assert spaces.rollback() == space
    assert run(HybridQuery(user=viewer, text="red")).space == space.slug
    fill(space)
    assert late.pk in vectors(space), "what it missed is made up for"
    known = sql.words_known(space, [pictures[0].current_version_id or 0])
    assert known == sql.words_known(filled, [pictures[0].current_version_id or 0])
    assert spaces.rollback() == filled


def test_a_ranking_is_of_one_space_from_start_to_end(
    pictures: list[Asset], space: EmbeddingSpace, filled: EmbeddingSpace, viewer: User, monkeypatch: Any
) -> None:
    """The space is switched in the middle of a query: it goes on in the one it began with."""
    asked, real = [], nearest._exact

    def switching(used: EmbeddingSpace, *args: Any) -> Any:
        if not asked:
            spaces.activate(filled)
        asked.append(used.pk)
        return real(used, *args)

    monkeypatch.setattr(nearest, "_exact", switching)
    results = run(HybridQuery(user=viewer, text="red"))
    assert set(asked) == {space.pk} and len(asked) == 2 and results.space == space.slug
    assert run(HybridQuery(user=viewer, text="red")).space == filled.slug


def test_nothing_to_go_back_to(space: EmbeddingSpace) -> None:
    with pytest.raises(SpaceError, match="no earlier space"):
        spaces.rollback()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_dropping_frees_the_table_and_the_work(
    encoder: ColourEncoder, next_encoder: ColourEncoder, django_user_model: Any
) -> None:
    space, _ = spaces.ensure()
    asset("red", "red.jpg", done=True)
    made = spaces.create("next")
    for _ in range(5):
        for task, pk in filling.tend():
            {filling.FILL: filling.work, filling.INDEX: filling.build_indexes}[task](pk)
    made.refresh_from_db()
    assert made.state == State.READY and partitions.is_indexed(made), "built concurrently"
    with pytest.raises(SpaceError, match="is in use"):
        spaces.drop(space)
    assert spaces.drop(made) > 0 and partitions.size(made) == 0
    assert not EmbeddingSpace.objects.filter(pk=made.pk).exists()
    assert StageRun.every.filter(variant=made.pk).count() == 2 and filling.tidy() == 2
    assert not StageRun.every.filter(variant=made.pk).exists() and vectors(space)
    again = spaces.create("next")
    assert again.slug == made.slug and spaces.drop(again) > 0


# --- the vectors of words -------------------------------------------------------------------------


def test_words_have_a_vector_that_follows_them(
    pictures: list[Asset], space: EmbeddingSpace, encoder: ColourEncoder
) -> None:
    one = pictures[0]
    first = sql.vectors_of(space, [one.pk], "words")[one.pk]
    assert np.allclose(first, encoder.encode_texts(["A red thing"])[0], atol=1e-2)
    changes.apply(changes.operation("edit", "x"), [one], {"title": "Something blue"})
    assert StageRun.objects.get(version=one.current_version_id, stage="vectorise_words").state == "waiting"
    fill(space)
    assert np.allclose(
        sql.vectors_of(space, [one.pk], "words")[one.pk], encoder.encode_texts(["blue"])[0], atol=1e-2
    )
    asked = encoder.asked
    changes.apply(changes.operation("edit", "x"), [one], {"rights_holder": "Somebody"})
    fill(space)
    assert encoder.asked == asked, "who owns it says nothing of the picture: the same words"


def test_a_question_finds_a_picture_by_the_meaning_of_its_words(
    pictures: list[Asset], space: EmbeddingSpace, viewer: User
) -> None:
    """The test encoder takes "blueish" for blue, as a real one takes a Madonna for a Virgin."""
    one = asset("white", "white.jpg", done=True, title="Study in blue")
    results = run(HybridQuery(user=viewer, text="blueish"))
    by_id = {hit.asset_id: hit.signals for hit in results.hits}
    assert by_id[one.pk]["words"] <= 2 and "keywords" not in by_id[one.pk]
    assert results.matched == 0, "none has the word itself"


def test_editing_does_not_make_a_picture_unfinished(pictures: list[Asset], space: EmbeddingSpace) -> None:
    from assets.progress import progress_of

    changes.apply(changes.operation("edit", "x"), [pictures[0]], {"title": "Other"})
    assert progress_of(Asset.objects.get(pk=pictures[0].pk)).state == "searchable"


# --- comparing, and the command -------------------------------------------------------------------

GOLDEN = [Golden("red", "red.jpg"), Golden("green", "green.jpg"), Golden("nothing", "blue.jpg")]


def test_comparing_two_spaces(space: EmbeddingSpace, filled: EmbeddingSpace) -> None:
    waiting = comparing.start(space, filled, GOLDEN, "visual", None)
    comparing.run(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == "done" and waiting.asked == 3
    result = waiting.result
    assert result["first"] == result["second"] and result["first"]["recall@1"] >= 0.66
    assert result["overlap@10"] == 1.0 and result["questions"][0]["query"] == "red"
    comparing.run(waiting.pk)  # delivered twice
    assert not comparing.waiting().exists()
    with pytest.raises(SpaceError, match="two different"):
        comparing.start(space, space, GOLDEN, "visual", None)


def test_a_comparison_whose_worker_died_is_done_by_another(
    space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    lost = comparing.start(space, filled, GOLDEN, "visual", None)
    type(lost).objects.filter(pk=lost.pk).update(state="running", changed_at=timezone.now())
    assert not comparing.waiting().exists()
    long_ago = timezone.now() - timezone.timedelta(seconds=comparing.STALE_SECONDS + 1)
    type(lost).objects.filter(pk=lost.pk).update(changed_at=long_ago)
    comparing.run(lost.pk)
    lost.refresh_from_db()
    assert lost.state == "done"


def command(*arguments: str) -> Any:
    output = StringIO()
    call_command("spaces", *arguments, "--json", stdout=output)
    return json.loads(output.getvalue())


def test_the_command(
    pictures: list[Asset],
    space: EmbeddingSpace,
    next_encoder: ColourEncoder,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(filling, "build_indexes", lambda pk: index_here(EmbeddingSpace.objects.get(pk=pk)))
    made = command("create", "next")
    assert made["state"] == "building" and made["total"] == 0
    filled = command("fill", made["slug"])
    assert filled["state"] == "ready" and filled["done"] == 3
    listed = command("list")["spaces"]
    assert [(s["slug"], s["state"]) for s in listed] == [(space.slug, "active"), (made["slug"], "ready")]
    golden = tmp_path / "golden.csv"
    golden.write_text("query,filename\nred,red.jpg\n")
    compared = command("compare", space.slug, made["slug"], "--golden", str(golden))
    assert compared["first"]["recall@1"] == 1.0 and compared["spaces"] == [space.slug, made["slug"]]
    assert command("activate", made["slug"])["state"] == "active"
    assert command("rollback")["slug"] == space.slug
    with pytest.raises(CommandError, match="is in use"):
        command("drop", space.slug, "--yes")
    with pytest.raises(CommandError, match="There is no space 'nonesuch'"):
        command("activate", "nonesuch")
    with pytest.raises(CommandError, match="more than one space 'test'"):
        command("activate", "test")
    monkeypatch.setattr("builtins.input", lambda text: "no")
    with pytest.raises(CommandError, match="Nothing was dropped"):
        command("drop", made["slug"])

"""Embedding spaces and their life: building -> ready -> active -> retired, and back (docs/decisions/0008).

One space is active, and every query reads which one it is once. A space is made by `create`, filled by
search.filling, and used from `activate` on; the one before stays as retired, so that `rollback` is instant.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.expressions import RawSQL
from django.utils import timezone

from search import encoders, partitions, sql
from search.models import LEARNED, Embedding, EmbeddingSpace

State = EmbeddingSpace.State
KEPT = (State.BUILDING, State.READY, State.ACTIVE)
"""The states whose spaces get a vector of every new or changed picture."""


class SpaceError(Exception):
    """A space cannot be made, used or dropped; the message is for people."""


class EncoderChanged(encoders.EncoderUnavailable):
    """The settings no longer give the encoder that a space was made with."""


def active() -> EmbeddingSpace | None:
    return active_and(None)[0]


def active_and(besides: sql.Fragment | None) -> tuple[EmbeddingSpace | None, str]:
    """The space in use, and a text that is asked for in the same statement; "" where there is no space."""
    words = Embedding.objects.filter(space=OuterRef("pk"), kind=Embedding.Kind.WORDS)
    spaces: Any = EmbeddingSpace.objects.filter(state=State.ACTIVE).annotate(any_words=Exists(words))
    if besides:
        spaces = spaces.annotate(besides=RawSQL(besides.sql, besides.params))  # noqa: S611 (values apart)
    found = spaces.first()
    if found:
        found.has_words = found.any_words
    return found, found.besides if found and besides else ""


def active_ids() -> Any:
    """settings.CURRENT_VARIANTS: as a subquery, so that it costs no query of its own."""
    return EmbeddingSpace.objects.filter(state=State.ACTIVE).values("pk")


def kept() -> dict[int, bool]:
    """The spaces that a new picture gets a vector in, and whether people wait for it."""
    found = EmbeddingSpace.objects.filter(state__in=KEPT).values_list("pk", "state")
    return {pk: state == State.ACTIVE for pk, state in found}


def get(slug: str) -> EmbeddingSpace:
    """By its slug, or by a beginning that only one has. Raises SpaceError."""
    found = list(
        EmbeddingSpace.objects.filter(slug=slug) or EmbeddingSpace.objects.filter(slug__startswith=slug)
    )
    if len(found) != 1:
        slugs = ", ".join(EmbeddingSpace.objects.values_list("slug", flat=True)) or "none"
        which = "more than one space" if found else "no space"
        raise SpaceError(f"There is {which} {slug!r}. There are: {slugs}.")
    return found[0]


def encoder_of(space: EmbeddingSpace) -> encoders.Encoder:
    """The encoder that a space was made with. Raises EncoderUnavailable; EncoderChanged if it is no more."""
    return encoder_with(space.encoder, space.options, space.slug)


def encoder_with(name: str, options: Mapping[str, Any], slug: str) -> encoders.Encoder:
    """The encoder called `name`, as it is set or with these options, if its space is still that of `slug`.

    Raises EncoderUnavailable; EncoderChanged if it is no more.
    """
    as_set: Mapping[str, Any] = {}
    try:
        for these in (options,) if name == LEARNED else (as_set, options):
            encoder = encoders.get(name, these)
            if encoder.identity.slug() == slug:
                return encoder
    except encoders.UnknownEncoder as error:
        raise EncoderChanged(f"The encoder {name} is not among the settings any more.") from error
    raise EncoderChanged(f"The encoder {name} was changed; its new space has to be filled first.")


# --- making one -----------------------------------------------------------------------------------


def ensure() -> tuple[EmbeddingSpace, bool]:
    """The space of settings.ENCODER, made where it is missing, and whether it was made just now.

    In a library without vectors it is active at once. In another it is filled beside the active one, which
    stays in use until somebody activates the new one.
    """
    identity = encoders.get().identity
    in_use = active()
    if in_use and (in_use.slug == identity.slug() or _builds_on(in_use, identity)):
        return in_use, False
    with transaction.atomic():
        partitions.lock_spaces()  # two processes may start together
        space, in_use = EmbeddingSpace.objects.filter(slug=identity.slug()).first(), active()
        made = space is None
        if space is None:
            space = _insert(encoders.configured(settings.ENCODER), identity)
        if in_use is None or (in_use != space and not Embedding.objects.filter(space=in_use).exists()):
            if made:
                partitions.index_empty(space)
            _switch(in_use, space)
    return space, made


def _builds_on(space: EmbeddingSpace, identity: encoders.SpaceIdentity) -> bool:
    """Whether it was learned on top of the encoder with this identity, which goes on giving it vectors."""
    return space.encoder == LEARNED and space.identity["files"].get("base") == identity.digest


def replace_lost(by: EmbeddingSpace) -> bool:
    """Activate a ready space by itself where the one in use has lost its encoder; whether it did so.

    Nobody can search the lost one by a sentence any more, so that there is nothing to compare.
    """
    in_use = active()
    try:
        if in_use:
            encoder_of(in_use)
            return False
    except EncoderChanged:
        activate(by)
        return True
    except encoders.EncoderError:
        pass
    return False


def create(name: str, options: Mapping[str, Any] | None = None) -> EmbeddingSpace:
    """A space for the encoder called `name`, to be filled in the background. Raises SpaceError, EncoderError.

    With `options`, where they differ from the settings. The encoder is asked one question first, so that a
    wrong key is known before a hundred thousand calls.
    """
    encoder = encoders.get(name, options)
    identity = encoder.identity
    if EmbeddingSpace.objects.filter(slug=identity.slug()).exists():
        raise SpaceError(f"The encoder {name} has its space already: {identity.slug()}.")
    _check_length(name, encoder)
    encoder.encode_texts(["a picture"])
    with transaction.atomic():
        partitions.lock_spaces()
        if EmbeddingSpace.objects.filter(slug=identity.slug()).exists():
            raise SpaceError(f"The space {identity.slug()} was made by somebody else just now.")
        return _insert(encoders.configured(name).with_options(options or {}), identity)


def _insert(config: encoders.Config, identity: encoders.SpaceIdentity) -> EmbeddingSpace:
    space = EmbeddingSpace.objects.create(
        slug=identity.slug(),
        encoder=config.name,
        identity=asdict(identity),
        options=config.options,
        dimensions=identity.dimensions,
    )
    partitions.create(space)
    return space


def _check_length(name: str, encoder: encoders.Encoder) -> None:
    length, most = encoder.identity.dimensions, partitions.MAX_DIMENSIONS
    if length <= most:
        return
    variable = encoders.configured(name).variable("DIMENSIONS")
    advice = f"Set {variable} to {most:,} or fewer." if encoder.limits.any_length else "Choose another model."
    raise SpaceError(
        f"The vectors of {name} have {length:,} numbers; an index can hold at most {most:,}. {advice}"
    )


# --- using one ------------------------------------------------------------------------------------


def activate(space: EmbeddingSpace) -> EmbeddingSpace:
    """Use this space from the next query on; queries that have begun end in theirs. Raises SpaceError.

    What came in while it was retired is vectorised now; until then those pictures are found by their words.
    """
    with transaction.atomic():
        partitions.lock_spaces()
        space = EmbeddingSpace.objects.get(pk=space.pk)
        if space.state == State.ACTIVE:
            raise SpaceError(f"{space} is in use already.")
        if space.state == State.BUILDING:
            raise SpaceError(f"{space} is still being filled. It can be activated when it is ready.")
        _switch(active(), space)
    return space


def earlier() -> EmbeddingSpace | None:
    """The space that `rollback` goes back to."""
    left = EmbeddingSpace.objects.filter(state=State.RETIRED, retired_at__isnull=False)
    return left.order_by("-retired_at").first()


def rollback() -> EmbeddingSpace:
    """Go back to the space that was in use before. Raises SpaceError where there is none."""
    before = earlier()
    if before is None:
        raise SpaceError("There is no earlier space to go back to.")
    return activate(before)


def _switch(before: EmbeddingSpace | None, after: EmbeddingSpace) -> None:
    now = timezone.now()
    if before:
        EmbeddingSpace.objects.filter(pk=before.pk).update(state=State.RETIRED, retired_at=now)
    after.state, after.activated_at, after.retired_at, after.planned = State.ACTIVE, now, None, False
    after.save(update_fields=["state", "activated_at", "retired_at", "planned"])


def drop(space: EmbeddingSpace) -> int:
    """Remove a space and its vectors for good; returns the bytes freed. Raises SpaceError if it is in use.

    What is left of its work goes in the background (search.filling.tidy).
    """
    with transaction.atomic():
        partitions.lock_spaces()
        space = EmbeddingSpace.objects.get(pk=space.pk)
        if space.state == State.ACTIVE:
            raise SpaceError(f"{space} is in use. Activate another space first.")
        EmbeddingSpace.objects.filter(pk=space.pk).update(state=State.RETIRED, retired_at=None)
    freed = partitions.size(space)
    partitions.drop(space)
    EmbeddingSpace.objects.filter(pk=space.pk).delete()
    return freed

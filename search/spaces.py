"""Embedding spaces: the one in use, and making the one that the configured encoder needs."""

from dataclasses import asdict

from django.db import transaction

from search import encoders, sql
from search.models import EmbeddingSpace

State = EmbeddingSpace.State


def active() -> EmbeddingSpace | None:
    return EmbeddingSpace.objects.filter(state=State.ACTIVE).first()


def ensure() -> tuple[EmbeddingSpace, bool]:
    """The active space of the configured encoder, and whether it was made or activated just now.

    A changed encoder gets a space of its own, at once active and empty; the one before is kept as retired.
    Who calls this and gets True should let the pictures be vectorised again.
    """
    identity = encoders.get().identity
    in_use = active()
    if in_use and in_use.slug == identity.slug():
        return in_use, False
    with transaction.atomic():
        sql.lock_spaces()  # two processes may start together
        space = EmbeddingSpace.objects.filter(slug=identity.slug()).first()
        if space and space.state == State.ACTIVE:
            return space, False  # another process was faster
        EmbeddingSpace.objects.filter(state=State.ACTIVE).update(state=State.RETIRED)
        if space is None:
            space = EmbeddingSpace.objects.create(
                slug=identity.slug(),
                encoder=identity.encoder,
                identity=asdict(identity),
                dimensions=identity.dimensions,
                state=State.ACTIVE,
            )
            sql.create_partition(space)
        else:
            EmbeddingSpace.objects.filter(pk=space.pk).update(state=State.ACTIVE)
            space.state = State.ACTIVE
    return space, True

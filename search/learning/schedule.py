"""When learning begins by itself: once enough pictures have words that they did not have the last time."""

from django.conf import settings
from django.db.models import Q

from assets.models import Change
from search.models import Lesson

Kind = Change.Kind


def new_words(most: int) -> int:
    """Objects and pictures whose words have changed since the last lesson, counted up to `most`."""
    named = Q(field__in=settings.LEARN_FIELDS)
    changed = Change.objects.filter(named, object_kind__in=[Kind.ASSET, Kind.RECORD])
    if last := Lesson.objects.first():
        changed = changed.filter(operation__created_at__gt=last.began_at)
    return len(changed.order_by().values_list("object_kind", "object_id").distinct()[:most])


def is_due() -> bool:
    """Whether settings.LEARN_AFTER of them have come in; with 0 it never is."""
    return 0 < settings.LEARN_AFTER <= new_words(settings.LEARN_AFTER)

"""The museum's own fields that hold terms: their values are labels, which follow where a term is renamed."""

from typing import Any

from django.db.models import QuerySet

from assets import changes
from assets.models import Asset, FieldDefinition, Record, TermWork

AT_ONCE = 200
SAID = "jsonb_path_exists(fields -> %s, '$.** ? (@ == $label)', jsonb_build_object('label', %s::text))"


def rename(work: TermWork) -> bool:
    """Put new labels, as `renamed` in the plan has them, into own fields; True when none is left."""
    renamed: dict[str, str] = work.plan.get("renamed", {})
    for definition in FieldDefinition.objects.filter(type="term", vocabulary=work.vocabulary):
        for before, after in renamed.items():
            if found := list(_with(definition, before)[:AT_ONCE]):
                op = changes.operation("vocabulary", work.label, user=work.user)
                for subject in found:
                    own = replaced(subject.fields[definition.slug], before, after)
                    changes.apply(op, [subject], {"fields": subject.fields | {definition.slug: own}})
                work.operations.append(op.pk)
                return False
    return True


def _with(definition: FieldDefinition, label: str) -> "QuerySet[Any]":
    model: Any = Record if definition.applies_to == FieldDefinition.AppliesTo.RECORD else Asset
    found: QuerySet[Any] = model._default_manager.extra(  # noqa: S610 (the values are parameters)
        where=[SAID], params=[definition.slug, label]
    )
    return found.order_by("pk")


def replaced(value: Any, before: str, after: str) -> Any:
    """The same value with another label, each once in a list."""
    if isinstance(value, dict):
        return {key: replaced(one, before, after) for key, one in value.items()}
    if isinstance(value, list):
        return list(dict.fromkeys(replaced(one, before, after) for one in value))
    return after if value == before else value

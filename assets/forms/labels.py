"""Names of terms and collections, as people write them into one line."""

import re
import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from assets.forms.known import KnownInput
from assets.models import Collection
from assets.querysets import MAX_DEPTH
from assets.text import label_key

LONGEST_NAME = 200
SEVERAL = "Put semicolons between several."


class LabelsField(forms.CharField):
    """Several labels in one line or one on each; a comma may be part of a label, as in `Paris, France`."""

    def __init__(self, *, vocabulary: str = "", **kwargs: Any) -> None:
        """`vocabulary`: its names are offered while somebody writes."""
        if vocabulary:
            kwargs["widget"] = KnownInput(vocabulary)
        super().__init__(max_length=2000, **kwargs)

    def to_python(self, value: Any) -> Any:
        found = map(printable, re.split("[;\n]", super().to_python(value) or ""))
        return list({label_key(label): label for label in found if label}.values())

    def validate(self, value: Any) -> None:
        super().validate(value)
        if any(too_long(label) for label in value):
            raise forms.ValidationError(
                _("One of these is longer than %(most)d characters.") % {"most": LONGEST_NAME}
            )

    def prepare_value(self, value: Any) -> Any:
        return "; ".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = self.to_python(self.prepare_value(initial))
        return bool(self.to_python(data) != before)


class CollectionField(forms.CharField):
    """The path of a collection, such as `Prints / Hokusai`."""

    widget = forms.TextInput(attrs={"list": "collection-paths", "autocomplete": "off"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=5000, **kwargs)

    def to_python(self, value: Any) -> Any:
        parts = map(printable, (super().to_python(value) or "").strip(" /").split(" / "))
        return " / ".join(filter(None, parts))

    def validate(self, value: Any) -> None:
        super().validate(value)
        parts = value.split(" / ")
        if len(parts) > MAX_DEPTH:
            raise forms.ValidationError(
                _("Not more than %(most)d collections inside one another.") % {"most": MAX_DEPTH}
            )
        if any(too_long(part) for part in parts):
            raise forms.ValidationError(
                _("The name of a collection has at most %(most)d characters.") % {"most": LONGEST_NAME}
            )


def printable(text: str) -> str:
    """Without control characters and with single spaces; empty where nothing can be seen."""
    plain = "".join(c for c in " ".join(text.split()) if unicodedata.category(c) not in {"Cc", "Cs"})
    return plain if any(unicodedata.category(c)[0] not in "CZ" for c in plain) else ""


def too_long(name: str) -> bool:
    """For a column; the key may be longer than the name, since it writes out ligatures."""
    return max(len(name), len(label_key(name))) > LONGEST_NAME


def term_patch(form: forms.BaseForm, name: str, vocabulary: str, stored: list[str]) -> dict[str, Any]:
    """For changes.apply: exactly what was typed, or where somebody has changed the terms since they were
    shown, only what this person added and took away."""
    typed = form.cleaned_data[name]
    shown: list[str] = form.fields[name].to_python(form.data.get(form[name].html_initial_name)) or []
    if shown == stored:
        return {"terms": {vocabulary: typed}}
    added = [label for label in typed if label not in shown]
    removed = [label for label in shown if label not in typed]
    patch = {"add_terms": {vocabulary: added}} if added else {}
    return patch | ({"remove_terms": {vocabulary: removed}} if removed else {})


def collection_path(collection: Collection) -> str:
    """`Prints / Hokusai`, as Collection.objects.named reads it."""
    names, node = [collection.name], collection.parent
    while node is not None and len(names) < 20:
        names.insert(0, node.name)
        node = node.parent
    return " / ".join(names)

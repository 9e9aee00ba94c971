"""What people say about collections and light tables."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets.forms import LONGEST_NAME, printable, too_long
from assets.models import Collection
from assets.views.tree import Node

LONGEST_NOTE = 2000


def as_shown(form: forms.Form, *names: str) -> None:
    """Hidden initial values say what *this* person changed; of the rest stays what others wrote meanwhile."""
    for name in names:
        form.fields[name].show_hidden_initial = True


class NameField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        super().__init__(**{"label": _("Name"), "max_length": LONGEST_NAME, "widget": widget, **kwargs})

    def clean(self, value: Any) -> Any:
        name = printable(super().clean(value) or "")
        if self.required and not name:
            raise forms.ValidationError(gettext("Write a name."))
        if too_long(name):
            raise forms.ValidationError(
                gettext("A name has at most %(most)d characters.") % {"most": LONGEST_NAME}
            )
        return name


class PlaceField(forms.TypedChoiceField):
    """One of the collections that a person sees, by its id; empty is the top."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=int, empty_value=None, **kwargs)

    def offer(self, nodes: dict[int, Node], without: Node | None = None, top: str = "") -> None:
        inside = {node.collection.pk for node in without.whole()} if without else set()
        offered = [(str(pk), node.path) for pk, node in nodes.items() if pk not in inside]
        self.choices = ([("", top)] if top else []) + offered


class CollectionForm(forms.Form):
    name = NameField()
    parent = PlaceField(label=_("Inside"), required=False)
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, data: Any, nodes: dict[int, Node], node: Node | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.nodes = nodes
        self.place.offer(nodes, without=node, top=gettext("Nothing: it stands at the top"))

    @property
    def place(self) -> PlaceField:
        field: Any = self.fields["parent"]
        return field  # type: ignore[no-any-return]

    def clean_description(self) -> str:
        return "\n".join(self.cleaned_data["description"].replace("\0", "").splitlines())

    def clean_parent(self) -> Collection | None:
        pk = self.cleaned_data["parent"]
        return self.nodes[pk].collection if pk else None


class EmptyingForm(forms.Form):
    """Where all that is in a collection goes before it is deleted."""

    into = PlaceField(label=_("Move all of it to"))


class TableForm(forms.Form):
    name = NameField()
    description = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it is for; it stands above the pictures, also in print."),
    )
    shared = forms.BooleanField(label=_("Shared: everybody here sees it and may arrange it"), required=False)


class AddToTableForm(forms.Form):
    """A table by its uid, or the name of a new one."""

    table = forms.UUIDField(required=False)
    name = NameField(required=False)


class ItemForm(forms.Form):
    """The note of one picture, and the place where it should lie."""

    note = forms.CharField(required=False, max_length=LONGEST_NOTE, show_hidden_initial=True)
    place = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)


class MoveForm(forms.Form):
    """`by` places earlier (-1) or later (1), or before another picture, by its uid; empty is the end."""

    by = forms.IntegerField(required=False, min_value=-1, max_value=1)
    before = forms.UUIDField(required=False)
    seen = forms.IntegerField(required=False, min_value=0)

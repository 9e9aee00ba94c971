"""Boxes for rights: a known statement or free words, and the uses that are not allowed."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets.consents import Consent, new_key
from assets.models import Use
from assets.statements import STATEMENTS

LONGEST_CONSENT = 300


class StatementInput(forms.TextInput):
    """A line that offers the known statements, and takes other words as they are."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attrs = dict(attrs or {})
        box = attrs.get("id") or f"id_{name}"
        attrs |= {"id": box, "list": f"{box}_statements", "autocomplete": "off"}
        line = super().render(name, value, attrs, renderer)
        said = ((one.uri, f"{one.code}: {one.name}") for one in STATEMENTS)
        options = format_html_join("", '<option value="{}" label="{}"></option>', said)
        return format_html('{}<datalist id="{}_statements">{}</datalist>', line, box, options)


class UsesInput(forms.CheckboxSelectMultiple):
    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        boxes = super().render(name, value, attrs, renderer)
        return format_html('<div class="uses" role="group" aria-label="{}">{}</div>', _("Not for"), boxes)

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return super().id_for_label(id_, index) if index else id_

    def format_value(self, value: Any) -> list[str]:
        return _slugs(value)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        sent = data.getlist(name) if hasattr(data, "getlist") else [data.get(name) or ""]
        return "; ".join(slug for text in sent for slug in _slugs(text))


class UsesField(forms.CharField):
    """Slugs of Use, as a list; `offer` says which. One that is stored and not known any more stays until
    somebody takes it away."""

    widget = UsesInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.known: dict[str, str] = {}

    def offer(self, stored: Sequence[str]) -> None:
        known = {use.slug: str(use) for use in Use.objects.all()}
        self.known = known | {slug: slug for slug in stored if slug not in known}
        self.widget.choices = list(self.known.items())

    def to_python(self, value: Any) -> Any:
        return _slugs(value)

    def validate(self, value: Any) -> None:
        if unknown := [slug for slug in value if slug not in self.known]:
            raise forms.ValidationError(gettext("There is no such use: %(name)s.") % {"name": unknown[0]})

    def prepare_value(self, value: Any) -> Any:
        return "; ".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(_slugs(initial)) != set(_slugs(data))


def _slugs(value: Any) -> list[str]:
    parts = value if isinstance(value, list | tuple) else str(value or "").split(";")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


class ConsentForm(forms.Form):
    """What one person has agreed to."""

    person = forms.CharField(
        label=_("Person"),
        max_length=LONGEST_CONSENT,
        help_text=_("Who is in the picture, or who speaks for them."),
    )
    purpose = forms.CharField(
        label=_("What for"),
        required=False,
        max_length=LONGEST_CONSENT,
        help_text=_("As it was agreed: the exhibition catalogue, the website …"),
    )
    given_on = forms.DateField(
        label=_("Given on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("Until"),
        required=False,
        help_text=_("The last day on which it holds. Empty: until it is withdrawn."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=LONGEST_CONSENT,
        help_text=_("Where the paper lies, or who asked."),
    )

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        given, until = found.get("given_on"), found.get("until")
        if given and until and until < given:
            self.add_error("until", gettext("It would end before it was given."))
        if given and given > timezone.localdate():
            self.add_error("given_on", gettext("This day is still to come."))
        if until and not 1900 <= until.year < 9000:
            self.add_error("until", gettext("Choose a year from 1900 on, and before 9000."))
        return found

    def consent(self) -> Consent:
        said = self.cleaned_data
        dates = {name: said[name].isoformat() if said[name] else "" for name in ("given_on", "until")}
        return Consent(new_key(), said["person"], said["purpose"], note=said["note"], **dates)


class PurposeForm(forms.Form):
    """What a download is for. `use` is a slug, or OTHER."""

    OTHER = "other"
    use = forms.ChoiceField(label=_("What will you use it for?"), widget=forms.RadioSelect)
    words = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Such as the title of the book, or the address of the page."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        uses = [(use.slug, str(use).capitalize()) for use in Use.objects.all()]
        self.fields["use"].choices = [*uses, (self.OTHER, _("Something else"))]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if found.get("use") == self.OTHER and not found.get("words", "").strip():
            self.add_error("words", gettext("Please say what it is for."))
        return found

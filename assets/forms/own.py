"""Boxes for the fields that the museum added itself."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets import own
from assets.forms.known import KnownInput
from assets.forms.labels import SEVERAL
from assets.models import FieldDefinition

Type = FieldDefinition.Type
HELP = {
    Type.NUMBER: _("A number."),
    Type.DATE: _("As it should be read: c. 1710, 1880s, 18th century."),
    Type.TERM: _("Choose one of the names that are offered."),
}
BETWEEN = {Type.LONG_TEXT: "\n\n", Type.TERM: "; "}  # several values; lines for the others
BETWEEN_HELP = {
    Type.LONG_TEXT: _("Leave an empty line between several."),
    Type.TERM: SEVERAL,
}


class OwnField(forms.CharField):
    """One field in one language. What is typed is read as assets.own.read reads it, when it is cleaned."""

    def __init__(self, slot: own.Slot) -> None:
        self.slot, self.definition = slot, slot.definition
        super().__init__(required=False, label=slot.label, help_text=self._help(), widget=self._widget())
        if slot.language:
            self.widget.attrs["lang"] = slot.language

    def _help(self) -> str:
        type_ = Type(self.definition.type)
        several = BETWEEN_HELP.get(type_, _("One on each line.")) if self.definition.repeatable else ""
        needed = _("Every object should have it.") if self.definition.required else ""
        return " ".join(str(part) for part in (HELP.get(type_, ""), several, needed) if part)

    def _widget(self) -> forms.Widget:
        field = self.definition
        if field.type == Type.TERM and field.vocabulary:
            return KnownInput(field.vocabulary.slug, closed=True, several=field.repeatable)
        if field.type == Type.LONG_TEXT or field.repeatable:
            return forms.Textarea(attrs={"rows": 4 if field.type == Type.LONG_TEXT else 3})
        return forms.TextInput(attrs={"inputmode": "decimal"} if field.type == Type.NUMBER else {})

    def prepare_value(self, value: Any) -> Any:
        return (
            BETWEEN.get(Type(self.definition.type), "\n").join(own.texts(value)) if value is not None else ""
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self._parts(initial) != self._parts(data)

    def clean(self, value: Any) -> Any:
        """The value as it is stored, or None."""
        try:
            return own.read(self.definition, self._parts(super().clean(value)))
        except own.FieldRefused as refused:
            raise forms.ValidationError(str(refused)) from refused

    def _parts(self, said: Any) -> list[str]:
        text = "\n".join(str(self.prepare_value(said)).split("\r\n"))
        between = BETWEEN.get(Type(self.definition.type), "\n").strip(" ")
        parts = text.split(between) if self.definition.repeatable else [text]
        return [part.strip() for part in parts if part.strip()]

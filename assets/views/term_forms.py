"""The forms of a vocabulary."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.models import Term
from assets.terms import importing
from assets.terms.csvs import split

LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*", re.I)
EMPTY_ROWS = 2
WEB = ("http://", "https://", "urn:")


class LanguageRow(NamedTuple):
    language: str
    preferred: str
    others: str
    """Separated by semicolons."""


class TermForm(forms.Form):
    """What a term says of itself; broader terms and rows of languages come as lists beside it."""

    label = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    others = forms.CharField(
        label=gettext_lazy("Other names"),
        required=False,
        max_length=5000,
        help_text=gettext_lazy("Whoever types one of these finds this term. Put semicolons between several."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What it means, and when to use it."),
    )
    uri = forms.CharField(
        label=gettext_lazy("Web address of the concept"),
        required=False,
        max_length=500,
        help_text=gettext_lazy(
            "As a published vocabulary has it, such as http://vocab.getty.edu/aat/300132869"
        ),
    )

    def __init__(self, data: Any = None, *, term: Term | None = None, label: str = "") -> None:
        initial = {"label": label}
        if term:
            initial = {"label": term.label, "note": term.note, "uri": term.uri}
            initial["others"] = "; ".join(term.labels.get("", []))
        super().__init__(data, initial=initial)
        self.term = term

    @property
    def broader(self) -> list[str]:
        """As they were sent, or as they are; with empty ones to fill."""
        if self.is_bound:
            return [*self.broader_sent(), *[""] * EMPTY_ROWS]
        present = [above.label for above in self.term.parents.all()] if self.term else []
        return [*present, *[""] * EMPTY_ROWS]

    @property
    def rows(self) -> list[LanguageRow]:
        if self.is_bound:
            return [*self.rows_sent(), *[LanguageRow("", "", "")] * EMPTY_ROWS]
        labels = self.term.labels if self.term else {}
        present = [
            LanguageRow(code, "; ".join(said[:1]), "; ".join(said[1:]))
            for code, said in labels.items()
            if code
        ]
        return [*present, *[LanguageRow("", "", "")] * EMPTY_ROWS]

    def broader_sent(self) -> list[str]:
        return [label.strip() for label in self.data.getlist("broader") if label.strip()]  # type: ignore[attr-defined]

    def rows_sent(self) -> list[LanguageRow]:
        columns = [self.data.getlist(name) for name in ("language", "preferred", "also")]  # type: ignore[attr-defined]
        rows = [LanguageRow(*(cell.strip() for cell in row)) for row in zip(*columns, strict=False)]
        return [row for row in rows if any(row)]

    def clean_uri(self) -> str:
        uri = str(self.cleaned_data["uri"]).strip()
        if uri and (not uri.startswith(WEB) or " " in uri):
            raise forms.ValidationError(_("A web address begins with http:// or https:// and has no spaces."))
        return uri

    def clean(self) -> dict[str, Any]:
        for row in self.rows_sent():
            if not LANGUAGE.fullmatch(row.language):
                said = _("Give the language of “%(label)s” as a code, such as de or fr.")
                self.add_error(None, said % {"label": row.preferred or row.others or row.language})
            elif not row.preferred:
                said = _("Say what it is called in the language “%(code)s”.")
                self.add_error(None, said % {"code": row.language})
        return dict(self.cleaned_data)

    def values(self) -> dict[str, Any]:
        """For assets.terms.editing."""
        labels: dict[str, list[str]] = {}
        for row in self.rows_sent():
            labels.setdefault(row.language.lower(), []).extend([row.preferred, *split(row.others)])
        if others := split(self.cleaned_data["others"]):
            labels[""] = others
        labels = {code: list(dict.fromkeys(said)) for code, said in labels.items()}
        return {
            "label": self.cleaned_data["label"],
            "labels": labels,
            "note": self.cleaned_data["note"].replace("\r\n", "\n"),
            "uri": self.cleaned_data["uri"],
        }


class VocabularyImportForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("File"))
    languages = forms.CharField(
        label=gettext_lazy("Languages"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Codes with spaces between them, such as en de: terms are called by the first of these that "
            "they have a name in. Empty: all languages are taken over."
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        endings = importing.endings()
        if not str(file.name).lower().endswith(tuple(endings)):
            said = _("This is no file of terms. These endings are known: %s.")
            raise forms.ValidationError(said % ", ".join(endings))
        return file

    def clean_languages(self) -> list[str]:
        codes = re.split(r"[\s,;]+", str(self.cleaned_data["languages"]).strip().lower())
        for code in filter(None, codes):
            if not LANGUAGE.fullmatch(code):
                raise forms.ValidationError(_("“%s” is no code of a language, such as en.") % code)
        return [code for code in codes if code]


def labels_sent(data: Any, name: str = "with") -> Sequence[str]:
    return [label.strip() for label in data.getlist(name) if label.strip()]

"""What people say about an import: where it comes from, what its columns mean, what a row should say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assets.forms import SEVERAL, CollectionField, LabelsField, refuse_too_large
from assets.imports.mapping import SPLITS, Column, Columns
from assets.imports.targets import Target
from assets.models import ImportRow
from assets.tables import Row

CONSTANTS = 3  # values for all rows that can be given
LONGEST_CELL = 10_000
LONG = ("description", "usage_terms")


class StartForm(forms.Form):
    """Step 1: where from."""

    pictures = forms.FileField(
        required=False,
        label=_("A zip archive with pictures"),
        help_text=_("A table inside it is found by itself. Or a text file with addresses of pictures."),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,.txt"}),
    )
    table = forms.FileField(
        required=False,
        label=_("A table that describes them"),
        help_text=_("CSV or XLSX, with the names of the columns in its first row."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xlsm"}),
    )
    server = forms.CharField(
        required=False,
        max_length=1000,
        label=_("Or a place that this server can reach"),
        help_text=_("A folder or zip archive on the server, s3://…, or the address of a IIIF manifest."),
    )
    collection = CollectionField(required=False, help_text=_("For what is new, where the table names none."))
    tags = LabelsField(required=False, help_text=_("For all of them. Put semicolons between several."))
    objects = forms.BooleanField(
        required=False,
        label=_("Rows whose picture is not there become objects that wait for it"),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_superuser:
            del self.fields["server"]
        elif not settings.IMPORT_ROOTS:
            self.fields["server"].help_text = _("s3://…, or the address of a IIIF manifest.")
        self.fields["tags"].widget.attrs |= {"list": "tag-labels", "autocomplete": "off"}

    def uploaded(self) -> dict[str, UploadedFile[Any]]:
        """What was uploaded, by the name of its field."""
        given = {name: self.cleaned_data.get(name) for name in ("pictures", "table")}
        return {name: file for name, file in given.items() if file}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        files = self.uploaded()
        refuse_too_large(list(files.values()))
        if not files and not data.get("server"):
            raise forms.ValidationError(gettext("Choose an archive with pictures, a table, or both."))
        if "pictures" in files and data.get("server"):
            raise forms.ValidationError(gettext("Choose either an archive or a place on the server."))
        if (file := files.get("pictures")) and Path(file.name or "").suffix.lower() in (".csv", ".xlsx"):
            self.add_error("pictures", gettext("This is a table. Choose it below."))
        return data

    def options(self) -> dict[str, Any]:
        data = self.cleaned_data
        alone = not data.get("pictures") and not data.get("server")
        return {
            "collection": data["collection"],
            "tags": data["tags"],
            "objects": data["objects"] or alone,  # without pictures all rows are such objects
        }


class ColumnsForm(forms.Form):
    """Step 2: what each column means."""

    def __init__(
        self, columns: Columns, known: Sequence[Target], rows: Sequence[Row], data: Any = None
    ) -> None:
        super().__init__(data)
        self.columns, self.known = columns, known
        self.examples = [[row.cells[at] for row in rows] for at in range(len(columns.columns))]
        choices = [("", gettext("Pass over")), *((target.key, gettext(target.label)) for target in known)]
        for at, column in enumerate(columns.columns):
            self.fields[f"target-{at}"] = forms.ChoiceField(
                choices=choices,
                required=False,
                initial=column.target,
                label=_named(gettext("What “%(name)s” is"), column, at),
                widget=Targets({target.key for target in known if target.several}),
            )
            self.fields[f"split-{at}"] = forms.ChoiceField(
                choices=[(sign, gettext(said)) for sign, said in SPLITS.items()],
                required=False,
                initial=column.split,
                label=_named(gettext("What divides several values of “%(name)s”"), column, at),
            )
        given = [*columns.constants.items(), *([("", "")] * CONSTANTS)][:CONSTANTS]
        plain = [choice for choice in choices if choice[0] != "file"]
        for at, (key, text) in enumerate(given):
            self.fields[f"same-{at}"] = forms.ChoiceField(
                choices=[("", gettext("Nothing")), *plain[1:]],
                required=False,
                initial=key,
                label=gettext("Field"),
            )
            self.fields[f"text-{at}"] = forms.CharField(
                required=False, initial=text, max_length=2000, label=_("Value for all rows")
            )

    def lines(self) -> list[tuple[Column, list[str], forms.BoundField, forms.BoundField]]:
        """For each column its examples, and the choices of its meaning and its divider."""
        return [
            (column, [text for text in self.examples[at] if text], self[f"target-{at}"], self[f"split-{at}"])
            for at, column in enumerate(self.columns.columns)
        ]

    def constants(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"same-{at}"], self[f"text-{at}"]) for at in range(CONSTANTS)]

    def chosen(self) -> Columns:
        data = self.cleaned_data
        columns = [
            Column(column.header, data[f"target-{at}"], data[f"split-{at}"])
            for at, column in enumerate(self.columns.columns)
        ]
        pairs = ((data[f"same-{at}"], data[f"text-{at}"].strip()) for at in range(CONSTANTS))
        return Columns(columns, {key: text for key, text in pairs if key and text})


def _named(text: str, column: Column, at: int) -> str:
    return text % {"name": column.header or gettext("column %(number)d") % {"number": at + 1}}


class Targets(forms.Select):
    """Says of each option whether it may have several values: the style sheet shows the divider then."""

    def __init__(self, several: set[str]) -> None:
        super().__init__()
        self.several = several

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.several:
            option["attrs"]["data-several"] = ""
        return option


class RowForm(forms.Form):
    """What a row says, to be corrected."""

    def __init__(self, row: ImportRow, known: Sequence[Target], shown: set[str], data: Any = None) -> None:
        super().__init__(data)
        self.row = row
        self.several = {target.key for target in known if target.several}
        for target in known:
            if target.key not in shown:
                continue
            value = row.file if target.key == "file" else row.words.get(target.key, "")
            self.fields[target.key] = forms.CharField(
                required=False,
                label=target.label,
                initial="; ".join(value) if isinstance(value, list) else value,
                max_length=LONGEST_CELL,
                help_text=SEVERAL if target.several else "",
                widget=forms.Textarea(attrs={"rows": 4}) if target.key in LONG else forms.TextInput(),
            )

    def words(self) -> tuple[str, dict[str, Any]]:
        """The file, and the words by target; those that the form does not show stay."""
        words = dict(self.row.words)
        for key, text in self.cleaned_data.items():
            labels = [part.strip() for part in text.split(";") if part.strip()]
            words[key] = labels if key in self.several else text.strip()
        return str(words.pop("file", "")), words

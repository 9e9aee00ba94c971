"""The description of an asset as its page shows it: values in groups, each edited where it stands."""

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.timezone import localtime

from assets.forms import collection_path
from assets.models import PLACES, SUBJECTS, Asset, Record

LABELS = {
    "title": "Title",
    "creators": "Creator",
    "description": "Description",
    "accession_number": "Accession number",
    "date": "Date",
    "medium": "Medium",
    "credit_line": "Credit line",
    "rights": "Rights",
    "rights_holder": "Rights holder",
    "usage_terms": "Usage terms",
    "collection": "Collection",
    "access": "Access",
    "embargo_until": "Under embargo until",
    "alt_text": "Text for people who cannot see it",
}
RIGHTS = ("credit_line", "rights", "rights_holder", "usage_terms")


@dataclass(frozen=True)
class Value:
    label: str
    text: str
    field: str = ""
    """Of assets.forms.DescriptionForm; empty where it is not edited here."""


@dataclass(frozen=True)
class Described:
    """What is known in each group, and what could be added."""

    title: Value
    creators: Value
    description: Value
    of_object: list[Value]
    rights: list[Value]
    of_picture: list[Value]
    missing: list[Value]


def described(asset: Asset, subject: Asset | Record) -> Described:
    def values(*names: str) -> list[Value]:
        return [value_of(asset, subject, name) for name in names]

    title, creators, description = values("title", "creators", "description")
    of_object = values(*(("accession_number",) if isinstance(subject, Record) else ()), "date", "medium")
    rights, of_picture = values(*RIGHTS), values("collection", "access", "embargo_until", "alt_text")
    every = [creators, description, *of_object, *rights, *of_picture]
    named = {"Places": subject.labels(PLACES), "Subjects": subject.labels(SUBJECTS)}
    of_object += [Value(label, "; ".join(labels)) for label, labels in named.items()]
    return Described(
        title,
        creators,
        description,
        _known(of_object),
        _known(rights),
        _known(of_picture),
        [value for value in every if not value.text],
    )


def value_of(asset: Asset, subject: Asset | Record, name: str) -> Value:
    """One field in words; empty where nothing is known."""
    if name == "creators":
        text = "; ".join(subject.creators)
    elif name == "collection":
        text = collection_path(asset.collection)
    elif name == "access":
        text = str(asset.get_access_display()).capitalize()
    elif name == "embargo_until":
        text = date_format(localtime(asset.embargo_until), "j F Y, H:i") if asset.embargo_until else ""
    elif name == "alt_text":
        text = asset.alt_text
    else:
        text = getattr(subject, name)
    return Value(LABELS[name], text, name)


def _known(values: list[Value]) -> list[Value]:
    return [value for value in values if value.text]

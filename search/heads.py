"""The heads of the columns in which results stand as a list."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from search.forms import Wish


class Head(NamedTuple):
    """Of a column; without an address where nothing is ordered by it."""

    name: str
    label: str
    address: str
    now: bool


def heads(wish: Wish) -> list[Head]:
    """The columns, those that have an order as links to it."""
    columns = (
        ("title", _("Title"), "title"),
        ("makers", _("Maker"), ""),
        ("date", _("Date"), "date"),
        ("number", _("Number"), "accession"),
        ("collection", _("Collection"), ""),
        ("rights", _("Rights"), ""),
        ("size", _("Size"), ""),
    )
    return [
        Head(name, label, wish.address(sort=sort) if sort else "", bool(sort) and sort == wish.sort)
        for name, label, sort in columns
    ]

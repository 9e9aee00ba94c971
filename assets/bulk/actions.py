"""What can be done to many pictures at once: from an action as it is stored to the patch of each object.

An action is {"name": …} and its values; assets.views.bulk_forms makes them of what somebody has typed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assets.bulk.replacing import finder, replaced
from assets.changes import Patch, Subject, Wanted
from assets.models import CREATORS, TAGS, Asset, Collection, Record

Action = Mapping[str, Any]
Recipe = Callable[[Asset, Subject], list[Wanted]]
"""Of a picture and the object that its words are said of (assets.descriptions.subject_of): what to write."""

FIELDS = {
    "title": gettext_lazy("Title"),
    "date": gettext_lazy("Date"),
    "medium": gettext_lazy("Medium"),
    "description": gettext_lazy("Description"),
    "credit_line": gettext_lazy("Credit line"),
    "rights": gettext_lazy("Rights"),
    "rights_holder": gettext_lazy("Rights holder"),
    "usage_terms": gettext_lazy("Usage terms"),
    "alt_text": gettext_lazy("Text for people who cannot see the picture"),
    "creators": gettext_lazy("Maker"),
    "tags": gettext_lazy("Tags"),
    "collection": gettext_lazy("Collection"),
    "access": gettext_lazy("Access"),
    "embargo_until": gettext_lazy("Under embargo until"),
    "rights_expire_at": gettext_lazy("Licence ends"),
    "not_for": gettext_lazy("Not for"),
    "trashed_at": gettext_lazy("Place"),
}
OF_PICTURE = {"alt_text"}  # the other texts are said of the object, where there is one
REPLACE, FILL, CLEAR = "replace", "fill", "clear"  # what becomes of a value that is there already


def recipe(action: Action, home: Callable[[str], Collection]) -> Recipe:
    """`home` finds or makes the collection of a path. Where it can be, one patch is for all objects."""
    match action["name"]:
        case "add_tags":
            return _of_picture({"add_terms": {TAGS: action["labels"]}})
        case "remove_tags":
            return _remove({"remove_terms": {TAGS: action["labels"]}})
        case "collection":
            return _of_picture({"collection": home(action["path"])})
        case "access":
            return _of_picture({"access": action["access"]})
        case "embargo":
            return _of_picture({"embargo_until": _moment(action)})
        case "licence":
            return _of_picture({"rights_expire_at": _moment(action)})
        case "not_for":
            patch = {"not_for": action["uses"]}
            return lambda asset, subject: [Wanted(subject, patch)]
        case "trash":
            return _of_picture({"trashed_at": timezone.now()})
        case "creators":
            return _creators(action)
        case "replace":
            return _replace(action)
        case _:
            return _text(action["field"], action["value"], action["mode"])


def prepare(action: Action, subjects: Sequence[Subject]) -> None:
    """Load what the recipe reads of these objects, in a fixed number of statements."""
    if action["name"] == "creators" and action["mode"] == FILL:
        prefetch_related_objects(list(subjects), "term_uses__term__vocabulary")


def labels_in(action: Action) -> dict[str, list[str]]:
    """The labels of terms that an action may have to make, by vocabulary."""
    slug = {"add_tags": TAGS, "creators": CREATORS}.get(action["name"])
    return {slug: list(action["labels"])} if slug else {}


def _of_picture(patch: Patch) -> Recipe:
    return lambda asset, subject: [Wanted(asset, patch)]


def _remove(patch: Patch) -> Recipe:
    """A tag may have come with the picture or with the object; a search finds both."""

    def found(asset: Asset, subject: Subject) -> list[Wanted]:
        both: list[Subject] = [asset, subject] if isinstance(subject, Record) else [asset]
        return [Wanted(one, patch) for one in both]

    return found


def _text(field: str, value: str, mode: str) -> Recipe:
    patch = {field: "" if mode == CLEAR else value}

    def found(asset: Asset, subject: Subject) -> list[Wanted]:
        one = asset if field in OF_PICTURE else subject
        known = getattr(one, field) or (field == "date" and one.year_earliest is not None)
        return [] if mode == FILL and known else [Wanted(one, patch)]

    return found


def _creators(action: Action) -> Recipe:
    mode = action["mode"]
    patch = {"terms": {CREATORS: [] if mode == CLEAR else action["labels"]}}

    def found(asset: Asset, subject: Subject) -> list[Wanted]:
        return [] if mode == FILL and subject.creators else [Wanted(subject, patch)]

    return found


def _replace(action: Action) -> Recipe:
    field, put = action["field"], action["put"]
    sought = finder(action["find"], whole_words=action["whole_words"], match_case=action["match_case"])

    def found(asset: Asset, subject: Subject) -> list[Wanted]:
        one = asset if field in OF_PICTURE else subject
        before = getattr(one, field)
        after = replaced(before, sought, put)
        return [] if after == before else [Wanted(one, {field: after})]

    return found


def _moment(action: Action) -> datetime | None:
    return parse_datetime(action["until"]) if action["until"] else None


# --- in words ---------------------------------------------------------------------------------------------


def described(action: Action) -> str:
    """What is done, as a button or a history says it: at most 300 characters."""
    return _described(action)[:300]


def _described(action: Action) -> str:
    labels = "; ".join(action.get("labels", ()))
    number = len(action.get("labels", ()))
    match action["name"]:
        case "add_tags":
            return ngettext("Add the tag %(tags)s", "Add the tags %(tags)s", number) % {"tags": labels}
        case "remove_tags":
            return ngettext("Remove the tag %(tags)s", "Remove the tags %(tags)s", number) % {"tags": labels}
        case "collection":
            return _("Move to the collection %(path)s") % {"path": action["path"]}
        case "access":
            return _("Set the access to “%(access)s”") % {"access": Asset.Access(action["access"]).label}
        case "embargo":
            until = _moment(action)
            if until is None:
                return _("Lift the embargo")
            return _("Set an embargo until %(date)s") % {"date": shown_moment(until)}
        case "licence":
            until = _moment(action)
            if until is None:
                return _("Take away the end of the licence")
            return _("Let the licence end on %(date)s") % {"date": shown_moment(until)}
        case "not_for":
            if not action["uses"]:
                return _("Allow all uses")
            return _("Set “not for” to: %(uses)s") % {"uses": ", ".join(action["uses"])}
        case "trash":
            return _("Move to the trash")
        case "replace":
            values = {"field": FIELDS[action["field"]], "find": action["find"], "put": action["put"]}
            return _("Replace “%(find)s” by “%(put)s” in: %(field)s") % values
        case name:
            value = labels if name == "creators" else action["value"]
            return _set(str(FIELDS["creators" if name == "creators" else action["field"]]), value, action)


def _set(field: str, value: str, action: Action) -> str:
    if action["mode"] == CLEAR:
        return _("Take away what is written in: %(field)s") % {"field": field}
    said = (
        _("Set %(field)s to “%(value)s”")
        if action["mode"] == REPLACE
        else _("Where nothing is written, set %(field)s to “%(value)s”")
    )
    return said % {"field": field, "value": value}


def shown_moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j F Y, H:i")


def shown_access(access: str) -> str:
    return capfirst(str(Asset.Access(access).label))

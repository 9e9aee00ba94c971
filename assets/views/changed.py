"""One change of the history in words. No HTML here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from assets import own
from assets.models import Asset, AssetVersion, Change, Depiction, FieldDefinition, Term
from assets.views.visible import collections_for

LONGEST = 200
NAMES = {
    "terms": gettext_noop("Tags and terms"),
    "created": gettext_noop("Added"),
    "current_version": gettext_noop("Picture"),
    "depicts": gettext_noop("Shows"),
    "shown_by": gettext_noop("Picture"),
    "trashed_at": gettext_noop("In the trash since"),
    "alt_text": gettext_noop("Text for people who cannot see the picture"),
    "embargo_until": gettext_noop("Under embargo until"),
    "rights_expire_at": gettext_noop("Licence ends"),
    "not_for": gettext_noop("Not for"),
    "consents": gettext_noop("Consents"),
}
HOME, FILE = "collection", "current_version"
BY_LANGUAGE = ("fields", "translations")


@dataclass(frozen=True)
class Line:
    field: str
    before: str
    after: str


@dataclass
class Names:
    """Of what some changes speak of: terms, files, own fields; collections and pictures that are seen."""

    by: dict[tuple[str, Any], str] = field(default_factory=dict)
    longest: int = LONGEST

    @classmethod
    def of(cls, changes: Iterable[Change], user: Any, longest: int = LONGEST) -> "Names":
        changes, found = list(changes), cls(longest=longest)
        terms = {pk for c in changes if c.field == "terms" for pk in (*(c.before or ()), *(c.after or ()))}
        if terms:
            found._note("terms", Term.objects.filter(pk__in=terms).values_list("pk", "label"))
            gone = {pk for pk in terms if not found.get("terms", pk)}
            found._note("terms", _labels_of_gone(gone) if gone else [])
        if files := {pk for c in changes if c.field == FILE for pk in (c.before, c.after) if pk}:
            versions = AssetVersion.objects.filter(pk__in=files)
            found._note(FILE, versions.values_list("pk", "original_filename"))
        if any(c.field == HOME for c in changes):
            found._note(HOME, [(one.pk, one.name) for one, _path in collections_for(user)])
        if any(c.field == "fields" for c in changes):
            found._note("fields", FieldDefinition.objects.values_list("slug", "name"))
        if shown := {c.after["asset"] for c in changes if c.field == "shown_by" and c.after}:
            seen = Asset.objects.visible_to(user).filter(pk__in=shown).for_grid()
            found._note("shown_by", [(asset.pk, asset.filename or asset.display_title) for asset in seen])
        return found

    def _note(self, kind: str, pairs: Iterable[tuple[Any, str]]) -> None:
        self.by |= {(kind, key): name for key, name in pairs}

    def get(self, kind: str, key: Any, otherwise: str = "") -> str:
        return self.by.get((kind, key), otherwise)


def _labels_of_gone(ids: Iterable[int]) -> Iterable[tuple[int, str]]:
    """What terms were called that were deleted, or merged into others."""
    deleted = Change.objects.filter(object_kind=Change.Kind.TERM, object_id__in=ids, field="deleted")
    return deleted.order_by("pk").values_list("object_id", "before__label")


def lines_of(change: Change, names: Names) -> list[Line]:
    """What one change did, in no or several lines."""
    label = _(NAMES[change.field]) if change.field in NAMES else _plain(change.field)
    before, after = change.before, change.after
    if change.field in ("created", "depicts", "related"):
        return []
    if change.field in BY_LANGUAGE:
        return _by_language(change, names)
    if change.field == "shown_by":
        return _shown_by(label, change, names)
    if change.field == "terms":
        gone = [pk for pk in before or [] if pk not in (after or [])]
        come = [pk for pk in after or [] if pk not in (before or [])]
        before, after = (", ".join(names.get("terms", pk, "?") for pk in pks) for pks in (gone, come))
    if change.field == "consents":
        before, after = (_consents(said or []) for said in (before, after))
    if change.field == FILE:
        before, after = (names.get(FILE, pk) for pk in (before, after))
    if change.field == HOME:
        before, after = (names.get(HOME, pk) or hidden_name(HOME) if pk else "" for pk in (before, after))
    return [Line(label, *(_short(value, names.longest) for value in (before, after)))]


def hidden_name(kind: str) -> str:
    """In the place of the name of what is gone, or not for this person: which of the two is not said."""
    return _("a picture") if kind == "cover" else _("another collection")


def _consents(said: list[dict[str, str]]) -> str:
    """How many, without the names of people: those are for who manages the picture."""
    withdrawn = sum(bool(one.get("withdrawn_at")) for one in said)
    more = f" ({_('withdrawn')}: {withdrawn})" if withdrawn else ""
    return f"{len(said)}{more}" if said else ""


def _by_language(change: Change, names: Names) -> list[Line]:
    """A line for each own field, or each translated column, in each language that has changed."""
    before, after = change.before or {}, change.after or {}
    lines = []
    for key in {**before, **after}:
        was, becomes = before.get(key) or {}, after.get(key) or {}
        for language in {**was, **becomes}:
            if was.get(language) != becomes.get(language):
                label = own.in_language(names.get(change.field, key, _plain(key)), language)
                texts = (own.shown(said.get(language)) for said in (was, becomes))
                lines.append(Line(label, *(_short(text, names.longest) for text in texts)))
    return lines


def _shown_by(label: str, change: Change, names: Names) -> list[Line]:
    """A picture of an object came, went, or shows another view; nothing of one that is hidden."""
    after: dict[str, Any] = change.after or {}
    name = names.get("shown_by", after.get("asset"))
    if not name:
        return []
    texts = []
    for said in (change.before or {}, after):
        view = Depiction.View(said["view"]).label if said.get("view") else ""
        texts.append(f"{name} ({view})" if said.get("linked") else "")
    return [Line(label, *texts)] if texts[0] != texts[1] else [Line(label, "", _("%s moved") % name)]


def _plain(name: str) -> str:
    return _(name.replace("_", " ").capitalize())


def _short(value: Any, longest: int) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return text if len(text) <= longest else f"{text[:longest]}…"

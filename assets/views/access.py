"""The page on which is decided who may do what in a collection, or in the whole library."""

from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from assets import changes
from assets.changes import grants
from assets.inheriting import inherited
from assets.models import Collection
from assets.scopes import Action, forget, scope_of, with_implied
from assets.views import audience
from assets.views.allowed import need_to_manage
from assets.views.audience import Audience
from assets.views.collection_history import entries, listed
from assets.views.requests import offer_undo, person
from assets.views.tree import Node, tree_for


class AccessForm(forms.Form):
    """Checkboxes for each group, named by its id, and the switch of what is inherited."""

    def __init__(self, data: Any, groups: "QuerySet[Group]", collection: Collection | None) -> None:
        super().__init__(data)
        self.groups, self.collection = list(groups), collection
        today = grants.granted(collection)
        for group in self.groups:
            self.fields[str(group.pk)] = forms.MultipleChoiceField(
                label=group.name, required=False, choices=Action.choices, initial=today.get(group.pk, [])
            )
        if collection is not None:
            self.fields["inherits"] = forms.BooleanField(
                label=gettext_lazy("What is allowed above counts here as well"),
                required=False,
                initial=collection.inherits,
            )

    @property
    def wanted(self) -> dict[int, list[str]]:
        return {group.pk: self.cleaned_data[str(group.pk)] for group in self.groups}

    @property
    def inherits(self) -> bool:
        return bool(self.cleaned_data.get("inherits", True))

    def rows(self, above: dict[int, set[str]]) -> list["Row"]:
        """For the table: each group with its boxes, and what it may do anyhow."""
        found = []
        for group in self.groups:
            chosen = self[str(group.pk)].value() or []
            boxes = [Box(value, str(label), value in chosen) for value, label in Action.choices]
            found.append(Row(group, boxes, listed(with_implied(above.get(group.pk, ())))))
        return found


class Box(NamedTuple):
    action: str
    label: str
    checked: bool


class Row(NamedTuple):
    group: Group
    boxes: list[Box]
    above: str


class Foreseen(NamedTuple):
    """What would become of it, in words."""

    differences: list[str]
    before: Audience
    after: Audience
    locked_out: bool
    """Whether the person who asks could not manage it any more."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def of_collection(request: HttpRequest, uid: UUID) -> HttpResponse:
    nodes = tree_for(person(request))
    node = next((node for node in nodes.values() if node.collection.uid == uid), None)
    if node is None:
        raise Http404
    need_to_manage(request, node.collection)
    return _page(request, node)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def of_library(request: HttpRequest) -> HttpResponse:
    if not person(request).is_superuser:
        raise PermissionDenied(_("Only administrators decide about the whole library."))
    return _page(request, None)


def _page(request: HttpRequest, node: Node | None) -> HttpResponse:
    """The form; sent once, what it would change; sent again from there, it is done."""
    collection = node.collection if node else None
    form = AccessForm(request.POST or None, Group.objects.order_by("name"), collection)
    foreseen = None
    if request.method == "POST" and form.is_valid():
        foreseen = _foreseen(request, form)
        if "confirmed" in request.POST and foreseen.differences:
            return _done(request, form)
    above = inherited(collection) if collection else {}
    inner = [one.collection for one in node.whole()][1:] if node else []
    context = {
        "node": node,
        "form": form,
        "foreseen": foreseen,
        "rows": form.rows(above),
        "actions": Action.choices,
        "inherits": form["inherits"].value() if node else None,
        "audience": audience.of(collection),
        "following": [one for one in inner if one.inherits],
        "apart": [one for one in inner if not one.inherits],
        "history": entries(grants.LIBRARY, person(request), permissions=True) if node is None else (),
    }
    return render(request, "assets/access.html", context)


def _foreseen(request: HttpRequest, form: AccessForm) -> Foreseen:
    """Does it, looks, and takes it back. Raises NotAllowed."""
    user, before = person(request), audience.of(form.collection)
    differences = _differences(form)
    with transaction.atomic():
        op = changes.operation("access", "", user=user)
        grants.change(op, form.collection, form.wanted, inherits=form.inherits)
        stored = Collection.objects.get(pk=form.collection.pk) if form.collection else None
        after = audience.of(stored)
        locked_out = not scope_of(user).may(Action.MANAGE, form.collection.pk if form.collection else None)
        transaction.set_rollback(True)
    forget(user)
    return Foreseen(differences, before, after, locked_out)


def _done(request: HttpRequest, form: AccessForm) -> HttpResponse:
    collection, user = form.collection, person(request)
    label = _("Changed who may do what in the library")
    if collection is not None:
        label = _("Changed who may do what in %(name)s") % {"name": collection.name}
    with transaction.atomic():
        op = changes.operation("access", label, user=user)
        grants.change(op, collection, form.wanted, inherits=form.inherits)
    offer_undo(request, op)
    if collection is None:
        return redirect("assets:library_access")
    sees = scope_of(user).may(Action.MANAGE, collection.pk)
    return redirect(collection if sees else "assets:collections")


def _differences(form: AccessForm) -> list[str]:
    today, found = grants.granted(form.collection), []
    for group in form.groups:
        before, after = set(today.get(group.pk, ())), set(form.wanted[group.pk])
        if more := after - before:
            said = _("%(group)s: from now on also %(actions)s.")
            found.append(said % {"group": group.name, "actions": listed(more)})
        if less := before - after:
            said = _("%(group)s: no longer %(actions)s.")
            found.append(said % {"group": group.name, "actions": listed(less)})
    if form.collection is not None and form.collection.inherits != form.inherits:
        if form.inherits:
            found.append(_("What is allowed above counts here again."))
        else:
            found.append(_("What is allowed above does not count here any more."))
    return found

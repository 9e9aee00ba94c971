"""Collections: the tree of them, one of them, and the ways to make, change and delete them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from assets import changes
from assets.changes import ChangeRefused, NotAllowed, collections
from assets.models import Asset, Collection, Operation
from assets.scopes import Action
from assets.stored import shown
from assets.views import audience, collection_history
from assets.views.allowed import may_in, need_somewhere, need_to_manage
from assets.views.cards import cards_of
from assets.views.collection_forms import CollectionForm, EmptyingForm, as_shown
from assets.views.requests import offer_undo, person, way_back
from assets.views.tree import Node, tree_for, with_covers

SHOWN = 12
MOST_MOVED = 2000
"""Pictures that are moved while a person waits."""


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    nodes = tree_for(person(request))
    with_covers(nodes.values(), person(request))
    return render(
        request, "assets/collections.html", _of_index(request, nodes) | {"form": CollectionForm(None, nodes)}
    )


def _of_index(request: HttpRequest, nodes: dict[int, Node]) -> dict[str, Any]:
    may = may_in(person(request), None)
    return {"may": may, "roots": [node for node in nodes.values() if node.collection.parent_id not in nodes]}


@login_required
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    need_somewhere(request, Action.MANAGE)
    nodes = tree_for(person(request))
    form = CollectionForm(request.POST, nodes)
    if form.is_valid():
        said = form.cleaned_data
        try:
            with transaction.atomic():
                label = _("Made the collection %(name)s") % {"name": said["name"]}
                op = changes.operation("collection", label, user=person(request))
                made = collections.make(op, said["name"], said["parent"], said["description"])
            messages.success(request, shown(op.label))
            return redirect(made)
        except NotAllowed:
            raise
        except ChangeRefused as refused:
            form.add_error(None, str(refused))
    with_covers(nodes.values(), person(request))
    return render(request, "assets/collections.html", _of_index(request, nodes) | {"form": form})


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    nodes, node = _found(request, uid)
    with_covers([node, *node.inner], person(request))
    inside = [one.collection.pk for one in node.whole()]
    newest = Asset.objects.live().visible_to(request.user).filter(collection__in=inside).for_grid()
    may = may_in(person(request), node.collection.pk)
    told = collection_history.entries(node.collection.pk, person(request), permissions=may["manage"])
    context = {
        "node": node,
        "above": _above(nodes, node),
        "cards": cards_of(newest.order_by("-created_at", "-pk")[:SHOWN]),
        "history": told,
        "audience": audience.of(node.collection),
        "may": may,
        "form": CollectionForm(None, nodes, initial={"parent": node.collection.pk}),
    }
    return render(request, "assets/collection.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    nodes, node = _managed(request, uid)
    stored = node.collection
    initial = {"name": stored.name, "parent": stored.parent_id, "description": stored.description}
    form = CollectionForm(request.POST or None, nodes, node, initial=initial)
    as_shown(form, *initial)
    if request.method == "POST" and form.is_valid():
        label = _("Edited the collection %(name)s") % {"name": stored.name}
        patch = {name: form.cleaned_data[name] for name in form.changed_data}
        if refused := _change(request, stored, patch, label):
            form.add_error(None, refused)
        else:
            return redirect(stored)
    context = {"node": node, "form": form, "above": _above(nodes, node)}
    return render(request, "assets/collection_edit.html", context)


@login_required
@require_POST
def cover(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Choose a picture as the cover, by its uid; without one, the first is the cover again."""
    stored = _managed(request, uid)[1].collection
    chosen = None
    if "asset" in request.POST:
        seen = Asset.objects.live().visible_to(request.user).in_collection(stored)
        chosen = get_object_or_404(seen, uid=_uid(request.POST["asset"]))
    label = _("Changed the cover of the collection %(name)s") % {"name": stored.name}
    if refused := _change(request, stored, {"cover": chosen}, label):
        messages.error(request, refused)
    return redirect(way_back(request, stored.get_absolute_url()))


def _uid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def _change(request: HttpRequest, stored: Collection, patch: dict[str, Any], label: str) -> str:
    """Make a change and offer to undo it; returns why it was refused, else nothing."""
    try:
        with changes.together():
            op = changes.operation("collection", label, user=person(request))
            if not collections.change(op, stored, patch):
                op.delete()
                messages.info(request, _("Nothing was changed."))
                return ""
    except NotAllowed:
        raise
    except ChangeRefused as refused:
        return str(refused)
    offer_undo(request, op)
    return ""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, uid: UUID) -> HttpResponse:
    """An empty one at once; else what is in it, and where that should go before."""
    nodes, node = _managed(request, uid)
    user = person(request)
    inside = Asset.objects.visible_to(user).filter(collection=node.collection)
    form = EmptyingForm(request.POST or None)
    form.fields["into"].offer(nodes, without=node)  # type: ignore[attr-defined]
    number = inside.count()
    full = bool(number or node.inner)
    too_many = number > MOST_MOVED
    if request.method == "POST" and not too_many and (not full or form.is_valid()):
        into = nodes[form.cleaned_data["into"]].collection if full else None
        try:
            op = _delete(user, node, inside, into)
        except NotAllowed:
            raise
        except ChangeRefused as refused:
            form.add_error(None, str(refused))
        else:
            offer_undo(request, op)
            return redirect(into or (node.collection.parent or "assets:collections"))
    context = {
        "node": node,
        "above": _above(nodes, node),
        "form": form,
        "full": full,
        "too_many": too_many,
        "in_trash": inside.exclude(trashed_at=None).count(),
        "number": inside.filter(trashed_at=None).count(),
    }
    return render(request, "assets/collection_delete.html", context)


def _delete(user: User, node: Node, inside: "QuerySet[Asset]", into: Collection | None) -> Operation:
    """Move all that is in it `into` another one, and delete it; or nothing of it. Raises ChangeRefused."""
    with changes.together():
        label = _("Deleted the collection %(name)s") % {"name": node.collection.name}
        op = changes.operation("collection", label, user=user)
        if into:
            collections.lock_all()
            moved = changes.apply(op, inside, {"collection": into})
            for one in node.inner:
                collections.change(op, one.collection, {"parent": into})
            said = ngettext(
                "Deleted the collection %(name)s; moved %(number)d picture",
                "Deleted the collection %(name)s; moved %(number)d pictures",
                moved,
            )
            op.label = (said % {"name": node.collection.name, "number": moved})[:300]
            op.save(update_fields=["label"])
        try:
            collections.delete(op, node.collection)
        except NotAllowed:
            raise
        except ChangeRefused as refused:  # it holds what this person may not see
            raise ChangeRefused(_("This collection can be deleted by an administrator only.")) from refused
    return op


def _found(request: HttpRequest, uid: UUID) -> tuple[dict[int, Node], Node]:
    """All that this person sees, and the one of this uid; or 404."""
    nodes = tree_for(person(request))
    node = next((node for node in nodes.values() if node.collection.uid == uid), None)
    if node is None:
        raise Http404
    return nodes, node


def _managed(request: HttpRequest, uid: UUID) -> tuple[dict[int, Node], Node]:
    """The same, of one that this person manages. Raises PermissionDenied."""
    nodes, node = _found(request, uid)
    need_to_manage(request, node.collection)
    return nodes, node


def _above(nodes: dict[int, Node], node: Node) -> list[Node]:
    """The collections that contain it, outermost first."""
    found: list[Node] = []
    pk = node.collection.parent_id
    while pk in nodes:
        found.insert(0, nodes[pk])
        pk = nodes[pk].collection.parent_id
    return found

"""Changing the words of a picture; every change can be undone."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from assets import changes
from assets.descriptions import subject_of
from assets.forms import DescriptionForm, TagsForm
from assets.models import Asset, Change, Operation
from assets.views.asset import load, show
from assets.views.requests import Request, offer_undo, person, way_back


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, uid: UUID) -> HttpResponse:
    asset = load(request, uid)
    form = DescriptionForm(request.POST or None, asset=asset, subject=subject_of(asset))
    if request.method != "POST":
        return show(request, asset, form)
    if not form.is_valid():
        return show(request, asset, form)
    try:
        save(request, asset, form)
    except changes.ChangeRefused as refused:
        form.add_error(None, str(refused))
        return show(request, asset, form)
    return show(request, load(request, uid), focus="edit") if request.htmx else redirect(asset)


def save(request: Request, asset: Asset, form: DescriptionForm) -> None:
    """One operation for the object's words and the picture's place; nothing when nothing changed."""
    if not form.changed_data:
        messages.info(request, "Nothing was changed.")
        return
    subject = subject_of(asset)
    with transaction.atomic():
        words, place = form.patches()
        operation = changes.operation("edit", f"Edited {asset.display_title}", user=person(request))
        changes.apply(operation, [subject], words)
        changes.apply(operation, [asset], place)
    offer_undo(request, operation, "Saved.")


@login_required
@require_POST
def tags(request: Request, uid: UUID) -> HttpResponse:
    asset = load(request, uid)
    form = TagsForm(request.POST)
    patch = form.patch() if form.is_valid() else {}
    if patch:
        what = ", ".join(label for labels in patch.values() for label in labels["tags"])
        label = f"{'Added' if 'add_terms' in patch else 'Removed'} the tag{'s' if ',' in what else ''} {what}"
        with transaction.atomic():
            operation = changes.operation("edit", label, user=person(request))
            changed = changes.apply(operation, [asset], patch)
            if not changed:
                operation.delete()
        if changed:
            offer_undo(request, operation)
    return show(request, load(request, uid), focus="tags") if request.htmx else redirect(asset)


@login_required
@require_POST
def undo(request: HttpRequest, uid: UUID) -> HttpResponse:
    operation = get_object_or_404(Operation, uid=uid)
    touched = operation.changes.filter(object_kind=Change.Kind.ASSET).values("object_id")
    visible = Asset.objects.visible_to(request.user).values("pk")
    if Asset.objects.filter(pk__in=touched).exclude(pk__in=visible).exists():
        raise Http404
    try:
        messages.success(request, changes.undo(operation, person(request)).label)
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
    return redirect(way_back(request, reverse("search:library")))

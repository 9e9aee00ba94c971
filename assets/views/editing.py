"""Changing the words of a picture; every change can be undone."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from accounts.models import User
from assets import changes
from assets.descriptions import subject_of
from assets.forms import DescriptionForm, TagsForm
from assets.models import Asset, Change, Operation, Record
from assets.views.asset import load, show
from assets.views.requests import Request, offer_undo, person, way_back
from assets.views.values import value_of
from assets.views.visible import collections_for, records_for

NOT_SEEN = "Saved. Only administrators see this picture now."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")  # else "back" would show a part as the page
def edit(request: Request, uid: UUID) -> HttpResponse:
    if request.method != "POST":
        asset = load(request, uid)
        return show(request, asset, DescriptionForm(asset=asset, subject=subject_of(asset)))
    asset, form, operation = submitted(request, uid)
    if form.errors:
        return show(request, asset, form)
    return saved(request, uid, operation, "edit")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def edit_field(request: Request, uid: UUID, name: str) -> HttpResponse:
    """One value, edited where it stands: its form, with ?leave the value again, or after saving all words.

    Without a script, the form of all words has it.
    """
    asset = load(request, uid)
    subject = subject_of(asset)
    if name not in DescriptionForm(asset=asset, subject=subject).fields:
        raise Http404("There is no such field.")
    if request.method != "POST":
        if not request.htmx:
            return redirect(f"{reverse('assets:edit', args=[uid])}#id_{name}")
        if "leave" in request.GET:
            context = {"asset": asset, "value": value_of(asset, subject, name), "focus": name}
            return render(request, "assets/partials/value.html", context)
        return _field_form(request, asset, DescriptionForm(asset=asset, subject=subject, only=name), name)
    asset, form, operation = submitted(request, uid, name)
    if form.errors:
        return _field_form(request, asset, form, name)
    answer = saved(request, uid, operation, name)
    return reswap(retarget(answer, "#words"), "outerHTML") if request.htmx else answer


def _field_form(request: Request, asset: Asset, form: DescriptionForm, name: str) -> HttpResponse:
    paths = [path for _, path in collections_for(person(request))] if name == "collection" else []
    context = {"asset": asset, "form": form, "field": form[name], "collection_paths": paths}
    return render(request, "assets/partials/field_form.html", context)


def submitted(request: Request, uid: UUID, only: str = "") -> tuple[Asset, DescriptionForm, Operation | None]:
    """The form as it was sent, compared with the words as they stand at this moment, and saved unless
    something is wrong with it; no operation where nothing was changed."""
    asset = load(request, uid)
    try:
        with changes.together():
            changes.lock({asset, subject_of(asset)})
            asset = load(request, uid)
            form = DescriptionForm(request.POST, asset=asset, subject=subject_of(asset), only=only)
            return asset, form, save(request, asset, form) if form.is_valid() else None
    except changes.ChangeRefused as refused:
        form.add_error(only or None, str(refused))
        return asset, form, None


def saved(request: Request, uid: UUID, operation: Operation | None, focus: str) -> HttpResponse:
    """Say what was done, and show it, or the library where this person does not see the picture any more."""
    asset = Asset.objects.visible_to(request.user).filter(uid=uid).first()
    if operation is None:
        messages.info(request, "Nothing was changed.")
    else:
        offer_undo(request, operation, "Saved." if asset else NOT_SEEN)
    if asset is None:
        library = reverse("search:library")
        return HttpResponseClientRedirect(library) if request.htmx else redirect(library)
    return show(request, load(request, uid), focus=focus) if request.htmx else redirect(asset)


def save(request: Request, asset: Asset, form: DescriptionForm) -> Operation | None:
    """One operation for the picture's place and the object's words, in the order in which an upload locks
    them; None when nothing changed."""
    with changes.together():
        words, place = form.patches()
        operation = changes.operation("edit", f"Edited {asset.display_title}", user=person(request))
        changed = changes.apply(operation, [asset], place) + changes.apply(
            operation, [subject_of(asset)], words
        )
        if not changed:
            operation.delete()
    return operation if changed else None


@login_required
@require_POST
def tags(request: Request, uid: UUID) -> HttpResponse:
    asset = load(request, uid)
    form = TagsForm(request.POST)
    if form.is_valid():
        change_tags(request, asset, form.patch())
    else:
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
    return show(request, load(request, uid), focus="tags") if request.htmx else redirect(asset)


def change_tags(request: Request, asset: Asset, patch: dict[str, dict[str, list[str]]]) -> None:
    labels = [label for by_vocabulary in patch.values() for label in by_vocabulary["tags"]]
    if not labels:
        return
    verb, noun = "Added" if "add_terms" in patch else "Removed", "tag" if len(labels) == 1 else "tags"
    with changes.together():
        operation = changes.operation("edit", f"{verb} the {noun} {'; '.join(labels)}", user=person(request))
        changed = changes.apply(operation, [asset], patch)
        if not changed:
            operation.delete()
    if changed:
        offer_undo(request, operation)


@login_required
@require_POST
def undo(request: HttpRequest, uid: UUID) -> HttpResponse:
    operation = get_object_or_404(Operation, uid=uid)
    if operation.user != request.user and touches_hidden(operation, person(request)):
        raise Http404
    try:
        messages.success(request, changes.undo(operation, person(request)).label)
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
    library = reverse("search:library")
    hidden = touches_hidden(operation, person(request))
    return redirect(library if hidden else way_back(request, library))


def touches_hidden(operation: Operation, user: User) -> bool:
    """Whether it changed a picture that this person may not see, or an object that only such show."""
    assets, records = (
        operation.changes.filter(object_kind=kind).values("object_id")
        for kind in (Change.Kind.ASSET, Change.Kind.RECORD)
    )
    hidden_assets = Asset.objects.filter(pk__in=assets).exclude(pk__in=Asset.objects.visible_to(user))
    hidden_records = Record.objects.filter(pk__in=records).exclude(pk__in=records_for(user))
    return hidden_assets.exists() or hidden_records.exists()

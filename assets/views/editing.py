"""Changing the words of a picture or of an object; every change can be undone."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from accounts.models import User
from assets import changes
from assets.forms import DescriptionForm, TagsForm
from assets.models import Asset, Change, Operation
from assets.terms.work import of_operation
from assets.views import asset as asset_page
from assets.views import record as record_page
from assets.views.allowed import need_to_describe
from assets.views.bulk import jobs_of
from assets.views.desk import Desk, desk_of, desk_to_describe, load
from assets.views.requests import Request, offer_undo, person, way_back
from assets.views.term_work import undo_of_operation
from assets.views.visible import hidden_changes, paths_to_fill


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")  # else "back" would show a part as the page
def edit(request: Request, uid: UUID, kind: str = "asset") -> HttpResponse:
    """All words of an `asset` or a `record` in one form."""
    if request.method != "POST":
        desk = desk_to_describe(request, kind, uid)
        return show(request, desk, DescriptionForm(asset=desk.asset, subject=desk.subject))
    desk, form, operation = submitted(request, kind, uid)
    if form.errors:
        return show(request, desk, form)
    return saved(request, kind, uid, operation, "edit")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def edit_field(request: Request, uid: UUID, name: str, kind: str = "asset") -> HttpResponse:
    """One value, edited where it stands: its form, with ?leave the value again, or after saving all words.

    Without a script, the form of all words has it.
    """
    desk = desk_to_describe(request, kind, uid)
    if name not in DescriptionForm(asset=desk.asset, subject=desk.subject).fields:
        raise Http404("There is no such field.")
    if request.method != "POST":
        if not request.htmx:
            return redirect(f"{desk.edit_url}#id_{name}")
        if "leave" in request.GET:
            context: dict[str, Any] = {"desk": desk, "asset": desk.asset, "focus": name}
            context["value"] = desk.words.value(name)
            context["may"] = {"describe": True}
            return render(request, "assets/partials/value.html", context)
        form = DescriptionForm(asset=desk.asset, subject=desk.subject, only=name)
        return _field_form(request, desk, form, name)
    desk, form, operation = submitted(request, kind, uid, name)
    if form.errors:
        return _field_form(request, desk, form, name)
    answer = saved(request, kind, uid, operation, name)
    return reswap(retarget(answer, "#words"), "outerHTML") if request.htmx else answer


def show(request: Request, desk: Desk, form: DescriptionForm | None = None, focus: str = "") -> HttpResponse:
    """The page of a picture or an object; `form` shows the words being edited."""
    if desk.asset:
        return asset_page.show(request, desk.asset, form, focus)
    assert desk.record  # noqa: S101 - one of the two is there
    return record_page.show(request, desk.record, form, focus)


def _field_form(request: Request, desk: Desk, form: DescriptionForm, name: str) -> HttpResponse:
    paths = paths_to_fill(person(request)) if name == "collection" else []
    context = {"desk": desk, "form": form, "field": form[name], "collection_paths": paths}
    return render(request, "assets/partials/field_form.html", context)


def submitted(
    request: Request, kind: str, uid: UUID, only: str = ""
) -> tuple[Desk, DescriptionForm, Operation | None]:
    """The form as it was sent, compared with the words as they stand at this moment, and saved unless
    something is wrong with it; no operation where nothing was changed."""
    desk = desk_to_describe(request, kind, uid)
    try:
        with changes.together():
            changes.lock({desk.of, desk.subject})
            desk = desk_to_describe(request, kind, uid)
            form = DescriptionForm(request.POST, asset=desk.asset, subject=desk.subject, only=only)
            return desk, form, save(request, desk, form) if form.is_valid() else None
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        form.add_error(only or None, str(refused))
        return desk, form, None


def saved(request: Request, kind: str, uid: UUID, operation: Operation | None, focus: str) -> HttpResponse:
    """Say what was done, and show it, or the library where this person does not see the picture any more."""
    seen = kind == "record" or Asset.objects.visible_to(request.user).filter(uid=uid).exists()
    if operation is None:
        messages.info(request, _("Nothing was changed."))
    else:
        hidden = _("Saved. You do not see this picture any more.")
        offer_undo(request, operation, _("Saved.") if seen else hidden)
    if not seen:
        library = reverse("search:library")
        return HttpResponseClientRedirect(library) if request.htmx else redirect(library)
    desk = desk_of(request, kind, uid)
    return show(request, desk, focus=focus) if request.htmx else redirect(desk.of)


def save(request: Request, desk: Desk, form: DescriptionForm) -> Operation | None:
    """One operation for the picture's place and the object's words, in the order in which an upload locks
    them; None when nothing changed."""
    with changes.together():
        words, place = form.patches(person(request))
        operation = changes.operation("edit", f"Edited {desk.heading or desk.of}", user=person(request))
        changed = changes.apply(operation, [desk.asset], place) if desk.asset else 0
        changed += changes.apply(operation, [desk.subject], words)
        if not changed:
            operation.delete()
    return operation if changed else None


@login_required
@require_POST
def tags(request: Request, uid: UUID) -> HttpResponse:
    asset = load(request, uid)
    need_to_describe(request, asset)
    form = TagsForm(request.POST)
    if form.is_valid():
        change_tags(request, asset, form.patch())
    else:
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
    return asset_page.show(request, load(request, uid), focus="tags") if request.htmx else redirect(asset)


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
        added = ngettext("Added the tag %(tags)s", "Added the tags %(tags)s", len(labels))
        removed = ngettext("Removed the tag %(tags)s", "Removed the tags %(tags)s", len(labels))
        said = added if "add_terms" in patch else removed
        offer_undo(request, operation, said % {"tags": "; ".join(labels)})


@login_required
@require_POST
def undo(request: HttpRequest, uid: UUID) -> HttpResponse:
    operation = get_object_or_404(Operation, uid=uid)
    if operation.bulk_id:
        return _whole(request, operation)
    if work := of_operation(operation):
        return undo_of_operation(request, work)
    hidden = hidden_changes(person(request)).filter(operation=operation)
    if operation.user == request.user:  # who hid a picture from oneself may show it again
        hidden = hidden.filter(object_kind=Change.Kind.TABLE)
    if hidden.exists():
        raise Http404
    try:
        messages.success(request, changes.undo(operation, person(request)).label)
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
    library = reverse("search:library")
    seen = not touches_hidden(operation, person(request))
    return redirect(way_back(request, library) if seen else library)


def _whole(request: HttpRequest, operation: Operation) -> HttpResponse:
    """A bulk change is taken back on its own page, and as a whole."""
    if job := jobs_of(person(request)).filter(operations=operation).first():
        messages.info(request, _("This was done to many pictures at once. Here it can be undone for all."))
        return redirect(job)
    said = _("This was done to many pictures at once. Whoever did it can undo it, or an administrator.")
    messages.error(request, said)
    return redirect(way_back(request, reverse("search:library")))


def touches_hidden(operation: Operation, user: User) -> bool:
    """Whether it changed a picture that this person may not see, an object that only such show, or a light
    table of somebody else."""
    return hidden_changes(user).filter(operation=operation).exists()

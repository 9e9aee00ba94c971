"""Handing in pictures: one form for all files, which static/js/upload.js sends file by file."""

import json
import uuid
from contextlib import suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from assets import kinds, sidecars, uploads
from assets.forms import AddPictureForm, UploadForm
from assets.ingest import Outcome, accept, reject
from assets.models import Asset, Batch, BatchItem, Operation, Upload
from assets.scopes import Action
from assets.stored import shown
from assets.views import script_words
from assets.views.allowed import need, need_somewhere
from assets.views.requests import Request, offer_undo, person
from assets.views.visible import paths_to_fill, tags_for

TAGS_OFFERED = 200


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")  # else "back" would show a part as the page
def page(request: Request) -> HttpResponse:
    """The page; with files, what became of them (to htmx: only the rows of the list)."""
    need_somewhere(request, Action.DESCRIBE)
    form = UploadForm(request.POST or None, request.FILES or None, initial={"batch": uuid.uuid4()})
    outcomes = take_in(request, form) if request.method == "POST" and form.is_valid() else []
    context: dict[str, Any] = {"form": form, "outcomes": outcomes, "max_bytes": settings.MAX_UPLOAD_BYTES}
    if request.htmx:
        return render(request, "assets/partials/upload_outcomes.html", context)
    refused = {ending: gettext(said) for ending, said in kinds.no_pictures().items()}
    context |= {"chunk_bytes": settings.UPLOAD_CHUNK_BYTES, "refused": json.dumps(refused)}
    context |= {"accepted": gettext(kinds.ACCEPTED), "unfinished": unfinished(person(request))}
    context["words"] = script_words.translated(script_words.UPLOAD)
    context["collection_paths"] = paths_to_fill(person(request))
    context["tag_labels"] = tags_for(person(request)).values_list("label", flat=True)[:TAGS_OFFERED]
    return render(request, "assets/upload.html", context)


def take_in(request: Request, form: UploadForm) -> list[tuple[str, Outcome]]:
    """Accept each file; returns (file name, outcome). The files of one visit share a batch, but not with
    another person who signed in on the same page since."""
    data = form.cleaned_data
    user = person(request)
    uid = uuid.uuid5(data["batch"], str(user.pk))
    batch, _ = Batch.objects.get_or_create(uid=uid, defaults={"user": user, "source": "upload page"})
    place = {"collection": data["collection"].strip(" /"), "tags": data["tags"]}
    words = {"accession": data["accession"]}
    files = data["pictures"]
    beside, alone = sidecars.pairs([f.name for f in files])
    outcomes = []
    for at, file in enumerate(files):
        if at in alone:
            outcomes.append((file.name, reject(batch, file.name, sidecars.ALONE)))
        elif at not in beside.values():
            sidecar = files[beside[at]].read(sidecars.MAX_BYTES + 1) if at in beside else b""
            found = accept(file, file.name, batch=batch, user=user, sidecar=sidecar, words=words, **place)
            outcomes.append((file.name, found))
            if at in beside:
                files[beside[at]].seek(0)
    return outcomes


class Unfinished(NamedTuple):
    """What the page says of an upload that was broken off, and by what it knows the file again."""

    upload: Upload
    arrived: int

    @property
    def share(self) -> int:
        """Percent."""
        return 100 * self.arrived // max(1, self.upload.length)


def unfinished(user: User) -> list[Unfinished]:
    """Of this person, newest first."""
    pictures = {"state": Upload.State.OPEN, "purpose": Upload.Purpose.PICTURE}
    mine = Upload.objects.filter(owner=user, expires_at__gt=timezone.now(), **pictures)
    found = []
    for upload in mine:
        with suppress(FileNotFoundError):
            found.append(Unfinished(upload, uploads.offset_of(upload)))
    return found


@login_required
@require_safe
def outcome(request: Request, uid: uuid.UUID) -> HttpResponse:
    """The row of the list for a complete upload, 202 without one while a worker is at it."""
    mine = Upload.objects.filter(owner=person(request)).select_related("item__asset")
    upload = get_object_or_404(mine, uid=uid)
    if upload.item is None:
        return HttpResponse(status=202 if upload.state != Upload.State.FINISHED else 404)
    item = upload.item
    found = Outcome(BatchItem.Outcome(item.outcome), item.file, item.asset, item.reason)
    return render(request, "assets/partials/upload_outcomes.html", {"outcomes": [(upload.filename, found)]})


@login_required
@require_POST
def remove(request: Request, uid: uuid.UUID) -> HttpResponse:
    """Give up an upload that was broken off."""
    upload = get_object_or_404(Upload, owner=person(request), uid=uid)
    try:
        uploads.give_up(upload)
    except (uploads.Locked, uploads.TakenIn) as error:
        messages.error(request, shown(str(error)))
    return redirect("assets:upload")


@login_required
@require_POST
def add_picture(request: Request, uid: uuid.UUID) -> HttpResponse:
    """The picture of an object that waits for it; where another was quicker, it is a second one."""
    place = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    need(request, Action.DESCRIBE, place)
    form = AddPictureForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["picture"])))
        return redirect(place)
    file = form.cleaned_data["picture"]
    batch = Batch.objects.create(source="page of an object", user=person(request))
    outcome = accept(file, file.name, batch=batch, user=person(request), place=place)
    if outcome.asset is None:
        messages.error(request, shown(outcome.reason))
        return redirect(place)
    said = outcome.reason or gettext("The picture is here.")
    if operation := Operation.objects.filter(batch=batch).first():
        offer_undo(request, operation, said)
    else:
        messages.info(request, shown(said))
    return redirect(outcome.asset)

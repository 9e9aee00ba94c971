"""Imports of terms, and how far a change of a vocabulary has come."""

import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assets import changes
from assets.models import TermWork, Vocabulary
from assets.stored import shown
from assets.terms import importing, work
from assets.terms.concepts import FileRefused
from assets.views.requests import person
from assets.views.term_forms import VocabularyImportForm
from assets.views.vocabulary import editors_only

PER_PAGE = 30
AT_ONCE_BYTES = 200_000  # of a file that is compared while one waits
CHUNK = 1 << 20


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All changes of vocabularies, newest first."""
    editors_only(request)
    every = TermWork.objects.select_related("user", "vocabulary", "undone_by")
    page = Paginator(every, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "assets/term_works.html", {"page": page})


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    return render(request, "assets/term_work.html", {"work": _load(request, uid)})


@login_required
@require_safe
def progress(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Asked for again and again while it is under way."""
    return render(request, "assets/partials/term_work.html", {"work": _load(request, uid)})


def _load(request: HttpRequest, uid: UUID) -> TermWork:
    editors_only(request)
    return get_object_or_404(TermWork.objects.select_related("user", "vocabulary", "undoes"), uid=uid)


@login_required
@require_POST
def act(request: HttpRequest, uid: UUID, what: str) -> HttpResponse:
    """Begin what was planned, go on with what has stopped, or take all of it back."""
    found = _load(request, uid)
    try:
        if what == "undo":
            found = work.undo(found, person(request))
        elif what == "again":
            work.again(found)
        else:
            importing.go(found)
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
    return redirect(found)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand in a file of terms; what would happen is shown before anything does."""
    editors_only(request)
    vocabulary = get_object_or_404(Vocabulary, slug=slug)
    form = VocabularyImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR) as folder:
            path = Path(folder) / f"terms{Path(file.name).suffix.lower()}"
            with path.open("wb") as target:
                for chunk in file.chunks(CHUNK):
                    target.write(chunk)
            try:
                languages = form.cleaned_data["languages"]
                found = importing.begin(vocabulary, path, file.name, languages, person(request))
            except FileRefused as refused:
                form.add_error("file", str(refused))
            else:
                if file.size <= AT_ONCE_BYTES:
                    work.briefly(found)
                else:
                    work.send([found.pk])
                return redirect(found)
    context = {"form": form, "vocabulary": vocabulary, "endings": ", ".join(importing.endings())}
    return render(request, "assets/term_import.html", context)


def undo_of_operation(request: HttpRequest, found: TermWork) -> HttpResponse:
    """The Undo button of a message or of a history: all that belongs to it is taken back."""
    editors_only(request)
    try:
        back = work.undo(found, person(request))
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect(found)
    if back.state != TermWork.State.DONE:
        return redirect(back)
    messages.success(request, _("Undone: %s") % shown(found.label))
    return redirect(found.vocabulary)

"""The first two steps of an import: where from, and what the columns mean."""

import uuid

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from assets.imports import starting
from assets.imports.files import SourceError
from assets.imports.mapping import Columns, MappingRefused, suggested
from assets.imports.targets import targets
from assets.models import Import
from assets.seen import may_import
from assets.tables import TableRefused
from assets.views.imports_forms import ColumnsForm, StartForm
from assets.views.imports_mine import STEPS, TAGS_OFFERED, mine
from assets.views.requests import person
from assets.views.visible import collections_for, tags_for

State = Import.State


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Step 1."""
    user = person(request)
    may_import(user)
    form = StartForm(user, *((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(begin(form, user))
        except (SourceError, TableRefused) as refused:
            form.add_error(None, str(refused))
    context = {
        "form": form,
        "steps": STEPS,
        "step": 1,
        "max_bytes": settings.MAX_UPLOAD_BYTES,
        "collection_paths": [path for _, path in collections_for(user)],
        "tag_labels": tags_for(user).values_list("label", flat=True)[:TAGS_OFFERED],
        "roots": [str(root) for root in settings.IMPORT_ROOTS] if user.is_superuser else [],
    }
    return render(request, "assets/import_new.html", context)


def begin(form: StartForm, user: User) -> Import:
    """Keep what was uploaded and begin. Raises SourceError, TableRefused."""
    folder = settings.IMPORTS_DIR / str(uuid.uuid4())
    given = form.uploaded()
    kept = dict(zip(given, starting.keep(given.values(), folder), strict=True))
    server = form.cleaned_data.get("server", "").strip()
    name = ", ".join(filter(None, [server, *(str(file.name) for file in given.values())]))
    place = str(kept["pictures"]) if "pictures" in kept else server
    table = str(kept["table"]) if "table" in kept else ""
    return starting.begin(user, name, place=place, table=table, options=form.options())


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Step 2."""
    delivery = mine(request, uid)
    if delivery.state not in (State.MAPPING, State.CHECKING, State.PLANNED) or not delivery.has_table:
        return redirect(delivery)
    try:
        headers, rows, notes = starting.examples(delivery)
    except (SourceError, TableRefused) as refused:
        context = {"delivery": delivery, "refused": str(refused), "steps": STEPS, "step": 2}
        return render(request, "assets/import_columns.html", context)
    known = targets()
    remembered = suggested(delivery.user, headers, known)[1]
    form = ColumnsForm(
        Columns.of(delivery.mapping), known, rows, request.POST if request.method == "POST" else None
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                starting.choose(delivery, form.chosen(), {})
            return redirect(delivery)
        except MappingRefused as refused:
            form.add_error(None, str(refused))
    context = {"delivery": delivery, "form": form, "notes": notes, "remembered": remembered}
    context |= {"steps": STEPS, "step": 2}
    return render(request, "assets/import_columns.html", context)

"""One term: its page, changing it, merging it, taking it away."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from assets import changes
from assets.models import Operation, Term, TermRedirect, TermWork, Vocabulary
from assets.terms import editing, merging, telling
from assets.views import term_history
from assets.views.requests import offer_undo, person
from assets.views.term_forms import TermForm, labels_sent
from assets.views.vocabulary import MOST_BELOW, editors_only

MERGE_ROWS = 3


def load(request: HttpRequest, uid: UUID) -> Term:
    """The term, if this person may be told it, or 404."""
    term = get_object_or_404(Term.objects.select_related("vocabulary"), uid=uid)
    if term.pk not in telling.pictures([term.pk], person(request)):
        raise Http404("There is no such term.")
    return term


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    moved = TermRedirect.objects.filter(pk=uid).select_related("term").first()
    if moved:
        return HttpResponsePermanentRedirect(moved.term.get_absolute_url())
    term = load(request, uid)
    user = person(request)
    narrower = telling.told(term.children.order_by("key", "pk")[: MOST_BELOW + 1], user)
    context = {
        "term": term,
        "vocabulary": term.vocabulary,
        "told": telling.told(Term.objects.filter(pk=term.pk), user)[0],
        "languages": [(code, said[0], said[1:]) for code, said in term.labels.items() if code and said],
        "others": term.labels.get("", []),
        "links": term.uri.startswith(("http://", "https://")),
        "broader": telling.told(term.parents.order_by("key"), user),
        "narrower": narrower[:MOST_BELOW],
        "more_narrower": len(narrower) > MOST_BELOW,
        "may_edit": telling.may_edit(user),
        "unused": not Term.objects.filter(pk=term.pk).in_use().exists(),
        "history": term_history.entries(term) if telling.may_edit(user) else [],
    }
    return render(request, "assets/term.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    editors_only(request)
    term = load(request, uid)
    form = TermForm(request.POST if request.method == "POST" else None, term=term)
    if form.is_bound and form.is_valid():
        try:
            broader = editing.named(term.vocabulary, form.broader_sent())
            done = editing.edit(term, form.values(), broader, person(request))
            return _saved(request, term, done)
        except changes.NotAllowed:
            raise
        except changes.ChangeRefused as refused:
            form.add_error(None, str(refused))
    return render(
        request, "assets/term_edit.html", {"form": form, "term": term, "vocabulary": term.vocabulary}
    )


def _saved(request: HttpRequest, term: Term, done: TermWork | None) -> HttpResponse:
    if done is None:
        messages.info(request, _("Nothing was changed."))
        return redirect(term)
    if done.state != TermWork.State.DONE:
        return redirect(done)
    offer_undo(request, Operation.objects.get(pk=done.operations[0]), _("Saved."))
    return redirect(term)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    editors_only(request)
    vocabulary = get_object_or_404(Vocabulary, slug=slug)
    form = TermForm(
        request.POST if request.method == "POST" else None, label=request.GET.get("label", "")[:200]
    )
    if form.is_bound and form.is_valid():
        try:
            broader = editing.named(vocabulary, form.broader_sent())
            term = editing.create(vocabulary, form.values(), broader, person(request))
            messages.success(request, _("“%s” was made.") % term.label)
            return redirect(term)
        except changes.NotAllowed:
            raise
        except changes.ChangeRefused as refused:
            form.add_error(None, str(refused))
    return render(request, "assets/term_edit.html", {"form": form, "vocabulary": vocabulary})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, uid: UUID) -> HttpResponse:
    editors_only(request)
    term = load(request, uid)
    if request.method == "POST":
        try:
            done = editing.delete(term, person(request))
            offer_undo(request, Operation.objects.get(pk=done.operations[0]))
            return redirect(term.vocabulary)
        except changes.NotAllowed:
            raise
        except changes.ChangeRefused as refused:
            messages.error(request, str(refused))
            return redirect(term)
    context = {"term": term, "vocabulary": term.vocabulary, "narrower": term.children.count()}
    return render(request, "assets/term_delete.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Which terms become a part of this one, then what that means, then the deed."""
    editors_only(request)
    term = load(request, uid)
    sent = request.POST if request.method == "POST" else request.GET
    asked = labels_sent(sent)
    context: dict[str, Any] = {"term": term, "vocabulary": term.vocabulary}
    context["asked"] = [*asked, *[""] * max(1, MERGE_ROWS - len(asked))]
    if asked:
        try:
            sources = editing.named(term.vocabulary, asked)
            if request.method == "POST":
                return redirect(merging.merge(term, sources, person(request)))
            context |= {"sources": sources, "preview": merging.preview(term, sources)}
        except changes.NotAllowed:
            raise
        except changes.ChangeRefused as refused:
            context["error"] = str(refused)
    return render(request, "assets/term_merge.html", context)

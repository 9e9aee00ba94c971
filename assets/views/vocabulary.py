"""Vocabularies: what there is, tree by tree, and as a file."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

import audit
from assets.models import Term, Vocabulary
from assets.terms import exporting, telling
from assets.text import word_key
from assets.views.requests import Request, person

PER_PAGE, MOST_BELOW, OFFERED = 100, 300, 20
LONGEST = 200  # characters that are looked for


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All vocabularies; with `q`, their terms that are called so."""
    asked = request.GET.get("q", "").strip()[:LONGEST]
    context: dict[str, Any] = {"asked": asked, "may_edit": telling.may_edit(person(request))}
    if asked:
        return _listed(request, Term.objects.all(), None, context)
    vocabularies = Vocabulary.objects.annotate(number=Count("terms")).order_by("name")
    return render(request, "assets/vocabularies.html", context | {"vocabularies": vocabularies})


@login_required
@require_safe
def vocabulary(request: HttpRequest, slug: str) -> HttpResponse:
    """One vocabulary by its hierarchy; with `q` what is called so, with `unused` what nothing has."""
    found = get_object_or_404(Vocabulary, slug=slug)
    asked = request.GET.get("q", "").strip()[:LONGEST]
    terms, unused = Term.objects.filter(vocabulary=found), "unused" in request.GET
    if unused:
        terms = terms.unused()
    elif not asked:
        links = Term.parents.through.objects.filter(from_term=OuterRef("pk"))
        terms = terms.filter(~Exists(links))
    context = {"asked": asked, "unused": unused, "may_edit": telling.may_edit(person(request))}
    return _listed(request, terms, found, context)


def _listed(
    request: HttpRequest, terms: "QuerySet[Term]", found: Vocabulary | None, context: dict[str, Any]
) -> HttpResponse:
    """A page of terms. Those that this person may not be told are left out of it."""
    if context["asked"]:
        wanted: Any = terms
        terms = wanted.called(context["asked"]) if word_key(context["asked"]) else terms.none()
    page = Paginator(terms.order_by("key", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    ids = [term.pk for term in page.object_list]
    rows = telling.told(Term.objects.filter(pk__in=ids).order_by("key", "pk"), person(request))
    context |= {"vocabulary": found, "page": page, "rows": rows}
    context["flat"] = bool(context["asked"]) or context.get("unused", False)
    return render(request, "assets/vocabulary.html", context)


@login_required
@require_safe
def below(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The next level of the tree, for a term that was opened in it."""
    term = get_object_or_404(Term, uid=uid)
    rows = telling.told(term.children.order_by("key", "pk")[: MOST_BELOW + 1], person(request))
    context = {"term": term, "rows": rows[:MOST_BELOW], "more": len(rows) > MOST_BELOW}
    return render(request, "assets/partials/term_rows.html", context)


@login_required
@require_safe
def labels(request: Request, slug: str) -> HttpResponse:
    """Names to choose from while one is being typed, whatever the field is called."""
    found = get_object_or_404(Vocabulary, slug=slug)
    sent = [str(text) for text in request.GET.values()]
    asked = next((text for text in sent if word_key(text)), "")[:LONGEST]
    terms = Term.objects.filter(vocabulary=found).called(asked) if asked else Term.objects.none()
    rows = telling.told(terms.order_by("key")[:OFFERED], person(request))
    return render(request, "assets/partials/term_options.html", {"rows": rows})


@login_required
@require_safe
def export(request: HttpRequest, slug: str, format: str) -> StreamingHttpResponse:
    """The whole vocabulary; only for people who look after it, since it names all terms."""
    found = get_object_or_404(Vocabulary, slug=slug)
    editors_only(request)
    base = request.build_absolute_uri("/").rstrip("/")
    audit.record(audit.Event.EXPORTED, request, found, format=format)
    lines = exporting.turtle(found, base) if format == "ttl" else exporting.table(found)
    kind = "text/turtle" if format == "ttl" else "text/csv"
    answer = StreamingHttpResponse(lines, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found.slug}.{format}"'
    return answer


def editors_only(request: HttpRequest) -> None:
    """Raises PermissionDenied."""
    if not telling.may_edit(person(request)):
        raise PermissionDenied(_("Only people who look after the vocabulary can do this."))

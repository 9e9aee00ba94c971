"""Terms: the names that may be meant while somebody writes one, and what makes use of a term."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from assets.forms import LabelsField
from assets.models import Asset, Term, Vocabulary
from assets.text import label_key, word_key
from assets.views.cards import cards_of
from assets.views.requests import Request, person
from assets.views.visible import records_for, terms_for

OFFERED, SHOWN, LONGEST = 12, 12, 2000
FIELDS = {"tags": "tag", "creators": "creator", "places": "place", "subjects": "subject"}
"""What the search calls each vocabulary."""


@login_required
@require_safe
def known(request: Request, vocabulary: str) -> HttpResponse:
    """For a line of names that is being written (assets.forms.known): what its last name may become, and
    which names are new. With ?closed none can be new; with ?one there is a single name."""
    box = (request.htmx.trigger or "")[:200]
    text = request.GET.get(request.htmx.trigger_name or "", "")[:LONGEST]
    if not box or not Vocabulary.objects.filter(slug=vocabulary).exists():
        raise Http404("There is no such vocabulary.")
    single = "one" in request.GET
    before, semicolon, last = ("", "", text) if single else text.rpartition(";")
    terms = terms_for(person(request), vocabulary)
    names = list(_begun(terms, last).values_list("label", flat=True)[:OFFERED])
    labels = [" ".join(text.split())] if single else LabelsField().to_python(text)
    here = set(
        terms.filter(key__in=[label_key(label)[:200] for label in labels]).values_list("key", flat=True)
    )
    new = [label for label in labels if label_key(label)[:200] not in here]
    start = f"{before.rstrip()}; " if semicolon else ""
    context = {"box": box, "names": [start + name for name in names], "new": new}
    return render(request, "assets/partials/known_terms.html", context | {"closed": "closed" in request.GET})


def _begun(terms: "QuerySet[Term]", text: str) -> "QuerySet[Term]":
    """Those that have a word which begins as each word of the text does, in the order of their names."""
    for word in word_key(text[:200]).split():
        terms = terms.filter(words__contains=f" {word}")
    return terms.order_by("key")


def uses_of(term: Term, user: Any) -> dict[str, Any]:
    """For assets/partials/term_used.html: the objects and pictures of a term that this person may see."""
    seen = Asset.objects.live().visible_to(user)
    pictures = seen.filter(
        Q(terms=term) | Q(depictions__record__terms=term, depictions__record__trashed_at=None)
    )
    records = records_for(user).filter(trashed_at=None, terms=term).order_by("accession_key", "pk")
    ids = list(pictures.order_by("-created_at", "-pk").values_list("pk", flat=True).distinct()[:SHOWN])
    found = seen.for_grid().in_bulk(ids)
    return {
        "used_term": term,
        "used_on": cards_of(found[pk] for pk in ids),
        "used_pictures": pictures.values("pk").distinct().count(),
        "used_objects": list(records[:SHOWN]),
        "used_records": records.count(),
        "used_search": _search(term),
    }


def _search(term: Term) -> str:
    """Where the library shows all of them; a tag has an address of its own."""
    field = FIELDS.get(term.vocabulary.slug)
    if field is None:
        return ""
    quoted = term.label.replace('"', " ")
    asked = {"tag": term.label} if field == "tag" else {"filter": f'{field}:"{quoted}"'}
    return f"{reverse('search:library')}?{urlencode(asked)}"


@login_required
@require_safe
@vary_on_headers("HX-Request")
def page(request: Request, uid: UUID) -> HttpResponse:
    """What a maker, a place, a subject or a tag is used for; to htmx only that part, for the term's page."""
    found: Term = get_object_or_404(Term.objects.select_related("vocabulary"), uid=uid)
    if not terms_for(person(request), found.vocabulary.slug).filter(pk=found.pk).exists():
        raise Http404("There is no such term.")
    template = "assets/partials/term_used.html" if request.htmx else "assets/term_uses.html"
    return render(request, template, {"term": found} | uses_of(found, request.user))

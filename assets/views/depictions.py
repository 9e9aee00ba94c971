"""Which pictures show which object: said on the page of the one and of the other."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from assets import records
from assets.models import Asset, Depiction, Operation, Record
from assets.querysets import AssetQuerySet
from assets.seen import NOT_HERE, hidden_records
from assets.text import accession_key
from assets.views.allowed import need_to_describe
from assets.views.cards import cards_of
from assets.views.desk import load_record
from assets.views.requests import offer_undo, person, way_back
from assets.views.visible import records_for

FOUND, LONGEST = 24, 200


class DepictionForm(forms.Form):
    """What is to become of one picture of an object."""

    picture = forms.UUIDField()
    view = forms.ChoiceField(choices=Depiction.View.choices, required=False)
    act = forms.ChoiceField(choices=[(act, act) for act in ("add", "view", "earlier", "later", "remove")])


class ObjectForm(forms.Form):
    """The object that a picture shows, by its number."""

    accession = forms.CharField(
        max_length=100, error_messages={"required": gettext_lazy("Write an accession number.")}
    )
    view = forms.ChoiceField(choices=Depiction.View.choices, required=False)


@login_required
@require_safe
def find(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Pictures that may be added to an object, by what somebody writes in ?find=."""
    record = load_record(request, uid)
    need_to_describe(request, record)
    asked = request.GET.get("find", "").replace("\0", "").strip()[:LONGEST]
    live = Asset.objects.live().visible_to(request.user)
    here = Depiction.objects.filter(record=record).values("asset")
    found = list(_meant(live.exclude(pk__in=here), asked).for_grid()[:FOUND]) if asked else []
    context = {"record": record, "asked": asked, "cards": cards_of(found), "most": FOUND}
    return render(request, "assets/record_add.html", context | {"views": Depiction.View.choices})


def _meant(assets: AssetQuerySet, asked: str) -> AssetQuerySet:
    """By the address of a picture, an accession number, or a part of a title or a file name; newest first."""
    last = asked.rstrip("/").rpartition("/")[2]
    try:
        return assets.filter(uid=UUID(last))
    except ValueError:
        of_object = Q(depictions__record__title__icontains=asked)
        of_object |= Q(depictions__record__accession_key=accession_key(asked) or "?")
        named = Q(title__icontains=asked) | Q(current_version__original_filename__icontains=asked)
        ids = assets.filter(named | Q(of_object, depictions__record__trashed_at=None)).values("pk")
        return assets.filter(pk__in=ids)


@login_required
@require_POST
def act(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Add, take out, move, or show another view."""
    record = get_object_or_404(records_for(person(request)), uid=uid, trashed_at=None)
    need_to_describe(request, record)
    form = DepictionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("That could not be done. Try it again from this page."))
        return redirect(record)
    said = form.cleaned_data
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=said["picture"])
    operation = _done(request, record, asset, said["act"], said["view"])
    if operation:
        offer_undo(request, operation)
    else:
        messages.info(request, _("Nothing was changed."))
    anchor = "#pictures" if said["act"] == "remove" else f"#card-{asset.uid}"
    return redirect(way_back(request, f"{record.get_absolute_url()}{anchor}"))


def _done(request: HttpRequest, record: Record, asset: Asset, act: str, view: str) -> Operation | None:
    user = person(request)
    match act:
        case "add":
            return records.attach(record, asset, view or Depiction.View.RECTO, user)
        case "remove":
            return records.detach(record, asset, user)
        case "view":
            return records.arrange(record, asset, user, view=view or Depiction.View.RECTO)
    return records.arrange(record, asset, user, step=-1 if act == "earlier" else 1)


@login_required
@require_POST
def say(request: HttpRequest, uid: UUID) -> HttpResponse:
    """On the page of a picture: it shows the object with this number; one that is new is made on the way."""
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    need_to_describe(request, asset)
    form = ObjectForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect(asset)
    key = accession_key(form.cleaned_data["accession"])
    if hidden_records(person(request), {key} - {""}):
        messages.error(request, NOT_HERE)
        return redirect(asset)
    record = Record.objects.live().filter(accession_key=key).exclude(accession_key="").first()
    if record is None:
        asked = urlencode({"picture": asset.uid, "accession": form.cleaned_data["accession"]})
        messages.info(request, _("There is no object with this number yet. Describe it here."))
        return redirect(f"{reverse('assets:record_new')}?{asked}")
    operation = records.attach(
        record, asset, form.cleaned_data["view"] or Depiction.View.RECTO, person(request)
    )
    if operation:
        offer_undo(request, operation, _("This picture shows %s now.") % record)
    else:
        messages.info(request, _("That was known already."))
    return redirect(asset)

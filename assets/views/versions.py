"""The versions of a file: a new one, an earlier one, and which of them is shown."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from assets import storage, versions
from assets.forms import NewVersionForm
from assets.identify import NotAPicture
from assets.models import Asset, AssetVersion
from assets.views import facts
from assets.views.allowed import need_to_describe
from assets.views.requests import offer_undo, person

REFUSED = (
    versions.SameFile,
    NotAPicture,
    storage.TooLarge,
    storage.StorageFull,
    storage.StorageDamaged,
)


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID, number: int) -> HttpResponse:
    """One version, to be compared with the one that is shown."""
    version = _visible(request, uid, number)
    large = next((one for one in version.renditions.all() if one.name == "large"), None)
    shown = version.asset.current_version_id == version.pk
    said = facts.of_version(version)
    context = {"asset": version.asset, "version": version, "large": large, "facts": said, "shown": shown}
    return render(request, "assets/version.html", context)


@login_required
@require_POST
def show_again(request: HttpRequest, uid: UUID, number: int) -> HttpResponse:
    version = _visible(request, uid, number)
    need_to_describe(request, version.asset)
    if version.asset.current_version_id != version.pk:
        said = _("Version %(number)d is shown again.") % {"number": number}
        offer_undo(request, versions.show_again(version, person(request)), said)
    return redirect(version.asset)


@login_required
@require_POST
def put(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Another file of the same picture."""
    assets = Asset.objects.live().visible_to(request.user).filter(current_version__isnull=False)
    asset = get_object_or_404(assets, uid=uid)
    need_to_describe(request, asset)
    form = NewVersionForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect(asset)
    file = form.cleaned_data["picture"]
    try:
        operation = versions.put(asset, file, file.name, person(request))
    except REFUSED as refused:
        messages.error(request, str(refused))
    else:
        offer_undo(request, operation, _("The new file is here. The earlier one is kept as a version."))
    return redirect(asset)


def _visible(request: HttpRequest, uid: UUID, number: int) -> AssetVersion:
    visible = Asset.objects.live().visible_to(request.user).filter(uid=uid)
    found = AssetVersion.objects.select_related("asset", "blob").prefetch_related("renditions")
    version: AssetVersion = get_object_or_404(found, asset__in=visible, number=number)
    return version

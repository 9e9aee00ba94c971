"""What a person may see of what is here: of the rest nothing is told, and nothing is changed."""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounts.models import User
from assets.models import Asset, Depiction, Record
from assets.querysets import AssetQuerySet
from assets.scopes import Action, scope_of

NOT_HERE = "The object with this number cannot be changed by you. Ask an administrator."


def assets_for(user: User | None) -> AssetQuerySet:
    """Live pictures; `None` is the command line, which sees all."""
    assets = Asset.objects.live()
    return assets.visible_to(user) if user else assets


def hidden_records(user: User | None, keys: Collection[str]) -> set[str]:
    """Of these keys of accession numbers those of live objects of which every picture is hidden."""
    if user is None or not keys:
        return set()
    of_it = Depiction.objects.filter(record=OuterRef("pk"))
    seen = of_it.filter(asset__in=Asset.objects.visible_to(user))
    records = Record.objects.live().filter(accession_key__in=keys)
    hidden = records.filter(Exists(of_it), ~Exists(seen))
    return set(hidden.values_list("accession_key", flat=True))


def may_import(user: User) -> None:
    """Raises PermissionDenied for those who may put pictures nowhere."""
    if not user.is_active or not scope_of(user).may_somewhere(Action.DESCRIBE):
        raise PermissionDenied(_("You may look here, but not describe pictures or add any."))

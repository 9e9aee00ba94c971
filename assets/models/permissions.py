"""Which group may do what with the pictures of which collection: assets.scopes says the rules."""

from typing import Any

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from assets.models.collections import Collection
from assets.scopes import Action

VIEWERS, CATALOGUERS, CURATORS = "Viewers", "Cataloguers", "Curators"
_VIEW = ["see", "download"]
_DESCRIBE = [*_VIEW, "original", "describe"]
ROLES = {VIEWERS: _VIEW, CATALOGUERS: _DESCRIBE, CURATORS: [*_DESCRIBE, "manage", "share"]}
"""What a new library grants for the whole of it. Nobody in them sees what is restricted."""


class Grant(models.Model):
    """Counts for the collection and all below it, up to one that does not inherit.

    Changed by assets.changes.grants; the admin shows them alone.
    """

    collection = models.ForeignKey(
        Collection, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="grants")
    actions = ArrayField(models.CharField(max_length=20, choices=Action))

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint("collection", "group", name="grant_unique", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.group}: {', '.join(self.actions)}"


def make_roles(groups: Any, grants: Any) -> None:
    """The groups of ROLES and their grants, where they are missing; takes the managers of the two models."""
    for name, actions in ROLES.items():
        group, _made = groups.get_or_create(name=name)
        grants.get_or_create(collection=None, group=group, defaults={"actions": actions})

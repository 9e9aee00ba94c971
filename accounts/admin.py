"""Accounts, groups and tokens. Who is no administrator ("superuser") gives and takes only what is theirs."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

import audit
from accounts.models import ApiToken, User
from audit.admin import Recorded

# Whoever could write these would sign in as anybody.
for model in (Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken, UserSession, Group):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


def is_above(user: User, acting: Any) -> bool:
    """Whether an account may do something that the acting one may not, who would gain by taking it over."""
    if acting.is_superuser:
        return False
    held = Permission.objects.filter(Q(user=user) | Q(group__user=user)).select_related("content_type")
    names = {f"{one.content_type.app_label}.{one.codename}" for one in held}  # also of who is switched off
    if user.is_superuser or not names <= acting.get_all_permissions():
        return True
    return bool(user.groups.exclude(pk__in=acting.groups.values("pk")).exists())


def own(acting: Any, field: str) -> QuerySet[Any]:
    """The groups, or the permissions, that somebody may give to others."""
    if field == "groups":
        return Group.objects.all() if acting.is_superuser else acting.groups.all()
    every = Permission.objects.select_related("content_type").order_by(
        "content_type__app_label", "content_type__model", "codename"
    )
    if acting.is_superuser:
        return every
    held = acting.get_all_permissions()
    mine = [one.pk for one in every if f"{one.content_type.app_label}.{one.codename}" in held]
    return every.filter(pk__in=mine)


@admin.register(Group)
class GroupsAdmin(Recorded, GroupAdmin):
    """Whoever changes a group gives to all of it, themselves included: for administrators alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(User)
class PersonAdmin(Recorded, UserAdmin[User]):
    """Accounts are switched off rather than deleted, so that the history keeps the name of who did what."""

    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Preferences"), {"fields": ["time_zone", "language"]}))
    list_display = ["username", "name", "email", "member_of", "is_active", "is_staff", "last_login"]
    list_filter = [
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        ("last_login", admin.EmptyFieldListFilter),
    ]
    search_fields = ["username", "first_name", "last_name", "email", "groups__name"]
    search_help_text = _("User name, name, email address or group")
    ordering = ["username"]
    date_hierarchy = "last_login"
    actions = ["switch_off", "switch_on", "take_tokens"]
    readonly_fields = ["last_login", "date_joined"]

    def save_model(self, request: HttpRequest, user: User, form: Any, change: bool) -> None:
        super().save_model(request, user, form, change)
        if not change:
            User.objects.give_role(user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("name"), ordering="last_name")
    def name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("groups"))
    def member_of(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Of the password, too: Django asks here before it shows that page."""
        if obj is not None and is_above(obj, request.user):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only an account that nobody has ever used, and never several at once."""
        if obj is None or obj.last_login is not None or is_above(obj, request.user):
            return False
        return super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        more = [] if request.user.is_superuser else ["is_superuser"]
        return [*super().get_readonly_fields(request, obj), *more]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("groups", "user_permissions"):
            kwargs["queryset"] = own(request.user, db_field.name)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.action(description=_("Switch off: nobody signs in with it"), permissions=["change"])
    def switch_off(self, request: HttpRequest, users: QuerySet[User]) -> None:
        others = users.exclude(username=request.user.get_username())
        if len(users) > len(others):
            self.message_user(request, _("You cannot switch off your own account."), messages.WARNING)
        self._say(request, others.filter(is_active=True), is_active=False)

    @admin.action(description=_("Switch on again"), permissions=["change"])
    def switch_on(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self._say(request, users.filter(is_active=False), is_active=True)

    def _say(self, request: HttpRequest, users: QuerySet[User], *, is_active: bool) -> None:
        changed = [user for user in users if not is_above(user, request.user)]
        User.objects.filter(pk__in=[user.pk for user in changed]).update(is_active=is_active)
        for user in changed:
            text = "Switched on." if is_active else "Switched off."
            self.log_change(request, user, text)
        number = len(changed)
        said = ngettext("%(number)d account was changed.", "%(number)d accounts were changed.", number)
        self.message_user(request, said % {"number": number})

    @admin.action(description=_("Take back their API tokens"), permissions=["change"])
    def take_tokens(self, request: HttpRequest, users: QuerySet[User]) -> None:
        below = [user for user in users if not is_above(user, request.user)]
        tokens = ApiToken.objects.filter(user__in=below)
        number = tokens.count()
        for token in tokens:
            audit.record(audit.Event.TOKEN_REVOKED, request, token)
        tokens.delete()
        said = ngettext("%(number)d token was taken back.", "%(number)d tokens were taken back.", number)
        self.message_user(request, said % {"number": number})


@admin.register(ApiToken)
class ApiTokenAdmin(Recorded, admin.ModelAdmin[ApiToken]):
    """People make tokens on the page of their account; here they are seen and revoked."""

    list_display = ["name", "user", "purpose", "created_at", "expires_at", "used_at"]
    list_filter = [("used_at", admin.EmptyFieldListFilter), "created_at", "expires_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    search_help_text = _("What it is for, or whose it is")
    ordering = ["-created_at"]

    @admin.display(description=_("what for"))
    def purpose(self, token: ApiToken) -> str:
        return ", ".join(token.purposes())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        if obj is not None and is_above(obj.user, request.user):
            return False
        return super().has_delete_permission(request, obj)

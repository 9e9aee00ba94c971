from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import ApiToken, User

NEVER = admin.EmptyFieldListFilter


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("name"), ordering="last_name")
    def name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("groups"))
    def member_of(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only an account that nobody has ever used, and never several at once."""
        return obj is not None and obj.last_login is None and super().has_delete_permission(request, obj)

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
        if not request.user.is_superuser:  # who may change accounts may not take over those above
            users = users.filter(is_superuser=False)
        changed = list(users)
        User.objects.filter(pk__in=[user.pk for user in changed]).update(is_active=is_active)
        for user in changed:
            text = "Switched on." if is_active else "Switched off."
            self.log_change(request, user, text)
        number = len(changed)
        said = ngettext("%(number)d account was changed.", "%(number)d accounts were changed.", number)
        self.message_user(request, said % {"number": number})

    @admin.action(description=_("Take back their API tokens"), permissions=["change"])
    def take_tokens(self, request: HttpRequest, users: QuerySet[User]) -> None:
        tokens = ApiToken.objects.filter(user__in=users)
        number = tokens.count()
        tokens.delete()
        said = ngettext("%(number)d token was taken back.", "%(number)d tokens were taken back.", number)
        self.message_user(request, said % {"number": number})


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """Tokens are issued with `manage.py token USER`; here they are seen and revoked."""

    list_display = ["name", "user", "created_at", "used_at"]
    list_filter = [("used_at", admin.EmptyFieldListFilter), "created_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    search_help_text = _("What it is for, or whose it is")
    ordering = ["-created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

"""People make and revoke their own tokens; the text of a token is shown once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

import audit
from accounts.models import ApiToken, Scope, User

DAYS = {30: gettext_lazy("30 days"), 90: gettext_lazy("90 days"), 365: gettext_lazy("One year")}
DEFAULT_DAYS = 365
NEVER = 0
AT_MOST = 50  # tokens of one person
View = Callable[[HttpRequest], HttpResponse]
confirmed: Callable[[View], View] = reauthentication_required(allow_get=True)


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("What it is for, such as the website."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may be used for"),
        choices=Scope,
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(label=gettext_lazy("Good for"), coerce=int, initial=DEFAULT_DAYS)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        choices = list(DAYS.items())
        if user.is_superuser:
            choices.append((NEVER, gettext_lazy("For ever")))
        days = self.fields["days"]
        assert isinstance(days, forms.TypedChoiceField)  # noqa: S101
        days.choices = choices

    def clean(self) -> dict[str, Any] | None:
        if self.user.api_tokens.count() >= AT_MOST:
            text = ngettext_lazy("You have %(n)d token.", "You have %(n)d tokens.", AT_MOST) % {"n": AT_MOST}
            raise forms.ValidationError(
                _("%(have)s Please revoke one that you do not need any more."), params={"have": text}
            )
        return super().clean()

    def issue(self) -> str:
        """The text of the new token."""
        days = self.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=days) if days != NEVER else None
        name, scopes = self.cleaned_data["name"], self.cleaned_data["scopes"]
        return ApiToken.objects.issue(self.user, name, scopes, expires_at)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
@sensitive_variables("text")
def new_token(request: HttpRequest) -> HttpResponse:
    """The text is in this one answer, and nowhere else: not in a message, nor in a session.

    A token outlives sessions and passwords, so an open session is not enough to make one.
    """
    user = User.objects.get(username=request.user.get_username())
    form = TokenForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        text = form.issue()
        made = ApiToken.objects.get(digest=ApiToken.digest_of(text))
        audit.record(audit.Event.TOKEN_MADE, request, made, scopes=made.scopes, until=made.expires_at)
        return render(request, "account/token_made.html", {"text": text, "name": form.cleaned_data["name"]})
    return render(request, "account/token_new.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    user = User.objects.get(username=request.user.get_username())
    token = get_object_or_404(user.api_tokens, pk=pk)
    if request.method != "POST":
        return render(request, "account/token_revoke.html", {"token": token})
    audit.record(audit.Event.TOKEN_REVOKED, request, token)
    token.delete()
    messages.success(request, _("The token “%(name)s” is void now.") % {"name": token.name})
    return redirect("account")

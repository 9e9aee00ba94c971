"""Signing in by password and by passkey, and the views of django-allauth that need a rule more."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views as allauth
from allauth.account.forms import LoginForm
from allauth.account.utils import get_next_redirect_url
from allauth.decorators import rate_limit
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.views import LoginWebAuthnView, RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import views
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

import audit
from accounts import single_sign_on
from accounts.models import User

log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


def counted(view: View) -> View:
    """For pages that count attempts: while the cache with the counts is away, nothing can be tried."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except RedisError as error:
            log.warning("Nobody can sign in, as attempts cannot be counted: %s", error)
            answer = render(request, "account/away.html", status=503)
            answer["Retry-After"] = "30"
            return answer

    return answered


class SignInForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username")
        self.fields["login"].widget.attrs = {"autocomplete": "username webauthn", "autocapitalize": "none"}
        self.fields["login"].widget.attrs["autofocus"] = True
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)


class LoginView(allauth.LoginView):
    form_class = SignInForm
    template_name = "registration/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        onward = get_next_redirect_url(self.request) or ""
        providers = [
            {"address": reverse(f"{way}_login", args=[one["provider_id"]]), "name": one["name"]}
            for way, one in single_sign_on.providers()
        ]
        query = f"?{urlencode({'next': onward})}" if onward else ""
        more = {"providers": providers, "onward": onward, "onward_query": query}
        return {**super().get_context_data(**kwargs), **more}


class PasskeyView(LoginWebAuthnView):
    """After a wrong key one is back at signing in, with a message of what to do."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # its page is that of signing in
        return dict(kwargs)

    def form_invalid(self, form: Form) -> HttpResponse:
        messages.error(self.request, _("Signing in by this passkey did not work."))
        return redirect("login")


class RemovePasskeyView(RemoveWebAuthnView):
    def form_valid(self, form: Form) -> HttpResponse:
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, str(adapter.error_messages["cannot_delete_authenticator"]))
            return redirect("account")
        answer: HttpResponse = super().form_valid(form)
        return answer


@method_decorator(rate_limit(action="change_password"), name="dispatch")  # the old one may be guessed, too
class PasswordView(views.PasswordChangeView):
    """Every other session of the account ends; this one goes on, under another key."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        about = User.objects.get(pk=form.user.pk)
        audit.record(audit.Event.ACCOUNT_CHANGED, self.request, about, action="password changed")
        UserSession.objects.create_from_request(self.request)
        return answer


def cancelled(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("You did not sign in."))
    return redirect("login")


def for_administration(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """The administration has no way in of its own: no counting and no second factor is gone around."""
    onward = get_next_redirect_url(request) or ""
    if request.user.is_authenticated:
        if not request.user.is_staff:
            raise PermissionDenied
        return redirect(onward or "admin:index")
    return redirect(f"{reverse('login')}?{urlencode({'next': onward or reverse('admin:index')})}")


def password_for_administration(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    return redirect("password_change")

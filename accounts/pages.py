"""One's own account: what people set for themselves, their second factors, sessions and tokens."""

import zoneinfo
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

import audit
from accounts import second_factor
from accounts.models import User


class PreferencesForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ["language", "time_zone"]
        widgets = {"time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("That of the browser")), *settings.LANGUAGES]
        self.fields["language"].widget = forms.Select(choices=choices)
        self.fields["language"].help_text = ""


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def account(request: HttpRequest) -> HttpResponse:
    """All of it on one page; each thing is changed on a page of its own."""
    user = _user(request)
    factors = Authenticator.objects.filter(user=user).order_by("created_at")
    sessions = sorted(UserSession.objects.purge_and_list(user), key=lambda one: one.created_at, reverse=True)
    for one in sessions:
        one.browser = browser_of(one.user_agent)
    context = {
        "person": user,
        "passkeys": [factor for factor in factors if factor.type == Authenticator.Type.WEBAUTHN],
        "app": next((factor for factor in factors if factor.type == Authenticator.Type.TOTP), None),
        "codes": next((one for one in factors if one.type == Authenticator.Type.RECOVERY_CODES), None),
        "must_have_factor": second_factor.is_required(user),
        "sessions": sessions,
        "tokens": user.api_tokens.order_by("-created_at"),
    }
    return render(request, "account/account.html", context)


def _user(request: HttpRequest) -> User:
    return User.objects.get(username=request.user.get_username())


def browser_of(agent: str) -> str:
    """The name of a browser and of a system, for people, out of what a browser says of itself."""
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows"}
    systems |= {"Mac OS": "Mac", "Linux": "Linux"}
    browser = next((name for mark, name in browsers.items() if f"{mark}/" in agent), _("Another program"))
    system = next((name for mark, name in systems.items() if mark in agent), "")
    return f"{browser}, {system}" if system else browser


@login_required
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out one other browser."""
    chosen = get_object_or_404(UserSession, pk=request.POST.get("session") or 0, user=_user(request))
    if chosen.is_current():
        return redirect("account")
    audit.record(audit.Event.SESSION_ENDED, request, _user(request), what=browser_of(chosen.user_agent))
    chosen.end()
    messages.success(request, _("That browser was signed out."))
    return redirect("account")


@login_required
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here, whether a session is in the list or not."""
    user = _user(request)
    User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
    user.refresh_from_db()
    for other in UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key or ""):
        other.end()
    audit.record(audit.Event.SESSION_ENDED, request, user, what="all others")
    update_session_auth_hash(request, user)
    UserSession.objects.create_from_request(request)
    messages.success(request, _("You were signed out everywhere but here."))
    return redirect("account")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """The language is put into the browser as well, so that the page for signing in has it, too."""
    user = _user(request)
    form = PreferencesForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        with translation.override(user.language or translation.get_language()):
            messages.success(request, _("Your settings were saved."))
        answer = redirect("preferences")
        if user.language:
            remember(answer, user.language)
        else:
            answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
        return answer
    context = {"form": form, "time_zones": sorted(zoneinfo.available_timezones())}
    return render(request, "registration/preferences.html", context)


def remember(answer: HttpResponse, language: str) -> None:
    """As Django's own set_language does it."""
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )

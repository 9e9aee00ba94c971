"""Signing in and out, and changing one's password: Django's own views with our templates."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views
from django.urls import path

from accounts import pages

# LoginView would put the address of the site in the place of its name.
signing_in: dict[str, Any] = {
    "redirect_authenticated_user": True,
    "extra_context": {"site_name": settings.SITE_NAME},
}

urlpatterns = [
    path("login/", views.LoginView.as_view(**signing_in), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("preferences/", pages.preferences, name="preferences"),
    path("password/", views.PasswordChangeView.as_view(), name="password_change"),
    path("password/changed/", views.PasswordChangeDoneView.as_view(), name="password_change_done"),
]

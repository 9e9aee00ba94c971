"""Signing in and out, and one's own account. Of django-allauth only pages that are wanted have addresses."""

from typing import Any

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.decorators import login_required
from django.urls import include, path

from accounts import oidc, pages, sign_in, tokens_page
from accounts.saml import views as saml

# LogoutView would put the address of the site in the place of its name.
named: dict[str, Any] = {"extra_context": {"site_name": settings.SITE_NAME}}
signing_in = sign_in.counted(sign_in.LoginView.as_view(**named))
signing_out = views.LogoutView.as_view(**named)

second_factor = [
    path("", pages.account, name="mfa_index"),
    path("code/", sign_in.counted(mfa.authenticate), name="mfa_authenticate"),
    path("confirm/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("app/add/", totp.activate_totp, name="mfa_activate_totp"),
    path("app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("codes/download/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
]
passkey = [
    path("", pages.account, name="mfa_list_webauthn"),
    path("login/", sign_in.counted(sign_in.PasskeyView.as_view()), name="mfa_login_webauthn"),
    path("confirm/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("<int:pk>/remove/", sign_in.RemovePasskeyView.as_view(), name="mfa_remove_webauthn"),
    path("<int:pk>/edit/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
]

urlpatterns = [
    path("", pages.account, name="account"),
    path("login/", signing_in, name="login"),
    path("login/", signing_in, name="account_login"),
    path("logout/", signing_out, name="logout"),
    path("logout/", signing_out, name="account_logout"),
    path("confirm/", allauth.reauthenticate, name="account_reauthenticate"),
    path("preferences/", pages.preferences, name="preferences"),
    path("password/", login_required(sign_in.PasswordView.as_view()), name="password_change"),
    path("password/changed/", views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("sessions/end/", pages.end_session, name="end_session"),
    path("sessions/end-all/", pages.end_sessions, name="end_sessions"),
    path("tokens/new/", tokens_page.new_token, name="new_token"),
    path("tokens/<int:pk>/revoke/", tokens_page.revoke_token, name="revoke_token"),
    path("second-factor/", include(second_factor)),
    path("passkeys/", include(passkey)),
    path("oidc/cancelled/", sign_in.cancelled, name="socialaccount_login_cancelled"),
    path("oidc/<slug:provider_id>/login/", oidc.begin, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", oidc.callback, name="openid_connect_callback"),
    path("saml/<slug:provider_id>/metadata/", saml.metadata, name="saml_metadata"),
    path("saml/<slug:provider_id>/login/", sign_in.counted(saml.begin), name="saml_login"),
    path("saml/<slug:provider_id>/answer/", sign_in.counted(saml.acs), name="saml_acs"),
    path("saml/<slug:provider_id>/finish/", sign_in.counted(saml.finish), name="saml_finish"),
]

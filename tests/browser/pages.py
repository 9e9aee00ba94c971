"""Which pages there are, by the addresses of the application, and what axe-core says of one."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page, expect

OTHERS = {"admin", "api-1", "iiif"}  # namespaces: Django's own pages, and no pages at all
PARTS = {  # of pages, asked for by htmx
    "assets:alike",
    "assets:bulk_progress",
    "assets:duplicates_count",
    "assets:import_progress",
    "assets:jobs_now",
    "assets:known_terms",
    "assets:rights_count",
    "assets:state",
    "assets:term_labels",
    "assets:term_work_progress",
    "assets:terms_below",
    "assets:upload_outcome",
    "search:along",
    "search:detail",
    "search:learning_progress",
    "search:saved_count",
    "search:similar",
    "search:smart",
    "search:suggest",
    "search:why",
}
FILES = {
    "assets:bulk_report",
    "assets:bulk_zip",
    "assets:copy",
    "assets:download",
    "assets:downloads_csv",
    "assets:history_csv",
    "assets:import_report",
    "assets:media",
    "assets:original",
    "assets:record_history_csv",
    "assets:rendition",
    "assets:shared_jpeg",
    "assets:shared_original",
    "assets:sidecar",
    "assets:vocabulary_csv",
    "assets:vocabulary_ttl",
    "saml_metadata",
}
ELSEWHERE = {  # they only lead to another page, or show the same one
    *(f"assets:bulk_{what}" for what in ("again", "cancel", "continue", "start", "undo")),
    "assets:by_uid",
    "assets:edit_field",
    "assets:edit_record_field",
    "assets:one_upload",
    "assets:problems",
    "assets:uploads",
    "search:saved_open",
    "search:select",
    "account_login",
    "account_logout",
    "logout",
    "mfa_index",
    "mfa_list_webauthn",
    "mfa_login_webauthn",
    "openid_connect_callback",
    "openid_connect_login",
    "saml_finish",
    "saml_login",
    "socialaccount_login_cancelled",
    "set_language",
}
ADMINISTRATION = {"audit", "health", "storage", "encoders"}  # in the frame of Django's own pages
CONFIRMED = {  # they ask first whether it is you; several are among the answers of filled.py
    *(f"mfa_{what}_webauthn" for what in ("add", "edit", "reauthenticate", "remove")),
    *(f"mfa_{what}_recovery_codes" for what in ("download", "generate", "view")),
    "mfa_activate_totp",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_reauthenticate",
}
NO_PAGES = PARTS | FILES | ELSEWHERE | ADMINISTRATION | CONFIRMED
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = """async (tags) => {
  const found = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
  return found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`);
}"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def addressed() -> set[str]:
    """The names of all views that answer a GET, as the addresses have them."""
    return {name for name, view in _views(get_resolver().url_patterns) if _answers_get(view)}


def _views(patterns: list[Any], space: str = "") -> Iterator[tuple[str, Any]]:
    for one in patterns:
        if isinstance(one, URLResolver):
            if one.namespace not in OTHERS:
                yield from _views(one.url_patterns, one.namespace or space)
        elif isinstance(one, URLPattern) and one.name:
            yield f"{space}:{one.name}".lstrip(":"), one.callback


def _answers_get(view: Any) -> bool:
    """Whether no decorator among those around a view, such as require_POST, refuses it."""
    while code := getattr(view, "__code__", None):
        cells = dict(zip(code.co_freevars, view.__closure__ or (), strict=True))
        methods = cells.get("request_method_list")
        if methods is not None and "GET" not in methods.cell_contents:
            return False
        view = getattr(view, "__wrapped__", None)
    return True


def look_at(page: Page, axe: str, address: str, width: int, scheme: Any) -> list[str]:
    """Open a page, and say what keeps people from using it at this width and in this scheme of colours."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours on their way are not judged
    page.goto(address)
    expect(page.locator(".htmx-request")).to_have_count(0)
    page.evaluate(axe)
    found = page.evaluate(AXE, TAGS)
    return [*found, "it scrolls sideways"] if page.evaluate(SIDEWAYS) else found

"""Which pages there are, by the addresses of the application, and what axe-core says of one."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page

OTHERS = {"admin", "api-1", "iiif"}  # namespaces: Django's own pages, and no pages at all
PARTS = {  # of pages, asked for by htmx
    "assets:alike",
    "assets:bulk_progress",
    "assets:duplicates_count",
    "assets:import_progress",
    "assets:jobs_now",
    "assets:known_terms",
    "assets:state",
    "assets:term_labels",
    "assets:term_work_progress",
    "assets:terms_below",
    "assets:upload_outcome",
    "search:along",
    "search:detail",
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
    "assets:import_report",
    "assets:original",
    "assets:rendition",
    "assets:sidecar",
    "assets:vocabulary_csv",
    "assets:vocabulary_ttl",
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
    "logout",
    "set_language",
}
ADMINISTRATION = {"health", "storage", "encoders"}  # in the frame of Django's own pages
NO_PAGES = PARTS | FILES | ELSEWHERE | ADMINISTRATION
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
    page.wait_for_function("!document.querySelector('.htmx-request')")
    page.evaluate(axe)
    found = page.evaluate(AXE, TAGS)
    return [*found, "it scrolls sideways"] if page.evaluate(SIDEWAYS) else found

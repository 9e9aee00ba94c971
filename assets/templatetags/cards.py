"""`{% cards found selectable=True %}` and `{% lines found %}`: many pictures, by templates in Jinja.

A page has 48 cards of some forty tags each; Django's own templates take five times as long for them
(docs/decisions/0040). What is said on them is translated here.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from django import template
from django.template import Context, engines
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from assets.views.cards import Card

register = template.Library()
AT_ONCE = 12  # pictures that are loaded with the page; those below when somebody scrolls there


@register.simple_tag(takes_context=True)
def cards(
    context: Context,
    found: Sequence[Card],
    *,
    selectable: bool = False,
    hide_tools: bool = False,
    later: bool = False,
) -> SafeString:
    """`later`: the page is there already, so that no picture need be loaded at once."""
    later = later or bool(context.get("later"))
    return _rendered("cards", context, found, selectable=selectable, hide_tools=hide_tools, later=later)


@register.simple_tag(takes_context=True)
def lines(context: Context, found: Sequence[Card]) -> SafeString:
    return _rendered("lines", context, found, selectable=True, later=bool(context.get("later")))


def _rendered(name: str, context: Context, found: Sequence[Card], **options: Any) -> SafeString:
    wish = context.get("wish")
    page = SimpleNamespace(
        **{"hide_tools": False, **options},
        adding=context.get("adding", ""),
        asks=bool(wish and wish.asks),
        at_once=0 if options["later"] else AT_ONCE,
        icons=static("img/icons.svg"),
        library=reverse("search:library"),
        said=_said(),
        why=_why,
    )
    written: Any = engines["jinja2"].get_template(f"{name}.jinja")
    html: str = written.render({"cards": found, "page": page})
    # It is escaped already, as what Django's own templates write.
    return SafeString(html)  # nosec B703


def _said() -> dict[str, str]:
    return {
        "more": _("More like this"),
        "less": _("Less like this"),
        "why": _("Why is this here?"),
        "awaited": _("Waiting for its picture"),
        "processing": _("Processing"),
        "failed": _("Failed"),
        "maker": _("Maker"),
        "date": _("Date"),
        "number": _("Number"),
        "collection": _("Collection"),
        "rights": _("Rights"),
        "size": _("Size"),
    }


def _why(card: Card) -> str:
    return render_to_string("search/partials/why.html", {"why": card.why})

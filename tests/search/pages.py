"""What tests of pages of the administration share: their addresses, and what is to be read on them."""

import html
import re
from typing import Any

from django.urls import reverse

HTMX = {"HTTP_HX_REQUEST": "true"}


def at(name: str, *args: Any, model: str = "embeddingspace") -> str:
    return reverse(f"admin:search_{model}_{name}", args=args)


def text(answer: Any) -> str:
    """What is to be read on a page."""
    words = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(words).split())

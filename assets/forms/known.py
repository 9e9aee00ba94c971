"""A line of names that offers those of a vocabulary while somebody writes, and says which are new."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


class KnownInput(forms.TextInput):
    """Asks the page `assets:known_terms`, whose answer has the list that the line names."""

    def __init__(self, vocabulary: str, *, closed: bool = False, several: bool = True) -> None:
        """`closed`: no name can be new. `several`: semicolons stand between names."""
        super().__init__(attrs={"autocomplete": "off"})
        self.vocabulary, self.closed, self.several = vocabulary, closed, several

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attrs = dict(attrs or {})
        box = attrs.get("id") or f"id_{name}"
        asked = [key for key, said in (("closed", self.closed), ("one", not self.several)) if said]
        attrs |= {
            "id": box,
            "list": f"{box}_known",
            "hx-get": reverse("assets:known_terms", args=[self.vocabulary])
            + (f"?{'&'.join(asked)}" if asked else ""),
            "hx-trigger": "input changed delay:200ms, focus once",
            "hx-target": f"#{box}_said",
            "hx-swap": "innerHTML",
            "data-quiet": "",
        }
        line = super().render(name, value, attrs, renderer)
        return format_html('{}<div class="known" id="{}_said" aria-live="polite"></div>', line, box)

"""`{{ operation.label|stored }}`: what was stored, in the language of who reads it."""

from django import template

from assets.stored import shown

register = template.Library()


@register.filter
def stored(text: object) -> str:
    return shown(str(text))

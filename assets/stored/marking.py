"""How sentences are marked for translation that are not shown where they are written."""

Sentence = tuple[str, str]
"""Singular and plural; the second is empty where there is one form."""


def gettext_noop(text: str) -> Sentence:
    return text, ""


def ngettext_noop(one: str, many: str) -> Sentence:
    return one, many

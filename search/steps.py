"""The way by which a question was narrowed in one field, and out of it again."""

from search.explained import said
from search.forms import Wish
from search.language import parse, parse_filter
from search.language.nodes import Field


def path(wish: Wish, field: str) -> list[tuple[str, str]]:
    """The chosen filters of this field, for people, each with the address without those after it."""
    found = []
    for text in wish.filters:
        if _is_of(field, text):
            later = wish.filters[wish.filters.index(text) + 1 :]
            kept = tuple(other for other in wish.filters if other not in later or not _is_of(field, other))
            found.append((said(text), wish.address(filters=kept)))
    return found


def without(wish: Wish, field: str) -> str:
    """The address of the question without this field, chosen or written; empty where it has none."""
    kept, text = tuple(other for other in wish.filters if not _is_of(field, other)), wish.q
    for start, end in reversed(parse(wish.q).parts):
        if _is_of(field, wish.q[start:end]):
            text = text[:start] + text[end:]
    text = " ".join(text.split()) if text != wish.q else text
    return wish.address(filters=kept, q=text) if (kept, text) != (wish.filters, wish.q) else ""


def _is_of(field: str, text: str) -> bool:
    tree = parse_filter(text).tree
    return isinstance(tree, Field) and tree.name == field

"""Find and replace in a text: plain text, no patterns."""

import re
import unicodedata


def finder(find: str, *, whole_words: bool = False, match_case: bool = False) -> "re.Pattern[str]":
    """What finds this text, however its accents are encoded. Raises ValueError for nothing."""
    forms = {unicodedata.normalize(form, find) for form in ("NFC", "NFD")}
    if not find:
        raise ValueError("There is nothing to look for.")
    found = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    if whole_words:  # a mark that belongs to the letter before it does not end a word
        found = rf"(?<!\w)(?:{found})(?![\w\u0300-\u036f])"
    elif unicodedata.category(find[-1])[0] == "L":  # else `e` would be found in a decomposed `é`
        found = rf"(?:{found})(?![\u0300-\u036f])"
    return re.compile(found, 0 if match_case else re.IGNORECASE)


def replaced(text: str, finder: "re.Pattern[str]", put: str) -> str:
    """The text with everything that is found replaced, from left to right and never within what was put."""
    return finder.sub(lambda _: put, text)

"""Cells that a spreadsheet would take for a formula: harmless in what we write, read back as they were."""

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # wide ones, too


def safe(text: str) -> str:
    """A spreadsheet opens it as text and runs nothing."""
    return f"'{text}" if text.startswith(RISKY) else text


def as_was(text: str) -> str:
    """What `safe` made of it, taken back."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(RISKY) else text

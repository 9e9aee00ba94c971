"""The administration of embedding spaces: making, filling, comparing, using, leaving and dropping them."""

from search.admin import comparisons, spaces

__all__ = ["comparisons", "spaces"]

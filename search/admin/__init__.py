"""The administration of the search: embedding spaces with all that is done to them, and counted questions."""

from search.admin import comparisons, questions, spaces

__all__ = ["comparisons", "questions", "spaces"]

"""The administration of pictures and records, of words, of work and of history."""

from assets.admin import catalogue, history, pictures, words, work

__all__ = ["catalogue", "history", "pictures", "words", "work"]

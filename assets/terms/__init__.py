"""Vocabularies and what follows from changing them: editing, merging, importing, taking back.

    work = editing.edit(term, {"label": "dog"}, user)     # written at once, with its history
    work.step(found.pk)                                   # a portion of what follows, until nothing is left

docs/decisions/0028 says why it has this shape.
"""

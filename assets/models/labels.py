"""What names of things have in common."""

from typing import Any

from django.db import models
from django.db.models import F, Func


def label_words(of: str) -> Any:
    """A column that the database makes of another: its words without accents and capitals, ` van gogh`.

    With a space before each word, for finding any word by its beginning.
    """
    return models.GeneratedField(
        expression=Func(F(of), function="label_words"), output_field=models.TextField(), db_persist=True
    )

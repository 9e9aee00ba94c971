"""A question as it is asked: what the page, the API and the commands hand to search.query."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser

from assets.scopes import scope_of
from search import sql
from search.language import names, parse
from search.models import EmbeddingSpace
from search.region import Region

if TYPE_CHECKING:
    from accounts.models import User
    from assets.models import AssetVersion

MODES = {"best": "words and likeness", "keywords": "words only", "visual": "likeness only"}
SORTS = ("relevance", *sql.ORDERS)


@dataclass(frozen=True)
class HybridQuery:
    """A question: words, pictures, filters, or any of them together. Empty means everything, newest first.

    `text` and each of `filters` are in the language of search.language; `tags` and `collections` are names.
    """

    user: "User | AnonymousUser"
    text: str = ""
    image: bytes | None = None
    liked: tuple[int, ...] = ()
    """Assets that the results should resemble; permission is asked for again when the query runs."""
    unliked: tuple[int, ...] = ()
    """Those that they should not resemble; an asset that is in both is not liked."""
    region: Region | None = None
    """A part of an asset's picture."""
    version: "AssetVersion | None" = None
    """The file of that picture, where it was loaded already."""
    tags: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    mode: str = "best"
    weak: bool = True
    """Whether weak results follow the strong ones; where none is strong they are there all the same."""
    sort: str = "relevance"
    """One of SORTS. A question that is sorted otherwise keeps its strong results before the weak ones."""
    limit: int = 48
    offset: int = 0
    makers: bool = False
    """Whether the makers of each picture are loaded with it, for a list of lines."""
    stored: Mapping[int, sql.Vector] | None = field(default=None, compare=False, repr=False)
    """The vectors of those of its examples that may be seen, where they were loaded already."""
    known: names.Known | None = field(default=None, compare=False, repr=False)
    """The names in it, where they were looked up already."""
    beside: tuple[int, ...] = ()
    """Assets that the page shows beside the results."""

    @property
    def asks(self) -> bool:
        """Whether there is anything to rank by; else this is a list.

        What is not liked alone says nothing of what is wanted, so it ranks nothing (docs/decisions/0015).
        """
        if self.mode == "keywords":
            return bool(parse(self.text).sentence)
        return bool(self.image or self.liked or self.region or parse(self.text).sentence)

    @property
    def by_example(self) -> bool:
        return bool(self.image or self.liked or self.unliked or self.region)

    @property
    def is_list(self) -> bool:
        """Whether all that passes is listed to its end: nothing is asked, or words alone decide."""
        return not self.asks or self.mode == "keywords" and self.sort != "relevance"

    def key(self, space: EmbeddingSpace | None) -> str:
        """Equal for the same question of the same person in the same space, whatever the page."""
        values = {
            **asdict(replace(self, user=AnonymousUser(), image=None, version=None, stored=None, known=None)),
            "user": self.user.pk,
        }
        values["scope"] = scope_of(self.user).key
        values = {
            k: v
            for k, v in values.items()
            if k not in {"limit", "offset", "weak", "sort", "makers", "beside"}
        }
        values["image"] = hashlib.sha256(self.image).hexdigest() if self.image else ""
        values["space"] = space.slug if space else ""
        return hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()

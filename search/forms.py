"""What a search page may be asked: its whole state lies in the address."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from search.hybrid import MODES
from search.language import parse
from search.region import Region, RegionError

T = TypeVar("T")
PER_PAGE = 48
MOST_CHARACTERS = 1000  # of a question
MOST_EXAMPLES = 50  # liked, and as many that are not
MOST_FILTERS = 20
VIEWS = ("grid", "list", "timeline", "map")
MOST_PAGES = 10  # shown at once, when somebody comes back to a library of which more was shown
MODE_NAMES = {"best": _("Words and likeness"), "keywords": _("Words only"), "visual": _("Likeness only")}
SORT_NAMES = {
    "relevance": _("Best match first"),
    "added": _("Newest first"),
    "title": _("Title"),
    "date": _("Date of the object"),
    "accession": _("Accession number"),
}


class SearchForm(forms.Form):
    """Wrong values are left out rather than refused: an old bookmark still shows something."""

    q = forms.CharField(required=False)
    collection = forms.CharField(required=False, max_length=5000)
    picture = forms.CharField(required=False, max_length=100)
    mode = forms.ChoiceField(required=False, choices=[(mode, MODE_NAMES.get(mode, mode)) for mode in MODES])
    sort = forms.ChoiceField(required=False, choices=list(SORT_NAMES.items()))
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)
    first = forms.IntegerField(required=False, min_value=1, max_value=10_000)
    weak = forms.BooleanField(required=False)
    why = forms.BooleanField(required=False)
    view = forms.ChoiceField(required=False, choices=[(view, view) for view in VIEWS])


class PictureForm(forms.Form):
    picture = forms.FileField()


class DetailForm(forms.Form):
    """A box in a picture, in percent of its sides."""

    left = forms.FloatField(min_value=0, max_value=100)
    top = forms.FloatField(min_value=0, max_value=100)
    width = forms.FloatField(min_value=0, max_value=100)
    height = forms.FloatField(min_value=0, max_value=100)

    def region(self, uid: UUID) -> Region:
        """The box that was given. Raises RegionError."""
        if not self.is_valid():
            raise RegionError(
                gettext("A detail has a left edge, a top edge, a width and a height, each from 0 to 100 %.")
            )
        return Region.at(uid, *(self.cleaned_data[name] / 100 for name in ("left", "top", "width", "height")))


@dataclass(frozen=True)
class Wish:
    """A search as its address says it."""

    q: str = ""
    tags: tuple[str, ...] = ()
    collection: str = ""
    filters: tuple[str, ...] = ()
    """In the language of the search box; each must hold."""
    like: tuple[UUID, ...] = ()
    unlike: tuple[UUID, ...] = ()
    region: Region | None = None
    picture: str = ""
    mode: str = "best"
    sort: str = "relevance"
    page: int = 1
    first: int = 0
    """The page from which on all is shown, where more was shown than the one page."""
    weak: bool = False
    """Whether the weaker matches are shown beside strong ones."""
    why: bool = False
    """Whether each result says why it is there."""
    view: str = ""
    """`list`: in lines with facts; `timeline`, `map`: by date, by place; else a grid, and `grid` says so."""

    @classmethod
    def of(cls, data: QueryDict) -> "Wish":
        form = SearchForm(data)
        form.is_valid()
        good: dict[str, Any] = {name: value for name, value in form.cleaned_data.items() if value}
        good["q"] = good.get("q", "")[:MOST_CHARACTERS]
        tags = dict.fromkeys(" ".join(tag.replace("\0", "").split())[:200] for tag in data.getlist("tag"))
        unlike = _uuids(data.getlist("unlike"))
        like = tuple(uid for uid in _uuids(data.getlist("like")) if uid not in unlike)
        region = _region(data.get("region", ""))
        filters = dict.fromkeys(
            text.replace("\0", "").strip()[:MOST_CHARACTERS] for text in data.getlist("filter")
        )
        good["filters"] = tuple(filter(None, filters))[:MOST_FILTERS]
        return cls(**good, tags=tuple(filter(None, tags)), like=like, unlike=unlike, region=region)

    @cached_property
    def asks(self) -> bool:  # each card of a page asks for it
        """Whether there is anything to rank by."""
        if self.mode == "keywords":
            return bool(parse(self.q).sentence)
        return bool(self.like or self.region or self.picture or parse(self.q).sentence)

    @property
    def in_lines(self) -> bool:
        return self.view == "list"

    @property
    def by_time(self) -> bool:
        return self.view == "timeline"

    @property
    def by_place(self) -> bool:
        return self.view == "map"

    @property
    def order(self) -> str:
        """A timeline has its own; `sort` stays for the way back from it."""
        return "date" if self.by_time else self.sort

    @property
    def by_example(self) -> bool:
        return bool(self.like or self.unlike or self.region or self.picture)

    @property
    def sorts(self) -> dict[str, str]:
        """Where nothing is asked, there is no best match, and the newest come first anyway."""
        names = {name: gettext(label) for name, label in SORT_NAMES.items()}
        lists = {name: label for name, label in names.items() if name != "added"}
        return names if self.asks else lists | {"relevance": names["added"]}

    @property
    def narrowed(self) -> bool:
        return bool(self.by_example or self.q or self.filtered)

    @property
    def filtered(self) -> bool:
        """Whether anything was chosen that the pictures must have, beside the question."""
        return bool(self.tags or self.collection or self.filters)

    @property
    def begin(self) -> int:
        """The first page that is shown."""
        return max(min(self.first or self.page, self.page), self.page - MOST_PAGES + 1)

    def address(self, **other: Any) -> str:
        """The address of this search with some values changed; any other change begins at page 1."""
        values = {**self.__dict__, "page": 1, "first": 0, **other}
        pairs = [("q", values["q"]), *(("tag", tag) for tag in values["tags"])]
        pairs += [("collection", values["collection"]), *(("filter", text) for text in values["filters"])]
        pairs += [("like", str(uid)) for uid in values["like"]]
        pairs += [("unlike", str(uid)) for uid in values["unlike"]]
        pairs += [("region", str(values["region"] or "")), ("picture", values["picture"])]
        pairs += [("mode", values["mode"])] if values["mode"] != "best" else []
        pairs += [("sort", values["sort"])] if values["sort"] != "relevance" else []
        pairs += [("page", str(values["page"]))] if values["page"] > 1 else []
        pairs += [("first", str(values["first"]))] if 0 < values["first"] < values["page"] else []
        asks = values["q"] or values["like"] or values["region"] or values["picture"]
        pairs += [(name, "1") for name in ("weak", "why") if values[name] and asks]
        pairs += [("view", values["view"])]
        query = urlencode([(name, value) for name, value in pairs if value])
        return reverse("search:library") + (f"?{query}" if query else "")

    @property
    def facets(self) -> str:
        """The address of what this search can be narrowed by."""
        return reverse("search:facets") + self.address().removeprefix(reverse("search:library"))

    def adding(self) -> str:
        """The address of this search up to the name of one more example: `like=` or `unlike=` follows.

        In the mode without likeness an example would have no effect, so that the usual mode follows then; and
        from a list, whatever its order, the most fitting first.
        """
        mode = "best" if self.mode == "keywords" else self.mode
        address = self.address(mode=mode, sort=self.sort if self.asks else "relevance")
        return address + ("&" if "?" in address else "?")

    def liking(self, uid: UUID) -> str:
        """The address of this search with an asset that is liked, and not the contrary any more."""
        return self.address(like=(*without(self.like, uid), uid), unlike=without(self.unlike, uid))

    def unliking(self, uid: UUID) -> str:
        return self.address(unlike=(*without(self.unlike, uid), uid), like=without(self.like, uid))

    def dropping(self, uid: UUID) -> str:
        """The address without an asset, liked or not."""
        return self.address(like=without(self.like, uid), unlike=without(self.unlike, uid))


def without(values: tuple[T, ...], gone: T) -> tuple[T, ...]:
    return tuple(value for value in values if value != gone)


def _uuids(texts: list[str]) -> tuple[UUID, ...]:
    """Each once, the last MOST_EXAMPLES of them: what was added last is what somebody waits for."""
    found: list[UUID] = []
    for text in texts[-10 * MOST_EXAMPLES :]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))[-MOST_EXAMPLES:]


def _region(text: str) -> Region | None:
    try:
        return Region.of(text) if text else None
    except RegionError:
        return None

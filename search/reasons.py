"""Why a result is there: the signals with their ranks, and the words of the question that it has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Asset, Record
from search import word_sql
from search.language import parse
from search.ranking import Hit

SIGNALS = {
    "accession": _("accession number"),
    "title": _("title"),
    "keywords": _("words"),
    "some_words": _("some of the words"),
    "visual": _("likeness"),
    "words": _("meaning of its words"),
}
MATCHING = {"keywords", "some_words", "title", "accession"}
START, STOP = "\x02", "\x03"
"""Stand around a matching word until the page marks it; neither can be typed nor stored in a title."""
MARKED = re.compile(f"{START}([^{STOP}]*){STOP}")
LONGEST = 20_000  # characters of one passage that are looked through
Piece = tuple[str, bool]


@dataclass(frozen=True)
class Passage:
    """A place where words match: `title`, and its text in pieces of which some match."""

    where: str
    pieces: list[Piece]


@dataclass
class Reason:
    """`signals`: (name for people, rank), best rank first."""

    signals: list[tuple[str, str]] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """The matching words as they are written there, each once."""
        found = {text.casefold(): text for p in self.passages for text, matches in p.pieces if matches}
        return list(found.values())


def reasons(text: str, hits: Sequence[Hit]) -> dict[int, Reason]:
    """For each of these results, in a fixed number of queries; the hits are those of one page."""
    found = {hit.asset_id: Reason(_ranks(hit)) for hit in hits}
    words = asked_words(text)
    matching = [hit.asset_id for hit in hits if not hit.signals or MATCHING & hit.signals.keys()]
    if not words or not matching:
        return found
    assets = Asset.objects.filter(pk__in=matching).with_words()
    named = [(asset.pk, where, passage) for asset in assets for where, passage in _passages(asset)]
    marked = word_sql.marked(words, [passage for _, _, passage in named], START, STOP)
    for (pk, where, _passage), passage in zip(named, marked, strict=True):
        if passage:
            found[pk].passages.append(Passage(where, _pieces(passage)))
    return found


def asked_words(text: str) -> list[str]:
    """The words of a question, without what is left out and without fields."""
    return re.findall(r"\w+", parse(text).sentence)


def ordinal(number: int) -> str:
    """1 -> 1st, 12 -> 12th, 23 -> 23rd; as the language has it."""
    match get_language():
        case "de":
            return f"{number_format(number, force_grouping=True)}."
        case "fr":
            return f"{number_format(number, force_grouping=True)}{'re' if number == 1 else 'e'}"
        case "nl":
            return f"{number_format(number, force_grouping=True)}e"
    teens = 10 < number % 100 < 20
    return f"{number:,}" + ("th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th"))


def _ranks(hit: Hit) -> list[tuple[str, str]]:
    by_rank = sorted(hit.signals.items(), key=lambda signal: signal[1])
    return [(gettext(SIGNALS.get(name, name)), ordinal(rank)) for name, rank in by_rank]


def _pieces(marked: str) -> list[Piece]:
    """`a \\x02river\\x03 bank` -> [("a ", False), ("river", True), (" bank", False)]"""
    parts = MARKED.split(marked)
    return [(part, bool(n % 2)) for n, part in enumerate(parts) if part]


def _passages(asset: Asset) -> list[tuple[str, str]]:
    """(place for people, text) of all that the keyword index reads of a picture."""
    record = asset.record
    subjects: list[Asset | Record] = [record, asset] if isinstance(record, Record) else [asset]
    found = [passage for subject in subjects for passage in _of_subject(subject)]
    if isinstance(record, Record):
        found.append((gettext("accession number"), record.accession_number))
    found += [
        (gettext("collection"), asset.collection.name),
        (gettext("alternative text"), asset.alt_text),
        (gettext("file name"), " ".join(re.split(r"[\W_]+", asset.filename))),
    ]
    cleaned = ((where, re.sub(r"[\x00-\x08]", " ", text)[:LONGEST]) for where, text in found)
    return [(where, text) for where, text in cleaned if text.strip()]


def _of_subject(subject: Asset | Record) -> list[tuple[str, str]]:
    labels = {_("tags"): TAGS, _("maker"): CREATORS, _("place"): PLACES, _("subject"): SUBJECTS}
    own = [value for by_language in subject.fields.values() for value in by_language.values()]
    return [
        (gettext("title"), subject.title),
        *((gettext(name), ", ".join(subject.labels(vocabulary))) for name, vocabulary in labels.items()),
        (gettext("date"), subject.date),
        (gettext("medium"), subject.medium),
        (gettext("description"), subject.description),
        (gettext("further fields"), ". ".join(str(v) for value in own for v in _several(value))),
        (gettext("credit line"), subject.credit_line),
        (gettext("rights holder"), subject.rights_holder),
    ]


def _several(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]

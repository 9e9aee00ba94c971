"""From the tree of a question to conditions on the search row `r`. Pure: names were looked up before.

Every condition is true or false, never unknown, so that NOT turns it around.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import cast

from django.utils import timezone

from assets.text import accession_key, fold, word_key
from search.language.fields import OWN_FLAG, VECTOR
from search.language.names import LOOKED_UP, Known
from search.language.nodes import (
    And,
    Area,
    Days,
    Field,
    Name,
    Node,
    Not,
    Or,
    Phrase,
    Sides,
    Size,
    Span,
    Value,
    Word,
    both,
    either,
    of_words,
)
from search.language.words import tsquery
from search.sql import Fragment

NOTHING = Fragment("FALSE")


def condition(node: Node, known: Known) -> Fragment:
    """SQL that is true for the rows of which this holds."""
    if of_words(node):
        query = tsquery(node)
        # A question of nothing but words such as "the" asks for nothing.
        return Fragment(f"(r.words @@ {query.sql} OR numnode({query.sql}) = 0)", query.params * 2)
    match node:
        case Field(name, values):
            return _any([_of_value(name, value, known) for value in values])
        case Not(part):
            inner = condition(part, known)
            return Fragment(f"NOT {inner.sql}", inner.params)
        case And(parts):
            words, others = _apart(parts)
            whole = both(words)
            return _all([condition(part, known) for part in ([whole] if whole else []) + others])
        case Or(parts):
            words, others = _apart(parts)
            found = [condition(part, known) for part in others]
            if whole := either(words):
                query = tsquery(whole)
                found.insert(0, Fragment(f"r.words @@ {query.sql}", query.params))
            return _any(found)
    raise TypeError(f"{node} is no part of a question.")


def _apart(parts: tuple[Node, ...]) -> tuple[list[Node], list[Node]]:
    """What is made of words alone, and the rest."""
    return [part for part in parts if of_words(part)], [part for part in parts if not of_words(part)]


def _any(fragments: list[Fragment]) -> Fragment:
    return _joined([f for f in fragments if f != NOTHING], " OR ") if fragments else NOTHING


def _all(fragments: list[Fragment]) -> Fragment:
    return NOTHING if NOTHING in fragments else _joined(fragments, " AND ")


def _joined(fragments: list[Fragment], word: str) -> Fragment:
    if len(fragments) < 2:
        return fragments[0] if fragments else NOTHING
    params = tuple(param for fragment in fragments for param in fragment.params)
    return Fragment(f"({word.join(fragment.sql for fragment in fragments)})", params)


# --- fields ---------------------------------------------------------------------------------------


def _of_value(name: str, value: Value, known: Known) -> Fragment:
    if name in LOOKED_UP:
        column = "collection_ids" if name == "collection" else "term_ids"
        ids = known.get((name, value), [])
        return Fragment(f"r.{column} && %s::bigint[]", (ids,)) if ids else NOTHING
    return CONDITIONS[name](value)


def _title(value: Value) -> Fragment:
    """The index of all words finds the rows; that they are in the title is seen in the title itself."""
    name = _name(value)
    first, folded = _title_query(name.text, value), _title_query(fold(name.text), value)
    return Fragment(
        f"(r.words @@ {first.sql} AND to_tsvector('museum', r.title_key) @@ {folded.sql})",
        first.params + folded.params,
    )


def _title_query(text: str, value: Value) -> Fragment:
    if _name(value).beginning:
        return tsquery(Word(f"{text}*"))
    return tsquery(Phrase(text) if value.quoted else Word(text))


def _accession(value: Value) -> Fragment:
    """The number itself and those below it; with an asterisk, all that begin so."""
    name = _name(value)
    key = accession_key(name.text)
    if not key:
        return NOTHING
    literal = key.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return Fragment(
        "r.accession_keys && ARRAY(SELECT n.accession_key FROM assets_record n"
        " WHERE n.trashed_at IS NULL AND n.accession_key <> ''"
        " AND (n.accession_key = %s OR n.accession_key LIKE %s))",
        (key, f"{literal}%" if name.beginning else f"{literal}.%"),
    )


def _date(value: Value) -> Fragment:
    """The years of the object and those asked for have one in common. Without a date, none."""
    span = cast(Span, value.meaning)
    return Fragment(
        "(coalesce(r.year_earliest, r.year_latest) IS NOT NULL"
        " AND coalesce(r.year_earliest <= %s::int, TRUE) AND coalesce(r.year_latest >= %s::int, TRUE))",
        (span.high, span.low),
    )


def _added(value: Value) -> Fragment:
    """Whole days, in the time zone of the person who asks."""
    days, zone = cast(Days, value.meaning), timezone.get_current_timezone()
    found = []
    if days.first:
        found.append(Fragment("r.added_at >= %s", (_midnight(days.first, zone),)))
    if days.last:
        found.append(Fragment("r.added_at < %s", (_midnight(days.last + timedelta(1), zone),)))
    return _all(found)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def _rights(value: Value) -> Fragment:
    said = _name(value).text.casefold()
    if not value.quoted and said in RIGHTS:
        return RIGHTS[said]
    words = word_key(said).split()
    if not words:
        return NOTHING
    ends = [" "] * (len(words) - 1) + ["" if _name(value).beginning else " "]
    patterns = [f"% {word}{end}%" for word, end in zip(words, ends, strict=True)]
    if value.quoted:
        patterns = [f"% {' '.join(words)} %"]
    return _all([Fragment("r.rights_words LIKE %s", (pattern,)) for pattern in patterns])


RIGHTS = {
    "expired": Fragment("coalesce(r.rights_expire_at <= now(), FALSE)"),
    "expiring": Fragment(
        "coalesce(r.rights_expire_at > now() AND r.rights_expire_at <= now() + interval '90 days', FALSE)"
    ),
    "embargo": Fragment("coalesce(r.embargo_until > now(), FALSE)"),
    "none": Fragment("NOT r.has @> ARRAY['rights']::varchar[]"),
}
ORIENTATIONS = {
    "landscape": "(r.width::bigint * 100 > r.height::bigint * 105)",
    "portrait": "(r.height::bigint * 100 > r.width::bigint * 105)",
    "square": "(r.width > 0 AND r.width::bigint * 100 <= r.height::bigint * 105"
    " AND r.height::bigint * 100 <= r.width::bigint * 105)",
    "panorama": "(r.height > 0 AND r.width::bigint >= r.height::bigint * 2)",
}
MEASURES = {
    "px": "greatest(r.width, r.height)",
    "pixels": "(r.width::bigint * r.height)",
    "bytes": "r.bytes",
}


def _size(value: Value) -> Fragment:
    size = cast(Size | Sides, value.meaning)
    if isinstance(size, Sides):
        sides = [max(size.one, size.other), min(size.one, size.other)]
        sql = "(greatest(r.width, r.height) = %s AND least(r.width, r.height) = %s)"
        return Fragment(sql, tuple(sides))
    measure = MEASURES[size.measure]
    found = [Fragment("r.width > 0")]
    if size.span.low is not None:
        found.append(Fragment(f"{measure} >= %s", (size.span.low,)))
    if size.span.high is not None:
        found.append(Fragment(f"{measure} <= %s", (size.span.high,)))
    return _all(found)


def _has(value: Value) -> Fragment:
    if value.meaning == VECTOR:
        return Fragment(
            "EXISTS (SELECT 1 FROM search_embedding v WHERE v.asset_id = r.asset_id AND v.kind = 'visual'"
            " AND v.space_id = (SELECT s.id FROM search_embeddingspace s WHERE s.state = 'active'))"
        )
    if str(value.meaning).startswith(OWN_FLAG):
        return _has_field(str(value.meaning).removeprefix(OWN_FLAG))
    return Fragment("r.has @> ARRAY[%s]::varchar[]", (value.meaning,))


def _has_field(slug: str) -> Fragment:
    """Of the museum's own fields the search row keeps nothing but the words."""
    return Fragment(
        "(EXISTS (SELECT 1 FROM assets_asset a WHERE a.id = r.asset_id AND jsonb_exists(a.fields, %s))"
        " OR EXISTS (SELECT 1 FROM assets_depiction d JOIN assets_record o ON o.id = d.record_id"
        " WHERE d.asset_id = r.asset_id AND o.trashed_at IS NULL AND jsonb_exists(o.fields, %s)))",
        (slug, slug),
    )


def _missing(value: Value) -> Fragment:
    inner = _has(value)
    return Fragment(f"NOT {inner.sql}", inner.params)


def _area(value: Value) -> Fragment:
    """Of the picture itself. What is no place on earth counts as none."""
    inside = "r.asset_id IN (SELECT a.id FROM assets_asset a WHERE a.latitude BETWEEN %s AND %s AND {})"
    between = "a.longitude BETWEEN %s AND %s"
    if not isinstance(value.meaning, Area):
        return Fragment(f"NOT {inside.format(between)}", (-90, 90, -180, 180))
    area = value.meaning
    across = "(a.longitude >= %s OR a.longitude <= %s)"
    sides = (area.south, area.north, area.west, area.east)
    return Fragment(inside.format(across if area.west > area.east else between), sides)


def _id(value: Value) -> Fragment:
    return Fragment(
        "r.asset_id = ANY(ARRAY(SELECT a.id FROM assets_asset a WHERE a.uid = %s))", (value.meaning,)
    )


def _name(value: Value) -> Name:
    return cast(Name, value.meaning)


CONDITIONS: dict[str, Callable[[Value], Fragment]] = {
    "area": _area,
    "title": _title,
    "accession": _accession,
    "date": _date,
    "added": _added,
    "rights": _rights,
    "type": lambda value: Fragment("r.format = %s", (value.meaning,)),
    "orientation": lambda value: Fragment(ORIENTATIONS[str(value.meaning)]),
    "size": _size,
    "colour": lambda value: Fragment("r.colors && ARRAY[%s]::varchar[]", (value.meaning,)),
    "has": _has,
    "missing": _missing,
    "id": _id,
}

"""The SQL of learned tags: what to learn them from, and the guesses that wait for somebody's answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from assets.models import TAGS
from assets.scopes import Action, scope_of
from search.sql import OPEN, PICTURED, Where, rows, visible_to

MOST_COUNTED = 5000
"""So many guesses are counted by tag at most, the surest ones."""
# Answers that were not taken back since.
STANDS = "NOT EXISTS (SELECT FROM assets_operation u WHERE u.undoes_id = w.operation_id)"
EXAMPLES = f"""
    SELECT a.id, a.current_version_id, r.term_ids,
        ARRAY(SELECT u.term_id FROM assets_assetterm u WHERE u.asset_id = a.id
            UNION SELECT u.term_id FROM assets_depiction d
            JOIN assets_record c ON c.id = d.record_id AND c.trashed_at IS NULL
            JOIN assets_recordterm u ON u.record_id = d.record_id WHERE d.asset_id = a.id) AS own,
        coalesce(said.accepted, '{{}}'), coalesce(said.refused, '{{}}')
    FROM assets_asset a
    JOIN search_searchrow r ON r.asset_id = a.id
    JOIN search_features f ON f.model = %s AND f.version_id = a.current_version_id
    LEFT JOIN (
        SELECT w.asset_id, array_agg(w.term_id) FILTER (WHERE w.answer = 'accepted') AS accepted,
            array_agg(w.term_id) FILTER (WHERE w.answer = 'refused') AS refused
        FROM assets_taganswer w WHERE {STANDS} GROUP BY w.asset_id) AS said ON said.asset_id = a.id
    WHERE f.numbers IS NOT NULL AND NOT r.trashed AND {PICTURED} AND (%s OR {OPEN})
        AND (r.has @> ARRAY['tag']::varchar[] OR said.asset_id IS NOT NULL)
    ORDER BY a.id
"""
# Guesses that nobody has answered, of pictures that whoever asks may see and describe, and of tags that some
# picture has which they may see: `where` twice.
WAITING = """
    SELECT g.asset_id, g.term_id, g.probability, g.lesson_id
    FROM search_tagguess g JOIN search_searchrow r ON r.asset_id = g.asset_id
    WHERE {where} AND {describes} AND NOT r.term_ids @> ARRAY[g.term_id]
        AND NOT EXISTS (SELECT FROM assets_taganswer w
            WHERE w.asset_id = g.asset_id AND w.term_id = g.term_id AND {stands})
        AND g.term_id = ANY(ARRAY(
            SELECT known.term_id FROM (SELECT DISTINCT term_id FROM search_tagguess) AS known
            WHERE EXISTS (SELECT FROM search_searchrow r
                WHERE r.term_ids @> ARRAY[known.term_id] AND {where} OFFSET 0)))
"""


@dataclass(frozen=True)
class Example:
    """A picture that something is known of: its terms with what is above them, those that it has itself, and
    of these, and of those that it has not, what was answered to suggestions.
    """

    asset_id: int
    version_id: int
    terms: Collection[int]
    own: Collection[int]
    accepted: Collection[int]
    refused: Collection[int]

    @property
    def catalogued(self) -> bool:
        """Whether somebody has given it tags of their own accord, so that those it has not say something."""
        return bool(set(self.own) - set(self.accepted))


class Guess(NamedTuple):
    asset_id: int
    term_id: int
    probability: float
    lesson_id: int


class Waiting(NamedTuple):
    """A tag, and how many of its guesses wait for an answer."""

    term_id: int
    uid: UUID
    label: str
    number: int


def examples(model: str, restricted: bool) -> list[Example]:
    """All pictures with features and tags, or with answers. Restricted ones only if `restricted`."""
    tags = {
        pk
        for (pk,) in rows(
            "SELECT t.id FROM assets_term t JOIN assets_vocabulary v "
            "ON v.id = t.vocabulary_id AND v.slug = %s",
            [TAGS],
        )
    }
    return [
        Example(asset, version, *(tags.intersection(ids) for ids in found))
        for asset, version, *found in rows(EXAMPLES, [model, restricted])
    ]


def terms_of(asset_ids: Sequence[int]) -> dict[int, list[int]]:
    """The terms of these pictures, with what is above them."""
    return dict(
        rows("SELECT asset_id, term_ids FROM search_searchrow WHERE asset_id = ANY(%s)", [list(asset_ids)])
    )


def put_guesses(asset_ids: Sequence[int], guesses: Sequence[Guess]) -> None:
    """Instead of what was guessed of these pictures. Pictures and terms that are gone are left out."""
    columns = [list(column) for column in zip(*guesses, strict=True)] or [[], [], [], []]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM search_tagguess WHERE asset_id = ANY(%s)", [list(asset_ids)])
        cursor.execute(
            "INSERT INTO search_tagguess (asset_id, term_id, probability, lesson_id) SELECT g.* "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::bigint[]) "
            "AS g(asset, term, probability, lesson) JOIN assets_asset a ON a.id = g.asset "
            "JOIN assets_term t ON t.id = g.term ON CONFLICT DO NOTHING",
            columns,
        )


def forget_guesses(but: int) -> None:
    """All that are not of this lesson."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM search_tagguess WHERE lesson_id <> %s", [but])


def waiting(user: Any) -> list[Waiting]:
    """The tags of the surest guesses that wait for an answer of this person, the commonest first."""
    inner, params = _waiting(user)
    found = rows(
        f"SELECT t.id, t.uid, t.label, count(*) FROM (SELECT * FROM ({inner}) AS w "
        "ORDER BY probability DESC LIMIT %s) AS g JOIN assets_term t ON t.id = g.term_id "
        "GROUP BY t.id ORDER BY count(*) DESC, t.key",
        [*params, MOST_COUNTED],
    )
    return [Waiting(*row) for row in found]


def surest(user: Any, term_id: int | None, limit: int, after: tuple[int, int] | None = None) -> list[Guess]:
    """Guesses that wait for an answer of this person, the surest first; with `term_id` those of one tag.

    With `after`, an asset and a term, those that come behind that guess.
    """
    inner, params = _waiting(user)
    if term_id is not None:
        inner, params = f"{inner} AND g.term_id = %s", [*params, term_id]
    if after:
        last = "SELECT -b.probability, b.asset_id, b.term_id FROM search_tagguess b"
        last = f"{last} WHERE b.asset_id = %s AND b.term_id = %s"
        inner = f"{inner} AND (-g.probability, g.asset_id, g.term_id) > ({last})"
        params = [*params, *after]
    order = "ORDER BY g.probability DESC, g.asset_id, g.term_id LIMIT %s"
    return [Guess(*row) for row in rows(f"{inner} {order}", [*params, limit])]


def guess(user: Any, asset_id: int, term_id: int) -> Guess | None:
    """One that waits for an answer of this person."""
    inner, params = _waiting(user)
    found = rows(f"{inner} AND g.asset_id = %s AND g.term_id = %s", [*params, asset_id, term_id])
    return Guess(*found[0]) if found else None


def _waiting(user: Any) -> tuple[str, list[Any]]:
    where = visible_to(Where(), user)
    describes = scope_of(user).of(Action.DESCRIBE).sql("r.home_collection_id")
    text = WAITING.format(where=where.sql, describes=describes, stands=STANDS)
    return text, [*where.params, *where.params]

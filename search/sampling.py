"""The SQL of pictures that are drawn by lot, and the guess at how many there are."""

from search.sql import Fragment, Where

SAMPLED_ROWS = 50  # read for each one that is drawn
ROWS = """
    SELECT CASE WHEN c.reltuples > 0 AND c.relpages > 0
        THEN c.reltuples / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::int)
        ELSE (SELECT count(*) FROM (SELECT FROM search_searchrow LIMIT 20000) AS found) END
    FROM pg_class c WHERE c.oid = 'search_searchrow'::regclass
"""
"""All search rows, as the planner guesses: by how many there were on a page when it last looked."""


def sampled(where: Where, size: int) -> Fragment:
    """Assets that pass, drawn at random, but the same ones for as long as the library stays as it is: for a
    statement that reads them as `drawn`. Of a large library some blocks are read alone, unless too few of
    their rows pass.
    """
    ordered = f"ORDER BY hashint8extended(r.asset_id, 1) LIMIT {int(size)}"
    enough = f"(SELECT share >= 100 OR (SELECT count(*) FROM some_drawn) >= {int(size)} FROM drawing)"
    statement = f"""
        drawing AS MATERIALIZED (SELECT {100 * SAMPLED_ROWS * int(size)} / greatest(({ROWS}), 1) AS share),
        some_drawn AS MATERIALIZED (SELECT r.asset_id FROM search_searchrow r
            TABLESAMPLE SYSTEM ((SELECT least(share, 100) FROM drawing)) REPEATABLE (1)
            WHERE {where.sql} {ordered}),
        drawn AS MATERIALIZED (SELECT asset_id FROM some_drawn WHERE {enough} UNION ALL (
            SELECT r.asset_id FROM search_searchrow r WHERE NOT {enough} AND {where.sql} {ordered}))
    """
    return Fragment(statement, (*where.params, *where.params))

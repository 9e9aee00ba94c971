"""Finding pictures that look alike: a stage of the pipeline, and the same for pictures from before it.

The fingerprint is made of the smallest rendition. A near one makes a DuplicateCandidate: within SURE bits at
once, within WIDE when the vectors agree, which search.duplicates sees to. All pictures are compared; a
pair is shown to those alone who may see both (CandidateQuerySet.visible_to).
"""

from collections.abc import Iterator, Sequence
from functools import partial

from django.db import connection
from django.db.models import prefetch_related_objects
from PIL import Image

from assets import storage
from assets.decode import DAMAGED
from assets.fingerprints import BITS, fingerprint
from assets.kinds import OTHER
from assets.models import AssetVersion, DuplicateCandidate, Fingerprint
from assets.stages import Outcome, PermanentFailure, stage_of_many

State = DuplicateCandidate.State
SURE, WIDE = 64, 88
"""Bits of 256: `python -m benchmarks duplicates` measures what lies within (docs/decisions/0022)."""
MOST = 10
"""Candidates of one picture: what looks like hundreds of others is a form or a blank, no duplicate."""
COMPARED = 250_000
"""Fingerprints up to which each is compared, which takes 0.07 microseconds; of more, those that have one of
sixteen pieces in common, by an index: all within 15 bits, and nearly all within 32."""
TAKEN = 40
"""Neighbours that are looked at before those of earlier versions go."""
UNREADABLE = "The small preview cannot be read. Retry the stage that makes the previews."
ESTIMATE = "SELECT reltuples FROM pg_class WHERE oid = 'assets_fingerprint'::regclass"
NEAR = f"""
    SELECT a.id, near.distance FROM (
        SELECT f.version_id, f.bits <~> asked.bits AS distance
        FROM assets_fingerprint f, (SELECT %s::bit({BITS}) AS bits) AS asked
        WHERE {{pieces}} f.bits <~> asked.bits <= {WIDE} ORDER BY distance LIMIT {TAKEN}) near
    JOIN assets_asset a ON a.current_version_id = near.version_id
    WHERE a.id <> %s ORDER BY near.distance, a.id LIMIT {MOST}
"""  # noqa: S608 (constants of this module; values are parameters)
KEEP = f"""
    WITH shown AS (SELECT FROM assets_asset WHERE id = %(asset)s AND current_version_id = %(version)s),
    gone AS (
        DELETE FROM assets_duplicatecandidate WHERE EXISTS (SELECT FROM shown) AND (
            first_id = %(asset)s AND second_id <> ALL (%(others)s::bigint[])
            OR second_id = %(asset)s AND first_id <> ALL (%(others)s::bigint[])))
    INSERT INTO assets_duplicatecandidate (first_id, second_id, distance, likeness, state, found_at)
    SELECT least(other, %(asset)s), greatest(other, %(asset)s), distance, NULL,
        CASE WHEN distance <= {SURE} THEN '{State.ALIKE}' ELSE '{State.UNSURE}' END, clock_timestamp()
    FROM unnest(%(others)s::bigint[], %(distances)s::smallint[]) AS near (other, distance)
    WHERE EXISTS (SELECT FROM shown) ORDER BY 1, 2
    ON CONFLICT (first_id, second_id) DO UPDATE
    SET distance = EXCLUDED.distance, likeness = EXCLUDED.likeness, state = EXCLUDED.state
"""  # noqa: S608 (as above)
ALL, BY_PIECES = "", "fingerprint_pieces(f.bits) && fingerprint_pieces(asked.bits) AND"
Near = list[tuple[int, int]]


@stage_of_many("Look-alikes", lambda: {0: False}, needs=("make_renditions",), essential=False, quiet=True)
def find_duplicates(versions: Sequence[AssetVersion], variant: int) -> Iterator[Outcome]:
    """The write puts at most MOST candidates for each version. Of what is no picture there are none.

    A fingerprint is kept before anything is looked for: of two copies at the same moment, the later finds
    the earlier.
    """
    known = _fingerprints([version for version in versions if version.format != OTHER])
    by_pieces = _are_many()
    for version in versions:
        bits = known.get(version.pk)
        if isinstance(bits, Exception):
            yield bits
        else:
            yield partial(_keep, version, near(version.asset_id, bits, by_pieces) if bits else [])


def _are_many() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATE)
        return bool(cursor.fetchone()[0] > COMPARED)


def near(asset_id: int, bits: str, by_pieces: bool) -> Near:
    """(asset, bits that differ) of the other pictures within WIDE, nearest first, whoever may see them.

    All are compared, or `by_pieces` those with a piece in common.
    """
    with connection.cursor() as cursor:
        cursor.execute(NEAR.format(pieces=BY_PIECES if by_pieces else ALL), [bits, asset_id])
        return [(pk, int(distance)) for pk, distance in cursor.fetchall()]


def _fingerprints(versions: Sequence[AssetVersion]) -> dict[int, str | None | Exception]:
    """By version, made and kept where there is none; None of what looks like nothing."""

    def known() -> dict[int, str | None | Exception]:
        return dict(Fingerprint.objects.filter(version__in=versions).values_list("version_id", "bits"))

    found, failed, made = known(), {}, []
    missing = [version for version in versions if version.pk not in found]
    prefetch_related_objects(missing, "renditions")
    for version in missing:
        try:
            made.append(Fingerprint(version=version, bits=_seen(version)))
        except Exception as error:  # noqa: BLE001 (it is recorded with this picture, and spoils no other)
            failed[version.pk] = error
    Fingerprint.objects.bulk_create(made, ignore_conflicts=True)
    return {**(known() if made else found), **failed}


def _seen(version: AssetVersion) -> str | None:
    rendition = next((r for r in version.renditions.all() if r.name == "small"), None)
    if rendition is None:
        raise PermanentFailure(UNREADABLE)
    try:
        with storage.renditions().open(rendition.storage_name) as file, Image.open(file) as image:
            return fingerprint(image)
    except DAMAGED as error:
        raise PermanentFailure(UNREADABLE) from error


def _keep(version: AssetVersion, found: Near) -> None:
    """Replace the asset's candidates; nothing happens where the file was replaced meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "asset": version.asset_id,
                "version": version.pk,
                "others": [other for other, _ in found],
                "distances": [distance for _, distance in found],
            },
        )

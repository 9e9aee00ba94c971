"""Finding pictures that look alike: a stage of the pipeline, and the same for pictures from before it.

The fingerprint is made of the smallest rendition. A near one makes a DuplicateCandidate: within SURE bits at
once, within WIDE when the vectors agree, which search.duplicates sees to. All pictures are compared; a
pair is shown to those alone who may see both (CandidateQuerySet.visible_to).
"""

from collections.abc import Iterator, Sequence
from functools import partial

from django.db import connection
from django.db.models import Q
from PIL import Image

from assets import storage
from assets.decode import DAMAGED
from assets.fingerprints import BITS, fingerprint
from assets.kinds import OTHER
from assets.models import Asset, AssetVersion, DuplicateCandidate, Fingerprint
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
ALL, BY_PIECES = "", "fingerprint_pieces(f.bits) && fingerprint_pieces(asked.bits) AND"
Near = list[tuple[int, int]]


@stage_of_many("Look-alikes", lambda: {0: False}, needs=("make_renditions",), essential=False, quiet=True)
def find_duplicates(versions: Sequence[AssetVersion], variant: int) -> Iterator[Outcome]:
    """The write puts at most MOST candidates for each version. Of what is no picture there are none.

    A fingerprint is kept before anything is looked for: of two copies at the same moment, the later finds
    the earlier.
    """
    for version in versions:
        try:
            yield partial(_keep, version, near(version.asset_id, _bits(version)))
        except PermanentFailure as failure:
            yield failure


def near(asset_id: int, bits: str | None) -> Near:
    """(asset, bits that differ) of the other pictures within WIDE, nearest first, whoever may see them."""
    if bits is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATE)
        few = cursor.fetchone()[0] <= COMPARED
        cursor.execute(NEAR.format(pieces=ALL if few else BY_PIECES), [bits, asset_id])
        return [(pk, int(distance)) for pk, distance in cursor.fetchall()]


def _bits(version: AssetVersion) -> str | None:
    if version.format == OTHER:
        return None
    known = Fingerprint.objects.filter(version=version).first()
    if known is None:
        Fingerprint.objects.bulk_create(
            [Fingerprint(version=version, bits=_seen(version))], ignore_conflicts=True
        )
        known = Fingerprint.objects.get(version=version)
    return None if known.bits is None else str(known.bits)


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
    pk = version.asset_id
    if not Asset.objects.filter(pk=pk, current_version=version).exists():
        return
    ids = [other for other, _ in found]
    mine = DuplicateCandidate.objects.filter(Q(first=pk) | Q(second=pk))
    mine.exclude(Q(first__in=ids) | Q(second__in=ids)).delete()
    DuplicateCandidate.objects.bulk_create(
        sorted((_candidate(pk, *one) for one in found), key=lambda c: (c.first_id, c.second_id)),
        update_conflicts=True,
        unique_fields=["first", "second"],
        update_fields=["distance", "likeness", "state"],
    )


def _candidate(one: int, other: int, distance: int) -> DuplicateCandidate:
    first, second = sorted((one, other))
    state = State.ALIKE if distance <= SURE else State.UNSURE
    return DuplicateCandidate(first_id=first, second_id=second, distance=distance, state=state)

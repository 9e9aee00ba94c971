"""The demonstration collection: freely licensed pictures that come inside the scikit-image package.

Nothing of them is in this repository; their folder is found without importing the package.
"""

from importlib.util import find_spec
from pathlib import Path

from accounts.models import User
from assets import changes, ingest
from assets.importing import read_table
from assets.models import Asset, Batch, Operation

COLLECTION = "Demonstration"
PICTURES = Path(__file__).parent / "data" / "demo.csv"


def folder() -> Path | None:
    """Where the pictures lie, or None where the package is not installed."""
    spec = find_spec("skimage")
    places = list(spec.submodule_search_locations or []) if spec else []
    path = Path(places[0]) / "data" if places else None
    return path if path and path.is_dir() else None


def seed(user: User | None = None) -> int:
    """Take in the demonstration pictures; returns how many are new."""
    source = folder()
    if source is None:
        return 0
    batch = Batch.objects.create(source="demonstration", user=user)
    new = 0
    for line in read_table(PICTURES):
        if not (source / line.file).is_file():
            continue
        with (source / line.file).open("rb") as file:
            outcome = ingest.accept(
                file,
                line.file,
                batch=batch,
                user=user,
                collection=COLLECTION,
                words=line.words,
                is_demo=True,
            )
        new += outcome.outcome == ingest.Outcomes.ACCEPTED
    return new


def remove(user: User | None) -> Operation | None:
    """Move all demonstration pictures to the trash, as one operation that can be undone."""
    pictures = list(Asset.objects.live().filter(is_demo=True))
    return changes.trash(pictures, user) if pictures else None

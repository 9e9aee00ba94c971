"""Where the pixels come from: a pyramid, made once for a large picture when somebody first looks into it."""

import hashlib
import logging
import tempfile
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.files import File
from django.core.files.storage import Storage
from PIL import Image

from assets import apart, fixity, storage
from assets.kinds import OTHER
from assets.models import AssetVersion, Rendition
from assets.queues import AWAY
from assets.renditions import MISSING, SIZES
from iiif.files import kept

NAME, MEDIA_TYPE = "pyramid", "image/tiff"
TASK = "iiif.make_pyramid"
SECONDS = settings.STAGE_SECONDS * 2  # for one picture, in which a message does not come back
PATIENCE = SECONDS + 60  # until it is asked for again, if nothing came of it
FAILED_SECONDS, TROUBLE_SECONDS = 3600, 300
TROUBLE = "The closer view could not be made just now. It is tried again in some minutes."
SOON, LATER = 2, 60  # seconds after which to ask again
log = logging.getLogger(__name__)


class NoPicture(Exception):
    """There is nothing to look into; the message is for people."""


class NotYet(Exception):
    """The picture is being prepared; the message is for people."""

    def __init__(self, said: str, seconds: int) -> None:
        super().__init__(said)
        self.seconds = seconds


def is_large(version: AssetVersion) -> bool:
    """Whether there is more to see of it than its largest rendition shows."""
    return version.format != OTHER and max(version.width, version.height) > SIZES["large"]


def source_of(version: AssetVersion) -> Rendition:
    """The rendition with all the pixels of a version; one that is missing is asked for.

    Raises NoPicture, NotYet.
    """
    if version.format == OTHER:
        raise NoPicture("This file is no picture.")
    there = {rendition.name: rendition for rendition in version.renditions.all()}
    found = there.get(NAME if is_large(version) else "large")
    if found:
        return found
    if "large" not in there:
        raise NotYet("The picture is still being processed.", LATER)
    said = _ask(version)
    raise NotYet(said or "The picture is being prepared.", LATER if said else SOON)


def _ask(version: AssetVersion) -> str:
    """Send a worker to make the pyramid, once; returns why there can be none, as far as that is known."""
    try:
        if failed := cache.get(_failed(version.pk)):
            return str(failed)
        if cache.add(_asked(version.pk), True, PATIENCE):
            current_app.send_task(TASK, kwargs={"version_id": version.pk})
    except AWAY as error:
        log.warning("The pyramid of version %s could not be asked for: %s", version.pk, error)
    return ""


def make(version: AssetVersion) -> Rendition | None:
    """Make the pyramid of a version, unless it is there; None where there can be none, which is kept."""
    with storage.locked(hashlib.sha256(f"pyramid of {version.pk}".encode()).hexdigest()):
        found = Rendition.objects.filter(version=version, name=NAME).first()
        try:
            return found or _made(version)
        except (apart.Undecodable, FileNotFoundError) as error:
            said = MISSING if isinstance(error, FileNotFoundError) else str(error)
            log.warning("No pyramid of version %s: %s", version.pk, said)
            cache.set(_failed(version.pk), said, FAILED_SECONDS)
            return None
        except Exception:  # a full disk, a bucket that is away: not again each two seconds
            cache.set(_failed(version.pk), TROUBLE, TROUBLE_SECONDS)
            raise
        finally:
            cache.delete(_asked(version.pk))


def _made(version: AssetVersion) -> Rendition:
    longest = max(version.width, version.height)
    if not storage.originals().exists(version.blob.storage_name):
        raise FileNotFoundError
    with (
        storage.local_copy(version.blob) as original,
        tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR, prefix="pyramid-") as folder,
    ):
        target = Path(folder) / "picture.tif"
        apart.show(original, version.format, target, longest, SECONDS)
        with Image.open(target) as image:
            width, height = image.size
        uid = str(version.asset.uid)
        with target.open("rb") as file:
            stored = storage.renditions().save(f"{uid[:2]}/{uid}/v{version.number}/{NAME}.tif", File(file))
        values = {"storage_name": stored, "media_type": MEDIA_TYPE, "width": width, "height": height}
        values["size"] = target.stat().st_size
    return Rendition.objects.update_or_create(version=version, name=NAME, defaults=values)[0]


def local(rendition: Rendition) -> Path:
    """A rendition as a local file: itself in a folder storage, else a copy that is kept for a while.

    Raises NotYet where the file is lost: it is made again.
    """
    try:
        return _local(rendition)
    except FileNotFoundError as error:
        log.warning("%s is not in storage.", rendition.storage_name)
        if rendition.name == NAME:
            Rendition.objects.filter(pk=rendition.pk).delete()
        else:
            fixity.remake([rendition.version_id], priority=1)
        raise NotYet("The picture is being prepared again.", SOON) from error


def _local(rendition: Rendition) -> Path:
    renditions: Storage = storage.renditions()
    try:
        path = Path(renditions.path(rendition.storage_name))
    except NotImplementedError:
        copies = kept(settings.IIIF_CACHE_DIR / "pyramids", settings.IIIF_CACHE_BYTES)
        name = f"{rendition.pk}-{rendition.size}{Path(rendition.storage_name).suffix}"
        if found := copies.find(name):
            return found
        with renditions.open(rendition.storage_name) as source:
            return copies.keep(name, lambda file: file.writelines(source.chunks(storage.CHUNK)))
    if not path.exists():
        raise FileNotFoundError(path)
    return path


def _asked(pk: int) -> str:
    return f"iiif:asked:{pk}"


def _failed(pk: int) -> str:
    return f"iiif:failed:{pk}"

"""Celery tasks: load, call. No rules here; ids only, keyword-only."""

from celery import shared_task

from assets.models import AssetVersion
from iiif import pyramids


@shared_task(name=pyramids.TASK, soft_time_limit=pyramids.SECONDS + 15, time_limit=pyramids.SECONDS + 30)
def make_pyramid(*, version_id: int) -> None:
    found = AssetVersion.objects.select_related("asset", "blob").filter(pk=version_id).first()
    if found:
        pyramids.make(found)

"""manage.py resume [--failed]: bring all waiting work back to the workers."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from assets import again, pipeline
from assets.models import Asset, StageRun


class Command(BaseCommand):
    help = "Send waiting work to the workers again, after a lost broker or a crash. Safe at any time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--failed", action="store_true", help="also try again what has failed")

    def handle(self, *args: Any, failed: bool, **options: Any) -> None:
        retried = 0
        if failed:
            broken_versions = StageRun.objects.filter(state=StageRun.State.FAILED).values("version")
            retried = again.retry(Asset.objects.live().filter(current_version__in=broken_versions))
        sent = pipeline.resume()
        states = StageRun.State
        waiting = StageRun.objects.filter(state__in=[states.WAITING, states.QUEUED]).count()
        running = StageRun.objects.filter(state=states.RUNNING).count()
        broken = StageRun.objects.filter(state=states.FAILED).count()
        said = f"{retried} tried again, " if failed else ""
        self.stdout.write(
            f"{said}{sent} sent to the workers; {waiting} wait or are queued, {running} run, {broken} failed."
        )

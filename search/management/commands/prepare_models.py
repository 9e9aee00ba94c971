"""Builds the files of the configured encoder that are made once on this machine."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from search.encoders import EncoderError, _prepared


class Command(BaseCommand):
    help = "Build what the built-in encoder needs, if it is missing; quick when everything is there."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        if settings.ENCODER != "builtin":
            self.stdout.write(f"Models: the encoder {settings.ENCODER} has nothing to prepare.")
            return
        started = time.monotonic()
        try:
            there = _prepared.find(settings.MODEL_DIR) is not None
            made = _prepared.prepare(settings.MODEL_DIR)
        except EncoderError as error:
            raise CommandError(str(error)) from error
        how = "ready" if there else f"built in {time.monotonic() - started:.0f} s"
        self.stdout.write(f"Models: {how} in {made.folder}")

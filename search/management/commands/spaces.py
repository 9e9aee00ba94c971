"""manage.py spaces list|create|fill|compare|activate|rollback|drop [--json]: embedding spaces."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat
from tqdm import tqdm

import audit
from search import comparing, encoders, filling, partitions, spaces
from search.evaluation import GoldenError, read
from search.hybrid import MODES
from search.models import EmbeddingSpace

POLL_SECONDS = 1.0
RECORDED = {"create", "activate", "rollback", "drop"}
State = EmbeddingSpace.State


class Command(BaseCommand):
    help = "Look at the embedding spaces, make and fill one, compare two, switch, go back, and drop one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

        def action(name: str, about: str) -> ArgumentParser:
            made: ArgumentParser = actions.add_parser(name, help=about, description=about)
            made.add_argument("--json", action="store_true", help="print one JSON object")
            return made

        action("list", "show all spaces and how far they are")
        create = action("create", "make a space for an encoder of the settings; workers fill it")
        create.add_argument("encoder", nargs="?", default="", help="as ENCODER or ENCODERS name it")
        create.add_argument("--wait", action="store_true", help="show the progress until it is ready")
        fill = action("fill", "fill a space here and now, beside the workers, and try failed pictures again")
        compare = action("compare", "ask known questions in two spaces: recall, median rank, overlap")
        compare.add_argument("space", help="the slug of a space, or the beginning of one")
        compare.add_argument("other", help="the slug of the other space")
        compare.add_argument("--golden", type=Path, required=True, help="a CSV with query and filename")
        compare.add_argument("--mode", choices=MODES, default="visual")
        activate = action("activate", "use a space from the next query on")
        action("rollback", "go back to the space that was in use before")
        drop = action("drop", "remove a space and its vectors for good")
        drop.add_argument("--yes", action="store_true", help="do not ask")
        for made in (fill, activate, drop):
            made.add_argument("space", help="the slug of a space, or the beginning of one")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        do: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, f"do_{action}")
        try:
            said = do(options)
            if action in RECORDED:
                about = audit.About(
                    "embeddingspace", label=str(said.get("slug") or said.get("dropped") or "")
                )
                audit.record(audit.Event.SPACE_CHANGED, None, about, action=action, way="command")
        except (spaces.SpaceError, GoldenError, encoders.EncoderError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(said, default=str))

    def do_list(self, options: dict[str, Any]) -> dict[str, Any]:
        found = [described(space) for space in EmbeddingSpace.objects.order_by("pk")]
        if not options["json"]:
            for space in found:
                numbers = f"{space['done']:,} of {space['total']:,} pictures, {space['failed']:,} failed"
                size = filesizeformat(space["bytes"])
                self.stdout.write(f"{space['slug']}: {space['state']}, {space['doing']}; {numbers}; {size}")
        return {"spaces": found}

    def do_create(self, options: dict[str, Any]) -> dict[str, Any]:
        space = spaces.create(options["encoder"] or settings.ENCODER)
        self.say(
            options, f"{space} is being filled by the workers. When it is ready, compare and activate it."
        )
        if options["wait"]:
            self.watch(space, options, lambda: time.sleep(POLL_SECONDS))
        return described(space)

    def do_fill(self, options: dict[str, Any]) -> dict[str, Any]:
        space = spaces.get(options["space"])
        if space.state not in spaces.KEPT:
            raise spaces.SpaceError(f"{space} is {space.get_state_display()}; activate it to fill it.")
        filling.try_again(space)
        self.watch(space, options, lambda: step(space))
        return described(space)

    def do_compare(self, options: dict[str, Any]) -> dict[str, Any]:
        both = [spaces.get(options["space"]), spaces.get(options["other"])]
        questions = read(options["golden"])
        with self.bar(len(questions), "questions") as bar:
            result = comparing.compare(
                both[0], both[1], questions, options["mode"], lambda asked: bar.update(asked - bar.n) and None
            )
        for space, name in zip(both, ("first", "second"), strict=True):
            figures = ", ".join(f"{key} {value}" for key, value in result[name].items())
            self.say(options, f"{space}: {figures}")
        self.say(options, f"overlap@10 {result['overlap@10']}")
        return {**result, "spaces": [space.slug for space in both]}

    def do_activate(self, options: dict[str, Any]) -> dict[str, Any]:
        space = spaces.activate(spaces.get(options["space"]))
        self.say(options, f"{space} is in use. `manage.py spaces rollback` goes back.")
        return described(space)

    def do_rollback(self, options: dict[str, Any]) -> dict[str, Any]:
        space = spaces.rollback()
        self.say(options, f"{space} is in use again.")
        return described(space)

    def do_drop(self, options: dict[str, Any]) -> dict[str, Any]:
        space = spaces.get(options["space"])
        size, vectors = filesizeformat(partitions.size(space)), sum(partitions.rows_in(space).values())
        if not options["yes"]:
            self.stderr.write(
                f"{space}: {vectors:,} vectors, {size}. To have them again, all must be made anew."
            )
            if input("Type the slug of the space to drop it: ").strip() != space.slug:
                raise CommandError("Nothing was dropped.")
        freed = spaces.drop(space)
        self.say(options, f"{space} was dropped; {filesizeformat(freed)} are free.")
        return {"dropped": space.slug, "bytes": freed, "vectors": vectors}

    def watch(self, space: EmbeddingSpace, options: dict[str, Any], step: Callable[[], None]) -> None:
        """Show how far it is until nothing more is to be done."""
        with self.bar(0, "pictures") as bar:
            while True:
                step()
                space.refresh_from_db()
                progress = filling.progress_of(space)
                bar.total = progress.total
                bar.update(progress.done + progress.failed - bar.n)
                if not bar.disable:
                    bar.set_postfix_str(progress.doing)
                if space.problem:
                    raise spaces.SpaceError(space.problem)
                if space.planned and not progress.waiting and space.state != State.BUILDING:
                    return

    def bar(self, total: int, unit: str) -> Any:
        return tqdm(total=total, unit=f" {unit}", file=self.stderr, disable=None)

    def say(self, options: dict[str, Any], text: str) -> None:
        if not options["json"]:
            self.stdout.write(text)


def step(space: EmbeddingSpace) -> None:
    """What beat and a worker would do."""
    tasks = [task for task, pk in filling.tend() if pk == space.pk]
    if filling.FILL in tasks:
        filling.work(space.pk)
    elif filling.INDEX in tasks:
        filling.build_indexes(space.pk)
    elif encoders.paused(space.asks) or not tasks:
        time.sleep(POLL_SECONDS)


def described(space: EmbeddingSpace) -> dict[str, Any]:
    """What --json prints of a space."""
    progress = asdict(filling.progress_of(space))
    names = ("slug", "encoder", "identity", "dimensions", "state", "created_at", "activated_at")
    return {**{name: getattr(space, name) for name in names}, **progress}

"""manage.py search [TEXT] [--image FILE] [--like ID]… [--unlike ID]… [--region R] [--filter F]… …"""

import json
import uuid
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from assets.ingest import readable
from assets.models import Asset
from search.asked import FilterError, checked
from search.facets import Facets, facets
from search.hybrid import MODES, SORTS, HybridQuery
from search.query import DEPTH, run
from search.region import Region, RegionError, version_of
from search.results import as_dict, message

FILTER_HELP = "as in the search box: tag:oil, date:1880..1900, 'NOT has:date'; repeatable; docs/searching.md"
REGION_HELP = "a part of an asset's picture, in fractions of its sides: ID:0.25,0.1,0.5,0.5"
EVERYTHING = User(is_superuser=True)  # whoever may run this command may read the database


class Command(BaseCommand):
    help = "Search by words, by a picture, by an asset, within filters, or by all of these at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", nargs="?", default="")
        parser.add_argument("--image", type=Path, metavar="FILE", help="a picture to search by")
        example: dict[str, Any] = {"dest": "examples", "action": "append", "default": [], "metavar": "ID"}
        parser.add_argument("--like", **example, type=_liked, help="an asset; repeatable")
        parser.add_argument("--unlike", **example, type=_unliked, help="less like this asset; repeatable")
        parser.add_argument("--region", metavar="ID:LEFT,TOP,WIDTH,HEIGHT", help=REGION_HELP)
        parser.add_argument("--filter", action="append", default=[], help=FILTER_HELP)
        parser.add_argument("--limit", type=int, default=20)
        parser.add_argument("--mode", choices=MODES, default="best")
        parser.add_argument("--sort", choices=SORTS, default="relevance")
        parser.add_argument("--facets", action="store_true", help="what it can be narrowed by, instead")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["limit"] <= DEPTH:
            raise CommandError(f"--limit is a number from 1 to {DEPTH}.")
        try:
            filters = checked(map(readable, options["filter"]))
            image = options["image"].read_bytes() if options["image"] else None
        except FilterError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['image']} cannot be read: {error.strerror}.") from error
        examples = {_asset_id(text): wanted for text, wanted in options["examples"]}  # the later one counts
        query = HybridQuery(
            user=EVERYTHING,
            text=readable(options["text"]),
            image=image,
            liked=tuple(pk for pk, wanted in examples.items() if wanted),
            unliked=tuple(pk for pk, wanted in examples.items() if not wanted),
            region=_region(options["region"]),
            mode=options["mode"],
            sort=options["sort"],
            limit=options["limit"],
            filters=filters,
        )
        if options["facets"]:
            self._facets(facets(query), as_json=options["json"])
            return
        results = run(query)
        if options["json"]:
            self.stdout.write(json.dumps(as_dict(results, query.text), ensure_ascii=False))
            return
        for notice in results.notices:
            self.stderr.write(notice)
        for wrong in results.mistakes:
            mistake = wrong.mistake
            if wrong.where == "q":  # the place, under the question
                self.stderr.write(query.text)
                self.stderr.write(" " * mistake.start + "^" * max(mistake.end - mistake.start, 1))
            self.stderr.write(message(results, wrong))
        if results.did_you_mean:
            self.stderr.write(f"Did you mean: {results.did_you_mean.q}")
        for found in as_dict(results, query.text)["results"]:
            file = found["filename"] or "–"
            signals = ", ".join(f"{name} {rank}" for name, rank in found["signals"].items())
            signals += "".join(f", “{word}”" for word in found["matched_words"])
            mark = {True: "*", False: " ", None: " "}[found["strong"]]
            self.stdout.write(f"{mark}{found['score']:9.4f}  {found['title'][:60]:60}  {file}  ({signals})")
        strong = "" if results.strong is None else f", {results.strong} strong (*)"
        self.stdout.write(f"{len(results.hits)} of {results.total}{strong}")

    def _facets(self, found: Facets, as_json: bool) -> None:
        choices = {name: [asdict(c) for c in listed] for name, listed in found.choices.items()}
        if as_json:
            data = {"total": found.total, "facets": choices}
            self.stdout.write(json.dumps(data, ensure_ascii=False))
            return
        for listed in choices.values():
            for choice in listed:
                self.stdout.write(f"{choice['count']:9}  {choice['filter']}")
        self.stdout.write(f"{found.total:9}  in all")


def _liked(text: str) -> tuple[str, bool]:
    return text, True


def _unliked(text: str) -> tuple[str, bool]:
    return text, False


def _region(text: str | None) -> Region | None:
    try:
        region = Region.of(text) if text else None
        if region:
            version_of(region, EVERYTHING)
    except RegionError as error:
        raise CommandError(str(error)) from error
    return region


def _asset_id(text: str) -> int:
    try:
        found = Asset.objects.live().filter(uid=uuid.UUID(text)).values_list("pk", flat=True).first()
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"There is no asset {text}. `manage.py search --json` prints ids.")
    return int(found)

"""manage.py fixity [--all | --since DAY] [--limit N], --restore FOLDER, --renditions, --orphans, --sweep"""

import json
import sys
from argparse import ArgumentParser
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from tqdm import tqdm

from assets import fixity, orphans
from assets.models import Blob

SHOWN = 20
STOPPED = "Stopped after {:,}. Go on with: manage.py fixity --since {}"


class Command(BaseCommand):
    help = (
        "Read the originals again and compare them with their checksums. Without options: those that are due."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="every original")
        parser.add_argument(
            "--since", metavar="DAY", help="those that were not read since this day or moment"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="at most so many")
        parser.add_argument(
            "--restore",
            type=Path,
            metavar="FOLDER",
            help="put back bad originals of which it has right copies",
        )
        parser.add_argument("--renditions", action="store_true", help="have missing previews made again")
        parser.add_argument("--orphans", action="store_true", help="list files that belong to no picture")
        parser.add_argument("--sweep", action="store_true", help="remove those that are older than a day")
        parser.add_argument("--yes", action="store_true", help="do not ask before --sweep")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["restore"]:
                self._restore(options["restore"], options["json"])
            elif options["renditions"]:
                self._renditions(options["json"])
            elif options["orphans"] or options["sweep"]:
                self._orphans(options)
            else:
                self._check(options)
        except fixity.StorageAway as error:
            raise CommandError(f"{error} Nothing was noted about the originals.") from error

    # --- reading --------------------------------------------------------------------------------

    def _check(self, options: dict[str, Any]) -> None:
        began, found, checked = timezone.now(), list[tuple[Blob, fixity.Finding]](), 0
        since = began if options["all"] else _moment(options["since"])
        blobs = fixity.not_since(since)
        total = min(blobs.count(), options["limit"] or sys.maxsize)
        with tqdm(total=total, desc="Reading", unit=" files", file=self.stderr, disable=None) as bar:
            try:
                for blob, finding in fixity.check_all(blobs, options["limit"]):
                    checked += 1
                    bar.update()
                    if finding.state != Blob.Fixity.OK:
                        found.append((blob, finding))
            except KeyboardInterrupt:
                bar.close()
                self.stderr.write(STOPPED.format(checked, since.isoformat(timespec="seconds")))
                sys.exit(130)
        self._report(checked, found, options["json"])

    def _report(self, checked: int, found: list[tuple[Blob, fixity.Finding]], as_json: bool) -> None:
        problems = [self._problem(blob, finding) for blob, finding in found]
        if as_json:
            counted = {name: sum(p["state"] == name for p in problems) for name in Blob.BAD}
            self.stdout.write(json.dumps({"checked": checked, **counted, "problems": problems}))
        else:
            for problem in problems:
                files = ", ".join(problem["files"])
                said = f"{problem['sha256']} {problem['state']}: {problem['detail']} {files}"
                self.stdout.write(said)
            self.stdout.write(f"{checked:,} originals read, {len(problems):,} are not as they were stored.")
        if problems:
            raise CommandError(
                "Put right copies back from a backup: manage.py fixity --restore FOLDER", returncode=1
            )

    @staticmethod
    def _problem(blob: Blob, finding: fixity.Finding) -> dict[str, Any]:
        versions = list(fixity.concerned(blob))
        return {
            "sha256": blob.sha256,
            "state": str(finding.state),
            "detail": finding.detail,
            "files": [version.original_filename for version in versions],
            "assets": [str(version.asset.uid) for version in versions],
        }

    # --- putting right --------------------------------------------------------------------------

    def _restore(self, folder: Path, as_json: bool) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        put_back = []
        for blob, path in fixity.restore_from(folder):
            put_back.append({"sha256": blob.sha256, "from": str(path)})
            if not as_json:
                self.stdout.write(f"{blob.sha256} from {path}")
        left = fixity.bad().count()
        if as_json:
            self.stdout.write(json.dumps({"restored": put_back, "still_bad": left}))
        else:
            self.stdout.write(f"{len(put_back):,} put back, {left:,} still not as they were stored.")

    def _renditions(self, as_json: bool) -> None:
        versions = fixity.renditions_missing()
        count = fixity.remake(versions)
        if as_json:
            self.stdout.write(json.dumps({"missing": len(versions), "remade": count}))
        else:
            said = (
                f"Previews of {len(versions):,} pictures are missing; those of {count:,} will be made again."
            )
            self.stdout.write(said)

    def _orphans(self, options: dict[str, Any]) -> None:
        found = list(orphans.orphans())
        ours = [orphan for orphan in found if orphan.ours]
        removed = 0
        if options["sweep"] and ours and self._sure(ours, options["yes"]):
            removed = sum(orphans.remove(orphan) for orphan in ours)
        if options["json"]:
            listed = [orphan._asdict() for orphan in found]
            self.stdout.write(json.dumps({"orphans": listed, "removed": removed}))
            return
        for orphan in found[:SHOWN]:
            foreign = "" if orphan.ours else " (not ours: it is left alone)"
            self.stdout.write(f"{orphan.kind}/{orphan.name} {orphan.size:,} bytes{foreign}")
        if len(found) > SHOWN:
            self.stdout.write(f"… and {len(found) - SHOWN:,} more: see --json.")
        size = sum(orphan.size for orphan in found)
        self.stdout.write(
            f"{len(found):,} files belong to no picture ({size / 1e6:,.1f} MB); {removed:,} removed."
        )

    def _sure(self, ours: list[orphans.Orphan], yes: bool) -> bool:
        """A library that knows of nothing, such as an empty database, would lose everything here."""
        if yes:
            return True
        if not sys.stdin.isatty():
            raise CommandError("Say --yes to --sweep where nobody can be asked.")
        size = sum(orphan.size for orphan in ours) / 1e6
        self.stdout.write(
            f"{len(ours):,} files ({size:,.1f} MB) would be deleted; this library knows of "
            f"{Blob.objects.count():,} originals. Type yes to go on:"
        )
        return input().strip().lower() == "yes"


def _moment(text: str | None) -> datetime:
    """The moment that --since names; without it, the one before which an original is due."""
    if text is None:
        return timezone.now() - timedelta(days=settings.FIXITY_DAYS)
    try:
        day = parse_date(text)
        found = datetime.combine(day, time()) if day else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text!r} is no day: write it like 2026-11-30.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)

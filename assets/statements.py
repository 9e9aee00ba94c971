"""What the well-known statements of rights are called, and what each allows, in our own words.

A statement stays as somebody wrote it; what it means is found out when it is read. Known are the twelve of
RightsStatements.org, the six licences of Creative Commons, CC0 and the Public Domain Mark.
"""

import re
from dataclasses import dataclass
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RIGHTS = "http://rightsstatements.org/vocab/{}/1.0/"
LICENCE = "https://creativecommons.org/licenses/{}/4.0/"
PUBLIC = "https://creativecommons.org/publicdomain/{}/1.0/"


@dataclass(frozen=True)
class Statement:
    code: str
    """As people write it for short: InC, CC BY-SA 4.0."""
    name: str
    """Its own name, which is not translated."""
    uri: str
    says: str | Promise
    protected: bool
    """Whether it says that there is copyright, and that no licence was given."""
    free: bool = False
    """Whether anybody may use it for anything, with nothing more than a name."""

    @property
    def copyrighted(self) -> bool | None:
        """Whether somebody has a copyright in it, as far as the statement says so."""
        if self.protected or "/licenses/" in self.uri:
            return True
        return False if "/publicdomain/" in self.uri else None

    @property
    def is_licence(self) -> bool:
        """A licence of Creative Commons, or its waiver: what cc:license can say."""
        return self.uri.startswith("https://creativecommons.org/") and "/mark/" not in self.uri


def _rights(code: str, name: str, says: Promise | str, *, protected: bool = False) -> Statement:
    return Statement(code, name, RIGHTS.format(code), says, protected)


def _licence(code: str, name: str, says: Promise | str, *, free: bool = False) -> Statement:
    uri = LICENCE.format(code)
    return Statement(f"CC {code.upper()} 4.0", f"Creative Commons {name} 4.0", uri, says, False, free)


STATEMENTS = (
    _rights(
        "InC",
        "In Copyright",
        _("It is protected. Ask the holder of the rights before any use."),
        protected=True,
    ),
    _rights(
        "InC-OW-EU",
        "In Copyright – EU Orphan Work",
        _("It is protected, and in the European Union it is registered as a work whose holder is not found."),
        protected=True,
    ),
    _rights(
        "InC-EDU",
        "In Copyright – Educational Use Permitted",
        _("It is protected. Teaching and learning may use it; for all else, ask the holder."),
        protected=True,
    ),
    _rights(
        "InC-NC",
        "In Copyright – Non-Commercial Use Permitted",
        _("It is protected. Whoever earns nothing by it may use it; for all else, ask the holder."),
        protected=True,
    ),
    _rights(
        "InC-RUU",
        "In Copyright – Rights-Holder(s) Unlocatable or Unidentifiable",
        _("It is protected, but nobody could find the holder of the rights."),
        protected=True,
    ),
    _rights(
        "NoC-CR",
        "No Copyright – Contractual Restrictions",
        _("It is not protected, but a contract limits what may be done with it."),
    ),
    _rights(
        "NoC-NC",
        "No Copyright – Non-Commercial Use Only",
        _("It is not protected. By an agreement, nobody may earn money with this copy."),
    ),
    _rights(
        "NoC-OKLR",
        "No Copyright – Other Known Legal Restrictions",
        _("It is not protected, but another law limits what may be done with it."),
    ),
    _rights(
        "NoC-US",
        "No Copyright – United States",
        _("It is not protected in the United States; elsewhere it may be."),
    ),
    _rights("CNE", "Copyright Not Evaluated", _("Nobody has looked yet whether it is protected.")),
    _rights(
        "UND",
        "Copyright Undetermined",
        _("Somebody has looked, and could not find out whether it is protected."),
    ),
    _rights(
        "NKC",
        "No Known Copyright",
        _("There is good reason to think that it is not protected, but no certainty."),
    ),
    _licence("by", "Attribution", _("Anybody may use and change it, and names the maker."), free=True),
    _licence(
        "by-sa",
        "Attribution-ShareAlike",
        _("Anybody may use and change it, names the maker, and gives the result away on the same terms."),
        free=True,
    ),
    _licence(
        "by-nc",
        "Attribution-NonCommercial",
        _("Anybody may use and change it without earning by it, and names the maker."),
    ),
    _licence("by-nd", "Attribution-NoDerivatives", _("Anybody may use it unchanged, and names the maker.")),
    _licence(
        "by-nc-sa",
        "Attribution-NonCommercial-ShareAlike",
        _(
            "Anybody may use and change it without earning by it, names the maker, and gives the result away "
            "on the same terms."
        ),
    ),
    _licence(
        "by-nc-nd",
        "Attribution-NonCommercial-NoDerivatives",
        _("Anybody may use it unchanged and without earning by it, and names the maker."),
    ),
    Statement(
        "CC0",
        "Creative Commons Zero 1.0",
        PUBLIC.format("zero"),
        _("Whoever had rights has given them up. Anybody may do anything with it."),
        False,
        True,
    ),
    Statement(
        "PDM",
        "Public Domain Mark 1.0",
        PUBLIC.format("mark"),
        _("It is free of known copyright everywhere. Anybody may do anything with it."),
        False,
        True,
    ),
)
BY_CODE = {statement.code: statement for statement in STATEMENTS}
ADDRESS = re.compile(
    r"https?://(?:www\.)?(?:rightsstatements\.org/(?:vocab|page)/(?P<rights>[a-z-]+)/1\.0"
    r"|creativecommons\.org/licenses/(?P<licence>[a-z-]+)/4\.0"
    r"|creativecommons\.org/publicdomain/(?P<public>zero|mark)/1\.0)"
    r"(?:/(?:deed|legalcode)?(?:\.[a-z_-]+)?)?(?:\?[a-z=&-]*)?",
    re.IGNORECASE,
)
ALSO = {"cc zero": "CC0", "cc0 1 0": "CC0", "public domain": "PDM", "pdm 1 0": "PDM", "pd": "PDM"}


def statement_of(text: str) -> Statement | None:
    """The known statement that a text is: its address, its short name or its full name; else None.

    Of a licence without a number, such as CC BY, the present version is meant; an older number is not known.
    """
    written = text.strip()
    if found := ADDRESS.fullmatch(written):
        return _known().get(_key(next(part for part in found.groups() if part)))
    return _named().get(_key(written))


def uri_of(text: str) -> str:
    """The address of a statement that is known, or the text itself."""
    known = statement_of(text)
    return known.uri if known else text.strip()


def _key(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.casefold()).split())


@cache
def _known() -> dict[str, Statement]:
    """By the part of the address that is its own."""
    return {_key(statement.uri.split("/")[4]): statement for statement in STATEMENTS}


@cache
def _named() -> dict[str, Statement]:
    """By all names, without punctuation and capitals."""
    found: dict[str, Statement] = {}
    for statement in STATEMENTS:
        names = [statement.code, statement.name]
        if statement.code.startswith("CC "):
            names += [statement.code.removesuffix(" 4.0"), statement.name.removesuffix(" 4.0")]
        elif statement.code in ("CC0", "PDM"):
            names.append(statement.name.removesuffix(" 1.0"))
        else:
            names += [f"{statement.code} 1.0", f"{statement.name} 1.0"]
        found |= {_key(name): statement for name in names}
    return found | {also: BY_CODE[code] for also, code in ALSO.items()}

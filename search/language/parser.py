"""From a text to what it means. Never raises: what is wrong is noted with its place, and the rest counts.

    either := all ("OR" all)*          all := part+
    part   := ("-" | "NOT") part | "(" either ")" | field ":" value ("," value)* | phrase | word

Written by hand rather than with a library of grammars: every text must mean something, and half of this is
about what to do where a grammar would give up (docs/decisions/0009).
"""

import re
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from search.language import nodes
from search.language.fields import FIELDS, NAMES, nearest
from search.language.nodes import QUOTES, Field, Node, Phrase, Value, Word
from search.language.values import WrongValue

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
NAMED = re.compile(r"(?P<name>[^\W\d_][^\W\d_-]*):")
OPERATOR = re.compile(r"(?:OR|AND|NOT)(?=[\s)]|$)")
NO_OPERATOR = r"(?!(?:OR|AND|NOT)(?:[\s)]|$))"
HYPHEN = re.compile(rf"-{NO_OPERATOR}[^\s)-]")
NOT_ = re.compile(rf"NOT[ \t]+(?:NOT[ \t]+)*{NO_OPERATOR}[^\s)]")
DOUBLED = re.compile(rf"([{QUOTES}])\1")
MOST_DEPTH, MOST_PARTS, MOST_VALUES, MOST_MISTAKES = 20, 500, 100, 10
HOW = gettext_noop("“How to search” lists the fields.")


@dataclass(frozen=True)
class Mistake:
    """What is not understood: the characters from `start` to before `end`, and a sentence for people."""

    start: int
    end: int
    message: str


@dataclass(frozen=True)
class Group:
    """What stands in parentheses; gone from the tree that others see."""

    inner: "Raw"


Raw = Node | Group


@dataclass(frozen=True)
class Piece:
    """A part of the question, and where it stands."""

    node: Raw
    start: int
    end: int


class Parser:
    def __init__(self, text: str, today: date) -> None:
        self.text, self.today = UNSTORABLE.sub(" ", text), today
        self.at, self.depth, self.parts, self.values = 0, 0, 0, 0
        self.mistakes: list[Mistake] = []

    def wrong(self, start: int, end: int, message: str) -> None:
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(Mistake(start, end, message))

    # --- or, and ----------------------------------------------------------------------------------

    def either(self) -> list[list[Piece]]:
        """The alternatives up to the end of the text or of the group, each with its parts."""
        found: list[list[Piece]] = [[]]
        joined: tuple[int, int] | None = None  # where the OR stands that waits for its second part
        anything = False  # since the last OR, even if it was not understood
        while (start := self.skip()) < len(self.text) and not self.closes():
            word = self.operator()
            if word == "OR":
                if not anything:
                    self.wrong(start, self.at, _("OR stands between two parts, such as: boat OR ship."))
                joined, anything = (start, self.at), False
            elif word == "NOT":
                self.wrong(start, self.at, _("NOT stands before what is left out, such as: NOT ship."))
            elif not word:  # AND is what a space says, too
                anything = True
                if piece := self.part():
                    found = [*found, []] if joined and found[-1] else found
                    found[-1].append(piece)
                    joined = None
        if joined and not anything and found[-1]:
            self.wrong(*joined, _("OR stands between two parts, such as: boat OR ship."))
        return found

    def skip(self) -> int:
        """Go to the next part; returns where it begins."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at

    def closes(self) -> bool:
        return self.depth > 0 and self.text[self.at] == ")"

    def operator(self) -> str:
        """OR, AND, or NOT before nothing, in capitals, as a word of its own; else nothing is read."""
        found = OPERATOR.match(self.text, self.at)
        closed = found and self.text[found.end() : found.end() + 1] == ")" and not self.depth
        if not found or closed or NOT_.match(self.text, self.at):
            return ""
        self.at = found.end()
        return found[0]

    # --- one part ---------------------------------------------------------------------------------

    def part(self) -> Piece | None:
        start, excluded = self.at, self.exclusions()
        node = self.primary()
        if node is None:
            return None
        self.parts += 1
        if self.parts > MOST_PARTS:
            said = _("Only the first %(most)d parts were used. Ask for less.") % {"most": MOST_PARTS}
            self.wrong(start, len(self.text), said)
            self.at = len(self.text)
            return None
        if excluded:
            node = nodes.negated(plain(node))
        return Piece(node, start, self.at)

    def exclusions(self) -> bool:
        """Read any number of hyphens and NOTs, as long as something follows that can be excluded."""
        odd = False
        while self.at < len(self.text):
            if HYPHEN.match(self.text, self.at):
                self.at += 1
            elif NOT_.match(self.text, self.at):
                self.at += len("NOT")
                self.skip()
            else:
                return odd
            odd = not odd
        return odd

    def primary(self) -> Raw | None:
        character = self.text[self.at]
        if character == "(":
            return self.group()
        if character == ")":
            self.wrong(self.at, self.at + 1, _("This parenthesis was never opened."))
            self.at += 1
            return None
        if character in QUOTES:
            return self.phrase()
        named = NAMED.match(self.text, self.at)
        if named and named["name"].casefold() in NAMES:
            return self.field(named)
        return self.word(named)

    def group(self) -> Raw | None:
        start = self.at
        self.at += 1
        if self.depth >= MOST_DEPTH:
            said = _("Parentheses can stand in each other up to %(most)d times.") % {"most": MOST_DEPTH}
            self.wrong(start, start + 1, said)
            return None
        self.depth += 1
        inner = self.either()
        self.depth -= 1
        if self.at < len(self.text):
            self.at += 1
        else:
            said = _("This parenthesis is not closed. Write ) where its part ends.")
            self.wrong(start, start + 1, said)
        node = joined(inner)
        return Group(node) if node else None

    def phrase(self) -> Raw | None:
        start = self.at
        end = self.quoted_end(start)
        if end is None:
            said = _('This quotation mark is not closed. Write " where the words end.')
            self.wrong(start, start + 1, said)
            self.at = start + 1
            return None
        self.at = end + 1
        words = " ".join(self.text[start + 1 : end].split())
        return Phrase(words) if words else None

    def quoted_end(self, start: int) -> int | None:
        found = (n for n in range(start + 1, len(self.text)) if self.text[n] in QUOTES)
        return next(found, None)

    def word(self, named: re.Match[str] | None) -> Raw:
        start, end = self.at, self.run_end(self.at)
        if named and (rest := self.text[named.end() : end]) and rest[0] != "/" and len(named["name"]) > 1:
            if rest[0] in QUOTES:
                end = named.end()
            meant = nearest(named["name"])
            hint = _("Did you mean %(name)s?") % {"name": f"{meant}:"} if meant else _(HOW)
            said = _("There is no field “%(name)s”, so these were taken as words.") % {"name": named["name"]}
            self.wrong(start, end, f"{said} {hint}")
        self.at = max(end, start + 1)
        return Word(self.text[start : self.at])

    def run_end(self, at: int) -> int:
        """Where the characters end that belong together; a parenthesis opened inside them closes inside."""
        inner = 0
        while at < len(self.text) and not self.text[at].isspace():
            inner += self.text[at] == "("
            if self.text[at] == ")":
                if self.depth and not inner:
                    break
                inner = max(inner - 1, 0)
            at += 1
        return at

    # --- fields -----------------------------------------------------------------------------------

    def field(self, named: re.Match[str]) -> Raw | None:
        start, name = self.at, NAMES[named["name"].casefold()]
        self.at = named.end()
        if not self.value_follows():
            said = _("Nothing stands behind “%(name)s”. Write for example %(example)s.")
            self.wrong(start, self.at, said % {"name": named[0], "example": self.example(name)})
            return None
        found = [self.value(name)]
        while self.text[self.at : self.at + 1] == ",":
            self.at += 1
            following = self.text[self.at : self.at + 1]
            if following and not following.isspace() and following not in "()":
                found.append(self.value(name))
        values = tuple(dict.fromkeys(value for value in found if value))
        return Field(name, values) if values else None

    def value_follows(self) -> bool:
        """Go to the value, which may stand behind a space, as in `title: boat`."""
        colon = self.at
        self.skip()
        rest = self.text[self.at : self.at + 1]
        other = self.at > colon and (
            rest in ("-", "(") or NAMED.match(self.text, self.at) or OPERATOR.match(self.text, self.at)
        )
        if not rest or rest in "()," or other:
            self.at = colon
            return False
        return True

    def value(self, name: str) -> Value | None:
        start = self.at
        quoted = self.text[start] in QUOTES
        end = self.quoted_value_end(start) if quoted else self.value_end(start)
        closed = end is not None
        if end is None:
            end = self.value_end(start + 1)
            said = _('This quotation mark is not closed. Write " where the value ends.')
            self.wrong(start, start + 1, said)
        self.at = end + 1 if quoted and closed else end
        text = " ".join(self.text[start + quoted : end].split())
        text = DOUBLED.sub(r"\1", text) if quoted and closed else text
        self.values += 1
        try:
            if self.values > MOST_VALUES:
                said = _("Only the first %(most)d values of fields were used. Ask for less.")
                raise WrongValue(said % {"most": MOST_VALUES})
            if not text and quoted:
                said = _("Nothing stands between the quotation marks. Write %(example)s.")
                raise WrongValue(said % {"example": self.example(name)})
            meaning = FIELDS[name].read(text, quoted, self.today) if text else None
        except WrongValue as error:
            self.wrong(start, self.at, str(error))
            return None
        return None if meaning is None else Value(text, meaning, quoted, start, self.at)

    def quoted_value_end(self, start: int) -> int | None:
        """The next quotation mark that does not stand twice: two are one that belongs to the value."""
        end = self.quoted_end(start)
        while end is not None and self.text[end + 1 : end + 2] == self.text[end]:
            end = self.quoted_end(end + 1)
        return end

    def value_end(self, at: int) -> int:
        """Up to a space, a comma, or a parenthesis that closes more than was opened in the value."""
        inner = 0
        while at < len(self.text) and not self.text[at].isspace() and self.text[at] != ",":
            inner += {"(": 1, ")": -1}.get(self.text[at], 0)
            if inner < 0:
                break
            at += 1
        return at

    def example(self, name: str) -> str:
        return f"{name}:{FIELDS[name].example}"


def plain(raw: Raw) -> Node:
    return plain(raw.inner) if isinstance(raw, Group) else raw


def joined(alternatives: list[list[Piece]]) -> Node | None:
    """The tree of a list of alternatives, without parentheses."""
    found = (nodes.both([plain(piece.node) for piece in pieces]) for pieces in alternatives)
    return nodes.either([node for node in found if node])

"""How far two words are apart, and the words that one slip makes of another. Pure."""

from functools import cache

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
LONGEST_SPELT = 15
"""Of longer words, likeness finds the near ones by itself."""


@cache
def allowed(length: int) -> int:
    """How many slips are likely in a word of so many characters."""
    return 0 if length < 3 else 1 if length < 6 else 2 if length < 10 else 3


def distance(one: str, other: str, most: int = 3) -> int:
    """Letters to put in, leave out, change or swap with the next one; more than `most` is `most` + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def slips(word: str) -> list[str]:
    """All words that one slip makes of this one, sorted; none of a long one. Its letters, and a to z."""
    if len(word) > LONGEST_SPELT:
        return []
    letters = sorted({*ALPHABET, *word} if word.isascii() else {*word})
    halves = [(word[:n], word[n:]) for n in range(len(word) + 1)]
    less = {a + b[1:] for a, b in halves if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    changed = {a + letter + b[1:] for a, b in halves if b for letter in letters}
    more = {a + letter + b for a, b in halves for letter in letters}
    return sorted((less | swapped | changed | more) - {word})


def as_written(word: str, like: str) -> str:
    """A folded word in capitals where the typed one had them: rembrandt, like Rembrant -> Rembrandt."""
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word

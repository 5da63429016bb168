"""Filters as one types them: `etl state:failed flow:report !day=06-12`.

Every term must hold. `field:text` looks in that field only, a bare word in all of them; `!` before
either turns it round. Letters of either case are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; `field` is empty where any field may hold the text."""

    field: str
    text: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. One without terms lets everything pass."""

    text: str = ""
    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def passes(self, fields: Mapping[str, str]) -> bool:
        """Whether something with these fields passes; their texts must be in lower case."""
        for term in self.terms:
            if term.field:
                found = term.text in fields[term.field]
            else:
                found = any(term.text in text for text in fields.values())
            if found != term.wanted:
                return False
        return True


def parse_filter(text: str, fields: frozenset[str]) -> Filter:
    """Parse what was typed. `name:` counts as a field only if it is one of `fields`."""
    terms = []
    for word in text.lower().split():
        wanted = not word.startswith("!")
        word = word.removeprefix("!")
        name, colon, rest = word.partition(":")
        if colon and name in fields:
            # state:!completed is written as often as !state:completed.
            if rest.startswith("!"):
                wanted, rest = not wanted, rest[1:]
            word = rest
        else:
            name = ""
        if word:
            terms.append(Term(name, word, wanted))
    return Filter(" ".join(text.split()), tuple(terms))

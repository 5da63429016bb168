"""Filters as one types them: `etl state:failed flow:report !day=06-12 "no such file"`.

Every term must hold. `field:text` looks in that field only, a bare word in all of them; `!` before
either turns it round. Quotes keep spaces and colons: `flow:"my flow"`, `"http://x"`. Letters of either
case are the same.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

# A quote that is not closed yet reaches to the end: the text is looked at while it is typed.
_WORD: Final = re.compile(r'(?P<head>!?(?:[^\s":]*:)?!?)"(?P<quoted>[^"]*)"?|(?P<bare>\S+)')
_NAME: Final = re.compile(r"[a-z_]+")
_NO_CHOICES: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})


class Term(NamedTuple):
    """One condition; `field` is empty where any field may hold the text."""

    field: str
    text: str
    wanted: bool


class Filter(NamedTuple):
    """A parsed filter. One without terms lets everything pass.

    `problem` says what in it can hardly be meant, and what would be right.
    """

    text: str = ""
    terms: tuple[Term, ...] = ()
    problem: str = ""

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


def parse_filter(
    text: str, fields: frozenset[str], choices: Mapping[str, Sequence[str]] = _NO_CHOICES
) -> Filter:
    """Parse what was typed. `name:` counts as a field only if it is one of `fields`.

    `choices` are all that a field may hold; a text that none of them begins with is a problem.
    """
    terms: list[Term] = []
    problems: list[str] = []
    for match in _WORD.finditer(text.lower()):
        quoted = match["quoted"]
        word = match["bare"] if quoted is None else match["head"]
        wanted = not word.startswith("!")
        word = word.removeprefix("!")
        name, colon, rest = word.partition(":")
        if colon and name in fields:
            # state:!completed is written as often as !state:completed.
            if rest.startswith("!"):
                wanted, rest = not wanted, rest[1:]
            word = rest
        else:
            if colon and quoted is None and _NAME.fullmatch(name):
                problems.append(_no_field(name, fields))
            name = ""
        word += quoted or ""
        if word:
            terms.append(Term(name, word, wanted))
            possible = choices.get(name)
            if possible is not None and not any(each.startswith(word) for each in possible):
                problems.append(f"no {name} begins with “{word}”: {_listed(word, possible)}")
    return Filter(" ".join(text.split()), tuple(terms), "; ".join(problems))


def _no_field(name: str, fields: frozenset[str]) -> str:
    known = sorted(fields)
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]}:?" if near else f"there are {', '.join(f'{each}:' for each in known)}"
    return f"{name}: is no field and is searched as text; {meant}"


def _listed(word: str, possible: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, possible, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(possible)}"

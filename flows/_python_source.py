"""Lines and functions of Python source: the lines by `tokenize`, the functions by `ast`."""

from __future__ import annotations

import ast
import io
import threading
import tokenize
import warnings
from collections.abc import Iterator
from typing import Final

from flows._languages import Function, split_lines

# Names the source in warnings about it, so that they can be told apart and kept from whoever counts lines.
_SOURCE: Final = "<counted by code_stats>"
warnings.filterwarnings("ignore", module=r"<counted by code_stats>")

_LAYOUT: Final = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef


# One tree at a time. Some releases of CPython count how deep a tree is nested for all threads together, and
# parsing in two of them at once ends in "SystemError: AST constructor recursion depth mismatch".
_parsing = threading.Lock()


def parse(text: str) -> ast.Module:
    """The tree of a source text. Raises SyntaxError for anything Python cannot read."""
    try:
        with _parsing:
            return ast.parse(text, filename=_SOURCE)
    except (ValueError, RecursionError, MemoryError, SystemError) as error:
        raise SyntaxError(f"cannot be parsed: {error}") from error


def count_lines(text: str, tree: ast.Module) -> tuple[int, int, int]:
    """How many lines are blank, hold only comments or docstrings, and hold code.

    A line of spaces is blank wherever it stands, in a string too.
    """
    docstring_lines = {line for first, last in _docstrings(tree) for line in range(first, last + 1)}
    code: set[int] = set()
    comment: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in _LAYOUT:
            continue
        covered = range(token.start[0], token.end[0] + 1)
        docstring = token.type == tokenize.STRING and docstring_lines.issuperset(covered)
        (comment if docstring or token.type == tokenize.COMMENT else code).update(covered)
    lines = split_lines(text)
    blank = {number for number, line in enumerate(lines, start=1) if not line.strip()}
    only_comment = comment - code - blank
    return len(blank), len(only_comment), len(lines) - len(blank) - len(only_comment)


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """The first and the last line of each docstring."""
    for node, _, _, _ in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | _Definition) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first.lineno, first.end_lineno or first.lineno


def functions(tree: ast.Module) -> list[Function]:
    """Every function of a module, in the order they stand in the source, with its dotted name.

    `kinds` may hold "method" (defined right in a class), "async", and "nested" (defined within a function).
    """
    found: list[Function] = []
    for node, names, in_class, in_function in _statements(tree):
        if isinstance(node, _Definition):
            kinds = (
                ("method", in_class),
                ("async", isinstance(node, ast.AsyncFunctionDef)),
                ("nested", in_function),
            )
            found.append(
                Function(
                    ".".join((*names, node.name)),
                    node.lineno,
                    node.end_lineno or node.lineno,
                    tuple(kind for kind, is_one in kinds if is_one),
                )
            )
    return sorted(found, key=lambda function: (function.first_line, function.last_line, function.name))


def _statements(tree: ast.Module) -> Iterator[tuple[ast.AST, tuple[str, ...], bool, bool]]:
    """Every statement, the names of what it is defined in, and whether that is a class, or in a function.

    Expressions are left alone: they define no function, and are most of a tree. A stack in place of
    recursion, since a generated module can be nested deeper than Python's own stack.
    """
    todo: list[tuple[ast.AST, tuple[str, ...], bool, bool]] = [(tree, (), False, False)]
    while todo:
        node, names, in_class, in_function = todo.pop()
        yield node, names, in_class, in_function
        if isinstance(node, ast.ClassDef):
            names, in_class = (*names, node.name), True
        elif isinstance(node, _Definition):
            names, in_class, in_function = (*names, node.name), False, True
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            children = getattr(node, part, None)
            if isinstance(children, list):  # an expression such as `a if b else c` has a body, too
                todo.extend((child, names, in_class, in_function) for child in children)

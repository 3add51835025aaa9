"""The mutants of a module: every mistake that can be planted in it, each with a name to keep.

Left out, since no test should care: annotations and docstrings, decorators (sizes of caches),
``__all__``, ``assert``, type variables, names of lifecycles and what an error says.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from tests.mutation.enums import Members, enums_of
from tests.mutation.operators import Edit, edits

_TYPES: Final = ("TypeVar", "NewType", "ParamSpec", "cast")


@frozen
class Mutant:
    """A module with one mistake in it.

    ``lines`` are those of the innermost statement, ``name`` says where and what, without the line
    so that it stays true while the file grows.
    """

    path: str
    lines: range
    name: str
    tree: ast.Module
    edit: Edit


def mutants_of(path: str, root: Path) -> list[Mutant]:
    """All mutants of a file, in the order of its lines; the path is relative to the root."""
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    walk = _Walk(path, tree, enums_of(tree, root / "src"))
    found = sorted(walk.below(tree, "", tree), key=lambda one: one.lines.start)
    return list(_numbered(found))


class _Walk:
    def __init__(self, path: str, tree: ast.Module, enums: Members) -> None:
        self.path, self.tree, self.enums = path, tree, enums
        self.short = path.removeprefix("src/scg_core/")

    def below(self, node: ast.AST, scope: str, statement: ast.AST) -> Iterator[Mutant]:
        """The mutants of a node and of all below it; ``statement`` is the innermost around it."""
        if isinstance(node, ast.stmt):
            statement = node
        inside = self._within(node, scope)
        table = "()" not in inside
        for edit in edits(node, self.enums, table=table):
            name = f"{self.short}:{inside or '-'}: {edit.before} -> {edit.after}"
            lines = _lines(_dropped(edit) or statement)
            yield Mutant(self.path, lines, " ".join(name.split()), self.tree, edit)
        for child in _children(node):
            yield from self.below(child, inside, statement)

    def _within(self, node: ast.AST, scope: str) -> str:
        if isinstance(node, ast.Lambda):
            return f"{scope}()"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return f"{scope}.{node.name}()".lstrip(".")
        return f"{scope}.{node.name}".lstrip(".") if isinstance(node, ast.ClassDef) else scope


def _children(node: ast.AST) -> Iterable[ast.AST]:
    """What may be changed below a node."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Raise() | ast.Assert():
            return ()
        case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.Import() | ast.ImportFrom():
            return ()
        case ast.AnnAssign():
            return (node.value,) if node.value else ()
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return (*node.args.defaults, *(one for one in node.args.kw_defaults if one), *node.body)
        case ast.ClassDef():
            return node.body
        case ast.Lambda():
            return (node.body,)
        case ast.Call(func=ast.Name(id=called)) if called in _TYPES:
            return ()
        case ast.Call():
            kept = (one.value for one in node.keywords if one.arg != "name")
            return (node.func, *node.args, *kept)
        case ast.Subscript(value=ast.Name(id=kind)) if kind[:1].isupper() and not kind.isupper():
            return ()  # Lifecycle[State, Event]
    return ast.iter_child_nodes(node)


def _dropped(edit: Edit) -> ast.AST | None:
    """The statement that an edit of a body leaves out."""
    for old in ("body", "orelse", "finalbody"):
        new = edit.fields.get(old)
        if isinstance(new, list):
            was: list[ast.AST] = getattr(edit.owner, old)
            return next(one for one, other in zip(was, new, strict=True) if one is not other)
    return None


def _lines(node: ast.AST) -> range:
    """The lines of a statement; of one with a body only its head."""
    begin = getattr(node, "lineno", 1)
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and not isinstance(node, ast.Module):
        return range(begin, max(body[0].lineno, begin + 1))
    return range(begin, (getattr(node, "end_lineno", None) or begin) + 1)


def _numbered(found: list[Mutant]) -> Iterator[Mutant]:
    """The same words twice in one function are told apart by a number."""
    seen: Counter[str] = Counter()
    for one in found:
        seen[one.name] += 1
        number = seen[one.name]
        yield one if number == 1 else evolve(one, name=f"{one.name} #{number}")

"""What a module calls the members of enums: its own, those it imports, and short names for them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

Members = dict[str, tuple[str, ...]]
"""The names of an enum's members, by what the module calls the enum."""


def enums_of(tree: ast.Module, source: Path) -> Members:
    """Every enum a module has a name for; ``source`` is the folder that imports start from."""
    found = dict(_defined(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("scg_core"):
            there = _imported(source / (node.module.replace(".", "/") + ".py"))
            for one in node.names:
                if one.name in there:
                    found[one.asname or one.name] = there[one.name]
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            for name, value in _pairs(statement):
                if isinstance(value, ast.Name) and value.id in found:
                    found[name] = found[value.id]
    return found


def is_enum(node: ast.ClassDef) -> bool:
    """Whether a class is an enum, by the names of its bases."""
    return any(isinstance(base, ast.Name) and "Enum" in base.id for base in node.bases)


def _defined(tree: ast.Module) -> Members:
    return {
        node.name: tuple(_members(node))
        for node in tree.body
        if isinstance(node, ast.ClassDef) and is_enum(node)
    }


def _members(node: ast.ClassDef) -> list[str]:
    assigned = [one.targets[0] for one in node.body if isinstance(one, ast.Assign)]
    return [target.id for target in assigned if isinstance(target, ast.Name)]


@cache
def _imported(path: Path) -> Members:
    return _defined(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _pairs(statement: ast.Assign) -> list[tuple[str, ast.expr]]:
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        names, values = target.elts, value.elts
    else:
        names, values = [target], [value]
    both = zip(names, values, strict=False)
    return [(name.id, value) for name, value in both if isinstance(name, ast.Name)]

"""The mistakes: what one node of a syntax tree can be turned into, one edit at a time.

An edit is a field of a node and what to put there, so it can be made in a tree that was parsed
once. Nothing here knows of modules or tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from tests.mutation.enums import Members


@frozen
class Edit:
    """One planted mistake: new fields of a node; said as the part that differs."""

    owner: ast.AST
    fields: Mapping[str, object]
    before: str
    after: str

    def make(self) -> None:
        """Plant it."""
        for name, new in self.fields.items():
            setattr(self.owner, name, new)


_COMPARED: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_CALCULATED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
}
_MADE_ONCE: Final = ("Lifecycle", "Joint", "TypeVar")  # nothing is imported without their keywords


def edits(node: ast.AST, enums: Members, *, table: bool) -> Iterator[Edit]:
    """Every mistake in the node itself, not in what is below it.

    ``table`` says that the node is run while the module is imported: what it lists is a rule.
    """
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _edit(node, "op", other)
        case ast.BinOp() | ast.AugAssign():
            if type(node.op) in _CALCULATED and not (table and _is_type(node)):
                yield _edit(node, "op", _CALCULATED[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield _edit(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
        case ast.If() | ast.While() | ast.IfExp():
            yield from _negated(node, node.test)
        case ast.comprehension():
            yield from _unfiltered(node)
        case ast.Constant():
            yield from _constants(node, table)
        case ast.Return() if node.value and ast.unparse(node.value) != "None":
            yield Edit(node, {"value": None}, ast.unparse(node), "return None")
        case ast.Call():
            yield from _without_keywords(node)
        case ast.Dict():
            yield from _without_items(node)
        case ast.Set() | ast.Tuple() | ast.List():
            yield from _without_elements(node, enums, table)
        case ast.Attribute(value=ast.Name(id=name), attr=member) if member in enums.get(name, ()):
            members = enums[name]
            following = members[(members.index(member) + 1) % len(members)]
            yield Edit(node, {"attr": following}, f"{name}.{member}", f"{name}.{following}")
    yield from _without_statements(node)


def _is_type(node: ast.BinOp | ast.AugAssign) -> bool:
    kinds = (ast.Subscript, ast.Constant)
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.BitOr)
        and any(isinstance(one, kinds) for one in (node.left, node.right))
    )


def _edit(node: ast.AST, field: str, new: object) -> Edit:
    before, old = ast.unparse(node), getattr(node, field)
    setattr(node, field, new)
    after = ast.unparse(node)
    setattr(node, field, old)
    return Edit(node, {field: new}, before, after)


def _compared(node: ast.Compare) -> Iterator[Edit]:
    for at, op in enumerate(node.ops):
        for other in _COMPARED[type(op)]:
            yield _edit(node, "ops", [*node.ops[:at], other(), *node.ops[at + 1 :]])


def _negated(node: ast.If | ast.While | ast.IfExp, test: ast.expr) -> Iterator[Edit]:
    before = ast.unparse(test)
    for new in _opposite(test):
        yield Edit(node, {"test": new}, f"if {before}", f"if {ast.unparse(new)}")


def _unfiltered(node: ast.comprehension) -> Iterator[Edit]:
    for at, test in enumerate(node.ifs):
        before = f"if {ast.unparse(test)}"
        for new in _opposite(test):
            ifs = [*node.ifs[:at], new, *node.ifs[at + 1 :]]
            yield Edit(node, {"ifs": ifs}, before, f"if {ast.unparse(new)}")
        rest = [*node.ifs[:at], *node.ifs[at + 1 :]]
        yield Edit(node, {"ifs": rest}, before, "all of them")


def _opposite(test: ast.expr) -> list[ast.expr]:
    """The test turned round; nothing where another mistake says the same."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return []
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return []  # as any ``not``
    return [ast.UnaryOp(ast.Not(), test)]


def _constants(node: ast.Constant, table: bool) -> Iterator[Edit]:
    value = node.value
    if isinstance(value, bool):
        yield _edit(node, "value", not value)
    elif isinstance(value, int):
        yield _edit(node, "value", value + 1)
        yield _edit(node, "value", value - 1)
    elif isinstance(value, str) and table:
        yield _edit(node, "value", f"XX{value}")


def _without_keywords(node: ast.Call) -> Iterator[Edit]:
    called = ast.unparse(node.func).split("[")[0]
    if called not in _MADE_ONCE:
        for at, keyword in enumerate(node.keywords):
            if keyword.arg:
                yield _edit(node, "keywords", [*node.keywords[:at], *node.keywords[at + 1 :]])


def _without_items(node: ast.Dict) -> Iterator[Edit]:
    pairs = list(zip(node.keys, node.values, strict=True))
    for at, (key, value) in enumerate(pairs):
        rest = pairs[:at] + pairs[at + 1 :]
        less = ast.Dict([one for one, _ in rest], [one for _, one in rest])
        before = ast.unparse(ast.Dict([key], [value]))
        yield Edit(node, {"keys": less.keys, "values": less.values}, before, "no such item")


def _without_elements(
    node: ast.Set | ast.Tuple | ast.List, enums: Members, table: bool
) -> Iterator[Edit]:
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return
    members = all(_is_member(one, enums) for one in node.elts)
    if members or (table and all(isinstance(one, ast.Constant | ast.Starred) for one in node.elts)):
        for at, gone in enumerate(node.elts):
            if len(node.elts) > 1 or not isinstance(node, ast.Set):
                rest = [*node.elts[:at], *node.elts[at + 1 :]]
                before = ast.unparse(node)
                yield Edit(node, {"elts": rest}, before, f"without {ast.unparse(gone)}")


def _is_member(node: ast.expr, enums: Members) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) in enums


def _without_statements(node: ast.AST) -> Iterator[Edit]:
    for field in ("body", "orelse", "finalbody"):
        body = getattr(node, field, None)
        if isinstance(body, list):
            for at, one in enumerate(body):
                if _is_dropped(one):
                    rest = [*body[:at], ast.copy_location(ast.Pass(), one), *body[at + 1 :]]
                    yield Edit(node, {field: rest}, ast.unparse(one), "pass")


def _is_dropped(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    return isinstance(node, ast.AugAssign | ast.Raise)

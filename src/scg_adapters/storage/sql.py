"""Queries as SQL. Shared by the adapters that speak it; placeholders are ``?``.

``matches`` in ``scg_core.kernel.query`` is the meaning; the storage contract compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic

from attrs import evolve, frozen

from scg_adapters.storage.schema import Table, column, encoder, quoted, table
from scg_core.kernel.query import DELETED, Condition, Numeric, Op, Query, ne
from scg_core.kernel.resource import R

_OPERATORS: Final = {Op.GE: ">=", Op.GT: ">", Op.LT: "<", Op.LE: "<="}

_STATE: Final = "state"
NOT_DELETED: Final = ne(_STATE, DELETED)

NUMBER_IN: Final = "scg_number_in"
"""The name under which the database knows ``scg_core.kernel.query.number_in``."""

Compiled = tuple[str, list[Any]]


def select(query: Query[R], columns: Sequence[str]) -> Compiled:
    """A select of some attributes, with conditions, order and page."""
    of = table(query.kind)
    names = ", ".join(quoted(column(of.declared[name])) for name in columns)
    where, parameters = conditions(of, query.where)
    sql = f"select {names} from {quoted(of.source)}{where} order by {_order(of, query)}"
    if query.limit is not None or query.offset:
        sql += " limit ? offset ?"
        parameters += [-1 if query.limit is None else query.limit, query.offset]
    return sql, parameters


def select_keys_first(query: Query[R], columns: Sequence[str]) -> Compiled:
    """The same, but keys alone are sorted and passed over; the rest is read for the page."""
    of = table(query.kind)
    names = ", ".join(quoted(column(of.declared[name])) for name in columns)
    key = quoted(column(of.key))
    inner, parameters = select(query, (of.key.name,))
    sql = f"select {names} from {quoted(of.source)} where {key} in ({inner})"
    return f"{sql} order by {_order(of, query)}", parameters


def counted(query: Query[R], at_most: int | None, source: str = "") -> Compiled:
    """A select of the number of rows that meet the conditions, counted up to ``at_most``.

    ``source`` is where they are counted, if that is not where they are read.
    """
    of = table(query.kind)
    where, parameters = conditions(of, query.where)
    source = quoted(source or of.source)
    if at_most is None:
        return f"select count(*) from {source}{where}", parameters
    inner = f"select 1 from {source}{where} limit ?"
    return f"select count(*) from ({inner})", [*parameters, at_most]


@frozen
class Apart(Generic[R]):
    """A count that a storage with a tally can answer more quickly.

    ``tallied`` is the value whose rows are counted, ``cold`` the query without the condition that
    they are not DELETED, which asks for nothing hot, and ``whole`` whether that is all of them.
    """

    tallied: object
    cold: Query[R]

    @property
    def whole(self) -> bool:
        """Whether all rows with the tallied value are counted."""
        return len(self.cold.where) == 1


def apart(query: Query[R]) -> Apart[R] | None:
    """The parts of a count of what is not DELETED; None if it is no such count.

    Conditions within ``every`` count one by one.
    """
    of = table(query.kind)
    name = of.declared.tally
    where = [part for one in query.where for part in (one.value if one.op is Op.ALL else (one,))]
    rest = tuple(one for one in where if one != NOT_DELETED)
    if name is None or len(rest) == len(where):
        return None
    cold = all(one.field in of.declared.by_name and not of.declared[one.field].hot for one in rest)
    named = [one.value for one in rest if one.field == name and one.op is Op.EQ]
    return Apart(named[0], evolve(query, where=rest)) if cold and len(named) == 1 else None


def conditions(of: Table, where: Sequence[Condition]) -> Compiled:
    """The where clause, with a blank in front, or nothing."""
    terms: list[str] = []
    parameters: list[Any] = []
    for condition in where:
        term, values = _term(of, condition)
        terms.append(term)
        parameters += values
    return (" where " + " and ".join(terms) if terms else ""), parameters


def _order(of: Table, query: Query[R]) -> str:
    """The order; where rows are tallied, by no index that goes through those of all others."""
    ordered = {
        index.fields[1] if len(index.fields) > 1 else of.key.name
        for index in of.declared.indexes
        if index.fields[0] == of.declared.tally
    }
    free = of.declared.tally is None
    return ", ".join(
        ("" if free or name in ordered else "+")
        + quoted(column(of.declared[name]))
        + (" desc" if descending else "")
        for name, descending in query.order()
    )


def _term(of: Table, condition: Condition) -> Compiled:
    if condition.op is Op.NOT:
        term, values = _term(of, condition.value)
        return f"({term}) is not true", values
    if condition.op in (Op.EITHER, Op.ALL):
        terms = [_term(of, one) for one in condition.value]
        word = " or " if condition.op is Op.EITHER else " and "
        joined = word.join(term for term, _ in terms)
        return f"({joined})", [value for _, values in terms for value in values]
    attribute = of.declared[condition.field]
    name, value = quoted(column(attribute)), condition.value
    encode = encoder(attribute) or (lambda same: same)
    if isinstance(value, Numeric):
        return _numeric(name, condition.op, value.number)
    match condition.op:
        case Op.EQ if value is None:
            return f"{name} is null", []
        case Op.EQ if any(
            i.only and i.only[0] == attribute.name and i.only[1] for i in of.declared.indexes
        ):
            # A literal, so that the planner may use an index kept to rows with this value.
            return f"{name} = {_literal(encode(value))}", []
        case Op.EQ:
            return f"{name} = ?", [encode(value)]
        case Op.NE if value is None:
            return f"{name} is not null", []
        case Op.NE:
            return f"({name} is null or {name} <> ?)", [encode(value)]
        case Op.IN:
            marks = ", ".join("?" * len(value))
            return f"{name} in ({marks})", [encode(one) for one in value]
        case Op.PREFIX:
            return f"substr({name}, 1, ?) = ?", [len(value), value]
        case Op.HAS:
            several = list(value) if isinstance(value, tuple | list | set | frozenset) else [value]
            marks = ", ".join("?" * len(several))
            inner = f"select 1 from json_each({name}) where json_each.value in ({marks})"
            return f"exists ({inner})", several
        case Op.CONTAINS:
            return f"instr({name}, ?) > 0", [value]
        case Op.WITHIN:
            inner_of = table(value.query.kind)
            wanted = quoted(column(inner_of.declared[value.column]))
            where, parameters = conditions(inner_of, value.query.where)
            return f"{name} in (select {wanted} from {quoted(inner_of.source)}{where})", parameters
        case _:
            return f"{name} {_OPERATORS[condition.op]} ?", [encode(value)]


def _numeric(name: str, op: Op, number: float) -> Compiled:
    """A comparison as numbers, by the function that the session gives the database."""
    held = f"{NUMBER_IN}({name})"
    if op is Op.NE:
        return f"({held} is null or {held} <> ?)", [number]
    return f"{held} {'=' if op is Op.EQ else _OPERATORS[op]} ?", [number]


def _has_an_index_of_its_own(of: Table, name: str) -> bool:
    """Whether some index is kept to rows with one value of this attribute."""
    only = [index.only for index in of.declared.indexes if index.only is not None]
    return any(field == name and value is not None for field, value in only)


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"

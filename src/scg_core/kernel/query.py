"""A question to the storage, as a value.

``Query`` says which resources, in which order, how many; every storage adapter translates it, and
``matches`` here is its meaning: an adapter and this function must always agree.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, Generic

from attrs import evolve, field, frozen

from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Attribute, Day, Micros, R, Resource, declaration, is_enum

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
MAX_OFFSET: Final = 2**53
MAX_VALUES: Final = 1000
MAX_RANGES: Final = 100
EXACT_TOTAL: Final = 100_000
DELETED: Final = "DELETED"
_BY_DATE: Final = ("company_id", "created_date")
_ORDERED: Final = (Instant, Micros, Day, int, float)


class Op(StrEnum):
    """How a field is compared; a null field matches only ``EQ None`` and ``NE``."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    GE = "ge"
    GT = "gt"
    LT = "lt"
    LE = "le"
    PREFIX = "prefix"
    ALL = "all"  # all of the conditions in the value; the field is of no account
    EITHER = "either"  # any of the conditions in the value; the field is of no account
    HAS = "has"  # a list field contains the value, or any of a tuple of values
    CONTAINS = "contains"  # the value is part of the field's text
    NOT = "not"  # the one condition in the value does not hold; the field is of no account
    WITHIN = "within"  # the field equals a column of what another query asks for (a Selection)


_NUMBER: Final = re.compile(r"^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$")


@frozen
class Numeric:
    """A value that a field is compared with as a number; a field that is none meets only NE."""

    number: float


def number_in(held: object) -> float | None:
    """The number that a field holds, as a number or as its digits, or None."""
    if isinstance(held, int | float):
        return float(held)
    return float(held) if isinstance(held, str) and _NUMBER.match(held) else None


@frozen
class Condition:
    """One comparison of one field."""

    field: str
    op: Op
    value: Any


@frozen
class Selection:
    """The values of one column of what a query asks for."""

    query: Query[Any]
    column: str


def _all(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(conditions)


@frozen
class Query(Generic[R]):
    """The resources of a kind that meet every condition, sorted, a page of them.

    Ties in the order are broken by the key, so that paging never skips or repeats.
    """

    kind: type[R]
    where: tuple[Condition, ...] = field(default=(), converter=_all)
    sort: tuple[tuple[str, bool], ...] = ()  # (field, descending)
    limit: int | None = None
    offset: int = 0

    def also(self, *conditions: Condition) -> Query[R]:
        """The same query with more conditions, which come first."""
        return evolve(self, where=(*conditions, *self.where))

    def order(self) -> tuple[tuple[str, bool], ...]:
        """The sort with the key as tie-break."""
        key = declaration(self.kind).key
        if any(name == key for name, _ in self.sort):
            return self.sort
        return (*self.sort, (key, self.sort[-1][1] if self.sort else False))


def eq(name: str, value: Any) -> Condition:
    """The field equals the value (``None``: is null)."""
    return Condition(name, Op.EQ, value)


def ne(name: str, value: Any) -> Condition:
    """The field differs from the value; null differs from every value."""
    return Condition(name, Op.NE, value)


def among(name: str, values: Iterable[Any]) -> Condition:
    """The field equals one of the values."""
    return Condition(name, Op.IN, tuple(values))


def at_least(name: str, value: Any) -> Condition:
    """The field is the value or more."""
    return Condition(name, Op.GE, value)


def at_most(name: str, value: Any) -> Condition:
    """The field is the value or less."""
    return Condition(name, Op.LE, value)


def below(name: str, value: Any) -> Condition:
    """The field is less than the value."""
    return Condition(name, Op.LT, value)


def above(name: str, value: Any) -> Condition:
    """The field is more than the value."""
    return Condition(name, Op.GT, value)


def negated(condition: Condition) -> Condition:
    """The condition does not hold."""
    return Condition("", Op.NOT, condition)


def within(name: str, query: Query[Any], column: str) -> Condition:
    """The field equals a column of what another query asks for."""
    return Condition(name, Op.WITHIN, Selection(query, column))


def every(*conditions: Condition) -> Condition:
    """All of these conditions."""
    return Condition("", Op.ALL, conditions)


def either(*conditions: Condition) -> Condition:
    """Any of these conditions."""
    return Condition("", Op.EITHER, conditions)


def meets(resource: Resource, condition: Condition) -> bool:
    """Whether a resource meets a condition: what every storage adapter must agree with."""
    if condition.op is Op.EITHER:
        return any(meets(resource, one) for one in condition.value)
    if condition.op is Op.ALL:
        return all(meets(resource, one) for one in condition.value)
    if condition.op is Op.NOT:
        return not meets(resource, condition.value)
    return matches(condition, getattr(resource, condition.field))


def matches(condition: Condition, held: Any) -> bool:
    """Whether a field that holds ``held`` meets the condition."""
    value = condition.value
    if isinstance(value, Numeric):
        return _numerically(condition.op, value.number, number_in(held))
    match condition.op:
        case Op.EQ:
            return bool(held == value)
        case Op.NE:
            return bool(held != value)
        case Op.IN:
            return held is not None and held in value
        case Op.PREFIX:
            return held is not None and str(held).startswith(value)
        case Op.HAS:
            several = isinstance(value, tuple | list | set | frozenset)
            wanted = value if several else (value,)
            return held is not None and not set(wanted).isdisjoint(held)
        case Op.GE:
            return held is not None and bool(held >= value)
        case Op.GT:
            return held is not None and bool(held > value)
        case Op.LT:
            return held is not None and bool(held < value)
        case Op.LE:
            return held is not None and bool(held <= value)
        case Op.EITHER:
            return any(matches(one, held) for one in value)
        case Op.ALL:
            return all(matches(one, held) for one in value)
        case Op.CONTAINS:
            return held is not None and str(value) in str(held)
        case Op.NOT:
            return not matches(value, held)
        case Op.WITHIN:
            raise ValueError("only a storage knows what another query finds")


def _numerically(op: Op, value: float, held: float | None) -> bool:
    if held is None:
        return op is Op.NE
    return _COMPARED[op](held, value)


_COMPARED: Final[Mapping[Op, Callable[[float, float], bool]]] = {
    Op.EQ: operator.eq, Op.NE: operator.ne, Op.LT: operator.lt, Op.LE: operator.le,
    Op.GT: operator.gt, Op.GE: operator.ge,
}  # fmt: skip


@frozen
class Prefix:
    """A filter's value: whatever text begins like this."""

    text: str


@frozen
class Between:
    """A filter's value: from ``start`` on and before ``end``; either may be open (None)."""

    start: object = None
    end: object = None


@frozen
class Page(Generic[R]):
    """One page of a list.

    ``total`` is how many there are in all: exact up to ``EXACT_TOTAL``, above it never less than
    what lies behind this page plus one, so that a reader who pages until ``total`` goes on.
    """

    items: list[R]
    total: int
    offset: int
    limit: int


def listing(
    kind: type[R],
    company: str,
    filters: Mapping[str, object],
    *,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
    scope: Condition | None = None,
) -> Query[R]:
    """The query behind a list call: filters by name, scoped to a company (semantics 17).

    A value that is a tuple, list or set means any of its members; on a list field it means
    membership. ``sort`` is a field name, with ``-`` in front for descending. What is DELETED is
    left out unless the filters ask for a state. ``scope`` says what the company sees, if that is
    more than its own. Without a sort the oldest come first.

    Raises:
        InvalidField: an unknown or unfilterable field, a bad limit, offset or sort.
    """
    codec.read_integer("limit", limit, 1, MAX_LIMIT)
    codec.read_integer("offset", offset, 0, MAX_OFFSET)
    where = [scope or eq("company_id", company), *filtered(kind, filters)]
    if "state" not in filters and _can_be_deleted(kind):
        where.append(ne("state", DELETED))
    order = _sort(kind, sort) if sort is not None or scope is not None else _usual(kind)
    return Query(kind, where, order, limit, offset)


def filtered(kind: type[Resource], filters: Mapping[str, object]) -> list[Condition]:
    """What filters by name ask for, as conditions.

    A telephone number is compared with and without its plus sign.

    Raises:
        InvalidField: an unknown or unfilterable field, or a value of another type.
    """
    found: list[Condition] = []
    declared = declaration(kind)
    for name, value in filters.items():
        attribute = declared.by_name.get(name) or declared.by_wire.get(name)
        if attribute is None or not attribute.filterable:
            raise InvalidField(name, f"is not a filter of {declared.title}")
        found += _conditions(attribute, name, value)
    return found


def _can_be_deleted(kind: type[Resource]) -> bool:
    state = declaration(kind).by_name.get("state")
    return state is not None and is_enum(state.type) and DELETED in list(state.type)  # type: ignore[call-overload]


def _conditions(attribute: Attribute, name: str, value: object) -> list[Condition]:
    if value is None:
        return [eq(attribute.name, None)]
    if isinstance(value, Prefix):
        return [_beginning(attribute, name, value)]
    if isinstance(value, Between):
        return _between(attribute, name, value)
    several = isinstance(value, tuple | list | set | frozenset)
    given = list(value) if several else [value]  # type: ignore[call-overload]
    if len(given) > MAX_VALUES:
        raise InvalidField(attribute.wire, f"takes at most {MAX_VALUES} values")
    special = [one for one in given if isinstance(one, Prefix | Between)]
    if len(special) > MAX_RANGES:
        rule = f"takes at most {MAX_RANGES} ranges and beginnings"
        raise InvalidField(attribute.wire, rule)
    if special:
        return _any_of(attribute, name, [one for one in given if one not in special], special)
    known = [codec.read_value(attribute, name, one) for one in given]
    if attribute.address:
        several, known = True, [form for one in known if one for form in _spellings(one)]
    if attribute.type == tuple[str, ...]:
        return [Condition(attribute.name, Op.HAS, tuple(known))]
    return [among(attribute.name, known) if several else eq(attribute.name, known[0])]


def _any_of(
    attribute: Attribute, name: str, plain: list[Any], special: list[Prefix | Between]
) -> list[Condition]:
    """Any of plain values, beginnings and ranges; a range without bounds leaves nothing out."""
    wanted = list(_conditions(attribute, name, plain)) if plain else []
    for one in special:
        parts = _conditions(attribute, name, one)
        if not parts:
            return []
        wanted.append(parts[0] if len(parts) == 1 else Condition("", Op.ALL, tuple(parts)))
    return [either(*wanted)]


def _beginning(attribute: Attribute, name: str, value: Prefix) -> Condition:
    if attribute.type is not str:
        raise InvalidField(name, "is no text, so it has no beginning to compare")
    start = codec.read_value(attribute, name, value.text)
    bare = start.removeprefix("+")
    if attribute.address and (not bare or bare.isdigit()):
        forms = (Condition(attribute.name, Op.PREFIX, one) for one in ("+" + bare, bare))
        return either(*forms)
    return Condition(attribute.name, Op.PREFIX, start)


def _between(attribute: Attribute, name: str, value: Between) -> list[Condition]:
    if attribute.type not in _ORDERED:
        raise InvalidField(name, "is neither a time nor a number, so it has no range")
    found = []
    for op, bound in ((Op.GE, value.start), (Op.LT, value.end)):
        if bound is not None:
            known = codec.read_value(attribute, name, bound)
            found.append(Condition(attribute.name, op, known))
    return found


def _spellings(address: str) -> tuple[str, ...]:
    """An address, and if it is a telephone number, the same with or without its plus sign."""
    bare = address.strip().removeprefix("+")
    return (f"+{bare}", bare) if bare.isascii() and bare.isdigit() else (address,)


def _usual(kind: type[Resource]) -> tuple[tuple[str, bool], ...]:
    """The order of creation, by the date where an index by company has it, else by the key.

    A message's number is its key and rises; its date is its request's, which may be older.
    """
    if declaration(kind).key != "id":
        return ()
    dated = any(index.fields[:2] == _BY_DATE for index in declaration(kind).indexes)
    return ((_BY_DATE[1], False),) if dated else ()


def _sort(kind: type[Resource], sort: str | None) -> tuple[tuple[str, bool], ...]:
    if sort is None:
        return ()
    declared = declaration(kind)
    sort = codec.read_text("sort", sort)
    attribute = declared.by_wire.get(sort.removeprefix("-"))
    unsorted = attribute is None or attribute.type == tuple[str, ...]
    if attribute is None or unsorted or attribute.derived or attribute.masked:
        raise InvalidField("sort", f"{sort[:64]!r} is not a field to sort {declared.title} by")
    return ((attribute.name, sort.startswith("-")),)

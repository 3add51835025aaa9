"""A question to the storage, as a value.

``Query`` says which resources, in which order, how many; every storage adapter translates it, and
``matches`` here is its meaning: an adapter and this function must always agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, Generic

from attrs import field, frozen

from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.resource import R, Resource, declaration

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
MAX_OFFSET: Final = 2**53
MAX_VALUES: Final = 1000


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
    HAS = "has"  # a list field contains the value


@frozen
class Condition:
    """One comparison of one field."""

    field: str
    op: Op
    value: Any


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


def matches(condition: Condition, held: Any) -> bool:
    """Whether a field that holds ``held`` meets the condition."""
    value = condition.value
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
            return held is not None and value in held
        case Op.GE:
            return held is not None and bool(held >= value)
        case Op.GT:
            return held is not None and bool(held > value)
        case Op.LT:
            return held is not None and bool(held < value)
        case Op.LE:
            return held is not None and bool(held <= value)


def listing(
    kind: type[R],
    company: str,
    filters: Mapping[str, object],
    *,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
    known: Iterable[Condition] = (),
) -> Query[R]:
    """The query behind a list call: filters by name, scoped to a company (semantics 17).

    A value that is a tuple, list or set means any of its members; on a list field it means
    membership. ``sort`` is a field name, with ``-`` in front for descending.

    Raises:
        InvalidField: an unknown or unfilterable field, a bad limit, offset or sort.
    """
    codec.read_integer("limit", limit, 1, MAX_LIMIT)
    codec.read_integer("offset", offset, 0, MAX_OFFSET)
    where = (eq("company_id", company), *known, *_conditions(kind, filters))
    return Query(kind, where, _sort(kind, sort), limit, offset)


def _conditions(kind: type[Resource], filters: Mapping[str, object]) -> Iterable[Condition]:
    declared = declaration(kind)
    for name, value in filters.items():
        attribute = declared.by_name.get(name) or declared.by_wire.get(name)
        if attribute is None or not attribute.filterable:
            raise InvalidField(name, f"is not a filter of {declared.title}")
        if value is None:
            yield eq(attribute.name, None)
            continue
        several = isinstance(value, tuple | list | set | frozenset)
        given = list(value) if several else [value]  # type: ignore[call-overload]
        if len(given) > MAX_VALUES:
            raise InvalidField(attribute.wire, f"takes at most {MAX_VALUES} values")
        known = tuple(codec.read_value(attribute, name, one) for one in given)
        if attribute.type == tuple[str, ...]:
            yield Condition(attribute.name, Op.HAS, known)
        else:
            yield among(attribute.name, known) if several else eq(attribute.name, known[0])


def _sort(kind: type[Resource], sort: str | None) -> tuple[tuple[str, bool], ...]:
    if sort is None:
        return ()
    declared = declaration(kind)
    sort = codec.read_text("sort", sort)
    attribute = declared.by_wire.get(sort.removeprefix("-"))
    if attribute is None or attribute.type == tuple[str, ...]:
        raise InvalidField("sort", f"{sort!r} is not a field to sort {declared.title} by")
    return ((attribute.name, sort.startswith("-")),)

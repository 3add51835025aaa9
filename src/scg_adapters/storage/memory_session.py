"""One transaction on plain dictionaries: resources and pages of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from scg_adapters.storage.memory_queue import MemoryQueue
from scg_adapters.storage.memory_tables import Rows
from scg_core.kernel.errors import Duplicate, NotFound, StaleData
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Condition, Op, Query, meets
from scg_core.kernel.resource import (
    R,
    Resource,
    declaration,
    evolve,
    identity,
    is_enum,
    stored,
)

_LOOKED_UP: Final = frozenset({"transport_id", "mdn_key"})
INDEXES: Final = (" by ", " holding ")
"""Tables whose name has one of these can be made anew from the others."""


class MemorySession(MemoryQueue):
    """Resources and rows; due work and lanes are in ``MemoryQueue``."""

    def get(self, kind: type[R], id: str, /) -> R | None:
        """The resource with this id, or None."""
        found: R | None = self._kind(kind).get(self._taken(kind, ("id",)).get((id,)))
        return found

    def add(self, resource: Resource, /) -> None:
        """Store a new resource."""
        declared = declaration(resource)
        held = self._kind(type(resource))
        key = getattr(resource, declared.key)
        if key in held:
            raise Duplicate(declared.title, (declared.key,))
        self._refuse_taken(resource, key)
        self._keep(held, key, resource)

    def replace(self, resource: Resource, /) -> None:
        """Store the successor of a resource."""
        declared = declaration(resource)
        held = self._kind(type(resource))
        key = getattr(resource, declared.key)
        if key not in held:
            raise NotFound(declared.title, identity(resource))
        current: Any = held[key]
        version = resource.version_number  # type: ignore[attr-defined]
        if current.version_number != version - 1:
            raise StaleData(declared.title, current.id, version - 1, current.version_number)
        self._refuse_taken(resource, key)
        self._keep(held, key, resource)

    def remove(self, resource: Resource, /) -> None:
        """Take a resource out."""
        declared = declaration(resource)
        held = self._kind(type(resource))
        key = getattr(resource, declared.key)
        if key not in held:
            raise NotFound(declared.title, identity(resource))
        self._let_go(held[key])
        self._take(held, key)

    def discard(self, kind: type[Resource], keys: Sequence[Any], /) -> int:
        """Take out the resources with these keys; how many were out."""
        held = self._kind(kind)
        known = [key for key in dict.fromkeys(keys) if key in held]
        for key in known:
            self._let_go(held[key])
            self._take(held, key)
        return len(known)

    def census(self, kind: type[Resource], name: str, /) -> dict[Any, int]:
        """How many resources of a kind there are, by the values of one of their fields."""
        return dict(Counter(_plain(getattr(one, name)) for one in self._kind(kind).values()))

    def find(self, query: Query[R], /) -> list[R]:
        """The resources a query asks for, in its order."""
        query = self._resolved(query)
        found = [one for one in self._candidates(query) if _meets(one, query.where)]
        for name, descending in reversed(query.order()):
            found.sort(key=partial(_order, name), reverse=descending)
        end = None if query.limit is None else query.offset + query.limit
        return found[query.offset : end]

    def count(self, query: Query[R], /, at_most: int | None = None) -> int:
        """How many resources meet the query's conditions, counted up to ``at_most``."""
        query = self._resolved(query)
        found = sum(_meets(one, query.where) for one in self._candidates(query))
        return found if at_most is None else min(found, at_most)

    def insert(
        self, kind: type[Resource], columns: Sequence[str], rows: Iterable[Sequence[Any]], /
    ) -> None:
        """Store many new resources given as rows of plain values."""
        for row in rows:
            values = dict(zip(columns, row, strict=True))
            self.add(kind(**{name: _typed(kind, name, value) for name, value in values.items()}))

    def rows(self, query: Query[R], columns: Sequence[str], /) -> list[tuple[Any, ...]]:
        """Some columns of what a query asks for, as plain values."""
        return [tuple(_plain(getattr(one, name)) for name in columns) for one in self.find(query)]

    def update(
        self,
        kind: type[Resource],
        columns: Sequence[str],
        match: Sequence[str],
        rows: Sequence[Sequence[Any]],
        /,
    ) -> int:
        """Set columns where others equal; how many rows were changed."""
        held = self._kind(kind)
        changed = 0
        for row in rows:
            values, wanted = row[: len(columns)], row[len(columns) :]
            current = held.get(wanted[0])
            if current is None or any(
                _plain(getattr(current, name)) != value
                for name, value in zip(match, wanted, strict=True)
            ):
                continue
            pairs = zip(columns, values, strict=True)
            after = {name: _typed(kind, name, value) for name, value in pairs}
            if declaration(kind).versioned:
                after.setdefault("version_number", current.version_number + 1)
            self._keep(held, wanted[0], evolve(current, **after))
            changed += 1
        return changed

    def increase(
        self, kind: type[Resource], id: str, amounts: Mapping[str, int], now: Instant, /
    ) -> None:
        """Add to counters of a resource and date it."""
        held = self._kind(kind)
        if id in held:
            after = {name: getattr(held[id], name) + amount for name, amount in amounts.items()}
            self._keep(held, id, evolve(held[id], **after, last_updated_date=now))

    def number(self, count: int, /) -> int:
        """Reserve that many message numbers in a row; the first of them."""
        counters = self._tables["counter"]
        last = counters.get("message", 0)
        self._put(counters, "message", last + count)
        return int(last) + 1

    def remember(self, scope: str, keys: Sequence[int], /) -> set[int]:
        """Note keys within a scope; those of them that were not yet known."""
        seen = self._tables["recipient_seen"]
        new = {key for key in keys if (scope, key) not in seen}
        for key in new:
            self._put(seen, (scope, key), True)
        return new

    def forget(self, scope: str, at_most: int, /) -> int:
        """Drop up to so many keys of a scope; how many were dropped."""
        seen = self._tables["recipient_seen"]
        some = [key for key in seen if key[0] == scope][:at_most]
        for key in some:
            self._take(seen, key)
        return len(some)

    def keep(self, held: Rows, key: object, resource: Resource) -> None:
        """Store a resource under its key, whatever was there."""
        self._keep(held, key, resource)

    def let_go(self, held: Rows, key: object) -> None:
        """Take out what is kept under a key, if there is anything."""
        if isinstance(held.get(key), Resource):
            self._let_go(held[key])
        held.pop(key, None)

    def _kind(self, kind: type[Resource]) -> Rows:
        return self._tables[declaration(kind).name]

    def _resolved(self, query: Query[R]) -> Query[R]:
        """The query with what it asks of other queries answered."""
        return attrs.evolve(query, where=[self._known(one) for one in query.where])

    def _known(self, condition: Condition) -> Condition:
        match condition.op:
            case Op.WITHIN:
                rows = self.rows(condition.value.query, (condition.value.column,))
                return Condition(condition.field, Op.IN, frozenset(row[0] for row in rows))
            case Op.NOT:
                return Condition("", Op.NOT, self._known(condition.value))
            case Op.EITHER | Op.ALL:
                inner = tuple(self._known(one) for one in condition.value)
                return Condition("", condition.op, inner)
            case _:
                return condition

    def _candidates(self, query: Query[R]) -> Iterable[R]:
        """What may meet a query: few where it names keys, ids or a range of keys, else all."""
        held = self._kind(query.kind)
        key = declaration(query.kind).key
        only = self._unique_one(query)
        if only is not None:
            return [held[one] for one in only]
        least = most = None
        for condition in query.where:
            if condition.field in _LOOKED_UP and condition.op is Op.IN:
                holders = self._holders(query.kind, condition.field)
                return [
                    held[one]
                    for value in dict.fromkeys(condition.value)
                    for one in holders.get(value, ())
                ]
            if condition.field in (key, "id") and condition.op in (Op.EQ, Op.IN):
                named = condition.value if condition.op is Op.IN else (condition.value,)
                ids = self._taken(query.kind, ("id",))
                keys = named if condition.field == key else (ids.get((one,)) for one in named)
                return [held[one] for one in dict.fromkeys(keys) if one in held]
            if condition.field == key and condition.op is Op.GE:
                least = condition.value
            if condition.field == key and condition.op is Op.LE:
                most = condition.value
        if isinstance(least, int) and isinstance(most, int) and most - least < len(held):
            return [held[one] for one in range(least, most + 1) if one in held]
        return held.values()

    def _unique_one(self, query: Query[R]) -> list[Any] | None:
        """The key of the one that may meet a query, where it names all of a unique group."""
        named = {one.field: one.value for one in query.where if one.op is Op.EQ}
        for fields in declaration(query.kind).unique:
            values = tuple(named.get(field) for field in fields)
            if None not in values:
                key = self._taken(query.kind, fields).get(values)
                return [] if key is None else [key]
        return None

    def _keep(self, held: Rows, key: object, resource: Resource) -> None:
        """Store a resource and note the unique values it holds."""
        if key in held:
            self._let_go(held[key])
        self._put(held, key, stored(resource))
        for fields, values in self._unique_values(resource):
            self._put(self._taken(type(resource), fields), values, key)
        for holders, value in self._looked_up(resource):
            self._put(holders, value, (*holders.get(value, ()), key))

    def _let_go(self, resource: Resource) -> None:
        key = getattr(resource, declaration(resource).key)
        for fields, values in self._unique_values(resource):
            taken = self._taken(type(resource), fields)
            if taken.get(values) == key:  # when changes are restored, another may hold it already
                self._take(taken, values)
        for holders, value in self._looked_up(resource):
            others = tuple(one for one in holders[value] if one != key)
            if others:
                self._put(holders, value, others)
            else:
                self._take(holders, value)

    def _looked_up(self, resource: Resource) -> Iterable[tuple[Rows, Any]]:
        """The values a resource is found by without a scan, each with who holds it."""
        for name in _LOOKED_UP & declaration(resource).by_name.keys():
            value = getattr(resource, name)
            if value is not None:
                yield self._holders(type(resource), name), value

    def _holders(self, kind: type[Resource], name: str) -> Rows:
        return self._tables[f"{declaration(kind).name} holding {name}"]

    def _refuse_taken(self, resource: Resource, key: object) -> None:
        for fields, values in self._unique_values(resource):
            if self._taken(type(resource), fields).get(values, key) != key:
                raise Duplicate(declaration(resource).title, fields)

    def _unique_values(self, resource: Resource) -> Iterable[tuple[tuple[str, ...], Any]]:
        for fields in {("id",), *declaration(resource).unique}:
            values = tuple(getattr(resource, name) for name in fields)
            if None not in values:
                yield fields, values

    def _taken(self, kind: type[Resource], fields: tuple[str, ...]) -> Rows:
        """Which key holds which values of a unique group of fields."""
        return self._tables[f"{declaration(kind).name} by {', '.join(fields)}"]


def _meets(resource: Resource, where: Iterable[Condition]) -> bool:
    return all(meets(resource, condition) for condition in where)


def _order(name: str, resource: Resource) -> tuple[bool, Any]:
    """Order as SQL has it: null before everything."""
    value = _plain(getattr(resource, name))
    return (value is not None, value)


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def _typed(kind: type[Resource], name: str, value: Any) -> Any:
    wanted = declaration(kind)[name].type
    if value is None or not is_enum(wanted):
        return value
    make: Callable[[Any], Any] = wanted  # type: ignore[assignment]
    return make(value)

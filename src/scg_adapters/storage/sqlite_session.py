"""One SQLite transaction as the storage port's ``Session``: resources and pages of rows."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from scg_adapters.storage.schema import (
    Table,
    column,
    deleted_of,
    encoder,
    plain_decoder,
    quoted,
    table,
)
from scg_adapters.storage.sql import apart, counted, select, select_keys_first
from scg_adapters.storage.sqlite_queue import SqliteQueue
from scg_core.kernel.errors import Duplicate, NotFound, StaleData
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import DELETED, Query
from scg_core.kernel.resource import R, Resource, identity

_CHUNK: Final = 500


class SqliteSession(SqliteQueue):
    """Resources and rows; due work and lanes are in ``SqliteQueue``."""

    def get(self, kind: type[R], id: str, /) -> R | None:
        """The resource with this id, or None."""
        of = table(kind)
        sql = f'select {of.columns} from {quoted(of.source)} where "id" = ?'
        row = self._db.execute(sql, (id,)).fetchone()
        return None if row is None else of.load(row)

    def add(self, resource: Resource, /) -> None:
        """Store a new resource."""
        of = table(type(resource))
        for sql, attributes in _inserts(of, None):
            with _unique(of):
                self._db.execute(sql, of.values(resource, attributes))
        self._tally(of, _counted(of, resource))

    def replace(self, resource: Resource, /) -> None:
        """Store the successor of a resource."""
        of = table(type(resource))
        version = getattr(resource, "version_number")  # noqa: B009
        key = of.values(resource, [of.key])[0]
        guarded = of.hot_name if of.hot else of.name
        state = str(getattr(resource, "state", ""))
        deleted = self._about_to_be_deleted(of, ("state",), (of.key.name,), [(state, key)])
        with _unique(of):
            for name, attributes in ((guarded, of.hot or of.cold), (of.name, of.cold)):
                free = [a for a in attributes if a is not of.key]
                sets = ", ".join(f"{quoted(column(a))} = ?" for a in free)
                sql = f"update {quoted(name)} set {sets} where {quoted(column(of.key))} = ?"
                values = [*of.values(resource, free), key]
                if name == guarded:
                    sql += ' and "version_number" = ?'
                    if not self._db.execute(sql, [*values, version - 1]).rowcount:
                        self._refuse(of, resource, version - 1)
                    if not of.hot:
                        break
                else:
                    self._db.execute(sql, values)
        self._tally(of, deleted, rows=False)

    def remove(self, resource: Resource, /) -> None:
        """Take a resource out."""
        of = table(type(resource))
        key = of.values(resource, [of.key])
        names = (of.name, of.hot_name) if of.hot else (of.name,)
        gone = self._row_tallied(of, key)
        for name in names:
            sql = f"delete from {quoted(name)} where {quoted(column(of.key))} = ?"
            if not self._db.execute(sql, key).rowcount:
                raise NotFound(of.declared.title, identity(resource))
        self._tally(of, gone, -1)

    def discard(self, kind: type[Resource], keys: Sequence[Any], /) -> int:
        """Take out the resources with these keys; how many were out."""
        of = table(kind)
        gone = [one for key in keys for one in self._row_tallied(of, [key])]
        out = 0
        for name in (of.hot_name, of.name) if of.hot else (of.name,):
            sql = f"delete from {quoted(name)} where {quoted(column(of.key))} = ?"
            out = self._db.executemany(sql, [(key,) for key in keys]).rowcount
        self._tally(of, gone, -1)
        return max(out, 0)

    def census(self, kind: type[Resource], name: str, /) -> dict[Any, int]:
        """How many resources of a kind there are, by the values of one of their fields."""
        of = table(kind)
        field = of.declared[name]
        sql = f"select {quoted(column(field))}, count(*) from {quoted(of.home(field))} group by 1"
        return dict(self._db.execute(sql).fetchall())

    def _row_tallied(self, of: Table, key: Sequence[Any]) -> list[tuple[Any, Any]]:
        """What is tallied of a row."""
        if of.declared.tally is None:
            return []
        name = quoted(column(of.declared[of.declared.tally]))
        where = f"{quoted(column(of.key))} = ?"
        sql = f'select {name}, "state" from {quoted(of.source)} where {where}'
        return self._db.execute(sql, key).fetchall()

    def find(self, query: Query[R], /) -> list[R]:
        """The resources a query asks for, in its order."""
        of = table(query.kind)
        compiled = select_keys_first if query.sort or query.offset else select
        sql, parameters = compiled(query, of.names)
        return [of.load(row) for row in self._db.execute(sql, parameters)]

    def count(self, query: Query[R], /, at_most: int | None = None) -> int:
        """How many resources meet the query's conditions, counted up to ``at_most``."""
        parts = apart(query)
        gone = 0 if parts is None else self._tallied(deleted_of(table(query.kind)), parts.tallied)
        if parts is not None and parts.whole:
            there = self._tallied(table(query.kind).name, parts.tallied) - gone
            return there if at_most is None else min(there, at_most)
        if parts is not None and not gone:
            return self._number_of(parts.cold, at_most, table(query.kind).name)
        return self._number_of(query, at_most)

    def _tallied(self, kind: str, value: object) -> int:
        sql = "select value from tally where kind = ? and name = ?"
        row = self._db.execute(sql, (kind, value)).fetchone()
        return 0 if row is None else max(int(row[0]), 0)

    def _number_of(self, query: Query[R], at_most: int | None, source: str = "") -> int:
        sql, parameters = counted(query, at_most, source)
        return int(self._db.execute(sql, parameters).fetchone()[0])

    def _tally(
        self, of: Table, values: Iterable[tuple[Any, Any]], by: int = 1, *, rows: bool = True
    ) -> None:
        """Keep count of rows by what they have of the tallied attribute, and of DELETED ones.

        Without ``rows`` they are there already, and have become DELETED.
        """
        sql = (
            "insert into tally values (?, ?, ?) "
            "on conflict do update set value = value + excluded.value"
        )
        for (value, state), many in Counter(values).items():
            if rows:
                self._db.execute(sql, (of.name, value, by * many))
            if state == DELETED:
                self._db.execute(sql, (deleted_of(of), value, by * many))

    def _about_to_be_deleted(
        self, of: Table, columns: Sequence[str], match: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> list[tuple[object, str]]:
        """What is tallied of the rows that these changes make DELETED, which they stay."""
        if of.declared.tally is None or "state" not in columns:
            return []
        at = columns.index("state")
        name = quoted(column(of.declared[of.declared.tally]))
        where = " and ".join(f"{quoted(column(of.declared[one]))} = ?" for one in match)
        sql = f"select {name} from {quoted(of.source)} where {where} and \"state\" <> '{DELETED}'"
        once = dict.fromkeys(tuple(row[len(columns) :]) for row in rows if row[at] == DELETED)
        found = (value for keys in once for (value,) in self._db.execute(sql, keys).fetchall())
        return [(value, DELETED) for value in found]

    def insert(
        self, kind: type[Resource], columns: Sequence[str], rows: Iterable[Sequence[Any]], /
    ) -> None:
        """Store many new resources given as rows of plain values."""
        of = table(kind)
        held = _with_lists(of, columns, rows)
        at = {name: position for position, name in enumerate(columns)}
        for sql, attributes in _inserts(of, tuple(columns)):
            pick = [at.get(a.name) for a in attributes]
            fixed = [_default(of, a.name) for a in attributes]
            with _unique(of):
                self._db.executemany(sql, _picked(held, pick, fixed))
        if of.declared.tally:
            position, state = at[of.declared.tally], at["state"]
            self._tally(of, ((row[position], row[state]) for row in held))

    def rows(self, query: Query[R], columns: Sequence[str], /) -> list[tuple[Any, ...]]:
        """Some columns of what a query asks for, as plain values."""
        of = table(query.kind)
        sql, parameters = select(query, columns)
        found = self._db.execute(sql, parameters).fetchall()
        decoders = [
            (position, decode)
            for position, name in enumerate(columns)
            if (decode := plain_decoder(of.declared[name])) is not None
        ]
        if not decoders:
            return found
        held = [list(row) for row in found]
        for position, decode in decoders:
            for row in held:
                row[position] = decode(row[position])
        return [tuple(row) for row in held]

    def update(
        self,
        kind: type[Resource],
        columns: Sequence[str],
        match: Sequence[str],
        rows: Sequence[Sequence[Any]],
        /,
    ) -> int:
        """Set columns where others equal; how many rows were changed."""
        if not rows:
            return 0
        of = table(kind)
        if any(of.declared[name].type == tuple[str, ...] for name in columns):
            rows = _with_lists(of, columns, rows)
        deleted = self._about_to_be_deleted(of, columns, match, rows)
        changed = 0
        for sql, at in _updates(of, tuple(columns), tuple(match)):
            picked = rows if at is None else [[row[i] for i in at] for row in rows]
            with _unique(of):
                changed = self._db.executemany(sql, picked).rowcount
        self._tally(of, deleted, rows=False)
        return changed

    def increase(
        self, kind: type[Resource], id: str, amounts: Mapping[str, int], now: Instant, /
    ) -> None:
        """Add to counters of a resource and date it."""
        of = table(kind)
        home = of.hot_name if of.hot else of.name
        names = [quoted(column(of.declared[name])) for name in amounts]
        sets = ", ".join(f"{name} = {name} + ?" for name in names)
        sql = f'update {quoted(home)} set {sets}, "last_updated_date" = ? where "id" = ?'
        self._db.execute(sql, [*amounts.values(), now, id])

    def number(self, count: int, /) -> int:
        """Reserve that many message numbers in a row; the first of them."""
        sql = (
            "insert into counter values ('message', ?) "
            "on conflict do update set value = value + excluded.value returning value"
        )
        return int(self._db.execute(sql, (count,)).fetchone()[0]) - count + 1

    def remember(self, scope: str, keys: Sequence[int], /) -> set[int]:
        """Note keys within a scope; those of them that were not yet known."""
        self._db.execute("insert or ignore into recipient_scope (name) values (?)", (scope,))
        number = self._scope(scope)
        known: set[int] = set()
        for begin in range(0, len(keys), _CHUNK):
            some = keys[begin : begin + _CHUNK]
            marks = ", ".join("?" * len(some))
            sql = f"select key from recipient_seen where scope = ? and key in ({marks})"
            known.update(row[0] for row in self._db.execute(sql, [number, *some]))
        new = set(keys) - known
        self._db.executemany(
            "insert into recipient_seen values (?, ?)", [(number, key) for key in sorted(new)]
        )
        return new

    def forget(self, scope: str, at_most: int, /) -> int:
        """Drop up to so many keys of a scope; how many were dropped."""
        sql = (
            "delete from recipient_seen where scope = ?1 and key in "
            "(select key from recipient_seen where scope = ?1 limit ?2)"
        )
        dropped = self._db.execute(sql, (self._scope(scope), at_most)).rowcount
        if dropped < at_most:
            self._db.execute("delete from recipient_scope where name = ?", (scope,))
        return dropped

    def _scope(self, name: str) -> int | None:
        sql = "select id from recipient_scope where name = ?"
        row = self._db.execute(sql, (name,)).fetchone()
        return None if row is None else int(row[0])

    def _refuse(self, of: Table, resource: Resource, seen: int) -> None:
        held: Any = self.get(of.declared.kind, resource.id)  # type: ignore[attr-defined]
        if held is None:
            raise NotFound(of.declared.title, identity(resource))
        raise StaleData(of.declared.title, held.id, seen, held.version_number)


class _unique:  # noqa: N801
    """Says which unique value was taken when an insert or update runs into one."""

    def __init__(self, of: Table) -> None:
        self._of = of

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: object, __: object) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            columns = [part.rsplit(".", 1)[-1] for part in str(error).split(":")[-1].split(",")]
            raise Duplicate(self._of.declared.title, [name.strip() for name in columns]) from None


def _counted(of: Table, resource: Resource) -> list[tuple[str, object]]:
    if of.declared.tally is None:
        return []
    return [(getattr(resource, of.declared.tally), str(resource.state))]  # type: ignore[attr-defined]


def _with_lists(
    of: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> list[list[Any]]:
    """Rows whose lists are written as they are stored."""
    held = [list(row) for row in rows]
    for position, name in enumerate(columns):
        encode = encoder(of.declared[name])
        if encode is not None and of.declared[name].type == tuple[str, ...]:
            for row in held:
                row[position] = encode(row[position])
    return held


@cache
def _inserts(of: Table, columns: tuple[str, ...] | None) -> list[tuple[str, list[Any]]]:
    """The insert into each of a resource's tables, with the attributes it takes, in order."""
    made = []
    groups = [(of.name, of.cold)]
    if of.hot:
        groups.append((of.hot_name, (of.key, *of.hot)))
    for name, attributes in groups:
        given = [a for a in attributes if columns is None or _needed(of, a.name, columns)]
        names = ", ".join(quoted(column(a)) for a in given)
        marks = ", ".join("?" * len(given))
        made.append((f"insert into {quoted(name)} ({names}) values ({marks})", given))
    return made


def _needed(of: Table, name: str, columns: tuple[str, ...]) -> bool:
    return name in columns or _default(of, name) is not None


def _default(of: Table, name: str) -> Any:
    attribute = of.declared[name]
    default = attribute.default
    if not isinstance(default, str | int | float | bool | tuple):
        return None
    encode = encoder(attribute)
    return default if encode is None else encode(default)


def _picked(
    rows: Sequence[Sequence[Any]], pick: Sequence[int | None], fixed: Sequence[Any]
) -> Iterable[list[Any]]:
    sources = list(zip(pick, fixed, strict=True))
    for row in rows:
        yield [value if position is None else row[position] for position, value in sources]


@cache
def _updates(
    of: Table, columns: tuple[str, ...], match: tuple[str, ...]
) -> list[tuple[str, list[int] | None]]:
    """The updates of each table that the columns lie in, with the values each takes of a row.

    Columns of both tables, or of the cold one alone, are found by the key only.
    """
    homes = list(dict.fromkeys(of.home(of.declared[name]) for name in columns))
    versioned = of.declared.versioned and "version_number" not in columns
    home = of.home(of.declared["version_number"]) if of.declared.versioned else ""
    if homes == [home] or (len(homes) == 1 and not versioned):
        return [(_update(of, homes[0], columns, match, versioned), None)]
    if match != (of.declared.key,):
        raise ValueError(f"{', '.join(columns)} are found by the key only")
    made: list[tuple[str, list[int] | None]] = []
    for one in sorted(dict.fromkeys((*homes, home) if versioned else homes), key=len):
        at = [i for i, name in enumerate(columns) if of.home(of.declared[name]) == one]
        names = tuple(columns[i] for i in at)
        made.append((_update(of, one, names, match, versioned and one == home),
                     [*at, len(columns)]))  # fmt: skip
    return made


def _update(
    of: Table, home: str, columns: tuple[str, ...], match: tuple[str, ...], versioned: bool
) -> str:
    sets = [f"{quoted(column(of.declared[name]))} = ?" for name in columns]
    if versioned:
        sets.append('"version_number" = "version_number" + 1')
    where = " and ".join(f"{quoted(column(of.declared[name]))} = ?" for name in match)
    return f"update {quoted(home)} set {', '.join(sets)} where {where}"

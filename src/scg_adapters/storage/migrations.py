"""Making a file's schema, and bringing one from an older version up to date.

What the declarations say is compared with what the file has: missing tables, columns and indexes
are added. Whatever cannot be derived is a numbered step in ``STEPS``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlite_utils import Database
from sqlite_utils.db import Table as DbTable

from scg_adapters.storage.schema import (
    KINDS,
    Table,
    column,
    deleted_of,
    encoder,
    python_type,
    quoted,
    table,
)
from scg_core.kernel.errors import ForeignStorage
from scg_core.kernel.query import DELETED
from scg_core.kernel.resource import Attribute, Index
from scg_core.senders.rules.naming import read_address

APPLICATION_ID: Final = 0x53434731  # "SCG1"


def _derived(_: Database) -> None:
    """Nothing but what follows from the declarations."""


def _one_spelling(db: Database) -> None:
    """Addresses of sender ids, kinds of tariffs and languages of texts as they are written now.

    An address that another root has in the new spelling stays as it is: whose it is, people say.
    An old file may lack a table or column: what is not there needs nothing.
    """
    if _has(db, "sender_id", "address", "parent_id"):
        for id, address in db.execute("select id, address from sender_id").fetchall():
            tidy = read_address(address)
            taken = "select 1 from sender_id where address = ? and id <> ? and parent_id is null"
            if tidy != address and not db.execute(taken, [tidy, id]).fetchall():
                db.execute("update sender_id set address = ? where id = ?", [tidy, id])
    if _has(db, "tariff", "kind"):
        db.execute("update tariff set kind = upper(trim(kind)) where kind is not null")
    if _has(db, "consent_text", "kind", "class_id", "language"):
        db.execute(
            "update or ignore consent_text set language = lower(trim(language)), "
            "id = kind || '/' || coalesce(class_id, '*') || '/' || lower(trim(language))"
        )


def _has(db: Database, name: str, *columns: str) -> bool:
    held = {row[1] for row in db.execute(f"pragma table_info({quoted(name)})")}
    return held.issuperset(columns)


STEPS: Final[tuple[Callable[[Database], None], ...]] = (
    _derived,
    _derived,
    _derived,
    _one_spelling,
    _derived,
)
VERSION: Final = 1 + len(STEPS)
"""Raise it (by a step, be it empty) with every change of the schema; a test compares SCHEMA."""

SCHEMA: Final = 806912323411164412
"""The fingerprint of the schema that VERSION stands for."""

_QUEUE: Final = """
create table if not exists work (
    kind text not null, key text not null, due integer not null, position integer not null,
    attempt integer not null, fence integer not null, primary key (kind, key)
) without rowid;
create index if not exists work_due on work (due);
create table if not exists lane (
    id integer primary key, connector text not null, sender_id text not null,
    country text not null, company_id text not null, priority integer not null,
    ready_at integer, wait_until integer not null default 0, reason text,
    served integer not null default 0,
    unique (connector, sender_id, country, company_id, priority)
);
create index if not exists lane_ready on lane (connector, ready_at) where ready_at is not null;
create table if not exists run (
    id integer primary key autoincrement, lane integer not null, request_id text not null,
    first integer not null, last integer not null, due integer not null,
    held integer not null, leased integer not null, pending integer not null,
    attempt integer not null, fence integer not null
);
create index if not exists run_due on run (lane, due) where held = 0;
create index if not exists run_pending on run (due) where pending = 1;
create index if not exists run_request on run (request_id, first);
create index if not exists run_first on run (first);
create table if not exists recipient_scope (id integer primary key, name text not null unique);
create table if not exists recipient_seen (
    scope integer not null, key integer not null, primary key (scope, key)
) without rowid;
create table if not exists turn (
    kind text not null, name text not null, served integer not null, primary key (kind, name)
) without rowid;
create table if not exists tally (
    kind text not null, name text not null, value integer not null, primary key (kind, name)
) without rowid;
create table if not exists counter (name text primary key, value integer not null) without rowid;
"""


def refuse_foreign(path: str) -> None:
    """Look at an existing file without changing anything in it.

    Raises:
        ForeignStorage: it is damaged, another program's, or from a newer version.
    """
    if path == ":memory:" or not Path(path).exists() or not Path(path).stat().st_size:
        return
    connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    try:
        _current(connection, path)
    except sqlite3.OperationalError:
        return  # another process is making or repairing it just now: the real opening will tell
    finally:
        connection.close()


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Make the schema in an empty file, or bring an older one up to date.

    Raises:
        ForeignStorage: the file is not one of ours, or a newer version wrote it.
    """
    if _current(connection, path):
        return
    connection.execute("begin immediate")
    try:
        if not _current(connection, path):
            _migrate(connection)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _current(connection: sqlite3.Connection, path: str) -> bool:
    application = connection.execute("pragma application_id").fetchone()[0]
    version = connection.execute("pragma user_version").fetchone()[0]
    tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and (tables or application):
        raise ForeignStorage(path, "it belongs to another program")
    if version > VERSION:
        raise ForeignStorage(path, f"a newer version of the engine wrote it (schema {version})")
    return bool(application == APPLICATION_ID and version == VERSION)


def _migrate(connection: sqlite3.Connection) -> None:
    db = Database(connection, execute_plugins=False)
    version = connection.execute("pragma user_version").fetchone()[0]
    if version:
        for step in STEPS[version - 1 :]:
            step(db)
    _make_queue(db)
    for kind in KINDS:
        _bring_up(db, table(kind))
    _hint(db)
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute(f"pragma user_version = {VERSION}")


def _make_queue(db: Database) -> None:
    """The tables of due work and lanes; columns that an older file lacks are added as zero."""
    statements = [one.strip() for one in _QUEUE.split(";") if one.strip()]
    for statement in statements:
        if statement.startswith("create table"):
            db.execute(statement)
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(_QUEUE)
        for (name,) in fresh.execute("select name from sqlite_master where type = 'table'"):
            held = {row[1] for row in db.execute(f"pragma table_info({quoted(name)})")}
            for row in fresh.execute(f"pragma table_info({quoted(name)})"):
                if held and row[1] not in held:
                    column = f"{quoted(row[1])} {row[2]} not null default 0"
                    db.execute(f"alter table {quoted(name)} add column {column}")
    for statement in statements:
        if statement.startswith("create index"):
            db.execute(statement)


def _bring_up(db: Database, of: Table) -> None:
    if of.hot:
        db.execute(f"drop view if exists {quoted(of.source)}")
    _table(db, of, of.name, of.cold)
    if of.hot:
        _table(db, of, of.hot_name, (of.key, *of.hot))
        _move(db, of)
        _view(db, of)
    for fields in of.declared.unique:
        _index(db, of, Index(fields), unique=True)
    for index in of.declared.indexes:
        _index(db, of, index, unique=False)
    if of.declared.tally is not None:
        _tally(db, of, quoted(column(of.declared[of.declared.tally])))


def _tally(db: Database, of: Table, name: str) -> None:
    """Count once what is counted row by row from then on."""
    for kind, where in ((of.name, ""), (deleted_of(of), f" where \"state\" = '{DELETED}'")):
        source = quoted(of.source if where else of.name)
        db.execute("delete from tally where kind = ?", [kind])
        db.execute(
            f"insert into tally select ?, {name}, count(*) from {source}{where} group by {name}",
            [kind],
        )


def _table(db: Database, of: Table, name: str, attributes: tuple[Attribute, ...]) -> None:
    wanted = {column(a): python_type(a) for a in attributes}
    made = DbTable(db, name)
    if not made.exists():
        made.create(wanted, pk=column(of.key))
        return
    held = {one.name for one in made.columns}
    for attribute in attributes:
        if column(attribute) not in held:
            made.add_column(column(attribute), wanted[column(attribute)])
            _fill(db, name, attribute)


def _move(db: Database, of: Table) -> None:
    """Attributes that an older file kept cold and that are hot now: take their values over."""
    held = {row[1] for row in db.execute(f"pragma table_info({quoted(of.name)})")}
    key, cold, hot = quoted(column(of.key)), quoted(of.name), quoted(of.hot_name)
    moved = [quoted(column(a)) for a in of.hot if column(a) in held]
    if moved:
        db.execute(f"insert or ignore into {hot} ({key}) select {key} from {cold}")
    for name in moved:
        value = f"select c.{name} from {cold} c where c.{key} = {hot}.{key}"
        db.execute(f"update {hot} set {name} = ({value})")
        db.execute(f"alter table {cold} drop column {name}")


def _fill(db: Database, name: str, attribute: Attribute) -> None:
    """Give rows from before a column its default."""
    default = attribute.default
    if isinstance(default, str | int | float | bool | tuple):
        encode = encoder(attribute)
        value = default if encode is None else encode(default)
        db.execute(f"update {quoted(name)} set {quoted(column(attribute))} = ?", [value])


def _view(db: Database, of: Table) -> None:
    names = ", ".join(f"{'h' if a.hot else 'c'}.{quoted(column(a))}" for a in of.stored)
    key = quoted(column(of.key))
    db.execute(
        f"create view {quoted(of.source)} as select {names} from {quoted(of.name)} c "
        f"join {quoted(of.hot_name)} h on h.{key} = c.{key}"
    )


def _index(db: Database, of: Table, index: Index, *, unique: bool) -> None:
    home, label = _label(of, index)
    names = ", ".join(quoted(column(of.declared[name])) for name in index.fields)
    where = ""
    if index.only is not None:
        only, value = quoted(column(of.declared[index.only[0]])), index.only[1]
        where = f" where {only} is not null" if value is None else f" where {only} = '{value}'"
    kind = "unique index" if unique else "index"
    db.execute(f"create {kind} if not exists {quoted(label)} on {quoted(home)} ({names}){where}")


def _hint(db: Database) -> None:
    """Tell the planner what the declarations know of their indexes; it cannot guess from none."""
    db.execute("analyze")
    for kind in KINDS:
        of = table(kind)
        hinted = [index for index in of.declared.indexes if index.alike]
        if hinted:  # of unique values all fields together are one row's, the first few nobody's own
            for fields in of.declared.unique:
                alike = (*(1_000_000 for _ in fields[1:]), 1)
                hinted.append(Index(fields, alike=alike))
        for index in hinted:
            home, label = _label(of, index)
            db.execute("delete from sqlite_stat1 where idx = ?", [label])
            stat = " ".join(map(str, (1_000_000, *index.alike)))
            db.execute("insert into sqlite_stat1 values (?, ?, ?)", [home, label, stat])
    db.execute("analyze sqlite_master")


def _label(of: Table, index: Index) -> tuple[str, str]:
    """The table an index is on, and its name."""
    home = of.home(of.declared[index.fields[0]])
    label = f"{home}_by_{'_'.join(index.fields)}"
    if index.only is None or index.only[1] is None:
        return home, label
    return home, f"{label}_{index.only[1].lower()}"


def fingerprint() -> int:
    """A number that changes whenever the declared schema does."""
    text = _QUEUE + repr(
        [
            (
                table(kind).name,
                [(a.name, a.wire, str(a.type), a.hot) for a in table(kind).stored],
                table(kind).declared.unique,
                table(kind).declared.indexes,
                table(kind).declared.tally,
            )
            for kind in KINDS
        ]
    )
    number = 0
    for byte in text.encode():
        number = (number * 31 + byte) % (2**61 - 1)
    return number

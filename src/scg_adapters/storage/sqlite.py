"""The embedded store: one SQLite file, several threads and processes.

Write-ahead log, synchronous FULL: what a call answered is on the disk. One writer at a time;
readers see a moment and never wait. sqlite-utils makes schema, indexes and migrations; the hot
path uses ``executemany`` on its connection.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from scg_adapters.storage.migrations import prepare, refuse_foreign
from scg_adapters.storage.sql import NUMBER_IN
from scg_adapters.storage.sqlite_session import SqliteSession
from scg_adapters.storage.turnstile import Turnstile
from scg_core.kernel.errors import (
    BrokenInvariant,
    ForeignStorage,
    InvalidField,
    ScgError,
    StorageUnavailable,
    TooBroad,
)
from scg_core.kernel.query import number_in
from scg_core.ports.storage import Session

BUSY_TIMEOUT: Final = 10_000
_LOOK: Final = 20_000  # the database's own steps between two looks at the clock
_SYNCHRONOUS: Final = frozenset({"FULL", "NORMAL", "OFF", "EXTRA"})


class SqliteStorage:
    """A ``Storage`` in a file, or in memory with the path ``:memory:``.

    ``synchronous`` is FULL unless a host accepts to lose the last commits when the machine loses
    power (NORMAL) or its data (OFF). A statement of a snapshot that has been open for
    ``longest_read`` seconds is given up with ``TooBroad``; without it, none is.

    Raises:
        ForeignStorage: the file is damaged, another program's, or from a newer version.
    """

    def __init__(
        self, path: str | Path, *, synchronous: str = "FULL", longest_read: float | None = None
    ) -> None:
        if synchronous.upper() not in _SYNCHRONOUS:
            raise InvalidField("synchronous", f"must be one of {', '.join(sorted(_SYNCHRONOUS))}")
        if "\x00" in str(path):
            raise InvalidField("path", "must not hold a NUL character")
        in_memory = str(path) == ":memory:"
        self.path: Final = str(path) if in_memory else str(Path(path).absolute())
        self._synchronous = synchronous.upper()
        self._in_memory = self.path == ":memory:"
        self._turnstile = Turnstile(None, BUSY_TIMEOUT / 1000)
        self._longest_read = longest_read
        self._local = threading.local()
        self._open_ones: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._closed = False
        self._shared: _Connection | None = None
        try:
            refuse_foreign(self.path)
            self._shared = self._open() if self._in_memory else None
            prepare(self._connection(), self.path)
            if not self._in_memory:
                self._turnstile = Turnstile(self.path, BUSY_TIMEOUT / 1000)
        except (sqlite3.DatabaseError, StorageUnavailable) as reason:
            self.close()
            raise ForeignStorage(self.path, str(reason)) from None
        except ForeignStorage:
            self.close()
            raise

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """A transaction that may write; ``name`` says what it is for."""
        self._refuse_nesting()
        if getattr(self._local, "together", False):
            with self._translated(), self._savepoint(self._connection()) as session:
                yield session
            return
        with self._turnstile.turn(), self._translated():
            connection = self._connection()
            connection.execute("begin immediate")
            with self._inside(connection):
                yield SqliteSession(connection)

    @contextmanager
    def together(self) -> Iterator[None]:
        """One commit for all of this thread's transactions, each a savepoint within it."""
        self._refuse_nesting()
        if getattr(self._local, "together", False):
            raise BrokenInvariant("calls are being made together already")
        with self._turnstile.turn(), self._translated():
            connection = self._connection()
            connection.execute("begin immediate")
            self._local.together = True
            try:
                yield
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise
            finally:
                self._local.together = False

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A transaction that only reads."""
        self._refuse_nesting()
        if getattr(self._local, "together", False):
            with self._translated(), self._savepoint(self._connection()) as session:
                yield session
            return
        with self._reading(), self._translated():
            connection = self._connection()
            connection.execute("begin")
            with self._bounded(), self._inside(connection):
                yield SqliteSession(connection)

    def close(self) -> None:
        """Close every connection; the storage cannot be used afterwards."""
        self._closed = True
        for held in list(self._open_ones):
            held.close()
        self._turnstile.close()

    @contextmanager
    def _inside(self, connection: sqlite3.Connection) -> Iterator[None]:
        self._local.busy = True
        try:
            yield
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise
        finally:
            self._local.busy = False

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        if self._longest_read is not None:
            self._local.until = time.monotonic() + self._longest_read
        try:
            yield
        finally:
            self._local.until = None

    def _is_too_long(self) -> bool:
        until = getattr(self._local, "until", None)
        return until is not None and time.monotonic() > until

    @contextmanager
    def _savepoint(self, connection: sqlite3.Connection) -> Iterator[Session]:
        """One transaction among several of one commit."""
        if not connection.in_transaction:  # an earlier fault has ended them all
            raise StorageUnavailable("the commit these calls share has failed")
        connection.execute("savepoint one")
        self._local.busy = True
        try:
            yield SqliteSession(connection)
            connection.execute("release one")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback to one")
                connection.execute("release one")
            raise
        finally:
            self._local.busy = False

    @contextmanager
    def _reading(self) -> Iterator[None]:
        if self._in_memory:  # one connection for all threads
            with self._turnstile.turn():
                yield
        else:
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ScgError:
            raise
        except sqlite3.OperationalError as reason:
            code = getattr(reason, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            if code == sqlite3.SQLITE_INTERRUPT:
                raise TooBroad(self._longest_read or 0.0) from None
            if code == sqlite3.SQLITE_ERROR:  # the statement's own fault, or the module's
                raise
            raise StorageUnavailable(str(reason)) from reason
        except sqlite3.DatabaseError as reason:
            if isinstance(reason, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise ForeignStorage(self.path, str(reason)) from reason

    def _refuse_nesting(self) -> None:
        if getattr(self._local, "busy", False):
            raise BrokenInvariant("an engine call was made inside another one's transaction")

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageUnavailable("it was closed")
        if self._shared is not None:
            return self._shared.raw
        held: _Connection | None = getattr(self._local, "held", None)
        if held is None:
            held = self._local.held = self._open()
        return held.raw

    def _open(self) -> _Connection:
        try:
            held = _Connection(self.path, self._synchronous)
        except sqlite3.OperationalError as reason:
            raise StorageUnavailable(str(reason)) from None
        except sqlite3.DatabaseError as reason:
            raise ForeignStorage(self.path, str(reason)) from None
        if self._longest_read is not None:
            held.raw.set_progress_handler(self._is_too_long, _LOOK)
        self._open_ones.add(held)
        return held


class _Connection:
    """One thread's connection, closed when its thread has ended."""

    def __init__(self, path: str, synchronous: str) -> None:
        self.raw = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT / 1000, isolation_level=None,
            check_same_thread=False, cached_statements=512,
        )  # fmt: skip
        for pragma in (
            "journal_mode = wal",
            f"synchronous = {synchronous}",
            "temp_store = memory",
            "cache_size = -32768",
            "wal_autocheckpoint = 8000",
        ):
            self.raw.execute(f"pragma {pragma}")
        self.raw.create_function(NUMBER_IN, 1, number_in, deterministic=True)

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self.raw.close()

    def __del__(self) -> None:
        if hasattr(self, "raw"):
            self.close()

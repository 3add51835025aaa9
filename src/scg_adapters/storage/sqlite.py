"""The embedded store: one SQLite file, several threads and processes.

Write-ahead log, synchronous FULL: what a call answered is on the disk. One writer at a time;
readers see a moment and never wait. sqlite-utils makes schema, indexes and migrations; the hot
path uses ``executemany`` on its connection.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from scg_adapters.storage.migrations import prepare
from scg_adapters.storage.sqlite_session import SqliteSession
from scg_adapters.storage.turnstile import Turnstile
from scg_core.kernel.errors import (
    BrokenInvariant,
    ForeignStorage,
    InvalidField,
    ScgError,
    StorageUnavailable,
)
from scg_core.ports.storage import Session

BUSY_TIMEOUT: Final = 10_000
_SYNCHRONOUS: Final = frozenset({"FULL", "NORMAL", "OFF", "EXTRA"})


class SqliteStorage:
    """A ``Storage`` in a file, or in memory with the path ``:memory:``.

    ``synchronous`` is FULL unless a host accepts to lose the last commits when the machine loses
    power (NORMAL) or its data (OFF).

    Raises:
        ForeignStorage: the file is damaged, another program's, or from a newer version.
    """

    def __init__(self, path: str | Path, *, synchronous: str = "FULL") -> None:
        if synchronous.upper() not in _SYNCHRONOUS:
            raise InvalidField("synchronous", f"must be one of {', '.join(sorted(_SYNCHRONOUS))}")
        self.path: Final = str(path)
        self._synchronous = synchronous.upper()
        self._in_memory = self.path == ":memory:"
        self._turnstile = Turnstile(None)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._shared = self._open() if self._in_memory else None
        try:
            prepare(self._connection(), self.path)
            if not self._in_memory:
                self._turnstile = Turnstile(self.path)
        except sqlite3.DatabaseError as reason:
            self.close()
            raise ForeignStorage(self.path, str(reason)) from None
        except ForeignStorage:
            self.close()
            raise

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """A transaction that may write; ``name`` says what it is for."""
        self._refuse_nesting()
        with self._turnstile.turn(), self._translated():
            connection = self._connection()
            connection.execute("begin immediate")
            with self._inside(connection):
                yield SqliteSession(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A transaction that only reads."""
        self._refuse_nesting()
        with self._reading(), self._translated():
            connection = self._connection()
            connection.execute("begin")
            with self._inside(connection):
                yield SqliteSession(connection)

    def close(self) -> None:
        """Close every connection; the storage cannot be used afterwards."""
        for connection in self._connections:
            with suppress(sqlite3.Error):
                connection.close()
        self._connections.clear()
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
            raise StorageUnavailable(str(reason)) from reason
        except sqlite3.DatabaseError as reason:
            if isinstance(reason, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise ForeignStorage(self.path, str(reason)) from reason

    def _refuse_nesting(self) -> None:
        if getattr(self._local, "busy", False):
            raise BrokenInvariant("an engine call was made inside another one's transaction")

    def _connection(self) -> sqlite3.Connection:
        if self._shared is not None:
            return self._shared
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT / 1000, isolation_level=None,
                check_same_thread=False, cached_statements=512,
            )  # fmt: skip
        except sqlite3.Error as reason:
            raise ForeignStorage(self.path, str(reason)) from None
        self._connections.append(connection)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute(f"pragma synchronous = {self._synchronous}")
            connection.execute("pragma temp_store = memory")
            connection.execute("pragma cache_size = -32768")
            connection.execute("pragma wal_autocheckpoint = 8000")
        except sqlite3.DatabaseError as reason:
            raise ForeignStorage(self.path, str(reason)) from None
        return connection

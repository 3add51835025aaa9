"""A store of plain dictionaries: for tests and experiments, and the port in its simplest form.

Every change notes what was there before, so a failed transaction leaves nothing behind. A store
that keeps keys and values somewhere durable can be made of it: see ``MemoryStorage.committing``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from scg_adapters.storage.memory_session import INDEXES, MemorySession
from scg_adapters.storage.memory_tables import Change, Tables, undo
from scg_core.kernel.errors import BrokenInvariant
from scg_core.kernel.resource import Resource
from scg_core.ports.storage import Session


class MemoryStorage:
    """A ``Storage`` in this process; one transaction at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._busy = False
        self._group: list[Change] | None = None
        self._tables = Tables()

    def committing(self, changes: Mapping[tuple[str, Any], Any], /) -> None:
        """Make changes durable: what is now kept under each table and key, None for nothing.

        For subclasses. It is called once for each transaction, or group of them, that changed
        anything, before the commit is done; whatever it raises undoes the transaction.
        """

    def restore(self, table: str, key: Any, value: Any, /) -> None:
        """Keep again what ``committing`` was once given; None takes it out."""
        rows = self._tables[table]
        session = MemorySession(self._tables, [])
        if isinstance(value, Resource):
            session.keep(rows, key, value)
        elif value is None:
            session.let_go(rows, key)
        else:
            rows[key] = value

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """A transaction that may write; ``name`` says what it is for."""
        with self._lock:
            if self._busy:
                raise BrokenInvariant("an engine call was made inside another one's transaction")
            self._busy = True
            changes: list[Change] = []
            try:
                yield MemorySession(self._tables, changes)
                if self._group is not None:
                    self._group += changes
                else:
                    self._commit(changes)
            except BaseException:
                undo(changes)
                raise
            finally:
                self._busy = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is done in the block is committed at its end; other threads wait until then."""
        with self._lock:
            if self._busy or self._group is not None:
                raise BrokenInvariant("an engine call was made inside another one's transaction")
            changes: list[Change] = []
            self._group = changes
            try:
                yield
                self._commit(changes)
            except BaseException:
                undo(changes)
                raise
            finally:
                self._group = None

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with self.transaction("snapshot") as session:
            yield session

    def close(self) -> None:
        """There is nothing to let go of."""

    def _commit(self, changes: list[Change]) -> None:
        known = {
            (table.name, key): table.get(key)
            for table, key, _ in changes
            if not any(word in table.name for word in INDEXES)
        }
        if known:
            self.committing(known)

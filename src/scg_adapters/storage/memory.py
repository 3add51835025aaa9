"""A store of plain dictionaries: for tests and experiments, and the port in its simplest form.

Every change notes how to undo it, so a failed transaction leaves nothing behind.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scg_adapters.storage.memory_session import MemorySession
from scg_core.kernel.errors import BrokenInvariant
from scg_core.ports.storage import Session


class MemoryStorage:
    """A ``Storage`` in this process; one transaction at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._busy = False
        self._group: list[Callable[[], None]] | None = None
        self._tables: defaultdict[str, dict[Any, Any]] = defaultdict(dict)

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """A transaction that may write; ``name`` says what it is for."""
        with self._lock:
            if self._busy:
                raise BrokenInvariant("an engine call was made inside another one's transaction")
            self._busy = True
            undo: list[Callable[[], None]] = []
            try:
                yield MemorySession(self._tables, undo)
                if self._group is not None:
                    self._group += undo
            except BaseException:
                for step in reversed(undo):
                    step()
                raise
            finally:
                self._busy = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Nothing here is durable; other threads wait until the block is left."""
        with self._lock:
            if self._busy or self._group is not None:
                raise BrokenInvariant("an engine call was made inside another one's transaction")
            self._group = []
            try:
                yield
            except BaseException:
                for step in reversed(self._group):
                    step()
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

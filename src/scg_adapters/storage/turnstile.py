"""Writers take turns: nobody waits for more than the transaction that is under way.

A plain lock lets a busy writer take it again before one that waits has woken up; SQLite's own
waiting polls at growing intervals and starves whoever came last. Here a writer first takes the
turnstile, then the right to write, then leaves the turnstile: while one waits for the right to
write it holds the turnstile, so the busy one cannot come back before it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scg_core.kernel.errors import ForeignStorage, StorageUnavailable

try:
    import fcntl
except ImportError:  # a system without flock: threads take turns, processes by SQLite's waiting
    fcntl = None  # type: ignore[assignment]


class Turnstile:
    """Turns among the threads of this process and, with a path, among processes.

    Who waits longer than ``patience`` seconds is told that the storage is not available.

    Two empty files beside the database (``-turn`` and ``-write``) carry the locks; the system
    releases them when a process ends, however it ends.
    """

    def __init__(self, path: str | None, patience: float) -> None:
        self._patience = patience
        self._turn = threading.Lock()
        self._write = threading.Lock()
        self._files: Final = [self._open(f"{path}-{name}") for name in _NAMES if path and fcntl]

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The right to write, for as long as the block lasts.

        Raises:
            StorageUnavailable: it was not to be had in time.
        """
        give_up = time.monotonic() + self._patience
        self._acquire(self._turn, give_up)
        try:
            self._acquire(self._write, give_up)
        finally:
            self._turn.release()
        try:
            if not self._files:
                yield
                return
            turn, write = self._files
            self._lock(turn, give_up)
            try:
                self._lock(write, give_up)
            finally:
                fcntl.flock(turn, fcntl.LOCK_UN)
            try:
                yield
            finally:
                fcntl.flock(write, fcntl.LOCK_UN)
        finally:
            self._write.release()

    @staticmethod
    def _acquire(lock: threading.Lock, give_up: float) -> None:
        if not lock.acquire(timeout=max(give_up - time.monotonic(), 0)):
            raise StorageUnavailable("another thread has been writing for too long")

    @staticmethod
    def _lock(file: int, give_up: float) -> None:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise StorageUnavailable(
                        "another process has been writing for too long"
                    ) from None
                time.sleep(_GLANCE)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            os.close(file)
        self._files.clear()

    @staticmethod
    def _open(path: str) -> int:
        try:
            return os.open(Path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as reason:
            raise ForeignStorage(path, str(reason.strerror)) from None


_GLANCE: Final = 0.000_3
_NAMES: Final = ("turn", "write")

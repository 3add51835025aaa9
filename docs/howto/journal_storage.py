"""A storage in one file: a line of JSON for each commit, read from the beginning when opened.

The example of write-a-storage.md. Everything is in memory too, so it is for as much as fits there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.plain import packed, unpacked
from scg_core import StorageUnavailable


class JournalStorage(MemoryStorage):
    """``Storage`` in a file that is only ever appended to; one process at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._end = self._replay(path)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.ftruncate(self._file, self._end)

    def committing(self, changes: Mapping[tuple[str, Any], Any], /) -> None:
        """One line for all changes, on the disk before this returns."""
        entries = [[table, packed(key), packed(value)] for (table, key), value in changes.items()]
        line = json.dumps(entries, separators=(",", ":")).encode() + b"\n"
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("the disk is full")
            os.fsync(self._file)
        except OSError as reason:
            os.ftruncate(self._file, self._end)
            raise StorageUnavailable(str(reason)) from reason
        self._end += len(line)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _replay(self, path: Path) -> int:
        """Do again what the file says; where its last whole line ends."""
        end = 0
        if path.exists():
            with path.open("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):  # torn by a crash: it was never committed
                        break
                    for table, key, value in json.loads(line):
                        self.restore(table, unpacked(key), unpacked(value))
                    end += len(line)
        return end

"""Both storage adapters agree with plain dictionaries, whatever the order of events."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings

from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.sqlite import SqliteStorage
from scg_core.conformance import storage_machine

FOLDER = tempfile.TemporaryDirectory()
TestMemory = storage_machine(MemoryStorage)
TestMemory.settings = settings(max_examples=60, stateful_step_count=40)
TestSqliteFile = storage_machine(
    lambda: SqliteStorage(Path(tempfile.mkdtemp(dir=FOLDER.name)) / "scg.db"),
    lambda storage: SqliteStorage(storage.path),
)
TestSqliteFile.settings = settings(max_examples=10, stateful_step_count=40, deadline=None)
TestSqlite = storage_machine(lambda: SqliteStorage(":memory:"))
TestSqlite.settings = settings(max_examples=60, stateful_step_count=40)

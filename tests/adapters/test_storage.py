"""Both storage adapters keep the published contract."""

from __future__ import annotations

from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.sqlite import SqliteStorage
from scg_core.conformance import StorageContract
from scg_core.ports.storage import Storage
from tests.adapters.disk import full


class TestMemory(StorageContract):
    def empty(self) -> Storage:
        return MemoryStorage()


class TestSqliteInMemory(StorageContract):
    def empty(self) -> Storage:
        return SqliteStorage(":memory:")


class TestSqliteFile(StorageContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.paths = (tmp_path / f"scg {number}.db" for number in count())

    def empty(self) -> Storage:
        return SqliteStorage(next(self.paths))

    def reopen(self, storage: Any) -> Storage:
        return SqliteStorage(storage.path)

    def breaking(self, storage: Storage) -> AbstractContextManager[object]:
        return full()

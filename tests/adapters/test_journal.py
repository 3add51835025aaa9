"""The example of write-a-storage.md keeps the contract and lives through the simulator."""

from __future__ import annotations

import importlib.util
import tempfile
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import settings

from scg_adapters.simulation import embedded_parts
from scg_adapters.storage.memory import MemoryStorage
from scg_core.conformance import StorageContract, storage_machine
from scg_core.conformance.samples import a_request
from scg_core.conformance.simulation import Simulation
from scg_core.kernel.query import Query
from scg_core.messaging.model import MessageRequest
from scg_core.ports.storage import Storage
from tests.adapters.disk import full

EXAMPLE = Path(__file__).parents[2] / "docs/howto/journal_storage.py"


def _example() -> Any:
    spec = importlib.util.spec_from_file_location("journal_storage", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.JournalStorage


JournalStorage = _example()


class TestJournal(StorageContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.paths = (tmp_path / f"journal {number}" for number in count())

    def empty(self) -> Storage:
        return JournalStorage(next(self.paths))  # type: ignore[no-any-return]

    def reopen(self, storage: Storage) -> Storage:
        return reopened(storage)

    def breaking(self, storage: Any) -> AbstractContextManager[object]:
        return full(storage.path.stat().st_size + 10)


def reopened(storage: Any) -> Storage:
    """The journal of a storage in another process."""
    return JournalStorage(storage.path)  # type: ignore[no-any-return]


FOLDER = tempfile.TemporaryDirectory()


def _fresh() -> Storage:
    folder = Path(tempfile.mkdtemp(dir=FOLDER.name))
    return JournalStorage(folder / "journal")  # type: ignore[no-any-return]


TestJournalByMachine = storage_machine(_fresh, reopened)
TestJournalByMachine.settings = settings(max_examples=15, deadline=None)


def test_the_example_is_under_200_lines() -> None:
    """What a page can show."""
    assert EXAMPLE.read_text(encoding="utf-8").count("\n") < 200


@pytest.mark.parametrize("seed", range(3))
def test_the_example_lives_through_the_simulator(seed: int, tmp_path: Path) -> None:
    """Crashes, lost answers, several workers."""
    parts = evolve(
        embedded_parts(), storage=lambda: JournalStorage(tmp_path / "journal"), reopen=reopened
    )
    Simulation(seed, parts).run()


def test_the_simulator_sees_what_is_not_durable() -> None:
    """A storage that is empty when it is opened again has lost everything."""
    parts = evolve(embedded_parts(), reopen=lambda _: MemoryStorage())
    with pytest.raises(AssertionError):
        Simulation(1, parts).run()


def test_a_line_torn_by_a_crash_was_never_committed(tmp_path: Path) -> None:
    """Cut anywhere, the file holds the commits before the cut, whole, and goes on from there."""
    path = tmp_path / "journal"
    storage = JournalStorage(path)
    for number in range(3):
        with storage.transaction("add") as session:
            session.add(a_request(f"request-{number}"))
    whole = path.read_bytes()
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        held = JournalStorage(path)
        with held.transaction("go on") as session:
            kept = session.count(Query(MessageRequest))
            session.add(a_request("another"))
        assert kept == whole[:end].count(b"\n")
        with JournalStorage(path).snapshot() as session:
            assert session.count(Query(MessageRequest)) == kept + 1

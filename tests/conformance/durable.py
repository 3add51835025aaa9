"""Storages that keep what they should not, beyond their process or when two write at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.memory_session import MemorySession
from scg_adapters.storage.memory_tables import Rows, Tables
from scg_core.kernel.errors import StorageUnavailable

Changes = Mapping[tuple[str, Any], Any]


class Keeps(MemoryStorage):
    """A right one: its log outlives it."""

    def __init__(self, log: Sequence[Changes] = ()) -> None:
        super().__init__()
        self.log, self.broken = list(log), False
        for changes in self.log:
            for (table, key), value in changes.items():
                self.restore(table, key, value)

    def committing(self, changes: Changes, /) -> None:
        """Into the log, or not at all."""
        self._refuse()
        self.log.append(dict(changes))

    def reopened(self) -> Keeps:
        """The same in a new process."""
        return type(self)(self.log)

    @contextmanager
    def breaking(self) -> Iterator[None]:
        """A block in which nothing can be kept."""
        self.broken = True
        yield
        self.broken = False

    def _refuse(self) -> None:
        if self.broken:
            raise StorageUnavailable("the disk is full")


class KeepsNothing(Keeps):
    """Opened again it is empty."""

    def reopened(self) -> Keeps:
        return type(self)()


class KeepsTheFirst(Keeps):
    """What came after the first commit is forgotten."""

    def reopened(self) -> Keeps:
        return type(self)(self.log[:1])


class ForgetsAKind(Keeps):
    """One table is not written."""

    def committing(self, changes: Changes, /) -> None:
        kept = {at: value for at, value in changes.items() if at[0] != "sticky_choice"}
        super().committing(kept)


class LetsGoOfClaims(Keeps):
    """Whoever is restored as gone takes the values along that another holds."""

    def restore(self, table: str, key: Any, value: Any, /) -> None:
        super().restore(table, key, value)
        if value is None:
            for name in [one for one in self._tables if one.startswith(f"{table} by ")]:
                self._tables[name].clear()


class KeepsClaims(Keeps):
    """Values stay taken by who gave them up."""

    def restore(self, table: str, key: Any, value: Any, /) -> None:
        self._tables[table].pop(key, None)
        super().restore(table, key, value)


class KeepsHalf(Keeps):
    """The first row of a commit that fails is there when it is opened again."""

    def committing(self, changes: Changes, /) -> None:
        if self.broken:
            self.log.append(dict(list(changes.items())[:1]))
        super().committing(changes)


class KeepsQuietly(Keeps):
    """What could not be kept is reported as kept."""

    def committing(self, changes: Changes, /) -> None:
        if not self.broken:
            super().committing(changes)


class SaysItInItsOwnWords(Keeps):
    """The error of a driver leaves the adapter."""

    def _refuse(self) -> None:
        if self.broken:
            raise OSError("no space left on device")


DURABLE: dict[str, list[Any]] = {
    "what_was_committed_is_there_after_reopening": [KeepsNothing, KeepsTheFirst],
    "every_kind_of_resource_is_there_after_reopening": [ForgetsAKind],
    "a_value_that_was_handed_over_is_held_after_reopening": [LetsGoOfClaims, KeepsClaims],
    "a_commit_that_cannot_be_kept_has_not_happened": [KeepsHalf, KeepsQuietly, SaysItInItsOwnWords],
}


class LastWins(MemoryStorage):
    """Each transaction works on a copy; what it changed is written over whatever is there."""

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Any]:
        """A transaction that asks nobody."""
        with self._lock:
            copy = Tables()
            for table, rows in list(self._tables.items()):
                copy[table] = Rows(table)
                copy[table].update(rows)
        changes: list[Any] = []
        yield MemorySession(copy, changes)
        with self._lock:
            for table, key, _ in changes:
                value, real = table.get(key), self._tables[table.name]
                if value is None:
                    real.pop(key, None)
                else:
                    real[key] = value


CONCURRENT: dict[str, list[Any]] = {
    "of_two_writers_one_gets_the_work": [LastWins],
    "of_two_writers_one_gets_the_runs": [LastWins],
    "two_writers_are_given_different_numbers": [LastWins],
    "of_two_writers_of_a_version_one_is_stale": [LastWins],
    "what_two_writers_add_to_a_counter_is_all_counted": [LastWins],
    "of_two_writers_of_an_id_one_is_refused": [LastWins],
}

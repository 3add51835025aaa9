"""Ports that fail when told to: crashes at every commit point, slow and broken transports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scg_core import StorageUnavailable, TransportUnavailable
from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import Answer, Attempt, Capabilities, Inbox, Outcome
from scg_core.ports.storage import Session, Storage


class Crash(BaseException):
    """The process is gone: nothing of it runs after this."""


COMMIT_POINTS = ("before begin", "inside", "before commit", "after commit")


class FaultyStorage:
    """A storage whose next transaction goes wrong at the point that was armed."""

    def __init__(self, inner: Storage) -> None:
        self.inner = inner
        self.armed: str | None = None
        self.visited: Counter[tuple[str, str]] = Counter()
        self.on_commit: Callable[[], None] | None = None

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Session]:
        """The inner transaction, with the armed fault."""
        fault, self.armed = self.armed, None
        self._reach(fault, "before begin", name)
        if fault == "unavailable":
            self.visited[name, fault] += 1
            raise StorageUnavailable("told to fail")
        with self.inner.transaction(name) as session:
            yield _Counting(session, self, name) if fault == "inside" else session  # type: ignore[misc]
            self._reach(fault, "before commit", name)
        if self.on_commit is not None:
            self.on_commit()
        self._reach(fault, "after commit", name)

    def snapshot(self) -> Any:
        """Reading does not fail here."""
        return self.inner.snapshot()

    def close(self) -> None:
        """Let go."""
        self.inner.close()

    def _reach(self, fault: str | None, point: str, name: str) -> None:
        if fault == point:
            self.visited[name, point] += 1
            raise Crash(f"{point} of {name}")


class _Counting:
    """A session that crashes at its second writing verb."""

    _WRITES = frozenset({"add", "replace", "remove", "insert", "update", "increase", "queue",
                         "finish", "complete", "again", "file", "drop", "release"})  # fmt: skip

    def __init__(self, session: Session, storage: FaultyStorage, name: str) -> None:
        self._session, self._storage, self._name, self._calls = session, storage, name, 0

    def __getattr__(self, verb: str) -> Any:
        if verb in self._WRITES:
            self._calls += 1
            if self._calls == 2:
                self._storage.visited[self._name, "inside"] += 1
                raise Crash(f"inside {self._name}, at {verb}")
        return getattr(self._session, verb)


class FaultyCarrier:
    """A transport whose next submission goes wrong as armed; the carrier behind it is honest."""

    def __init__(self, inner: Any, jump: Callable[[int], object]) -> None:
        self.inner = inner
        self.armed: str | None = None
        self.visited: Counter[str] = Counter()
        self.unsure = 0
        self._jump = jump

    @property
    def capabilities(self) -> Capabilities:
        """The inner carrier's."""
        declared: Capabilities = self.inner.capabilities
        return declared

    def connect(self, connector: str, inbox: Inbox) -> None:
        """To the inner carrier."""
        self.inner.connect(connector, inbox)

    def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
        """The inner submission, with the armed fault."""
        fault, self.armed = self.armed, None
        if fault is not None:
            self.visited[fault] += 1
        if fault == "crash before submit":
            raise Crash(fault)
        if fault == "unreachable":
            raise TransportUnavailable("carrier")
        answers: Sequence[Answer] = self.inner.submit(attempts, now)
        self.unsure += sum(one.outcome in (Outcome.PENDING, Outcome.UNKNOWN) for one in answers)
        if fault == "crash after submit":
            raise Crash(fault)
        if fault == "break":
            raise OSError("the link broke")
        if fault == "slow":
            self._jump(120_000)
        if fault == "short answer":
            return answers[:-1]
        return answers

    def query(self, attempts: Sequence[str], now: Instant) -> Sequence[Answer]:
        """The inner answer."""
        answers: Sequence[Answer] = self.inner.query(attempts, now)
        return answers

    def poll(self, now: Instant) -> Instant | None:
        """The inner poll."""
        due: Instant | None = self.inner.poll(now)
        return due


SUBMISSION_FAULTS = ("crash before submit", "crash after submit", "unreachable", "break", "slow",
                     "short answer")  # fmt: skip
DOUBLING = frozenset({"crash after submit", "break", "slow", "short answer"})

"""Ports that fail when told to: crashes at every commit point and within, slow and lost answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol

from scg_core.kernel.errors import StorageUnavailable, TransportUnavailable
from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import (
    Answer,
    Attempt,
    Capabilities,
    File,
    Inbound,
    Inbox,
    LateAnswer,
    MessageTransport,
    Outcome,
    Receipt,
    Taken,
)
from scg_core.ports.storage import Session, Storage


class Crash(BaseException):
    """The process is gone: nothing of it runs after this."""


COMMIT_POINTS: Final = ("before begin", "inside", "before commit", "after commit")
STORAGE_FAULTS: Final = (*COMMIT_POINTS, "unavailable", "answer lost", "slow")
SLOW: Final = 70_000
"""Longer than a lease: whoever was that slow has lost what it held."""


class FaultyStorage:
    """A storage whose next transaction goes wrong at the point that was armed.

    ``answer lost`` commits and says that it could not; ``slow`` lets ``jump`` pass the time of a
    lease before it commits.
    """

    def __init__(self, inner: Storage, jump: Callable[[int], object] = lambda _: None) -> None:
        self.inner = inner
        self._jump = jump
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
            yield _Counting(session, self, name) if fault == "inside" else session
            if fault == "slow":
                self.visited[name, fault] += 1
                self._jump(SLOW)
            self._reach(fault, "before commit", name)
        if self.on_commit is not None:
            self.on_commit()
        self._reach(fault, "after commit", name)
        if fault == "answer lost":
            self.visited[name, fault] += 1
            raise StorageUnavailable("told to lose the answer")

    def together(self) -> AbstractContextManager[None]:
        """The inner group."""
        return self.inner.together()

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


class Carrier(MessageTransport, Protocol):
    """A simulated carrier that keeps a log of its own."""

    def taken(self) -> Iterable[Taken]:
        """What reached the network, in order; what came twice stands there twice."""
        ...


class FaultyCarrier:
    """A transport whose next submission goes wrong as armed; the carrier behind it is honest.

    ``handed`` is what was submitted, each with the instant at which it was judged fit to go.
    ``doubtful`` says of each attempt how often nobody could know what became of it.
    """

    def __init__(self, inner: Carrier, jump: Callable[[int], object]) -> None:
        self.inner = inner
        self.armed: str | None = None
        self.visited: Counter[str] = Counter()
        self.doubtful: Counter[str] = Counter()
        self.judged_at: Instant | None = None
        self.handed: list[tuple[Attempt, Instant]] = []
        self._jump = jump

    @property
    def capabilities(self) -> Capabilities:
        """The inner carrier's."""
        return self.inner.capabilities

    def connect(self, connector: str, inbox: Inbox) -> None:
        """To the inner carrier, through an inbox that says things twice when told to."""
        self.inner.connect(connector, _Twice(inbox, self))

    def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
        """The inner submission, with the armed fault."""
        fault = None
        if self.armed != "twice":
            fault, self.armed = self.armed, None
        if fault is not None:
            self.visited[fault] += 1
        if fault == "crash before submit":
            raise Crash(fault)
        if fault == "unreachable":
            raise TransportUnavailable("carrier")
        self.handed += [(one, self.judged_at or now) for one in attempts]
        try:
            answers = self.inner.submit(attempts, now)
        except BaseException:  # what it brings while it submits may end the process
            self.doubtful.update(one.id for one in attempts)
            raise
        self.doubtful.update(
            one.id for one, answer in zip(attempts, answers, strict=True)
            if fault in DOUBLING or answer.outcome in (Outcome.PENDING, Outcome.UNKNOWN)
        )  # fmt: skip
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
        return self.inner.query(attempts, now)

    def poll(self, now: Instant) -> Instant | None:
        """The inner poll."""
        return self.inner.poll(now)


class _Twice:
    """An inbox that brings the next thing twice when that is armed."""

    def __init__(self, inbox: Inbox, carrier: FaultyCarrier) -> None:
        self._inbox, self._carrier = inbox, carrier

    def answers_arrived(self, connector: str, answers: Sequence[LateAnswer]) -> None:
        """Late answers."""
        for _ in range(self._times()):
            self._inbox.answers_arrived(connector, answers)

    def receipts_arrived(self, connector: str, receipts: Sequence[Receipt]) -> None:
        """Receipts."""
        for _ in range(self._times()):
            self._inbox.receipts_arrived(connector, receipts)

    def inbound_arrived(self, connector: str, messages: Sequence[Inbound]) -> None:
        """Messages from handsets."""
        self._inbox.inbound_arrived(connector, messages)

    def content_of(self, file: File) -> Iterator[bytes]:
        """The engine's answer."""
        return self._inbox.content_of(file)

    def _times(self) -> int:
        if self._carrier.armed != "twice":
            return 1
        self._carrier.armed = None
        self._carrier.visited["answers brought twice"] += 1
        return 2


SUBMISSION_FAULTS: Final = ("crash before submit", "crash after submit", "unreachable", "break",
                            "slow", "short answer", "twice")  # fmt: skip
DOUBLING: Final = frozenset({"crash after submit", "break", "slow", "short answer"})
"""What loses the answers of a whole window."""


SWITCH_FAULTS: Final = ("crash before command", "crash after command")
_COMMANDS: Final = frozenset({"originate", "answer", "hang_up", "place", "remove", "close", "play",
                              "press"})  # fmt: skip


class FaultySwitch:
    """A switch at whose next command the process ends, before it or after it, when armed."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.armed: str | None = None
        self.visited: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in _COMMANDS:
            return found

        def command(*arguments: Any) -> None:
            fault, self.armed = self.armed, None
            if fault == "crash before command":
                self.visited[fault] += 1
                raise Crash(f"before {name}")
            found(*arguments)
            if fault == "crash after command":
                self.visited[fault] += 1
                raise Crash(f"after {name}")

        return command

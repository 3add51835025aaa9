"""Stateful machines for limits and blobs: the adapter and a plain model, side by side.

An adapter joins with one line each::

    TestMyLimitsByMachine = limits_machine(lambda: (MyLimits(...), my_storage()))
    TestMyBlobsByMachine = blobs_machine(lambda: MyBlobs(...))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from scg_core.conformance.samples import NOW
from scg_core.kernel.errors import NotFound
from scg_core.kernel.gcra import Rate
from scg_core.kernel.instant import DAY, SECOND, Instant, later
from scg_core.ports.blobs import Blobs
from scg_core.ports.limits import Limits
from scg_core.ports.storage import Storage
from scg_core.senders.rules.throughput import Grant, Limit

_LIMITS = (
    Limit("slow", Rate(2, burst=2)), Limit("fast", Rate(5)), Limit("day", None, 9),
    Limit("other day", None, 4, day_offset=DAY // 2),
)  # fmt: skip
_SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=5)
_SOME = st.lists(st.sampled_from(_LIMITS), min_size=1, max_size=3, unique=True)
_LARGEST = 3
_CHUNKS = st.lists(st.binary(max_size=40), max_size=3)


class LimitsMachine(RuleBasedStateMachine):
    """The model is the list of what left: no limit may ever have let more go than it says."""

    make: Callable[[], tuple[Limits, Storage]]

    def __init__(self) -> None:
        super().__init__()
        self.limits, self.storage = type(self).make()
        self.left: dict[str, list[tuple[Instant, int]]] = {one.key: [] for one in _LIMITS}
        self.now = NOW
        self.last: tuple[list[Limit], Grant, list[int]] | None = None

    @rule(limits=_SOME, sizes=_SIZES)
    def ask(self, limits: list[Limit], sizes: list[int]) -> None:
        """Some leave, under all the limits or not at all."""
        self._ask(limits, sizes)

    @rule(limits=_SOME, sizes=_SIZES)
    def look(self, limits: list[Limit], sizes: list[int]) -> None:
        """What would be granted is granted when it is asked for."""
        with self.storage.transaction("look") as session:
            told = self.limits.ask(session, limits, sizes, self.now, spend=False)
        assert self._ask(limits, sizes).count == told.count

    @precondition(lambda self: self.last is not None)
    @rule()
    def come_back(self) -> None:
        """Who was told when to come, and finds nobody before it, is let through."""
        assert self.last is not None
        limits, given, sizes = self.last
        if given.next_at is not None and given.count < len(sizes):
            self.now = max(self.now, given.next_at)
            assert self._ask(limits, sizes[given.count :]).count > 0

    @precondition(lambda self: self.last is not None)
    @rule(most=st.integers(1, 5))
    def give_back(self, most: int) -> None:
        """What was granted just now and not used."""
        assert self.last is not None
        limits, given, sizes = self.last
        back = sizes[: given.count][-most:]
        with self.storage.transaction("give back") as session:
            self.limits.give_back(session, limits, given, sum(back))
        for one in limits:
            del self.left[one.key][len(self.left[one.key]) - len(back) :]
        self.last = None

    @rule(step=st.sampled_from([1, SECOND // 5, SECOND, DAY // 2]))
    def wait(self, step: int) -> None:
        """Time passes."""
        self.now = later(self.now, step)

    def teardown(self) -> None:
        """No second had more than the rate and the burst, no day more than its number."""
        for limit in _LIMITS:
            left = self.left[limit.key]
            for begin, _ in left:
                if limit.rate is not None:
                    inside = [size for at, size in left if begin <= at < begin + SECOND]
                    most = SECOND * 10**6 / limit.rate.interval + limit.rate.burst + _LARGEST - 1
                else:
                    inside = [size for at, size in left if limit.day(at) == limit.day(begin)]
                    most = limit.a_day or 0
                assert sum(inside) <= most, f"{limit.key}: {sum(inside)} left where {most} may"
        self.storage.close()

    def _latest(self, limit: Limit) -> Instant:
        """When the largest message may go at the latest."""
        if limit.rate is None:
            return limit.next_day(self.now)
        return later(self.now, 2 * _LARGEST * limit.rate.interval / 10**6)

    def _ask(self, limits: list[Limit], sizes: list[int]) -> Grant:
        with self.storage.transaction("ask") as session:
            given = self.limits.ask(session, limits, sizes, self.now, spend=True)
        assert 0 <= given.count <= len(sizes)
        assert given.count == len(sizes) or given.held_by in {one.key for one in limits}
        assert given.next_at is None or given.next_at <= max(map(self._latest, limits))
        for one in limits:
            self.left[one.key] += [(self.now, size) for size in sizes[: given.count]]
        self.last = (limits, given, sizes)
        return given


class BlobsMachine(RuleBasedStateMachine):
    """The model is a dictionary of bytes; each key is used for one content."""

    make: Callable[[], Blobs]

    def __init__(self) -> None:
        super().__init__()
        self.blobs = type(self).make()
        self.held: dict[str, bytes] = {}
        self.keys = ["unknown"]

    @rule(chunks=_CHUNKS)
    def put(self, chunks: list[bytes]) -> None:
        """Kept whole."""
        key = self._new_key()
        self.blobs.put(key, iter(chunks))
        self.held[key] = b"".join(chunks)

    @rule(chunks=_CHUNKS)
    def break_off(self, chunks: list[bytes]) -> None:
        """Nothing is kept, and the interruption is passed on."""

        def broken() -> Iterator[bytes]:
            yield from chunks
            raise ZeroDivisionError

        try:
            self.blobs.put(self._new_key(), broken())
        except ZeroDivisionError:
            return
        raise AssertionError("the interruption was not passed on")

    @rule(back=st.integers(0, 5))
    def delete(self, back: int) -> None:
        """Gone, if it was there."""
        key = self._known_key(back)
        self.blobs.delete(key)
        self.held.pop(key, None)

    @rule(back=st.integers(0, 5), start=st.integers(0, 90))
    def read(self, back: int, start: int) -> None:
        """From a byte on, as it was put."""
        key = self._known_key(back)
        try:
            found = b"".join(self.blobs.read(key, start))
        except NotFound:
            assert key not in self.held
        else:
            assert key in self.held, "what is not there was read"
            assert found == self.held[key][start:]

    def _new_key(self) -> str:
        self.keys.append(f"key{len(self.keys)}.png")
        return self.keys[-1]

    def _known_key(self, back: int) -> str:
        return self.keys[max(len(self.keys) - 1 - back, 0)]


def limits_machine(make: Callable[[], tuple[Limits, Storage]]) -> Any:
    """A test case that runs the machine on limits from this factory, each with a storage."""
    kind: Any = type("LimitsMachine", (LimitsMachine,), {"make": staticmethod(make)})
    return kind.TestCase


def blobs_machine(make: Callable[[], Blobs]) -> Any:
    """A test case that runs the machine on blobs from this factory."""
    kind: Any = type("BlobsMachine", (BlobsMachine,), {"make": staticmethod(make)})
    return kind.TestCase

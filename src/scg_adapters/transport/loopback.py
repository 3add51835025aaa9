"""A carrier that lives in this process: deterministic from a seed, honest in its own log.

It acknowledges, refuses, throttles, answers later or never, and brings receipts late, twice and
out of order, at the rates it is told. What befalls an attempt depends on the seed, the attempt's
id and how often it came, never on when: so a carrier restarted on its log still owes what it owed.
"""

from __future__ import annotations

import heapq
import struct
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import field, frozen

from scg_adapters.transport.carrier_log import (
    REPORTED,
    SUBMITTED,
    CarrierLog,
    Entry,
    FileLog,
    MemoryLog,
)
from scg_core.kernel.errors import BrokenInvariant, InvalidField
from scg_core.kernel.instant import SECOND, Instant, later
from scg_core.ports.message_transport import (
    WINDOW,
    Answer,
    Attempt,
    Capabilities,
    Inbound,
    Inbox,
    LateAnswer,
    OnUnknown,
    Outcome,
    Receipt,
    ReceiptKind,
    ReceiptPolicy,
    Taken,
)

_BATCH: Final = 500
_WORD: Final = 1 << 32
_REFUSALS: Final = {
    "refuse": Answer(Outcome.REFUSED, (), "0x0B", "unknown subscriber"),
    "defer": Answer(Outcome.DEFERRED, (), "0x64", "try again"),
    "throttle": Answer(Outcome.THROTTLED, (), "0x58", "too fast"),
    "pending": Answer(Outcome.PENDING),
    "unknown": Answer(Outcome.UNKNOWN),
    "unreached": Answer(Outcome.UNREACHED),
}
_MAY_BE_ON_ITS_WAY: Final = (Outcome.PENDING, Outcome.UNKNOWN)

T = TypeVar("T")


def _rate(_: object, attribute: object, value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidField(getattr(attribute, "name", "rate"), "must be between 0 and 1")


@frozen(kw_only=True)
class Behaviour:
    """How often what happens; rates are between 0 and 1, delays milliseconds.

    The first five share out the answers, the rest is accepted. ``lose`` never brings a receipt,
    ``undelivered`` and ``read`` say what the receipt tells, ``double`` brings it twice, ``early``
    before the answer, and each receipt comes between ``delay`` and ``delay + spread`` after.
    """

    refuse: float = field(default=0.0, validator=_rate)
    defer: float = field(default=0.0, validator=_rate)
    throttle: float = field(default=0.0, validator=_rate)
    pending: float = field(default=0.0, validator=_rate)
    unknown: float = field(default=0.0, validator=_rate)
    unreached: float = field(default=0.0, validator=_rate)
    lose: float = field(default=0.0, validator=_rate)
    undelivered: float = field(default=0.0, validator=_rate)
    read: float = field(default=0.0, validator=_rate)
    double: float = field(default=0.0, validator=_rate)
    early: float = field(default=0.0, validator=_rate)
    delay: int = SECOND
    spread: int = 4 * SECOND


@frozen
class _Owed:
    """A receipt on its way back."""

    attempt_id: str
    transport_id: str
    kind: ReceiptKind
    to_address: str
    last: bool


class LoopbackCarrier:
    """A ``MessageTransport`` that pretends to be the network.

    ``log`` names a file that every submission is appended to before it is answered, and from
    which a new carrier learns what it still owes; without one the log is kept in memory. A
    carrier that ``splits`` has an id and receipts of its own for each fragment of a long message;
    one that ``echoes`` carries attempt ids back in its receipts, one without ``addresses`` does
    not say which handset they are about.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        behaviour: Behaviour | None = None,
        log: str | Path | None = None,
        window: int = WINDOW,
        deduplicates: bool = False,
        splits: bool = False,
        echoes: bool = False,
        addresses: bool = True,
        on_unknown: OnUnknown = OnUnknown.RESEND,
        receipt_policy: ReceiptPolicy = ReceiptPolicy.ALL,
        kinds: Collection[str] = ("SMS",),
    ) -> None:
        self.behaviour: Final = behaviour or Behaviour()
        self.log: Final[CarrierLog] = MemoryLog() if log is None else FileLog(Path(log))
        self._capabilities = Capabilities(
            kinds=frozenset(kinds),
            window=window,
            deduplicates=deduplicates,
            queries=True,
            addresses=addresses,
            on_unknown=on_unknown,
            receipt_policy=receipt_policy,
        )
        self._seed = seed
        self._splits = splits
        self._echoes = echoes
        self._connector = ""
        self._inbox: Inbox | None = None
        self._owed: list[tuple[Instant, int, _Owed]] = []
        self._answers: list[tuple[Instant, int, LateAnswer]] = []
        self._tries: Counter[str] = Counter()
        self._taken: set[str] = set()
        self._filed = 0
        self._remember()

    @property
    def capabilities(self) -> Capabilities:
        """What this carrier can do."""
        return self._capabilities

    def connect(self, connector: str, inbox: Inbox) -> None:
        """Learn one's own name and where to bring what comes back."""
        self._connector = connector
        self._inbox = inbox

    def submit(self, attempts: Sequence[Attempt], now: Instant) -> list[Answer]:
        """Take a batch: log what is on its way, then answer."""
        judged = [self._judge(attempt, now) for attempt in attempts]
        taken = [
            attempt for attempt, (_, on_its_way) in zip(attempts, judged, strict=True) if on_its_way
        ]
        entries = [
            Entry(SUBMITTED, a.id, a.to_address, now, a.segments if self._splits else 1)
            for a in taken
        ]
        self.log.append(entries)
        for entry in entries:
            if entry.attempt_id not in self._taken:
                self._taken.add(entry.attempt_id)
                self._owe(entry)
        if self.behaviour.early:
            self._bring(now)
        return [answer for answer, _ in judged]

    def query(self, attempts: Sequence[str], now: Instant) -> list[Answer]:
        """Say of each attempt whether it is on its way; what is not known never came."""
        known = {entry.attempt_id: entry.fragments for entry in self._submitted(attempts)}
        return [
            Answer(Outcome.ACCEPTED, self._names(attempt, known[attempt]))
            if attempt in known
            else Answer(Outcome.DEFERRED, (), "0x65", "never came")
            for attempt in attempts
        ]

    def taken(self) -> Iterator[Taken]:
        """What reached the network, in order; what came twice is there twice."""
        for one in self.log.entries():
            if one.kind == SUBMITTED:
                yield Taken(one.attempt_id, one.to_address, one.at)

    def handset_sends(
        self, from_address: str, to_address: str, body: str, now: Instant, **more: Any
    ) -> None:
        """A handset sends a text to one of our addresses: it is brought into the inbox at once.

        ``more`` are further fields of ``Inbound``.
        """
        message = Inbound(from_address, to_address, body, now, **more)
        self._connected().inbound_arrived(self._connector, [message])

    def poll(self, now: Instant) -> Instant | None:
        """Bring the answers and receipts that are due."""
        while answers := _due(self._answers, now):
            with self._given_back(self._answers, answers):
                late = [answer for _, _, answer in answers]
                self._connected().answers_arrived(self._connector, late)
        self._bring(now)
        waits = [queue[0][0] for queue in (self._answers, self._owed) if queue]
        return min(waits, default=None)

    def _bring(self, now: Instant) -> None:
        while owed := _due(self._owed, now):
            items = [item for _, _, item in owed]
            with self._given_back(self._owed, owed):
                receipts = [self._receipt(item, now) for item in items]
                self._connected().receipts_arrived(self._connector, receipts)
            self.log.append(Entry(REPORTED, item.attempt_id, "", now) for item in items)
            if not self._capabilities.deduplicates:
                self._taken.difference_update(item.attempt_id for item in items if item.last)

    @contextmanager
    def _given_back(
        self, queue: list[tuple[Instant, int, T]], taken: list[tuple[Instant, int, T]]
    ) -> Iterator[None]:
        """What the inbox did not take, it is brought again."""
        try:
            yield
        except BaseException:
            for entry in taken:
                heapq.heappush(queue, entry)
            raise

    def _receipt(self, owed: _Owed, now: Instant) -> Receipt:
        code = "0C1" if owed.kind is ReceiptKind.UNDELIVERED else "000"
        attempt = owed.attempt_id if self._echoes else None
        address = owed.to_address if self._capabilities.addresses else None
        return Receipt(owed.transport_id, owed.kind, now, address, code, attempt)

    def _names(self, attempt_id: str, fragments: int) -> tuple[str, ...]:
        """The carrier's ids for a message."""
        if fragments == 1:
            return (transport_id(self._seed, attempt_id),)
        return tuple(
            transport_id(self._seed, f"{attempt_id}/{number}") for number in range(1, fragments + 1)
        )

    def _submitted(self, attempts: Sequence[str]) -> list[Entry]:
        wanted = set(attempts)
        return [e for e in self.log.entries() if e.kind == SUBMITTED and e.attempt_id in wanted]

    def _judge(self, attempt: Attempt, now: Instant) -> tuple[Answer, bool]:
        """What the carrier says, and whether the message is on its way."""
        fragments = attempt.segments if self._splits else 1
        accepted = Answer(Outcome.ACCEPTED, self._names(attempt.id, fragments))
        if self._capabilities.deduplicates and attempt.id in self._taken:
            return accepted, False
        rates = self.behaviour
        if not any(getattr(rates, name) for name in _REFUSALS):
            return accepted, True
        draws = _draws(self._seed, attempt.id, f"answer/{self._tries[attempt.id]}")
        draw = draws[0]
        for name, answer in _REFUSALS.items():
            rate = getattr(rates, name)
            if draw < rate:
                lost = answer.outcome is Outcome.UNKNOWN and draws[1] >= 0.5
                on_its_way = answer.outcome in _MAY_BE_ON_ITS_WAY and not lost
                self._tries[attempt.id] += 1
                if answer.outcome is Outcome.PENDING:
                    due = later(now, draws[1] * (rates.delay + rates.spread))
                    self._file(self._answers, due, LateAnswer(attempt.id, accepted))
                return answer, on_its_way
            draw -= rate
        return accepted, True

    def _owe(self, entry: Entry, brought: int = 0) -> None:
        """File the receipts of a message that was taken, but for those brought already."""
        planned = [
            one
            for name in self._names(entry.attempt_id, entry.fragments)
            for one in self._planned(name, entry.at)
        ]
        planned.sort()
        if not planned:
            self._forget(entry.attempt_id)
        for number, (due, name, kind) in enumerate(planned[brought:], start=brought + 1):
            last = number == len(planned)
            owed = _Owed(entry.attempt_id, name, kind, entry.to_address, last)
            self._file(self._owed, due, owed)

    def _planned(self, name: str, at: Instant) -> list[tuple[Instant, str, ReceiptKind]]:
        """When which receipts of one id come."""
        rates = self.behaviour
        lost, failed, read, double, early, *shares = _draws(self._seed, name, "receipt")
        if lost < rates.lose:
            return []
        kinds = [ReceiptKind.UNDELIVERED if failed < rates.undelivered else ReceiptKind.DELIVERED]
        if kinds[0] is ReceiptKind.DELIVERED and read < rates.read:
            kinds.append(ReceiptKind.READ)
        if double < rates.double:
            kinds.append(kinds[0])
        if early < rates.early:
            return [(at, name, kind) for kind in kinds]
        return [
            (later(at, rates.delay + share * rates.spread), name, kind)
            for share, kind in zip(shares, kinds, strict=False)
        ]

    def _remember(self) -> None:
        """Owe again what the log says was taken and not yet reported."""
        open_: dict[str, Entry] = {}
        brought: Counter[str] = Counter()
        for entry in self.log.entries():
            if entry.kind == SUBMITTED:
                open_.setdefault(entry.attempt_id, entry)
            else:
                brought[entry.attempt_id] += 1
        for attempt_id, entry in open_.items():
            self._taken.add(attempt_id)
            self._owe(entry, brought[attempt_id])

    def _forget(self, attempt_id: str) -> None:
        if not self._capabilities.deduplicates:
            self._taken.discard(attempt_id)

    def _connected(self) -> Inbox:
        if self._inbox is None:
            raise BrokenInvariant("a transport is connected before it is used")
        return self._inbox

    def _file(self, queue: list[tuple[Instant, int, T]], due: Instant, item: T) -> None:
        self._filed += 1
        heapq.heappush(queue, (due, self._filed, item))


def transport_id(seed: int, attempt_id: str) -> str:
    """The carrier's own name for a message: the same in every run with the same seed."""
    return blake2b(f"{seed}/{attempt_id}".encode(), digest_size=10).hexdigest()


def _draws(seed: int, attempt_id: str, about: str) -> list[float]:
    """Eight numbers in [0, 1) that depend on nothing but the arguments."""
    digest = blake2b(f"{seed}/{attempt_id}/{about}".encode(), digest_size=32).digest()
    return [word / _WORD for word in struct.unpack("<8I", digest)]


def _due(queue: list[tuple[Instant, int, T]], now: Instant) -> list[tuple[Instant, int, T]]:
    taken: list[tuple[Instant, int, T]] = []
    while queue and queue[0][0] <= now and len(taken) < _BATCH:
        taken.append(heapq.heappop(queue))
    return taken

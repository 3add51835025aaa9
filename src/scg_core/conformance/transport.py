"""What every ``MessageTransport`` must do.

An adapter joins with a class that says which network it is tried on::

    class TestMyTransport(MessageTransportContract):
        def network(self) -> Network:
            return MyNetwork(...)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

from scg_core.kernel.errors import StorageUnavailable
from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import (
    Answer,
    Attempt,
    File,
    Inbound,
    LateAnswer,
    MessageTransport,
    Outcome,
    Receipt,
)

_FINAL = (Outcome.ACCEPTED, Outcome.REFUSED)


class Kept:
    """An inbox that keeps what is brought; while ``closed`` it takes nothing."""

    def __init__(self) -> None:
        self.answers: list[LateAnswer] = []
        self.receipts: list[Receipt] = []
        self.inbound: list[Inbound] = []
        self.closed = False
        self.turned_away = 0

    def answers_arrived(self, connector: str, answers: Sequence[LateAnswer]) -> None:
        """Keep late answers."""
        self._open()
        self.answers += answers

    def receipts_arrived(self, connector: str, receipts: Sequence[Receipt]) -> None:
        """Keep receipts."""
        self._open()
        self.receipts += receipts

    def inbound_arrived(self, connector: str, messages: Sequence[Inbound]) -> None:
        """Keep messages."""
        self._open()
        self.inbound += messages

    def content_of(self, file: File) -> Iterator[bytes]:
        """Files are not carried here."""
        yield b""

    def _open(self) -> None:
        if self.closed:
            self.turned_away += 1
            raise StorageUnavailable("the inbox is closed")


class Network(ABC):
    """A transport to be tried, and the network behind it."""

    transport: MessageTransport
    good: Sequence[str]
    """Numbers whose messages are accepted and delivered; at least three."""
    bad: str | None = None
    """A number whose messages are refused, if the network has one."""
    slow: str | None = None
    """A number whose messages are PENDING first and accepted later, if the network has one."""

    @abstractmethod
    def instant(self) -> Instant:
        """The present instant."""

    @abstractmethod
    def pass_time(self, milliseconds: int) -> None:
        """Let at least that much time pass."""

    @abstractmethod
    def reached(self, attempt_id: str) -> int:
        """How often an attempt reached the network."""


class MessageTransportContract(ABC):
    """The laws of ``ports.message_transport``, one test each."""

    kept: Kept
    patience = 60_000
    """Within so many milliseconds the network has brought what it will bring."""

    @abstractmethod
    def network(self) -> Network:
        """A new network that nothing was sent to."""

    def start(self) -> Network:
        """A network, and an inbox that is connected to its transport."""
        network, self.kept = self.network(), Kept()
        network.transport.connect("carrier", self.kept)
        return network

    def submit(self, network: Network, *numbers: str) -> list[Answer]:
        """Hand over a message for each number; its attempt is called by its place, from 1."""
        attempts = [an_attempt(at, to) for at, to in enumerate(numbers, start=1)]
        return list(network.transport.submit(attempts, network.instant()))

    def settle(self, network: Network) -> None:
        """Let time pass, and let everything be brought."""
        for _ in range(4):
            network.pass_time(self.patience // 4)
            network.transport.poll(network.instant())

    def test_every_attempt_is_answered_in_order(self) -> None:
        """An answer for each: what is told of the first is told of the first; of none, nothing."""
        network = self.start()
        numbers = list(network.good[:3]) + ([network.bad] if network.bad else [])
        answers = self.submit(network, *numbers)
        by_id = {id: at for at, one in enumerate(answers) for id in one.transport_ids}
        self.settle(network)

        assert [one.outcome for one in answers[:3]] == [Outcome.ACCEPTED] * 3
        assert [one.outcome for one in answers[3:]] == [Outcome.REFUSED] * (len(numbers) - 3)
        assert len(by_id) == sum(len(one.transport_ids) for one in answers), "an id was given twice"
        for receipt in self.kept.receipts:
            told = receipt.to_address
            assert told is None or numbers[by_id[receipt.transport_id]] == told
        assert list(network.transport.submit([], network.instant())) == []

    def test_what_is_accepted_reaches_the_network_once(self) -> None:
        """Accepted is said of nothing that did not go."""
        network = self.start()
        self.submit(network, *network.good)

        assert {network.reached(an_attempt(at).id) for at in range(1, len(network.good) + 1)} == {1}

    def test_what_is_refused_does_not_reach_the_network(self) -> None:
        """And it is told why, by a code or in words."""
        network = self.start()
        if network.bad is None:
            pytest.skip("this network refuses nobody on purpose")
        [answer] = self.submit(network, network.bad)

        assert answer.outcome is Outcome.REFUSED and (answer.code or answer.details)
        assert network.reached(an_attempt(1).id) == 0

    def test_an_attempt_repeated_is_sent_once_where_deduplication_is_declared(self) -> None:
        """The same id in another batch is the same message."""
        network = self.start()
        if not network.transport.capabilities.deduplicates:
            pytest.skip("not declared")
        first = self.submit(network, network.good[0])
        again = self.submit(network, network.good[0])

        assert [one.outcome for one in (*first, *again)] == [Outcome.ACCEPTED] * 2
        assert network.reached(an_attempt(1).id) == 1

    def test_a_window_of_the_declared_size_is_taken(self) -> None:
        """It is at least one, some kind is declared, and each attempt is accepted."""
        network = self.start()
        declared = network.transport.capabilities
        size = declared.window
        answers = self.submit(
            network, *[network.good[at % len(network.good)] for at in range(size)]
        )

        assert size >= 1 and declared.kinds and declared.pending_limit > 0
        assert [one.outcome for one in answers] == [Outcome.ACCEPTED] * size

    def test_asked_attempts_are_answered_as_they_went_where_queries_are_declared(self) -> None:
        """In the order asked; what never came is not said to have been accepted."""
        network = self.start()
        if not network.transport.capabilities.queries:
            pytest.skip("not declared")
        self.submit(network, *network.good[:2])
        asked = ["never", an_attempt(2).id, an_attempt(1).id]
        told = list(network.transport.query(asked, network.instant()))

        outcomes = [one.outcome for one in told]
        assert outcomes[1:] == [Outcome.ACCEPTED] * 2
        assert len(told) == 3 and outcomes[0] in (Outcome.DEFERRED, Outcome.UNKNOWN)

    def test_a_receipt_comes_for_what_was_accepted_where_receipts_are_declared(self) -> None:
        """Under an id of the answer, for each message, and for nothing else."""
        network = self.start()
        answers = self.submit(network, *network.good[:3])
        self.settle(network)

        heard = {one.transport_id for one in self.kept.receipts}
        assert heard <= {id for one in answers for id in one.transport_ids}
        if network.transport.capabilities.receipts:
            assert all(heard & set(one.transport_ids) for one in answers)

    def test_receipts_carry_addresses_where_that_is_declared(self) -> None:
        """The handset's, as it was written in the attempt."""
        network = self.start()
        declared = network.transport.capabilities
        if not (declared.addresses and declared.receipts):
            pytest.skip("not declared")
        self.submit(network, *network.good[:3])
        self.settle(network)

        assert {one.to_address for one in self.kept.receipts} == set(network.good[:3])

    def test_a_pending_attempt_is_answered_within_its_limit(self) -> None:
        """Once, under its own id, with an outcome that is final."""
        network = self.start()
        if network.slow is None:
            pytest.skip("this network answers at once")
        [answer] = self.submit(network, network.slow)
        assert answer.outcome is Outcome.PENDING
        network.pass_time(network.transport.capabilities.pending_limit - 1)
        network.transport.poll(network.instant())

        [late] = self.kept.answers
        assert late.attempt_id == an_attempt(1).id
        assert late.answer.outcome in _FINAL

    def test_what_was_brought_once_is_not_brought_again(self) -> None:
        """However often it is polled."""
        network = self.start()
        self.submit(network, *network.good[:3])
        self.settle(network)
        before = Counter((one.transport_id, one.kind) for one in self.kept.receipts)
        self.settle(network)

        assert Counter((one.transport_id, one.kind) for one in self.kept.receipts) == before
        assert max(before.values(), default=1) == 1

    def test_what_the_inbox_did_not_take_is_brought_again(self) -> None:
        """A receipt that could not be written down is not lost."""
        network = self.start()
        if not network.transport.capabilities.receipts:
            pytest.skip("not declared")
        answers = self.submit(network, *network.good[:3])
        self.kept.closed = True
        network.pass_time(self.patience)
        with suppress(StorageUnavailable):
            network.transport.poll(network.instant())
        assert self.kept.turned_away, "nothing was brought in time"
        self.kept.closed = False
        self.settle(network)

        heard = {one.transport_id for one in self.kept.receipts}
        assert all(heard & set(one.transport_ids) for one in answers)


def an_attempt(number: int, to: str = "") -> Attempt:
    """A short message, by its place in its batch."""
    return Attempt(f"message-{number}/1", "55512", to, "hello")

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
    ReceiptKind,
)

_FINAL = (Outcome.ACCEPTED, Outcome.REFUSED)
_ARRIVED = (ReceiptKind.DELIVERED, ReceiptKind.READ)
_LOST = {ReceiptKind.UNDELIVERED, ReceiptKind.REJECTED, ReceiptKind.EXPIRED}


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
    silent: str | None = None
    """A number whose messages are accepted and never heard of again, if the network has one."""
    sender = "55512"
    """The address that messages are sent from."""
    kind = "SMS"
    """Their type."""

    @abstractmethod
    def instant(self) -> Instant:
        """The present instant."""

    @abstractmethod
    def pass_time(self, milliseconds: int) -> None:
        """Let at least that much time pass."""

    @abstractmethod
    def reached(self, attempt_id: str) -> int:
        """How often an attempt was taken by the network."""

    def shown(self, attempt_id: str) -> tuple[str, str, str] | None:
        """From whom, to whom and what a handset shows of an attempt, if the network can tell."""
        return None

    def says(self, handset: str, text: str) -> bool:
        """Have a handset send a text to ``sender``; whether the network can be made to."""
        return False

    def attempt(self, number: int, to: str = "") -> Attempt:
        """A short message, by its place in its batch."""
        return Attempt(f"message-{number}/1", self.sender, to, f"hello {number}", kind=self.kind)


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
        attempts = [network.attempt(at, to) for at, to in enumerate(numbers, start=1)]
        return list(network.transport.submit(attempts, network.instant()))

    def final(self, network: Network, answers: Sequence[Answer]) -> list[Answer]:
        """What became of the attempts just submitted: those that were PENDING have an answer."""
        if any(one.outcome is Outcome.PENDING for one in answers):
            self.settle(network)
        late = {one.attempt_id: one.answer for one in self.kept.answers}
        return [
            late.get(network.attempt(at).id, one) if one.outcome is Outcome.PENDING else one
            for at, one in enumerate(answers, start=1)
        ]

    def settle(self, network: Network) -> None:
        """Let time pass, and let everything be brought."""
        for _ in range(4):
            network.pass_time(self.patience // 4)
            network.transport.poll(network.instant())

    def test_every_attempt_is_answered_in_order(self) -> None:
        """An answer for each: what is told of the first is told of the first; of none, nothing."""
        network = self.start()
        numbers = list(network.good[:3]) + ([network.bad] if network.bad else [])
        answers = self.final(network, self.submit(network, *numbers))
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
        self.final(network, self.submit(network, *network.good))

        ids = [network.attempt(at).id for at in range(1, len(network.good) + 1)]
        assert {network.reached(id) for id in ids} == {1}

    def test_a_handset_shows_what_was_asked(self) -> None:
        """From whom, to whom, word for word."""
        network = self.start()
        self.final(network, self.submit(network, *network.good))
        if network.shown(network.attempt(1).id) is None:
            pytest.skip("this network cannot tell")

        for at, number in enumerate(network.good, start=1):
            asked = network.attempt(at, number)
            wanted = (asked.from_address, asked.to_address, asked.body)
            assert network.shown(asked.id) == wanted

    def test_what_is_refused_does_not_reach_the_network(self) -> None:
        """And it is told why, by a code or in words."""
        network = self.start()
        if network.bad is None:
            pytest.skip("this network refuses nobody on purpose")
        [answer] = self.final(network, self.submit(network, network.bad))

        assert answer.outcome is Outcome.REFUSED and (answer.code or answer.details)
        assert network.reached(network.attempt(1).id) == 0

    def test_an_attempt_repeated_is_sent_once_where_deduplication_is_declared(self) -> None:
        """The same id in another batch is the same message."""
        network = self.start()
        if not network.transport.capabilities.deduplicates:
            pytest.skip("not declared")
        first = self.final(network, self.submit(network, network.good[0]))
        again = self.final(network, self.submit(network, network.good[0]))

        assert [one.outcome for one in (*first, *again)] == [Outcome.ACCEPTED] * 2
        assert network.reached(network.attempt(1).id) == 1

    def test_a_window_of_the_declared_size_is_taken(self) -> None:
        """It is at least one, some kind is declared, and each attempt is accepted."""
        network = self.start()
        declared = network.transport.capabilities
        size = declared.window
        numbers = [network.good[at % len(network.good)] for at in range(size)]
        answers = self.final(network, self.submit(network, *numbers))

        assert size >= 1 and declared.kinds and declared.pending_limit > 0
        assert [one.outcome for one in answers] == [Outcome.ACCEPTED] * size

    def test_asked_attempts_are_answered_as_they_went_where_queries_are_declared(self) -> None:
        """In the order asked; what never came is not said to have been accepted."""
        network = self.start()
        if not network.transport.capabilities.queries:
            pytest.skip("not declared")
        self.final(network, self.submit(network, *network.good[:2]))
        asked = ["never", network.attempt(2).id, network.attempt(1).id]
        told = list(network.transport.query(asked, network.instant()))

        outcomes = [one.outcome for one in told]
        assert outcomes[1:] == [Outcome.ACCEPTED] * 2
        assert len(told) == 3 and outcomes[0] in (Outcome.DEFERRED, Outcome.UNKNOWN)

    def test_a_receipt_comes_for_what_was_accepted_where_receipts_are_declared(self) -> None:
        """Under an id of the answer, for each message, and for nothing else."""
        network = self.start()
        answers = self.final(network, self.submit(network, *network.good[:3]))
        self.settle(network)

        heard = {one.transport_id for one in self.kept.receipts}
        assert heard <= {id for one in answers for id in one.transport_ids}
        if network.transport.capabilities.receipts:
            assert all(heard & set(one.transport_ids) for one in answers)

    def test_what_was_delivered_is_said_to_be(self) -> None:
        """DELIVERED or READ is said of each message to a good number, and nothing worse."""
        network = self.start()
        if not network.transport.capabilities.receipts:
            pytest.skip("not declared")
        answers = self.final(network, self.submit(network, *network.good[:3]))
        self.settle(network)

        arrived = [one.transport_id for one in self.kept.receipts if one.kind in _ARRIVED]
        assert all(set(arrived) & set(one.transport_ids) for one in answers)
        assert not {one.kind for one in self.kept.receipts} & _LOST

    def test_a_receipt_is_about_the_message_it_came_for(self) -> None:
        """Of two that were delivered and one that was not heard of, it says so of the two."""
        network = self.start()
        if network.silent is None or not network.transport.capabilities.receipts:
            pytest.skip("this network tells of everything, or of nothing")
        numbers = (network.good[0], network.silent, network.good[1])
        first, silent, last = self.final(network, self.submit(network, *numbers))
        self.settle(network)

        heard = {one.transport_id for one in self.kept.receipts}
        assert heard & set(first.transport_ids) and heard & set(last.transport_ids)
        assert not heard & set(silent.transport_ids)

    def test_what_a_handset_says_is_brought(self) -> None:
        """As it was said, from whom and to whom, once."""
        network = self.start()
        if not network.says(network.good[0], "hello there"):
            pytest.skip("this network cannot be made to")
        self.settle(network)

        [one] = self.kept.inbound
        assert one.from_address.removeprefix("+") == network.good[0].removeprefix("+")
        assert one.to_address.removeprefix("+") == network.sender.removeprefix("+")
        assert one.body == "hello there"

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
        assert late.attempt_id == network.attempt(1).id
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
        """What could not be written down, an answer or a receipt, is not lost."""
        network = self.start()
        if not network.transport.capabilities.receipts:
            pytest.skip("not declared")
        handed = self.submit(network, *network.good[:3])
        self.kept.closed = True
        network.pass_time(self.patience)
        with suppress(StorageUnavailable):
            network.transport.poll(network.instant())
        assert self.kept.turned_away, "nothing was brought in time"
        self.kept.closed = False
        self.settle(network)
        answers = self.final(network, handed)

        heard = {one.transport_id for one in self.kept.receipts}
        assert all(heard & set(one.transport_ids) for one in answers)

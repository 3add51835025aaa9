"""The simulated carrier: deterministic, honest in its log, and its debts survive it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scg_adapters.transport.carrier_log import FileLog, submissions
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core import BrokenInvariant, InvalidField
from scg_core.conformance import MessageTransportContract, Network
from scg_core.kernel.instant import HOUR, Instant
from scg_core.ports.message_transport import (
    Answer,
    Attempt,
    LateAnswer,
    Outcome,
    Receipt,
    ReceiptKind,
)

NOW = Instant(1_767_225_600_000)
LATER = Instant(NOW + HOUR)


class Inbox:
    """Keeps what a carrier brings."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.answers: list[LateAnswer] = []

    def answers_arrived(self, connector: str, answers: list[LateAnswer]) -> None:
        self.answers += answers

    def receipts_arrived(self, connector: str, receipts: list[Receipt]) -> None:
        self.receipts += receipts


def attempts(count: int) -> list[Attempt]:
    return [Attempt(f"m{n}/1", "55512", f"+1415{2_000_000 + n}", "hello") for n in range(count)]


def carrier(inbox: Inbox, **options: object) -> LoopbackCarrier:
    made = LoopbackCarrier(**options)  # type: ignore[arg-type]
    made.connect("carrier", inbox)  # type: ignore[arg-type]
    return made


MIXED = Behaviour(refuse=0.1, defer=0.1, throttle=0.1, pending=0.2, unknown=0.1,
                  unreached=0.1, lose=0.1,
                  undelivered=0.2, read=0.3, double=0.2)  # fmt: skip


def test_the_same_seed_gives_the_same_answers_and_receipts() -> None:
    """What befalls an attempt depends on the seed and its id, not on when or in which batch."""
    first, second, third = Inbox(), Inbox(), Inbox()
    one = carrier(first, seed=5, behaviour=MIXED)
    two = carrier(second, seed=5, behaviour=MIXED)
    other = carrier(third, seed=6, behaviour=MIXED)

    answers = one.submit(attempts(100), NOW)
    again = [answer for a in attempts(100) for answer in two.submit([a], NOW)]
    one.poll(LATER), two.poll(LATER)

    assert answers == again
    assert first.receipts == second.receipts
    assert first.answers == second.answers
    assert other.submit(attempts(100), NOW) != answers


def test_every_attempt_is_answered_in_order() -> None:
    """With the outcome its rates say, each kind of outcome among many."""
    answers = carrier(Inbox(), behaviour=MIXED).submit(attempts(500), NOW)

    assert len(answers) == 500
    assert {answer.outcome for answer in answers} == set(Outcome)


@pytest.mark.parametrize("kind", ["double", "read"])
def test_receipts_come_as_often_as_told(kind: str) -> None:
    """DELIVERED twice, or DELIVERED and READ."""
    inbox = Inbox()
    one = carrier(inbox, behaviour=Behaviour(**{kind: 1.0}))
    one.submit(attempts(10), NOW)
    one.poll(LATER)

    kinds = [receipt.kind for receipt in inbox.receipts]
    expected = {"double": {ReceiptKind.DELIVERED: 20}}.get(
        kind, {ReceiptKind.DELIVERED: 10, ReceiptKind.READ: 10}
    )
    assert {one: kinds.count(one) for one in set(kinds)} == expected


def test_what_was_brought_once_is_not_brought_again() -> None:
    """Polling is idempotent, and says when to come back."""
    inbox = Inbox()
    one = carrier(inbox, behaviour=Behaviour(delay=1000, spread=0))
    one.submit(attempts(3), NOW)

    assert one.poll(NOW) == NOW + 1000
    assert inbox.receipts == []
    assert one.poll(Instant(NOW + 1000)) is None
    assert one.poll(LATER) is None
    assert len(inbox.receipts) == 3


def test_a_submission_is_logged_before_it_is_answered(tmp_path: Path) -> None:
    """So lost and doubled messages are counted from outside the engine."""
    one = carrier(Inbox(), log=tmp_path / "log", behaviour=Behaviour(refuse=0.5))
    answers = one.submit(attempts(100), NOW)

    taken = submissions(FileLog(tmp_path / "log"))
    assert len(taken) == sum(answer.outcome is Outcome.ACCEPTED for answer in answers)
    assert set(taken.values()) == {1}


def test_a_carrier_restarted_on_its_log_owes_what_it_owed(tmp_path: Path) -> None:
    """Receipts not brought before a crash are brought after it, and no others."""
    first, second, undisturbed = Inbox(), Inbox(), Inbox()
    options = {"seed": 3, "behaviour": Behaviour(read=0.5, double=0.5, spread=10_000)}
    one = carrier(first, log=tmp_path / "log", **options)
    one.submit(attempts(50), NOW)
    one.poll(Instant(NOW + 5_000))
    carrier(second, log=tmp_path / "log", **options).poll(LATER)
    reference = carrier(undisturbed, **options)
    reference.submit(attempts(50), NOW)
    reference.poll(Instant(NOW + 5_000))
    reference.poll(LATER)

    def plain(receipts: list[Receipt]) -> list[tuple[str, str]]:
        return sorted((one.transport_id, one.kind.value) for one in receipts)

    assert first.receipts and second.receipts
    assert plain(first.receipts + second.receipts) == plain(undisturbed.receipts)


def test_a_line_torn_by_a_crash_is_no_entry(tmp_path: Path) -> None:
    """The log is read up to its last whole line."""
    log = tmp_path / "log"
    carrier(Inbox(), log=log).submit(attempts(2), NOW)
    log.write_bytes(log.read_bytes()[:-4])

    assert len(submissions(FileLog(log))) == 1


@pytest.mark.parametrize("deduplicates", [True, False])
def test_a_repeated_attempt_is_sent_once_where_deduplication_is_declared(
    deduplicates: bool,
) -> None:
    """Elsewhere the log shows the double."""
    one = carrier(Inbox(), deduplicates=deduplicates)
    first = one.submit(attempts(1), NOW)

    assert one.submit(attempts(1), NOW) == first
    assert submissions(one.log)["m0/1"] == (1 if deduplicates else 2)


def test_an_attempt_put_off_is_judged_anew_each_time() -> None:
    """Otherwise it would be put off for ever."""
    one = carrier(Inbox(), behaviour=Behaviour(defer=0.5))
    outcomes = [one.submit(attempts(1), NOW)[0].outcome for _ in range(30)]

    assert Outcome.ACCEPTED in outcomes


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_outside_0_to_1_is_refused(rate: float) -> None:
    """The error names the rate."""
    with pytest.raises(InvalidField) as refused:
        Behaviour(lose=rate)

    assert refused.value.field == "lose"


def test_a_carrier_is_connected_before_it_is_used() -> None:
    """Otherwise it has nobody to bring receipts to."""
    one = LoopbackCarrier(behaviour=Behaviour(delay=0, spread=0))
    one.submit(attempts(1), NOW)
    with pytest.raises(BrokenInvariant):
        one.poll(LATER)


BAD, SLOW, SILENT = "+14152000009", "+14152000008", "+14152000007"


class MoodyCarrier(LoopbackCarrier):
    """A carrier with a number for each mood, which keeps what handsets show."""

    shown: dict[str, tuple[str, str, str]]

    def submit(self, attempts: Sequence[Attempt], now: Instant) -> list[Answer]:
        usual, answers = self.behaviour, list[Answer]()
        self.shown = getattr(self, "shown", {})
        manners = {BAD: Behaviour(refuse=1), SLOW: Behaviour(pending=1), SILENT: Behaviour(lose=1)}
        for one in attempts:
            self.behaviour = manners.get(one.to_address, usual)  # type: ignore[misc]
            answers += super().submit([one], now)
            self.shown[one.id] = (one.from_address, one.to_address, one.body)
        self.behaviour = usual  # type: ignore[misc]
        return answers


class _Loopback(Network):
    """A carrier that accepts everything, and one number for each thing it can do otherwise."""

    good = ("+14152000001", "+14152000002", "+14152000003")

    def __init__(self, **options: Any) -> None:
        self.transport = self.carrier = self.made(**options)
        self.now = NOW

    def made(self, **options: Any) -> LoopbackCarrier:
        return LoopbackCarrier(**options)

    def says(self, handset: str, text: str) -> bool:
        self.carrier.handset_sends(handset, self.sender, text, self.now)
        return True

    def instant(self) -> Instant:
        return self.now

    def pass_time(self, milliseconds: int) -> None:
        self.now = Instant(self.now + milliseconds)

    def reached(self, attempt_id: str) -> int:
        return sum(one.attempt_id == attempt_id for one in self.carrier.taken())


class TestLoopback(MessageTransportContract):
    def network(self) -> Network:
        return _Loopback()


class TestLoopbackThatDeduplicatesAndSplits(MessageTransportContract):
    def network(self) -> Network:
        return _Loopback(deduplicates=True, splits=True, addresses=False, window=30)


class TestLoopbackThatRefuses(MessageTransportContract):
    def network(self) -> Network:
        return _Moody()


class _Moody(_Loopback):
    bad, slow, silent = BAD, SLOW, SILENT

    def made(self, **options: Any) -> LoopbackCarrier:
        return MoodyCarrier(**options)

    def shown(self, attempt_id: str) -> tuple[str, str, str] | None:
        assert isinstance(self.carrier, MoodyCarrier)
        return self.carrier.shown.get(attempt_id)


class TestLoopbackThatRefusesAndTellsNoAddresses(MessageTransportContract):
    def network(self) -> Network:
        return _Moody(addresses=False)


class TestLoopbackThatAnswersLater(MessageTransportContract):
    """Every attempt is PENDING for a moment, as in a window of SMPP."""

    def network(self) -> Network:
        return _Moody(behaviour=Behaviour(pending=1, delay=10, spread=0))


class TestLoopbackForMail(MessageTransportContract):
    """Another kind, another sender."""

    def network(self) -> Network:
        network = _Moody(kinds=frozenset({"EMAIL"}))
        network.kind, network.sender = "EMAIL", "shop@example.com"
        return network

"""Stories of what transports can do to a message: fragments, unknown outcomes, slow answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scg_adapters.transport.carrier_log import submissions
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier, transport_id
from scg_core import (
    Engine,
    InvalidField,
    MessageRequest,
    RequestState,
    StaleData,
    TransportUnavailable,
)
from scg_core.kernel.instant import DAY, HOUR, MINUTE, Instant, later
from scg_core.kernel.query import Query
from scg_core.kernel.resource import evolve
from scg_core.messaging.lifecycle import MessageEvent
from scg_core.messaging.model import LaneKey, Run
from scg_core.messaging.records import FragmentState, ParkedReceipt, RecipientPage
from scg_core.messaging.rules.receipts import fragment_after, whole
from scg_core.messaging.rules.status import UNKNOWN_OUTCOME
from scg_core.ports.message_transport import (
    Answer,
    Attempt,
    LateAnswer,
    OnUnknown,
    Outcome,
    Receipt,
    ReceiptKind,
    ReceiptPolicy,
)
from tests.scripted import Scripted, scripted
from tests.world import World, numbers

N, D, R, F = FragmentState  # no receipt yet, delivered, read, failed
DELIVERED, READ, FAILED = MessageEvent.DELIVERED, MessageEvent.READ, MessageEvent.UNDELIVERED


@pytest.mark.parametrize(
    ("policy", "fragments", "event"),
    [
        ("ALL", [D, D, N], None), ("ALL", [D, D, D], DELIVERED), ("ALL", [D, F, N], FAILED),
        ("ALL", [R, R, R], READ), ("ALL", [R, D, R], DELIVERED), ("ALL", [N, N, N], None),
        ("LAST", [D, D, N], None), ("LAST", [F, N, D], DELIVERED), ("LAST", [D, D, F], FAILED),
        ("LAST", [N, N, R], READ), ("ANY", [N, D, N], DELIVERED), ("ANY", [N, F, N], FAILED),
        ("ANY", [F, D, N], DELIVERED), ("ANY", [N, N, N], None), ("ANY", [D, R, N], READ),
    ],
)  # fmt: skip
def test_fragments_together_say_what_became_of_their_message(
    policy: str, fragments: list[FragmentState], event: MessageEvent | None
) -> None:
    """ALL, LAST and ANY (semantics 1a, multi-part)."""
    assert whole(policy, fragments) is event


@pytest.mark.parametrize(
    ("before", "heard", "after"),
    [(N, DELIVERED, D), (N, FAILED, F), (N, READ, R), (D, READ, R), (D, FAILED, D),
     (F, DELIVERED, F), (R, DELIVERED, R)],
)  # fmt: skip
def test_the_first_final_receipt_of_a_fragment_wins(
    before: FragmentState, heard: MessageEvent, after: FragmentState
) -> None:
    """READ may follow DELIVERED, nothing else changes."""
    assert fragment_after(before, heard) is after


def long_message(url: str, policy: ReceiptPolicy) -> tuple[World, list[str]]:
    """A message of three fragments that the carrier took, and the carrier's ids for them."""
    world = World(url, Behaviour(lose=1), splits=True, receipt_policy=policy)
    world.send("+14155550100", body="x" * 400)
    world.engine.run_until_idle()
    (message,) = world.messages()
    names = [transport_id(0, f"{message.id}/1/{number}") for number in (1, 2, 3)]
    assert message.external_transaction_ids == ",".join(names)
    return world, names


def bring(world: World, name: str, kind: ReceiptKind) -> list[str]:
    world.engine.receipts_arrived("carrier", [Receipt(name, kind, world.clock.now())])
    world.recount()
    return world.states()


def test_with_policy_all_a_message_is_delivered_when_all_its_fragments_are(url: str) -> None:
    """Until then it stays SENT; doubled receipts change nothing."""
    world, (first, second, third) = long_message(url, ReceiptPolicy.ALL)

    assert bring(world, first, ReceiptKind.DELIVERED) == ["SENT"]
    assert bring(world, first, ReceiptKind.DELIVERED) == ["SENT"]
    assert bring(world, third, ReceiptKind.DELIVERED) == ["SENT"]
    assert bring(world, second, ReceiptKind.DELIVERED) == ["DELIVERED"]


def test_with_policy_all_one_failed_fragment_fails_the_message(url: str) -> None:
    """And what is delivered afterwards is late."""
    world, (first, second, _) = long_message(url, ReceiptPolicy.ALL)

    assert bring(world, first, ReceiptKind.UNDELIVERED) == ["FAILED"]
    assert bring(world, second, ReceiptKind.DELIVERED) == ["FAILED"]


def test_with_policy_last_the_last_fragment_decides(url: str) -> None:
    """Whatever the others say."""
    world, (first, _, third) = long_message(url, ReceiptPolicy.LAST)

    assert bring(world, first, ReceiptKind.UNDELIVERED) == ["SENT"]
    assert bring(world, third, ReceiptKind.DELIVERED) == ["DELIVERED"]


def test_with_policy_any_the_first_receipt_decides(url: str) -> None:
    """One fragment on the handset is enough."""
    world, (_, second, _) = long_message(url, ReceiptPolicy.ANY)

    assert bring(world, second, ReceiptKind.DELIVERED) == ["DELIVERED"]


@pytest.mark.parametrize("early", [0.0, 1.0])
def test_receipts_of_fragments_settle_a_bulk_request(url: str, early: float) -> None:
    """Before or after the answer that names the fragments."""
    world = World(url, Behaviour(early=early), splits=True)
    request = world.send(*numbers(20), body="x" * 400)
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.sent_count, after.delivered_count) == (20, 20)
    world.recount()


@pytest.mark.parametrize(("step", "taken"), [("silent", 2), ("lost", 1)])
def test_resend_sends_a_message_of_unknown_outcome_again(url: str, step: str, taken: int) -> None:
    """Doubled if it had left, sent once if it had not."""
    world, _ = scripted(url, OnUnknown.RESEND, step)
    request = world.send("+14155550100")
    world.engine.run_until_idle()

    assert world.request(request.id).sent_count == 1
    assert list(submissions(world.carrier.log).values()) == [taken]
    world.recount()


def test_a_message_that_turns_out_to_be_delivered_is_not_sent_again(url: str) -> None:
    """Its answer was lost, it waits to be sent again, and its receipt comes first."""
    world, _ = scripted(url, OnUnknown.RESEND, "silent", echoes=True)
    request = world.send(*numbers(5))
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count, after.delivered_count) == ("COMPLETED", 5, 5)
    assert set(submissions(world.carrier.log).values()) == {1}
    world.recount()


def test_an_early_receipt_that_names_its_attempt_needs_no_parking(url: str) -> None:
    """It proves the sending; the answer that comes after it is late."""
    world = World(url, Behaviour(early=1, pending=0.5), echoes=True)
    request = world.send(*numbers(20))
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count, after.delivered_count) == ("COMPLETED", 20, 20)
    with world.storage.snapshot() as session:
        assert session.count(Query(ParkedReceipt)) == 0
    world.recount()


@pytest.mark.parametrize("script", [("silent",), ("lost",), ("silent", "deaf", "deaf")])
def test_query_asks_the_transport_and_doubles_nothing(url: str, script: tuple[str, ...]) -> None:
    """What it has is sent, what never came is sent again, what it cannot say is asked again."""
    world, carrier = scripted(url, OnUnknown.QUERY, *script)
    request = world.send(*numbers(3))
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count, after.delivered_count) == ("COMPLETED", 3, 3)
    assert set(submissions(world.carrier.log).values()) == {1}
    assert carrier.asked == len([step for step in script if step == "deaf"]) + 1
    world.recount()


def test_query_gives_a_message_up_when_its_expiry_has_passed(url: str) -> None:
    """Nobody ever says what became of it: FAILED, and the request completes."""
    world, _ = scripted(url, OnUnknown.QUERY, "silent", *["deaf"] * 50)
    until = later(world.clock.now(), 10 * MINUTE)
    request = world.send("+14155550100", expiry_time=until)
    world.engine.run_until_idle()

    (message,) = world.messages()
    assert message.state == "FAILED" and "never said" in (message.failure_details or "")
    assert world.request(request.id).state is RequestState.COMPLETED
    world.recount()


def test_fail_fails_a_message_of_unknown_outcome(url: str) -> None:
    """Better not sent than doubled."""
    world, _ = scripted(url, OnUnknown.FAIL, "silent")
    request = world.send("+14155550100")
    world.engine.run_until_idle()

    (message,) = world.messages()
    assert message.state == "FAILED" and "never said" in (message.failure_details or "")
    assert list(submissions(world.carrier.log).values()) == [1]
    assert world.request(request.id).failed_count == 1
    world.recount()


def test_a_carrier_that_cannot_be_reached_costs_a_wait_and_nothing_else(url: str) -> None:
    """The lane rests; no message is touched."""
    world, _ = scripted(url, OnUnknown.RESEND, "unreachable", "unreachable")
    world.send(*numbers(5))
    due = world.engine.run_due()
    untouched = {message.version_number for message in world.messages()}
    world.recount()
    world.engine.run_until_idle()

    assert due is not None and due - world.clock.now() < 0
    assert untouched == {1}
    assert world.states() == ["DELIVERED"] * 5


def test_an_answer_that_overtakes_its_pending_is_not_lost(url: str) -> None:
    """The transport answers from another thread before the worker has written PENDING down."""

    class Hasty(Scripted):
        def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
            accepted = self.inner.submit(attempts, now)
            late = [
                LateAnswer(one.id, answer) for one, answer in zip(attempts, accepted, strict=True)
            ]
            world.engine.answers_arrived("carrier", late)
            return [Answer(Outcome.PENDING) for _ in attempts]

    world = World(url)
    world.engine = world.another_engine(Hasty(world.carrier, []))
    world.app = world.engine.application("acme", 1)
    request = world.send(*numbers(3))
    world.engine.run_due(3)

    assert world.request(request.id).sent_count == 3
    world.engine.run_until_idle()
    assert set(submissions(world.carrier.log).values()) == {1}
    world.recount()


def test_a_receipt_parked_for_72_hours_is_dropped(url: str) -> None:
    """After that its message will not come."""
    world = World(url)
    stray = Receipt("stray", ReceiptKind.DELIVERED, world.clock.now())
    world.engine.receipts_arrived("carrier", [stray])
    world.clock.advance(72 * HOUR + 1)
    world.engine.receipts_arrived("carrier", [Receipt("other", stray.kind, stray.at)])

    with world.storage.snapshot() as session:
        assert [p.transport_id for p in session.find(Query(ParkedReceipt))] == ["carrier/other"]


def test_what_is_due_tomorrow_does_not_slow_what_is_due_now(world: World) -> None:
    """Thousands of runs wait in the lane; the one that is due is found at once."""
    tomorrow = later(world.clock.now(), DAY)
    with world.storage.transaction("tomorrow") as session:
        lane = session.lane(LaneKey("carrier", world.sender.id, "USA", "acme")).id
        runs = [Run(lane, "other", n * 250, n * 250 + 249, tomorrow) for n in range(4000)]
        session.queue(runs)
        session.number(1_000_000)
    request = world.send("+14155550100")
    world.engine.run_due()

    assert world.request(request.id).sent_count == 1


def test_a_sender_without_a_transport_is_refused(url: str) -> None:
    """Two transports, and a type that names neither."""
    world = World(url)
    two = {"a": LoopbackCarrier(), "b": LoopbackCarrier()}
    engine = Engine(
        storage=world.storage, transports=two, clock=world.clock, ids=world.ids,
        places=world.engine.sources.places,
    )  # fmt: skip
    with pytest.raises(InvalidField) as refused:
        engine.application("acme", 1).message_requests.create(
            from_=world.sender.id, to=["+14155550100"], body="hi"
        )

    assert refused.value.field == "from"


def test_an_engine_without_the_transport_leaves_the_messages_to_one_that_has_it(url: str) -> None:
    """Fan-out may be done by any process; hand-off only by one that holds the connector."""
    world = World(url)
    request = world.send(*numbers(3))
    two = {"a": LoopbackCarrier(), "b": LoopbackCarrier()}
    other = Engine(
        storage=world.storage, transports=two, clock=world.clock, ids=world.ids,
        places=world.engine.sources.places,
    )  # fmt: skip
    other.run_due()
    assert world.states() == ["CREATED"] * 3
    world.engine.run_until_idle()

    assert world.request(request.id).delivered_count == 3
    assert not any(submissions(one.log) for one in two.values())


def test_a_request_whose_sender_is_gone_is_rejected(world: World) -> None:
    """It was accepted, then the sender id vanished: REJECTED, nothing queued, nothing left over."""
    request = world.send(*numbers(3))
    with world.storage.transaction("vanish") as session:
        session.remove(world.sender)
    world.engine.run_until_idle()

    assert world.request(request.id).state is RequestState.REJECTED
    assert world.messages() == []
    with world.storage.snapshot() as session:
        assert session.count(Query(RecipientPage)) == 0


def test_messages_with_equal_transport_ids_are_told_apart_by_address(url: str) -> None:
    """Carriers use ids again; the receipt's address decides, else the newest message."""

    class Same(LoopbackCarrier):
        def _names(self, attempt_id: str, fragments: int) -> tuple[str, ...]:
            return ("same",)

    world = World(url)
    world.engine = world.another_engine(Same(behaviour=Behaviour(lose=1)))
    world.app = world.engine.application("acme", 1)
    world.send(*numbers(3))
    world.engine.run_until_idle()
    now = world.clock.now()
    first, _, _ = numbers(3)
    world.engine.receipts_arrived("carrier", [Receipt("SAME", ReceiptKind.DELIVERED, now, first)])
    assert world.states() == ["DELIVERED", "SENT", "SENT"]
    world.engine.receipts_arrived("carrier", [Receipt("same", ReceiptKind.DELIVERED, now)])

    assert world.states() == ["DELIVERED", "SENT", "DELIVERED"]
    world.recount()


def test_receipts_without_addresses_still_find_a_message_past_sent(url: str) -> None:
    """For a transport that declares so, each id is kept for as long as its message."""
    world = World(url, Behaviour(lose=1), addresses=False)
    world.send("+14155550100")
    world.engine.run_until_idle()
    (message,) = world.messages()
    name = transport_id(0, message.id + "/1")
    for kind in (ReceiptKind.DELIVERED, ReceiptKind.READ):
        world.engine.receipts_arrived("carrier", [Receipt(name, kind, world.clock.now())])

    assert world.states() == ["READ"]
    world.recount()


def test_work_that_fails_stops_nobody_else(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is put off, longer each time, and everything else goes on."""
    world = World(url)
    poisoned = world.send("+14155550100")
    with world.storage.transaction("poison") as session:
        broken = session.get(MessageRequest, poisoned.id)
        assert broken is not None
        after = evolve(broken, application_id="not a number", version_number=2)
        session.replace(after)
    good = world.send("+14155550101")
    due = world.engine.run_due()

    assert world.request(good.id).sent_count == 1
    assert due is not None and due > world.clock.now()
    assert "failed and is put off" in caplog.text


def test_a_transport_that_breaks_when_polled_stops_nobody_else(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is polled again a second later."""

    class Broken(LoopbackCarrier):
        def poll(self, now: Instant) -> Instant | None:
            raise ConnectionError("gone")

    world = World(url)
    good = LoopbackCarrier()
    engine = Engine(
        storage=world.storage, transports={"bad": Broken(), "good": good}, clock=world.clock,
        ids=world.ids, places=world.engine.sources.places,
    )  # fmt: skip
    sender = engine.operator().add_sender_id("acme", address="2", type_id="good")
    engine.application("acme", 1).message_requests.create(
        from_=sender.id, to=["+14155550100"], body="hi"
    )
    due = engine.run_due()

    assert len(submissions(good.log)) == 1
    assert due is not None and due <= world.clock.now() + 1_000
    assert "failed when it was polled" in caplog.text


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REFUSED])
def test_an_answer_that_overtakes_a_broken_submission_counts(url: str, outcome: Outcome) -> None:
    """The transport said what became of it, then its call failed: that is no unknown outcome."""

    class Hasty(Scripted):
        def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
            said = self.inner.submit(attempts, now)
            if outcome is Outcome.REFUSED:
                said = [Answer(Outcome.REFUSED, (), "0x0B") for _ in attempts]
            world.engine.answers_arrived(
                "carrier", [LateAnswer(a.id, s) for a, s in zip(attempts, said, strict=True)]
            )
            raise OSError("the link broke")

    world = World(url, Behaviour(lose=1))
    world.engine = world.another_engine(Hasty(world.carrier, []))
    world.app = world.engine.application("acme", 1)
    world.send(*numbers(2))
    world.engine.run_until_idle()

    assert world.states() == [{"ACCEPTED": "SENT", "REFUSED": "FAILED"}[outcome.value]] * 2
    assert set(submissions(world.carrier.log).values()) == {1}
    world.recount()


def test_another_connectors_answer_is_not_taken(url: str) -> None:
    """Each transport speaks for its own attempts only."""
    world = World(url)
    slow = LoopbackCarrier(behaviour=Behaviour(pending=1, lose=1))
    engine = Engine(
        storage=world.storage, transports={"slow": slow, "other": LoopbackCarrier()},
        clock=world.clock, ids=world.ids, places=world.engine.sources.places,
    )  # fmt: skip
    sender = engine.operator().add_sender_id("acme", address="2", type_id="slow")
    engine.application("acme", 1).message_requests.create(
        from_=sender.id, to=["+14155550100"], body="hi"
    )
    engine.run_due()
    (message,) = world.messages()
    engine.answers_arrived(
        "other", [LateAnswer(message.id + "/1", Answer(Outcome.ACCEPTED, ("7",)))]
    )
    assert world.states() == ["CREATED"]
    engine.run_until_idle()

    assert world.states() == ["SENT"]


def test_a_stale_version_is_refused_where_one_is_given(world: World) -> None:
    """Error 1001; without a version number there is no check."""
    request = world.send("+14155550100")
    world.engine.run_until_idle()
    (message,) = world.messages()
    app = world.app

    with pytest.raises(StaleData) as stale:
        app.message_requests.update(request.id, state="CANCELED", version_number=1)
    assert (stale.value.code, stale.value.seen) == (1001, 1)
    with pytest.raises(StaleData):
        app.messages.update(message.id, state="CONVERTED", version_number="1")
    with pytest.raises(InvalidField):
        app.messages.update(message.id, state="CONVERTED", version_number="one")
    current = str(message.version_number)
    assert app.messages.update(message.id, state="CONVERTED", version_number=current)


def test_a_converted_message_in_flight_stays_open_through_a_late_receipt(url: str) -> None:
    """Its attempt is still to be answered: not withdrawn before, sent once after."""
    world = World(url, Behaviour(pending=1, lose=1))
    request = world.send("+14155550100")
    world.engine.run_due()
    (message,) = world.messages()
    world.app.messages.update(message.id, state="CONVERTED")
    bad = Receipt("x", ReceiptKind.UNDELIVERED, world.clock.now(), None, None, message.id + "/1")
    world.engine.receipts_arrived("carrier", [bad])
    world.recount()
    assert world.request(request.id).open_count == 1
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count, after.open_count) == ("COMPLETED", 1, 0)
    world.recount()


@pytest.mark.parametrize(
    "nonsense",
    [None, "no answers", [{}], [Answer(Outcome.ACCEPTED, None)], [Answer(Outcome.ACCEPTED, (7,))],
     [Answer(Outcome.ACCEPTED, ("\udcff",))], [Answer(Outcome.REFUSED, (), 5)]],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_unknown_outcome(url: str, nonsense: object) -> None:
    """The message is sent again, with patience; nothing else is held up."""

    class Confused(Scripted):
        def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
            answers = self.inner.submit(attempts, now)
            if self.script:
                self.script.pop()
                return nonsense  # type: ignore[return-value]
            return answers

    world = World(url, Behaviour(lose=1))
    world.engine = world.another_engine(Confused(world.carrier, ["once"]))
    world.app = world.engine.application("acme", 1)
    world.send("+14155550100")
    world.engine.run_until_idle()

    (message,) = world.messages()
    assert message.state == "SENT"
    assert message.milestones & UNKNOWN_OUTCOME
    assert list(submissions(world.carrier.log).values()) == [2]
    world.recount()


def test_pending_attempts_fill_the_window(url: str) -> None:
    """No more than a window is ever open, whoever holds it."""
    world = World(url, Behaviour(pending=1, lose=1, delay=5_000, spread=0), window=10)
    request = world.send(*numbers(35))
    most = 0
    while (due := world.engine.run_due()) is not None:
        with world.storage.snapshot() as session:
            most = max(most, session.pending("carrier", world.clock.now())[0])
        assert due > world.clock.now() or most < 10
        world.clock.wait(due)

    assert most == 10
    assert world.request(request.id).sent_count == 35
    assert set(submissions(world.carrier.log).values()) == {1}


def test_an_unreachable_transport_does_not_stop_another(url: str) -> None:
    """Whatever it raises when it is polled."""

    class Away(LoopbackCarrier):
        def poll(self, now: Instant) -> Instant | None:
            raise TransportUnavailable("away")

    world = World(url)
    good = LoopbackCarrier()
    engine = Engine(
        storage=world.storage, transports={"away": Away(), "good": good}, clock=world.clock,
        ids=world.ids, places=world.engine.sources.places,
    )  # fmt: skip
    sender = engine.operator().add_sender_id("acme", address="2", type_id="good")
    engine.application("acme", 1).message_requests.create(
        from_=sender.id, to=["+14155550100"], body="hi"
    )
    engine.run_due()

    assert len(submissions(good.log)) == 1


def test_a_late_answer_still_brings_the_transports_ids(url: str) -> None:
    """DELIVERED came first, by the attempt; READ comes by the id the answer brought."""
    world = World(url, Behaviour(pending=1, lose=1))
    world.send("+14155550100")
    world.engine.run_due()
    (message,) = world.messages()
    name, now = transport_id(0, message.id + "/1"), world.clock.now()
    first = Receipt(name, ReceiptKind.DELIVERED, now, "+14155550100", None, message.id + "/1")
    world.engine.receipts_arrived("carrier", [first])
    assert world.states() == ["DELIVERED"]
    world.engine.run_until_idle(until=later(now, MINUTE))
    assert world.messages()[0].external_transaction_ids == name
    world.engine.receipts_arrived("carrier", [Receipt(name, ReceiptKind.READ, now, "14155550100")])

    assert world.states() == ["READ"]
    world.recount()


def test_a_receipt_of_a_known_address_goes_to_no_other_handset(url: str) -> None:
    """Two messages of one transport id, the first past SENT: the address decides."""

    class Same(LoopbackCarrier):
        def _names(self, attempt_id: str, fragments: int) -> tuple[str, ...]:
            return ("7",)

    world = World(url)
    world.engine = world.another_engine(Same(behaviour=Behaviour(lose=1)))
    world.app = world.engine.application("acme", 1)
    world.send(*numbers(2))
    world.engine.run_until_idle()
    now, (first, second) = world.clock.now(), numbers(2)
    both = [Receipt("7", ReceiptKind.DELIVERED, now, one) for one in (first, second)]
    world.engine.receipts_arrived("carrier", both)
    assert world.states() == ["DELIVERED", "DELIVERED"]
    world.engine.receipts_arrived("carrier", [Receipt("7", ReceiptKind.READ, now, first)])

    assert world.states() == ["READ", "DELIVERED"]


@pytest.mark.parametrize(
    "receipt",
    [None, "x", Receipt(None, ReceiptKind.READ, Instant(0)), Receipt("x", "READ", Instant(0)),
     Receipt("x", ReceiptKind.READ, Instant(10**30)),
     Receipt("\ud800", ReceiptKind.READ, Instant(0)),
     Receipt("x", ReceiptKind.READ, Instant(0), to_address=5)],
)  # fmt: skip
def test_what_is_no_receipt_is_refused_by_field(world: World, receipt: object) -> None:
    """A typed error, and nothing of the batch is taken."""
    with pytest.raises(InvalidField):
        world.engine.receipts_arrived("carrier", [receipt])  # type: ignore[list-item]


def test_a_throttled_answer_rests_each_lane_and_costs_no_attempt(url: str) -> None:
    """The wait is a second each time, however often it happens."""
    world, _ = scripted(url, OnUnknown.RESEND)
    carrier = World(url="memory:", behaviour=Behaviour(throttle=1)).carrier
    world.engine = world.another_engine(carrier)
    world.app = world.engine.application("acme", 1)
    world.send(*numbers(2), "+447700900123")
    for _ in range(6):
        due = world.engine.run_due()
        assert due == world.clock.now() + 1_000
        world.clock.wait(due)

    numbered = [message.seq for message in world.messages()]
    with world.storage.snapshot() as session:
        runs = session.runs_at(numbered)
        assert {run.attempt for run in runs} <= {0, 1}
        assert {lane.reason for lane in session.lanes({run.lane for run in runs})} == {
            "1039 throttled by the carrier"
        }


def test_a_receipt_parked_for_too_long_is_not_applied(url: str) -> None:
    """Its transport id may be another message's by now."""
    world = World(url, Behaviour(lose=1))
    name = "reused"

    class Named(LoopbackCarrier):
        def _names(self, attempt_id: str, fragments: int) -> tuple[str, ...]:
            return (name,)

    world.engine = world.another_engine(Named(behaviour=Behaviour(lose=1)))
    world.app = world.engine.application("acme", 1)
    world.engine.receipts_arrived(
        "carrier", [Receipt(name, ReceiptKind.DELIVERED, world.clock.now())]
    )
    world.clock.advance(73 * HOUR)
    world.send("+14155550100")
    world.engine.run_until_idle()

    assert world.states() == ["SENT"]

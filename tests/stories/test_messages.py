"""Stories of single messages: what customers do to them, and receipts at odd times."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from scg_adapters.transport.carrier_log import submissions
from scg_adapters.transport.loopback import Behaviour, transport_id
from scg_core import (
    Direction,
    IllegalTransition,
    InvalidField,
    MessageState,
    NotFound,
    RequestState,
    SenderState,
)
from scg_core.conformance.samples import a_message
from scg_core.events.model import Envelope, EventType
from scg_core.kernel.instant import HOUR, MINUTE, Instant, later
from scg_core.kernel.query import Query
from scg_core.messaging.records import LoggedReceipt, ParkedReceipt
from scg_core.ports.message_transport import Answer, Outcome, Receipt, ReceiptKind
from scg_core.senders.model import SenderId
from tests.world import World, numbers


def receipt(world: World, kind: ReceiptKind) -> Receipt:
    (message,) = world.messages()
    name = transport_id(0, message.id + "/1")
    return Receipt(name, kind, world.clock.now(), message.to_address)


def sent(world: World) -> World:
    """A world with one message that the carrier took and says no more of."""
    world.send("+14155550100")
    world.engine.run_until_idle()
    return world


@pytest.fixture
def silent(url: str) -> World:
    return sent(World(url, Behaviour(lose=1)))


def test_receipts_move_a_message_and_its_request(silent: World) -> None:
    """DELIVERED, then READ: each milestone is counted once."""
    for kind in (ReceiptKind.DELIVERED, ReceiptKind.DELIVERED, ReceiptKind.READ):
        silent.engine.receipts_arrived("carrier", [receipt(silent, kind)])

    (message,) = silent.messages()
    request = silent.request(message.message_request_id or "")
    assert message.state == "READ"
    assert (request.delivered_count, request.read_count) == (1, 1)
    with silent.storage.snapshot() as session:
        assert [one.kind for one in session.find(Query(LoggedReceipt))] == ["DELIVERED"]
    silent.recount()


def test_the_first_final_receipt_wins(silent: World) -> None:
    """A contradicting receipt is logged and changes nothing."""
    silent.engine.receipts_arrived("carrier", [receipt(silent, ReceiptKind.UNDELIVERED)])
    silent.engine.receipts_arrived("carrier", [receipt(silent, ReceiptKind.DELIVERED)])

    (message,) = silent.messages()
    assert message.state == "FAILED"
    assert message.failure_details == "1009 the network reported UNDELIVERED"
    silent.recount()


@pytest.mark.parametrize(
    ("kind", "state", "counts"),
    [
        ("DELIVERED", "DELIVERED", (1, 0, 0)),
        ("READ", "READ", (1, 1, 0)),
        ("UNDELIVERED", "FAILED", (0, 0, 1)),
        ("REJECTED", "FAILED", (0, 0, 1)),
        ("EXPIRED", "FAILED", (0, 0, 1)),
        ("INTERMEDIATE", "SENT", (0, 0, 0)),
        ("UNKNOWN", "SENT", (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("code", [None, "42"])
def test_each_kind_of_receipt_says_what_became_of_a_message(
    silent: World, kind: str, state: str, counts: tuple[int, int, int], code: str | None
) -> None:
    """Delivered, read and failed ones are counted; a failure says what the network reported."""
    came = evolve(receipt(silent, ReceiptKind(kind)), code=code)
    silent.engine.receipts_arrived("carrier", [came])

    (message,) = silent.messages()
    request = silent.request(message.message_request_id or "")
    said = f"1009 the network reported {kind}" + (f" ({code})" if code else "")
    assert message.state == state
    assert (message.failure_code, message.failure_details) == (
        ("OTHER", said) if state == "FAILED" else (None, None)
    )
    assert (request.delivered_count, request.read_count, request.failed_count) == counts
    silent.recount()


def test_a_receipt_that_says_nothing_final_is_only_logged(silent: World) -> None:
    """INTERMEDIATE and UNKNOWN change nothing."""
    both = [receipt(silent, k) for k in (ReceiptKind.INTERMEDIATE, ReceiptKind.UNKNOWN)]
    silent.engine.receipts_arrived("carrier", both)

    assert silent.states() == ["SENT"]
    with silent.storage.snapshot() as session:
        assert session.count(Query(LoggedReceipt)) == 2


def test_a_receipt_spelt_differently_finds_its_message(silent: World) -> None:
    """Case and leading zeros do not count in a transport id."""
    odd = receipt(silent, ReceiptKind.DELIVERED)
    name = "00" + odd.transport_id.upper()
    silent.engine.receipts_arrived("carrier", [Receipt(name, odd.kind, odd.at)])

    assert silent.states() == ["DELIVERED"]


def test_a_receipt_nobody_knows_is_parked(silent: World) -> None:
    """It waits for the answer that brings its id."""
    stray = Receipt("unknown", ReceiptKind.DELIVERED, silent.clock.now())
    silent.engine.receipts_arrived("carrier", [stray, stray])

    with silent.storage.snapshot() as session:
        assert session.count(Query(ParkedReceipt)) == 2
    assert silent.states() == ["SENT"]


def test_an_early_receipt_is_applied_when_the_answer_comes(url: str) -> None:
    """The receipt overtakes the PENDING answer; both count."""
    world = World(url, Behaviour(pending=1, early=1))
    world.send("+14155550100")
    world.engine.run_due()
    with world.storage.snapshot() as session:
        assert session.count(Query(ParkedReceipt)) == 1
    assert world.states() == ["CREATED"]
    world.recount()
    world.engine.run_until_idle()

    assert world.states() == ["DELIVERED"]
    world.recount()


def test_a_receipt_from_an_unknown_connector_is_refused(world: World) -> None:
    """A host that mixes names up is told so."""
    with pytest.raises(InvalidField):
        world.engine.receipts_arrived("nobody", [])


def test_a_customer_converts_a_message(silent: World) -> None:
    """CONVERTED counts once; date and source are filled in if not given."""
    (message,) = silent.messages()
    converted = silent.app.messages.update(message.id, state="CONVERTED")
    silent.app.messages.update(message.id, state="CONVERTED", conversion_info_source="shop")

    assert converted.state == "CONVERTED"
    assert converted.converted_date == silent.clock.now()
    assert converted.conversion_info_source == "CUSTOMER"
    assert silent.request(message.message_request_id or "").converted_count == 1
    silent.recount()


def test_a_conversion_keeps_the_date_it_is_given(silent: World) -> None:
    """The customer knows best when it happened."""
    (message,) = silent.messages()
    converted = silent.app.messages.update(
        message.id, state="CONVERTED", converted_date=1_500_000_000_000,
        conversion_info_source="shop",
    )  # fmt: skip

    assert converted.converted_date == Instant(1_500_000_000_000)
    assert converted.conversion_info_source == "shop"


def test_a_queued_message_that_is_converted_or_deleted_does_not_leave(world: World) -> None:
    """It is withdrawn; the rest of the request goes on and completes."""
    due = later(world.clock.now(), HOUR)
    request = world.send(*numbers(5), scheduled_delivery_time=due)
    world.engine.run_due()
    second, fourth = world.messages()[1], world.messages()[3]
    world.app.messages.update(second.id, state="CONVERTED")
    world.app.messages.delete(fourth.id)
    world.recount()
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert after.state is RequestState.COMPLETED
    assert (after.sent_count, after.converted_count) == (3, 1)
    assert len(submissions(world.carrier.log)) == 3
    world.recount()


def test_a_deleted_message_is_gone_but_still_counted(silent: World) -> None:
    """Receipts after deletion move the counters, not the state."""
    (message,) = silent.messages()
    silent.app.messages.delete(message.id)
    silent.engine.receipts_arrived("carrier", [receipt(silent, ReceiptKind.DELIVERED)])

    with pytest.raises(NotFound):
        silent.app.messages.get(message.id)
    with pytest.raises(NotFound):
        silent.app.messages.delete(message.id)
    assert silent.states() == ["DELETED"]
    assert silent.request(message.message_request_id or "").delivered_count == 1
    silent.recount()


@pytest.mark.parametrize("state", ["PROCESSED", "DELIVERED", "CREATED", "nonsense", 5])
def test_a_message_takes_no_other_state(silent: World, state: object) -> None:
    """CONVERTED and DELETED are all a customer may set on a message sent."""
    (message,) = silent.messages()
    with pytest.raises(InvalidField) as refused:
        silent.app.messages.update(message.id, state=state)

    assert refused.value.field == "state"


@pytest.mark.parametrize("state", ["SENT", None])
def test_a_message_posted_back_unchanged_stays_as_it_is(silent: World, state: object) -> None:
    """What a client has read it may send back."""
    (message,) = silent.messages()

    assert silent.app.messages.update(message.id, state=state) == message


def test_a_failed_message_is_not_converted(url: str) -> None:
    """Error 409 names what is possible."""
    world = sent(World(url, Behaviour(refuse=1)))
    (message,) = world.messages()
    with pytest.raises(IllegalTransition):
        world.app.messages.update(message.id, state="CONVERTED")


def test_while_a_pending_message_is_converted_its_answer_still_counts(url: str) -> None:
    """The attempt resolves: sent is counted, the state stays CONVERTED."""
    world = World(url, Behaviour(pending=1, lose=1))
    request = world.send("+14155550100")
    world.engine.run_due()
    (message,) = world.messages()
    world.app.messages.update(message.id, state="CONVERTED")
    world.recount()
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count, after.converted_count) == ("COMPLETED", 1, 1)
    assert world.states() == ["CONVERTED"]
    world.recount()


class Breaking:
    """A carrier that takes everything and then fails to answer, so many times."""

    def __init__(self, world: World, failures: int) -> None:
        self.inner, self.failures = world.carrier, failures
        self.capabilities = world.carrier.capabilities
        self.connect, self.poll = world.carrier.connect, world.carrier.poll

    def submit(self, attempts: object, now: Instant) -> object:
        answers = self.inner.submit(attempts, now)  # type: ignore[arg-type]
        self.failures -= 1
        if self.failures >= 0:
            raise RuntimeError("the link broke")
        return answers


def test_a_transport_that_breaks_leaves_the_outcome_unknown(url: str) -> None:
    """The messages are sent again; one that was delivered in the meantime is not."""
    world = World(url)
    world.engine = world.another_engine(Breaking(world, 1))  # type: ignore[arg-type]
    world.app = world.engine.application("acme", 1)
    request = world.send(*numbers(20))
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count) == (RequestState.COMPLETED, 20)
    assert set(submissions(world.carrier.log).values()) == {2}
    world.recount()


def test_a_worker_that_dies_with_a_window_in_hand_loses_nothing(url: str) -> None:
    """Its lease runs out, another worker sends the window again: doubled, never lost."""
    world = World(url)

    class Dying(Breaking):
        def submit(self, attempts: object, now: Instant) -> object:
            self.inner.submit(attempts, now)  # type: ignore[arg-type]
            raise SystemExit

    dying = world.another_engine(Dying(world, 1))  # type: ignore[arg-type]
    world.carrier.connect("carrier", world.engine)
    request = world.send(*numbers(250))
    with pytest.raises(SystemExit):
        dying.run_until_idle()
    world.recount()
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count) == (RequestState.COMPLETED, 250)
    doubled = [n for n in submissions(world.carrier.log).values() if n > 1]
    assert len(doubled) == 100
    world.recount()


def test_messages_wait_while_their_sender_is_broken(world: World) -> None:
    """They stay CREATED, the lane rests, and they go when the sender is ACTIVE again."""
    request = world.send(*numbers(5))
    with world.engine.transaction("break") as unit:
        held = unit.get(SenderId, "acme", world.sender.id)
        unit.save(held, state=SenderState.BROKEN)
    assert world.engine.run_due() == later(world.clock.now(), MINUTE)
    assert world.states() == ["CREATED"] * 5
    world.recount()
    with world.engine.transaction("repair") as unit:
        held = unit.get(SenderId, "acme", world.sender.id)
        unit.save(held, state=SenderState.ACTIVE)
    world.engine.run_until_idle()

    assert world.request(request.id).sent_count == 5
    assert world.states() == ["DELIVERED"] * 5


def test_a_message_goes_to_nobody_without_consent(world: World) -> None:
    """OPT_IN is required and nobody opted in: FAILED, NO_CONSENT, 1005."""
    request = world.send(*numbers(2), consent_requirement="OPT_IN")
    world.engine.run_until_idle()

    assert {m.failure_code for m in world.messages()} == {"NO_CONSENT"}
    assert {(m.failure_details or "")[:4] for m in world.messages()} == {"1005"}
    assert world.request(request.id).failed_count == 2
    assert not submissions(world.carrier.log)
    world.recount()


def test_envelopes_are_stored_only_for_a_subscription(world: World) -> None:
    """No subscription, no envelope; with one, each change of state is told."""
    world.send("+14155550100")
    world.engine.run_until_idle()
    with world.storage.snapshot() as session:
        assert session.count(Query(Envelope)) == 0
    world.app.subscriptions.create(topics=["SCG-Message"])

    world.send("+14155550101")
    world.engine.run_until_idle()

    with world.storage.snapshot() as session:
        told = [(one.type, one.facts) for one in session.find(Query(Envelope))]
    moves = [facts for kind, facts in told if kind is EventType.MESSAGE_STATE_CHANGE]
    assert len(moves) == 2
    assert '"new_state": "SENT"' in moves[0] and '"new_state": "DELIVERED"' in moves[1]
    requests = [k for k, _ in told if k is EventType.MESSAGE_REQUEST_STATE_CHANGE]
    assert len(requests) == 3


def test_an_answer_for_no_open_attempt_is_ignored(silent: World) -> None:
    """A carrier that answers twice changes nothing."""
    from scg_core.ports.message_transport import LateAnswer

    (message,) = silent.messages()
    silent.engine.answers_arrived(
        "carrier", [LateAnswer(message.id + "/1", Answer(Outcome.REFUSED))]
    )

    assert silent.states() == ["SENT"]
    silent.recount()


def inbound(world: World) -> str:
    """A message received, as a later step will store it; its id."""
    with world.storage.transaction("inbound") as session:
        message = a_message(session.number(1), direction=Direction.MO, state=MessageState.RECEIVED)
        session.add(message)
    return message.id


def test_a_received_message_is_processed_and_deleted(world: World) -> None:
    """Semantics 1b through the API: PROCESSED twice is one change, DELETED is gone."""
    id = inbound(world)
    processed = world.app.messages.update(id, state="PROCESSED")
    again = world.app.messages.update(id, state="PROCESSED")
    assert (processed.state, again.version_number) == ("PROCESSED", processed.version_number)
    with pytest.raises(InvalidField):
        world.app.messages.update(id, state="CONVERTED")
    world.app.messages.delete(id)

    with pytest.raises(NotFound):
        world.app.messages.get(id)
    with pytest.raises(NotFound):
        world.app.messages.update(id, state="PROCESSED")


def test_what_a_customer_does_to_a_message_is_told(silent: World) -> None:
    """Converting, deleting and processing are changes of state like any other."""
    silent.app.subscriptions.create(topics=["SCG-Message"])
    (message,) = silent.messages()
    silent.app.messages.update(message.id, state="CONVERTED")
    silent.app.messages.delete(message.id)
    silent.app.messages.update(inbound(silent), state="PROCESSED")

    with silent.storage.snapshot() as session:
        told = [json.loads(one.facts)["new_state"] for one in session.find(Query(Envelope))]
    assert told == ["CONVERTED", "DELETED", "PROCESSED"]

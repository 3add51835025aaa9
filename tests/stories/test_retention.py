"""Stories of retention: what is too old goes, page by page, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from scg_adapters.transport.loopback import Behaviour
from scg_core import InvalidField, NotFound, Settings
from scg_core.events.model import Envelope
from scg_core.events.records import EventSequence
from scg_core.events.settings import EventSettings
from scg_core.kernel.instant import DAY, HOUR, MINUTE, later
from scg_core.kernel.query import Query, eq
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.records import (
    IdempotencyKey,
    LoggedReceipt,
    ParkedReceipt,
    ReceivedId,
    TrackedLink,
)
from scg_core.ports.message_transport import Inbound, Receipt, ReceiptKind
from tests.world import World, numbers

KEPT = Settings(keep_messages=30 * DAY, keep_receipts=10 * DAY, link_base="https://go.example/")
EVENTS = EventSettings(keep_envelopes=5 * DAY)


class Keeping(World):
    """A world that drops what is old."""

    def __init__(self, url: str, **ports: Any) -> None:
        super().__init__(
            url, Behaviour(delay=1_000, spread=0), settings=KEPT,
            ports={"event_settings": EVENTS, **ports},
        )  # fmt: skip

    def run(self, milliseconds: int = 0) -> None:
        """Do what is due soon, then what is due at the end of that time."""
        until = later(self.clock.now(), milliseconds)
        self.engine.run_until_idle(min(later(self.clock.now(), 5 * MINUTE), until))
        self.clock.wait(until)
        self.engine.run_until_idle(until)

    def count(self, kind: type[Any]) -> int:
        with self.storage.snapshot() as session:
            return session.count(Query(kind))


@pytest.fixture
def kept(url: str) -> Keeping:
    return Keeping(url)


def test_old_requests_go_with_their_messages(kept: Keeping) -> None:
    """And all that was noted of them; younger ones stay, and every count is right throughout."""
    old = kept.send(*numbers(450), body='#track("https://shop.example/")')
    small = [kept.send(number) for number in numbers(5, start=1_000)]
    kept.run(10 * DAY)
    young = kept.send(*numbers(3, start=2_000))
    kept.run(21 * DAY)

    for gone in (old, *small):
        with pytest.raises(NotFound):
            kept.app.message_requests.get(gone.id)
    assert kept.app.message_requests.get(young.id).delivered_count == 3
    assert kept.count(MessageRequest) == 1 and kept.count(Message) == 3
    assert kept.count(TrackedLink) == 0
    assert kept.app.messages.page().total == 3
    kept.recount()


def test_while_it_is_dropped_no_counter_is_wrong(kept: Keeping) -> None:
    """The request is the first to go; its messages follow page by page, while others are sent."""
    kept.send(*numbers(900))
    kept.run(MINUTE)
    kept.clock.advance(31 * DAY)
    for _ in range(40):
        kept.engine.run_due(1)
        left = kept.count(MessageRequest), kept.count(Message)
        assert left == (1, 900) or left[0] == 0
        assert kept.app.messages.page().total == left[1]
        if left == (0, 0):
            break
    assert left == (0, 0)


def test_what_is_not_over_stays(kept: Keeping) -> None:
    """However old it is: a request that is scheduled, paused or on its way."""
    far = later(kept.clock.now(), 100 * DAY)
    waiting = kept.send(
        "+14155550100", scheduled_delivery_time=far, expiry_time=later(far, 9 * DAY)
    )
    kept.run(60 * DAY)

    assert kept.app.message_requests.get(waiting.id).state == "TRANSMITTING"
    kept.run(41 * DAY)
    kept.run(2 * HOUR)
    assert kept.app.message_requests.get(waiting.id).delivered_count == 1
    kept.run(31 * DAY)
    with pytest.raises(NotFound):
        kept.app.message_requests.get(waiting.id)


def test_received_messages_and_their_ids_go(kept: Keeping) -> None:
    """The messages after their time, the ids by which repeats are known after a week."""
    for number in range(450):
        inbound = Inbound("+14155550177", "55512", f"n{number}", kept.clock.now(),
                          external_id=f"x{number}")  # fmt: skip
        kept.engine.inbound_arrived("carrier", [inbound])
    assert kept.count(ReceivedId) == 450
    kept.run(8 * DAY)
    assert kept.count(ReceivedId) == 0 and kept.count(Message) == 450
    kept.run(23 * DAY)
    assert kept.count(Message) == 0 and kept.app.messages.page().total == 0


def test_receipts_that_changed_nothing_go(kept: Keeping) -> None:
    """Those of the log, and those whose message never came."""
    kept.send("+14155550100")
    kept.run(MINUTE)
    [message] = kept.messages()
    name = str(message.external_transaction_ids)
    late = Receipt(name, ReceiptKind.DELIVERED, kept.clock.now(), message.to_address)
    kept.engine.receipts_arrived("carrier", [late] * 3)
    unknown = Receipt("nobody", ReceiptKind.DELIVERED, kept.clock.now(), "+14155550199")
    kept.engine.receipts_arrived("carrier", [unknown])
    assert (kept.count(LoggedReceipt), kept.count(ParkedReceipt)) == (3, 1)
    kept.run(9 * DAY)
    assert (kept.count(LoggedReceipt), kept.count(ParkedReceipt)) == (3, 0)
    kept.run(2 * DAY)
    assert kept.count(LoggedReceipt) == 0 and kept.count(Message) == 1


def test_keys_of_repeats_go_after_their_day(kept: Keeping) -> None:
    """After it a repeat would be a new request in any case."""
    for number in range(3):
        kept.app.message_requests.create(
            from_=kept.sender.id, body="x", to=["+14155550100"], idempotency_key=f"k{number}"
        )
    assert kept.count(IdempotencyKey) == 3
    kept.run(26 * HOUR)
    assert kept.count(IdempotencyKey) == 0


def test_settled_envelopes_go_and_open_ones_stay(kept: Keeping) -> None:
    """What waits for a receiver waits as long as it takes; numbers go with their message."""
    active = kept.app.subscriptions.create(topics=["SCG-Message"])
    paused = kept.app.subscriptions.create(topics=["SCG-Message"], state="PAUSED")
    kept.send(*numbers(150))
    kept.run(6 * DAY)

    assert kept.app.envelopes.page(active.id).total == 0
    assert kept.app.envelopes.page(paused.id).total == 303
    assert kept.count(EventSequence) == 151
    kept.run(26 * DAY)
    assert kept.count(EventSequence) == 0
    assert kept.count(Envelope) >= 303


def test_what_is_asked_for_again_is_not_dropped_on_its_way(kept: Keeping) -> None:
    """An old envelope that is replayed is open again; one that was given up is dropped."""
    subscription = kept.app.subscriptions.create(topics=["SCG-Message"])
    kept.send("+14155550100")
    kept.run(4 * DAY)
    [first, *_] = kept.app.envelopes.page(subscription.id).items
    kept.app.subscriptions.update(subscription.id, state="PAUSED")
    kept.app.envelopes.update(subscription.id, first.id, state="PENDING")
    kept.run(10 * DAY)

    assert [one.id for one in kept.app.envelopes.page(subscription.id).items] == [first.id]


def test_without_settings_everything_is_kept(url: str) -> None:
    """And nothing recurs: an idle engine waits for nothing."""
    world = World(url, Behaviour(delay=1_000, spread=0))
    world.send("+14155550100")
    world.engine.run_until_idle()
    world.clock.advance(400 * DAY)

    assert world.engine.run_due() is None
    assert world.app.messages.page().total == 1


def test_looking_for_what_is_old_does_not_keep_a_script_waiting(kept: Keeping) -> None:
    """``run_until_idle`` ends when nothing but that is left."""
    kept.send("+14155550100")
    kept.engine.run_until_idle()
    assert kept.messages()[0].state == "DELIVERED"
    due = kept.engine.run_due()
    assert due is not None and due - kept.clock.now() <= HOUR


def test_other_companies_are_dropped_by_the_same_age(kept: Keeping) -> None:
    """Retention is the host's; no company's rows hold up another's."""
    kept.engine.operator().add_sender_id("other", address="55513", country="USA")
    other = kept.engine.application("other", 1)
    other.message_requests.create(from_="address:55513", body="x", to=numbers(3))
    kept.run(31 * DAY)
    with kept.storage.snapshot() as session:
        assert session.count(Query(Message, [eq("company_id", "other")])) == 0


@pytest.mark.parametrize("age", [0, -1, 7 * DAY - 1])
def test_messages_are_kept_for_a_week_at_least(age: int) -> None:
    """Receipts, answers and repeats of them may still come."""
    with pytest.raises(InvalidField):
        Settings(keep_messages=age)


def test_another_engine_that_keeps_everything_leaves_the_work_alone(kept: Keeping) -> None:
    """It neither does it nor ends it, nor thinks that it is late."""
    kept.send("+14155550100")
    kept.run(MINUTE)
    kept.settings, kept.ports = None, {}
    second = kept.another_engine(kept.carrier)
    kept.clock.advance(31 * DAY)

    assert second.run_due() is None and second.overdue() == 0
    assert kept.count(Message) == 1
    kept.engine.run_until_idle()
    assert kept.count(Message) == 0


def test_a_request_that_must_stay_holds_up_no_others(kept: Keeping) -> None:
    """However many of them are the oldest."""
    far = later(kept.clock.now(), 100 * DAY)
    for number in numbers(250):
        kept.send(number, scheduled_delivery_time=far, expiry_time=later(far, DAY))
    kept.clock.advance(1)
    for number in numbers(230, start=1_000):
        kept.send(number)
    kept.run(31 * DAY)

    assert kept.count(MessageRequest) == 250

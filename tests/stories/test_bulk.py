"""The bulk story: one request, many recipients, every receipt accounted for."""

from __future__ import annotations

import pytest

from scg_adapters.transport.carrier_log import submissions
from scg_adapters.transport.loopback import Behaviour
from scg_core import IllegalTransition, InvalidField, NotFound, RequestState
from scg_core.kernel.instant import HOUR, MINUTE, later
from scg_core.kernel.query import Query
from scg_core.messaging.records import ParkedReceipt, RecipientPage
from tests.world import World, numbers


def test_a_bulk_request_goes_from_staging_to_settled_receipts(world: World) -> None:
    """Create, append pages, accept, run: every recipient has one message, sent and delivered."""
    requests = world.app.message_requests
    request = requests.create(from_=world.sender.id, body="Sale!", external_id="spring")
    assert request.state is RequestState.SUBMITTED
    for start in (0, 600):
        requests.append_recipients(request.id, numbers(600, start), start=start)

    assert requests.accept(request.id).state is RequestState.ACCEPTED
    assert not submissions(world.carrier.log)
    world.engine.run_until_idle()

    after = requests.get(request.id)
    assert after.state is RequestState.COMPLETED
    assert (after.recipient_count, after.sent_count, after.delivered_count) == (1200,) * 3
    assert after.failed_count == 0
    assert set(submissions(world.carrier.log).values()) == {1}
    assert len(submissions(world.carrier.log)) == 1200
    (first,) = world.app.messages.find(message_request_id=request.id, limit=1)
    assert first.external_message_request_id == "spring"
    assert first.to_address == "+14152000000"
    assert first.from_address == "55512"
    assert first.body == "Sale!"
    assert first.external_transaction_ids
    assert first.sent_date is not None and first.delivered_date is not None
    assert first.sent_date <= first.delivered_date
    world.recount()


def test_nothing_leaves_inside_a_call(world: World) -> None:
    """Creating a request sends nothing; the pump does, when it is asked."""
    world.send("+14155550100")

    assert not submissions(world.carrier.log)
    assert world.messages() == []
    world.engine.run_due()
    assert len(submissions(world.carrier.log)) == 1


def test_run_due_says_when_to_call_again(world: World) -> None:
    """Now while there is more, later when something waits, None when nothing does."""
    assert world.engine.run_due() is None
    world.send("+14155550100")

    assert world.engine.run_due(1) == world.clock.now()
    due = world.engine.run_due(100)
    assert due is not None and due > world.clock.now()
    world.clock.wait(due)
    assert world.engine.run_due(100) is None


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(refuse=0.3),
        Behaviour(defer=0.4),
        Behaviour(throttle=0.3),
        Behaviour(pending=0.5),
        Behaviour(unknown=0.2),
        Behaviour(double=0.5, read=0.5),
        Behaviour(early=1, read=0.5, delay=10, spread=10),
        Behaviour(lose=0.4, undelivered=0.4),
        Behaviour(refuse=0.1, defer=0.1, throttle=0.1, pending=0.2, unknown=0.1, lose=0.1,
                  undelivered=0.2, read=0.4, double=0.3, early=0.2),
    ],
)  # fmt: skip
def test_the_books_balance_whatever_the_carrier_does(url: str, behaviour: Behaviour) -> None:
    """Refused, put off, throttled, answered late or never: all is counted, nothing is lost."""
    world = World(url, behaviour)
    request = world.send(*numbers(150))

    while (due := world.engine.run_due(1)) is not None:
        world.recount()
        world.clock.wait(due)

    after = world.request(request.id)
    assert after.state is RequestState.COMPLETED
    assert after.recipient_count == 150
    assert after.sent_count + after.failed_count >= 150
    taken = submissions(world.carrier.log)
    assert len(taken) >= after.sent_count
    if not behaviour.unknown:
        assert set(taken.values()) <= {1}
    world.recount()


def test_one_bad_number_among_good_ones_fails_alone(world: World) -> None:
    """It is FAILED INVALID_RECIPIENT; the rest go."""
    request = world.send("+14155550100", "not a number", "+14155550101")
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.recipient_count, after.sent_count, after.failed_count) == (3, 2, 1)
    (bad,) = [m for m in world.messages() if m.failure_code]
    assert bad.state == "FAILED"
    assert bad.failure_code == "INVALID_RECIPIENT"
    assert bad.failure_details == "1002 is not a telephone number"
    assert bad.to_address == "not a number"
    world.recount()


def test_a_recipient_named_twice_gets_one_message(world: World) -> None:
    """Across pages and spellings, the first occurrence stands and the others are not counted."""
    requests = world.app.message_requests
    request = requests.create(from_=world.sender.id, body="hi")
    requests.append_recipients(request.id, [*numbers(600), numbers(1)[0]], start=0)
    requests.append_recipients(request.id, ["14152000005", "(415) 200-0700", "x", "X"], start=601)
    requests.accept(request.id)
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert after.recipient_count == 602
    assert len({m.to_address for m in world.messages()}) == 602
    world.recount()


def test_a_request_of_bad_numbers_only_completes(world: World) -> None:
    """Every recipient unroutable is no rejection: it is COMPLETED with failed_count."""
    request = world.send("nobody", "nowhere")
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.failed_count, after.sent_count) == (RequestState.COMPLETED, 2, 0)
    world.recount()


def test_staged_pages_are_gone_once_they_are_messages(world: World) -> None:
    """What fan-out consumed is not kept twice, nor is what found the duplicates."""
    request = world.send(*numbers(1200))
    world.engine.run_until_idle()

    with world.storage.transaction("look") as session:
        assert session.count(Query(RecipientPage)) == 0
        assert session.count(Query(ParkedReceipt)) == 0
        assert session.forget(request.id, 10) == 0


def test_a_page_given_twice_counts_once(world: World) -> None:
    """A repeated page is ignored, one that leaves a gap or overlaps is refused."""
    requests = world.app.message_requests
    request = requests.create(from_=world.sender.id, body="hi")
    requests.append_recipients(request.id, numbers(700), start=0)
    again = requests.append_recipients(request.id, numbers(700), start=0)
    assert again.staged_count == 700
    for page, start in ((numbers(10), 800), (numbers(800), 0), (numbers(10), 5)):
        with pytest.raises(InvalidField) as refused:
            requests.append_recipients(request.id, page, start=start)
        assert refused.value.field == "start"

    requests.append_recipients(request.id, numbers(300, 700), start=700)
    assert requests.accept(request.id).to == tuple(numbers(1000))
    world.engine.run_until_idle()
    assert requests.append_recipients(request.id, numbers(700), start=0).recipient_count == 1000
    with pytest.raises(IllegalTransition):
        requests.append_recipients(request.id, numbers(5, 5000), start=1000)


def test_a_keyed_creation_is_done_once(world: World) -> None:
    """The same key and content answer with the first request, for 24 hours."""
    first = world.send("+14155550100", idempotency_key="order-7")
    again = world.send("+14155550100", idempotency_key="order-7")

    assert again.id == first.id
    other = world.engine.application("acme", 2).message_requests
    assert other.create(
        from_=world.sender.id, body="hello", to=["+14155550100"], idempotency_key="order-7"
    ).id not in (first.id,)
    world.clock.advance(24 * HOUR)
    assert world.send("+14155550100", idempotency_key="order-7").id != first.id


def test_cancel_withdraws_what_has_not_left(world: World) -> None:
    """CANCELED at once; the sweep counts each message, and nothing leaves afterwards."""
    request = world.send(*numbers(900))
    for _ in range(3):
        world.engine.run_due(1)
    before = len(submissions(world.carrier.log))
    assert 0 < before < 900

    canceled = world.app.message_requests.cancel(request.id)
    assert canceled.state is RequestState.CANCELED
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert len(submissions(world.carrier.log)) == before
    assert after.state is RequestState.CANCELED
    assert after.canceled_count + after.sent_count == 900
    assert after.delivered_count == after.sent_count == before
    world.recount()


def test_a_scheduled_request_waits_for_its_time(world: World) -> None:
    """Messages are SCHEDULED at once and leave when due."""
    due = later(world.clock.now(), 2 * HOUR)
    request = world.send(*numbers(3), scheduled_delivery_time=due)
    assert world.engine.run_due() == due
    assert world.states() == ["SCHEDULED"] * 3
    assert world.request(request.id).state is RequestState.TRANSMITTING

    world.clock.wait(due)
    world.engine.run_until_idle()

    assert world.states() == ["DELIVERED"] * 3
    assert {entry.at for entry in world.carrier.log.entries() if entry.kind == "S"} == {due}
    world.recount()


def test_a_paused_request_waits_to_be_resumed(world: World) -> None:
    """Messages are made and held; resuming lets them go."""
    request = world.send(*numbers(3), pause_before_transmit=True)
    world.engine.run_due()
    assert world.states() == ["PAUSED"] * 3
    assert world.request(request.id).state is RequestState.PAUSED

    world.app.message_requests.resume(request.id)
    world.engine.run_until_idle()

    assert world.request(request.id).state is RequestState.COMPLETED
    assert world.states() == ["DELIVERED"] * 3
    world.recount()


def test_a_pause_that_nobody_ends_expires(world: World) -> None:
    """After its expiry the held messages are EXPIRED and the request is COMPLETED."""
    until = later(world.clock.now(), HOUR)
    request = world.send(*numbers(3), pause_before_transmit=True, pause_expiry_time=until)
    world.engine.run_until_idle()

    assert world.clock.now() == until
    after = world.request(request.id)
    assert (after.state, after.failed_count) == (RequestState.COMPLETED, 3)
    assert world.states() == ["EXPIRED"] * 3
    assert not submissions(world.carrier.log)
    world.recount()


def test_a_test_request_makes_messages_and_sends_none(world: World) -> None:
    """TEST messages, COMPLETED, nothing handed over; the test flag wins over pause."""
    request = world.send(*numbers(3), test_message_flag=True, pause_before_transmit=True)
    world.engine.run_until_idle()

    assert world.request(request.id).state is RequestState.COMPLETED
    assert world.states() == ["TEST"] * 3
    assert not submissions(world.carrier.log)
    world.recount()


def test_a_test_says_what_the_gate_would_have_said(world: World) -> None:
    """Consent is evaluated for a test, too."""
    world.send("+14155550100", test_message_flag=True, consent_requirement="OPT_IN")
    world.engine.run_until_idle()

    (message,) = world.messages()
    assert message.state == "TEST"
    assert (message.failure_details or "").startswith("1005")


def test_an_expired_message_says_what_it_waited_for(url: str) -> None:
    """A broken sender, a throttled lane, a pause."""
    world = World(url, Behaviour(throttle=1))
    soon = later(world.clock.now(), MINUTE)
    world.send("+14155550100", expiry_time=soon)
    world.send("+14155550101", expiry_time=soon, pause_before_transmit=True)
    world.engine.run_until_idle()

    throttled, paused = (message.failure_details or "" for message in world.messages())
    assert throttled.startswith("1007") and "1039 throttled" in throttled
    assert paused.startswith("1007") and "paused" in paused


def test_what_cannot_leave_before_its_expiry_is_expired(url: str) -> None:
    """A carrier that always puts off: at the expiry time the message is EXPIRED and says why."""
    world = World(url, Behaviour(defer=1))
    until = later(world.clock.now(), 10 * MINUTE)
    request = world.send("+14155550100", expiry_time=until)
    world.engine.run_until_idle()

    (message,) = world.messages()
    assert message.state == "EXPIRED"
    assert (message.failure_details or "").startswith("1007")
    assert world.request(request.id).failed_count == 1
    assert world.request(request.id).state is RequestState.COMPLETED
    assert until <= world.clock.now() <= until + 5 * MINUTE
    world.recount()


def test_a_request_never_accepted_is_canceled_at_its_expiry(world: World) -> None:
    """Staging does not last for ever."""
    request = world.app.message_requests.create(from_=world.sender.id, body="hi")
    world.app.message_requests.append_recipients(request.id, numbers(5), start=0)
    world.engine.run_until_idle()

    assert world.request(request.id).state is RequestState.CANCELED


def test_a_deleted_request_is_gone_and_its_messages_do_not_leave(world: World) -> None:
    """Deleting cancels first; afterwards it is found only by asking for DELETED ones."""
    request = world.send(*numbers(5))
    world.app.message_requests.delete(request.id)
    world.engine.run_until_idle()

    with pytest.raises(NotFound):
        world.app.message_requests.get(request.id)
    with pytest.raises(NotFound):
        world.app.message_requests.delete(request.id)
    assert world.app.message_requests.find() == []
    assert [r.id for r in world.app.message_requests.find(state="DELETED")] == [request.id]
    assert not submissions(world.carrier.log)
    world.recount()


def test_a_reader_who_pages_loses_nobody_while_an_older_request_goes_on(world: World) -> None:
    """Messages of a request that was begun before and accepted after come last, not in between."""
    app = world.app
    older = app.message_requests.create(from_=world.sender.id, body="bulk")
    world.clock.advance(60_000)
    for number in range(6):
        world.send(f"+1415555{1000 + number}")
    world.engine.run_due(100)
    first = app.messages.page(limit=3)
    app.message_requests.append_recipients(
        older.id, [f"+1415555{2000 + n}" for n in range(3)], start=0
    )
    app.message_requests.accept(older.id)
    world.engine.run_due(100)
    rest = app.messages.page(limit=100, offset=3)

    seen = [one.id for one in (*first.items, *rest.items)]
    assert len(seen) == len(set(seen)) == rest.total == 9


def test_all_are_read_once_whatever_the_page(world: World) -> None:
    """A few thousand messages, by their keys."""
    numbers = [f"+1415555{n:04}" for n in range(2_300)]
    request = world.app.message_requests.create(from_=world.sender.id, to=numbers, body="x")
    world.engine.run_due(1_000)
    found = [one.to_address for one in world.app.messages.all(message_request_id=request.id)]

    assert sorted(found) == numbers
    assert len(list(world.app.messages.all())) == 2_300

"""From which address, whether and when a message leaves, told through the public API."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from scg_adapters.prices.table import TablePrices
from scg_adapters.transport.carrier_log import SUBMITTED
from scg_adapters.transport.loopback import Behaviour
from scg_core import InvalidField, MessageState
from scg_core.kernel.errors import InsufficientCredit
from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND, Instant, later
from tests.world import World, numbers

DAYTIME = {"DEFAULT": {"OTH": ["08:00-21:00"]}}
SAN_FRANCISCO, NEW_YORK = "+14155550100", "+12125550100"


def classed(world: World, **fields: Any) -> None:
    """Give the world's sender id a class of these fields."""
    operator = world.engine.operator()
    operator.put_sender_id_class({"id": "CLASS", **fields})
    operator.update_sender_id(world.sender.id, class_id="CLASS")


def left_at(world: World) -> dict[str, list[Instant]]:
    """When the carrier was handed messages, by address: its own log says so."""
    found: dict[str, list[Instant]] = {}
    for entry in world.carrier.log.entries():
        if entry.kind == SUBMITTED:
            found.setdefault(entry.to_address, []).append(Instant(entry.at))
    return found


def test_a_message_waits_for_the_recipients_morning(world: World) -> None:
    """Midnight UTC is afternoon in California and evening in New York; 21:00 shuts both."""
    classed(world, delivery_window=DAYTIME)
    world.clock.advance(3 * HOUR)  # 22:00 in New York, 19:00 in San Francisco
    request = world.send(NEW_YORK, SAN_FRANCISCO)
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))

    states = {m.to_address: m for m in world.messages(request.id)}
    assert states[SAN_FRANCISCO].state is not MessageState.SCHEDULED
    waiting = states[NEW_YORK]
    assert waiting.state is MessageState.SCHEDULED
    assert (waiting.failure_details or "").startswith("40023")
    assert waiting.scheduled_delivery_time == 1_767_225_600_000 + 13 * HOUR

    world.engine.run_until_idle()
    assert left_at(world)[NEW_YORK] == [1_767_225_600_000 + 13 * HOUR]
    assert world.request(request.id).state.value == "COMPLETED"
    assert world.messages(request.id)[0].failure_details is None
    world.recount()


def test_a_window_that_opens_after_the_expiry_expires_the_message_at_once(world: World) -> None:
    """With the reason, and counted as failed."""
    classed(world, delivery_window={"DEFAULT": {"OTH": []}})
    request = world.send(NEW_YORK)
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert message.state is MessageState.EXPIRED
    assert "never opens" in (message.failure_details or "")
    assert world.request(request.id).failed_count == 1
    world.recount()


def test_a_class_may_refuse_instead_of_waiting(world: World) -> None:
    """The policy REJECT fails what is outside the window."""
    classed(world, delivery_window={"DEFAULT": {"OTH": []}}, window_policy="REJECT")
    request = world.send(NEW_YORK)
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert message.state is MessageState.FAILED
    assert (message.failure_details or "").startswith("40023")


def test_throttling_past_closing_time_defers_again(world: World) -> None:
    """The window is asked at each hand-off, not once."""
    classed(world, delivery_window=DAYTIME, country_peak_throughput=1)
    world.clock.advance(2 * HOUR - 5 * SECOND)  # five seconds before 21:00 in New York
    request = world.send(*[f"+1212555{n:04}" for n in range(20)])
    world.engine.run_until_idle()

    times = sorted(at for each in left_at(world).values() for at in each)
    closing, opening = 1_767_225_600_000 + 2 * HOUR, 1_767_225_600_000 + 13 * HOUR
    assert len(times) == 20
    assert all(at < closing or at >= opening for at in times)
    assert sum(at < closing for at in times) in (5, 6, 7)
    assert world.request(request.id).sent_count == 20
    world.recount()


def test_a_throttled_queue_is_not_touched_while_it_waits(world: World) -> None:
    """The wait lies on the lane: no message is written for it."""
    classed(world, country_peak_throughput=1)
    request = world.send(*numbers(40))
    world.engine.run_until_idle(later(world.clock.now(), 3 * SECOND))

    held = world.messages(request.id)
    assert Counter(m.state.value for m in held)["CREATED"] >= 35
    assert {m.version_number for m in held if m.state is MessageState.CREATED} == {1}
    world.engine.run_until_idle()
    times = sorted(at for each in left_at(world).values() for at in each)
    assert 37 * SECOND <= times[-1] - times[0] <= 40 * SECOND
    world.recount()


def test_the_daily_number_waits_for_the_next_day(world: World) -> None:
    """Midnight UTC; what is left goes then."""
    classed(world, country_daily_throughput=3)
    request = world.send(*numbers(5))
    world.engine.run_until_idle()

    times = sorted(at for each in left_at(world).values() for at in each)
    assert [at - 1_767_225_600_000 >= DAY for at in times] == [False] * 3 + [True] * 2
    assert world.request(request.id).sent_count == 5


def test_a_message_of_three_segments_takes_three_slots(world: World) -> None:
    """The unit of the limit is the segment."""
    classed(world, country_peak_throughput=3)
    world.send(*numbers(4), body="x" * 400)
    world.engine.run_until_idle()

    times = sorted(at for each in left_at(world).values() for at in each)
    assert times[-1] - times[0] >= 2 * SECOND


def test_two_engines_on_one_storage_share_the_limits(world: World) -> None:
    """As two processes on one file do."""
    classed(world, country_peak_throughput=5)
    other = world.another_engine(world.carrier)
    world.send(*numbers(30))
    world.send(*numbers(30, start=500))
    due = world.engine.run_due()
    while due is not None:
        world.clock.wait(due)
        other.run_due(1)
        due = world.engine.run_due(1)

    times = sorted(at for each in left_at(world).values() for at in each)
    assert len(times) == 60
    for begin in times:
        assert sum(begin <= at < begin + SECOND for at in times) <= 6


def test_a_sender_id_whose_class_is_not_for_the_country_fails_1003(world: World) -> None:
    """A class that lists countries is for these; OTHER is for those that no class lists."""
    operator = world.engine.operator()
    operator.put_sender_id_class(id="US", applicable_countries=["US"])
    operator.put_sender_id_class(id="REST", applicable_countries=["OTHER"])
    for name, numbers_ in (("US", {NEW_YORK: True, "+4915112345678": False}),
                           ("REST", {NEW_YORK: False, "+4915112345678": True})):  # fmt: skip
        operator.update_sender_id(world.sender.id, class_id=name)
        request = world.send(*numbers_)
        world.engine.run_until_idle()
        for message in world.messages(request.id):
            sent = numbers_[message.to_address or ""]
            assert (message.state is not MessageState.FAILED) is sent
            assert sent or (message.failure_details or "").startswith("1003")
    world.recount()


def test_a_kind_that_the_sender_id_or_the_transport_does_not_carry_fails(world: World) -> None:
    """Mail needs a sender id that carries mail, and a transport that does."""
    request = world.send("ann@example.com", NEW_YORK)
    world.engine.run_until_idle()
    world.engine.operator().update_sender_id(world.sender.id, capabilities=["SMS", "EMAIL"])
    other = world.send("ann@example.com", NEW_YORK)
    world.engine.run_until_idle()

    for one, reason in ((request, "sender id carries no EMAIL"), (other, "transport carries no")):
        by_kind = {m.type: m for m in world.messages(one.id)}
        assert by_kind["SMS"].state is MessageState.DELIVERED
        assert reason in (by_kind["EMAIL"].failure_details or "")
    world.recount()


def test_mail_and_push_leave_through_a_transport_that_carries_them(url: str) -> None:
    """Each as a message of its own type."""
    kinds = ("SMS", "EMAIL", "PSH", "FB", "WE")
    world = World(url, kinds=kinds)
    capable = ["SMS", "EMAIL", "PUSH", "FACEBOOK", "WECHAT"]
    world.engine.operator().update_sender_id(world.sender.id, capabilities=capable)
    request = world.send(NEW_YORK, "a@b.example", "psh:apn@app@token", "fb:u@page", "we:u@acc")
    world.engine.run_until_idle()

    held = world.messages(request.id)
    assert sorted(m.type for m in held) == sorted(kinds)
    assert {m.state for m in held} == {MessageState.DELIVERED}


def test_a_local_time_is_the_recipients_own_clock(world: World) -> None:
    """Nine in the morning wherever each of them is; a time that has passed is now."""
    morning = 1_767_225_600_000 + 9 * HOUR
    request = world.send(
        NEW_YORK,
        SAN_FRANCISCO,
        "+4915112345678",
        "+61412345678",
        scheduled_delivery_time=morning,
        scheduled_delivery_time_zone="LOCAL",
    )
    world.engine.run_until_idle()

    hours = {to: [(at - 1_767_225_600_000) / HOUR for at in each] for to, each in
             left_at(world).items()}  # fmt: skip
    assert hours[NEW_YORK] == [14]
    assert hours[SAN_FRANCISCO] == [17]
    assert hours["+4915112345678"] == [8]
    assert hours["+61412345678"][0] < 0.1  # nine o'clock was hours ago in Sydney
    assert world.request(request.id).state.value == "COMPLETED"


def test_a_price_is_fixed_at_hand_off_and_credit_covers_it(world: World) -> None:
    """Reserved with the hand-off, confirmed with the answer, given back with a refusal."""
    operator = world.engine.operator()
    operator.add_tariff(price=0.01)
    operator.add_tariff(price=0.03, country="DEU")
    operator.add_credit("acme", 1)
    request = world.send(NEW_YORK, "+4915112345678", body="x" * 200)
    world.engine.run_until_idle()

    prices = {m.to_address: m.price for m in world.messages(request.id)}
    assert prices == {NEW_YORK: 20_000, "+4915112345678": 60_000}
    account = operator.credit("acme")
    assert account is not None
    assert (account.reserved, account.confirmed, account.left) == (0, 80_000, 920_000)


def test_a_request_that_costs_more_than_the_credit_is_402_and_nothing_is_stored(
    world: World,
) -> None:
    """Known at once, refused at once; a test costs nothing."""
    operator = world.engine.operator()
    operator.add_tariff(price=0.25)
    operator.add_credit("acme", 0.5)
    with pytest.raises(InsufficientCredit) as refused:
        world.send(*numbers(3))

    assert (refused.value.needed, refused.value.left) == (750_000, 500_000)
    assert world.messages() == []
    world.send(*numbers(3), test_message_flag=True)
    world.send(*numbers(2))
    world.engine.run_until_idle()
    account = operator.credit("acme")
    assert account is not None and account.left == 0


def test_a_queue_without_credit_waits_and_goes_on_when_it_is_paid_for(world: World) -> None:
    """The request stays TRANSMITTING; reserved and confirmed never exceed the balance."""
    operator = world.engine.operator()
    operator.add_tariff(price=0.1)
    operator.add_credit("acme", 0.35)
    app = world.app
    request = app.message_requests.create(from_=world.sender.id, body="hello")
    app.message_requests.append_recipients(request.id, numbers(6), start=0)
    app.message_requests.accept(request.id)
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))

    held = world.request(request.id)
    assert (held.state.value, held.sent_count) == ("TRANSMITTING", 3)
    operator.add_credit("acme", 10)
    world.engine.run_until_idle()
    assert world.request(request.id).sent_count == 6
    account = operator.credit("acme")
    assert account is not None
    assert (account.reserved, account.confirmed) == (0, 600_000)
    world.recount()


def test_what_is_refused_or_never_sent_costs_nothing(url: str) -> None:
    """The reservation is given back, the message has no price."""
    world = World(url, Behaviour(refuse=1.0))
    operator = world.engine.operator()
    operator.add_tariff(price=0.1)
    operator.add_credit("acme", 5)
    request = world.send(*numbers(4))
    world.engine.run_until_idle()

    account = operator.credit("acme")
    assert account is not None
    assert (account.reserved, account.confirmed) == (0, 0)
    assert {m.price for m in world.messages(request.id)} == {None}
    assert world.request(request.id).failed_count == 4


def test_a_message_dearer_than_the_threshold_fails_and_says_so(world: World) -> None:
    """Of one sender id; of a channel another one is taken if it is cheaper."""
    world.engine.operator().add_tariff(price=0.05)
    request = world.send(NEW_YORK, price_threshold=0.01)
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert message.state is MessageState.FAILED
    assert "price" in (message.failure_details or "")


def test_a_host_may_bring_prices_of_its_own(url: str) -> None:
    """The Prices port takes the place of the tariffs in the storage."""
    prices = TablePrices([{"price": 0.02}, {"country": "DEU", "price": 0.5}])
    world = World(url, ports={"prices": prices})
    request = world.send(NEW_YORK, "+4915112345678")
    world.engine.run_until_idle()

    assert sorted(m.price or 0 for m in world.messages(request.id)) == [20_000, 500_000]


def outcomes(preview: Any) -> dict[str, int]:
    """How many recipients fare how."""
    found: Counter[str] = Counter()
    for one in preview.outcomes:
        found[one.state.value] += one.recipients
    return dict(found)


def test_a_preview_is_what_then_happens(world: World) -> None:
    """Who goes now, who later, who never; the price; and when the last one leaves."""
    operator = world.engine.operator()
    classed(world, delivery_window=DAYTIME, country_peak_throughput=2,
            applicable_countries=["US", "CA"])  # fmt: skip
    operator.add_tariff(price=0.01)
    world.clock.advance(3 * HOUR)
    to = [*[f"+1212555{n:04}" for n in range(10)], *[f"+1415555{n:04}" for n in range(30)],
          "+4915112345678", "nonsense", SAN_FRANCISCO]  # fmt: skip
    fields: dict[str, Any] = {"from_": world.sender.id, "to": to, "body": "hello"}
    preview = world.app.message_requests.preview(**fields)
    assert world.messages() == []

    request = world.app.message_requests.create(**fields)
    world.engine.run_until_idle(later(world.clock.now(), SECOND // 2))
    held = world.messages(request.id)
    later_on = sum(m.state is MessageState.SCHEDULED for m in held)
    failed = sum(m.state is MessageState.FAILED for m in held)
    assert outcomes(preview) == {"CREATED": 31, "SCHEDULED": later_on, "FAILED": failed}
    assert (later_on, failed, preview.recipients) == (10, 2, 43)
    assert preview.openings == {"USA": 1_767_225_600_000 + 13 * HOUR}

    world.engine.run_until_idle()
    held = world.messages(request.id)
    assert preview.price == sum(m.price or 0 for m in held)
    last = max(at for each in left_at(world).values() for at in each)
    assert preview.last_leaves == last


def test_a_preview_refuses_what_create_refuses(world: World) -> None:
    """With the same error."""
    for wrong in ({"to": []}, {"body": ""}, {"from_": "nobody"}):
        fields: dict[str, Any] = {"from_": world.sender.id, "to": [NEW_YORK], "body": "x"}
        with pytest.raises(InvalidField):
            world.app.message_requests.preview(**(fields | wrong))

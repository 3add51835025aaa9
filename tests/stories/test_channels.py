"""Channels: which of several sender ids a message goes out from, and what else may be tried."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from scg_adapters.transport.carrier_log import SUBMITTED
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core import Duplicate, Forbidden, InvalidField, MessageState, NotFound
from scg_core.kernel.instant import DAY, MINUTE, SECOND, later
from scg_core.kernel.query import Query
from scg_core.messaging.records import StickyChoice
from scg_core.ports.message_transport import Answer, Attempt, Outcome
from tests.world import World, numbers


def channel(world: World, *addresses: str, **fields: Any) -> tuple[str, list[str]]:
    """A channel of acme with a sender id for each address."""
    operator = world.engine.operator()
    made = world.app.channels.create({"name": f"channel {addresses}", **fields})
    ids = [operator.add_sender_id("acme", address=one, country="USA").id for one in addresses]
    assert world.app.channels.add_sender_ids(made.id, ids).errors == {}
    return made.id, ids


def send(world: World, id: str, *to: str, **fields: Any) -> str:
    """Send through a channel and let everything settle."""
    request = world.send(*to, from_=f"channel:{id}", **fields)
    world.engine.run_until_idle()
    return request.id


def origins(world: World, request_id: str) -> Counter[str]:
    """How many messages of a request went out from each address."""
    return Counter(m.from_address or "" for m in world.messages(request_id))


def test_equal_sender_ids_share_a_channels_work(world: World) -> None:
    """Whoever was chosen least recently is next."""
    id, _ = channel(world, "111", "222", "333")
    request = send(world, id, *numbers(99))

    assert origins(world, request) == {"111": 33, "222": 33, "333": 33}
    assert {m.state for m in world.messages(request)} == {MessageState.DELIVERED}
    world.recount()


def test_a_recipient_hears_from_the_same_sender_id_for_thirty_days(world: World) -> None:
    """Unless it can no longer send."""
    id, senders = channel(world, "111", "222")
    to = numbers(10)

    def heard(request_id: str) -> dict[str | None, str | None]:
        return {m.to_address: m.from_address for m in world.messages(request_id)}

    first = heard(send(world, id, *to))
    assert heard(send(world, id, *reversed(to))) == first
    world.app.sender_ids.update(senders[0], state="INACTIVE")
    assert set(heard(send(world, id, *to)).values()) == {"222"}
    world.app.sender_ids.update(senders[0], state="ACTIVE")
    world.clock.advance(31 * DAY)
    again = heard(send(world, id, *to))
    assert set(again.values()) == {"111", "222"}


def test_the_criteria_of_the_request_decide_among_those_that_fit(world: World) -> None:
    """The cheapest if the price comes first; one above the threshold not at all."""
    id, senders = channel(world, "111", "222")
    operator = world.engine.operator()
    operator.add_tariff(price=0.05, sender_id=senders[0])
    operator.add_tariff(price=0.01, sender_id=senders[1])

    cheap = send(world, id, *numbers(6), sender_id_sort_criteria=["PRICE"])
    assert origins(world, cheap) == {"222": 6}
    either = send(world, id, *numbers(6, start=100))
    assert len(origins(world, either)) == 2
    bounded = send(world, id, *numbers(6, start=200), price_threshold=0.02)
    assert origins(world, bounded) == {"222": 6}
    none = send(world, id, *numbers(2, start=300), price_threshold=0.001)
    assert {(m.failure_details or "")[:11] for m in world.messages(none)} == {"1003 price:"}


def test_a_sender_id_whose_limits_are_spent_is_passed_by(world: World) -> None:
    """Free capacity comes before turns."""
    id, senders = channel(world, "111", "222")
    operator = world.engine.operator()
    operator.put_sender_id_class(id="SLOW", country_peak_throughput=0.001)
    operator.update_sender_id(senders[0], class_id="SLOW")

    assert origins(world, send(world, id, *numbers(20)))["222"] >= 19


def test_the_class_of_each_sender_id_says_which_countries_it_serves(world: World) -> None:
    """One channel, two countries, two sender ids."""
    id, senders = channel(world, "111", "222")
    operator = world.engine.operator()
    for sender, country in zip(senders, ("USA", "DEU"), strict=True):
        operator.put_sender_id_class(id=country, applicable_countries=[country])
        operator.update_sender_id(sender, class_id=country)
    request = send(world, id, "+12125550100", "+4915112345678", "+33612345678")

    held = {m.to_address: m for m in world.messages(request)}
    assert held["+12125550100"].from_address == "111"
    assert held["+4915112345678"].from_address == "222"
    assert held["+33612345678"].state is MessageState.FAILED
    world.recount()


def test_a_broken_sender_ids_messages_go_out_from_another(world: World) -> None:
    """Those that were queued for it already; the customer who wants it kept waits for it."""
    id, senders = channel(world, "111", "222")
    operator = world.engine.operator()
    request = world.send(*numbers(20), from_=f"channel:{id}", pause_before_transmit=True)
    world.engine.run_until_idle(later(world.clock.now(), SECOND))
    assert len(origins(world, request.id)) == 2
    operator.move_sender_id(senders[0], "FAULT")
    world.app.message_requests.resume(request.id)
    world.engine.run_until_idle()

    assert origins(world, request.id) == {"222": 20}
    assert world.request(request.id).delivered_count == 20
    world.recount()


def test_a_sender_id_that_is_to_be_kept_is_waited_for(world: World) -> None:
    """``keep_sender_address``: no other one takes its place."""
    id, senders = channel(world, "111", "222")
    for sender in senders:
        world.app.sender_ids.update(sender, keep_sender_address="YES")
    request = world.send(*numbers(4), from_=f"channel:{id}", pause_before_transmit=True)
    world.engine.run_until_idle(later(world.clock.now(), SECOND))
    world.engine.operator().move_sender_id(senders[0], "FAULT")
    world.app.message_requests.resume(request.id)
    world.engine.run_until_idle(later(world.clock.now(), 5 * MINUTE))

    states = {m.from_address: m.state for m in world.messages(request.id)}
    assert states["111"] is MessageState.CREATED
    assert states["222"] is MessageState.DELIVERED
    world.engine.operator().move_sender_id(senders[0], "REPAIR")
    world.engine.run_until_idle()
    assert world.request(request.id).delivered_count == 4


class RefusesSome(LoopbackCarrier):
    """A carrier that takes nothing from some addresses; what it was asked is kept."""

    def __init__(self, refused: set[str]) -> None:
        super().__init__()
        self.refused = refused
        self.asked: list[Attempt] = []

    def submit(self, attempts: Any, now: Any) -> list[Answer]:
        """Refuse what comes from these addresses."""
        self.asked += attempts
        good = [one for one in attempts if one.from_address not in self.refused]
        taken = iter(super().submit(good, now) if good else [])
        return [
            Answer(Outcome.REFUSED, code="88") if one.from_address in self.refused else next(taken)
            for one in attempts
        ]


def test_what_one_sender_id_is_refused_another_may_deliver(url: str) -> None:
    """Each gets an attempt id of its own; when all have refused, the message has failed."""
    carrier = RefusesSome({"111"})
    world = World(url, carrier=carrier)
    id, _ = channel(world, "111", "222")
    request = send(world, id, *numbers(6))

    assert origins(world, request) == {"222": 6}
    assert world.request(request).delivered_count == 6
    twice = [one.id for one in carrier.asked if one.id.endswith("/1-2")]
    assert len(twice) == len(set(twice)) == sum(one.from_address == "111" for one in carrier.asked)
    carrier.refused = {"111", "222"}
    lost = send(world, id, *numbers(4, start=50))
    assert {m.state for m in world.messages(lost)} == {MessageState.FAILED}
    assert world.request(lost).failed_count == 4
    world.recount()


def test_a_channels_priority_is_that_of_its_lanes(url: str) -> None:
    """High goes before what was queued earlier, but for one window in twenty."""
    world = World(url, window=10)
    low, _ = channel(world, "111", priority="low")
    high, _ = channel(world, "222", priority="HIGH")
    held = [
        world.send(*numbers(200, start=start), from_=f"channel:{id}", pause_before_transmit=True)
        for id, start in ((low, 0), (high, 1_000))
    ]
    world.engine.run_until_idle(later(world.clock.now(), SECOND))
    for request in held:
        world.app.message_requests.resume(request.id)
    world.engine.run_until_idle()

    order = [one.to_address for one in world.carrier.log.entries() if one.kind == SUBMITTED]
    urgent = [int(to[-4:]) >= 1_000 for to in order]
    begin = urgent.index(True)
    assert len(order) == 400
    assert sum(urgent[begin : begin + 200]) >= 185


def test_a_shared_channel_is_everybodys_to_send_through_and_nobodys_to_change(
    world: World,
) -> None:
    """The operator makes it, with sender ids of its own."""
    operator = world.engine.operator()
    shared = operator.channels.create(name="for all", ownership="SHARED")
    sender = operator.add_sender_id("operator", address="777", country="USA", ownership="SHARED")
    operator.channels.add_sender_ids(shared.id, [sender.id])

    assert shared.id in [one.id for one in world.app.channels.find()]
    request = send(world, shared.id, *numbers(3))
    assert origins(world, request) == {"777": 3}
    for change in (
        lambda: world.app.channels.update(shared.id, name="mine"),
        lambda: world.app.channels.delete(shared.id),
        lambda: world.app.channels.add_sender_ids(shared.id, [world.sender.id]),
        lambda: world.app.channels.create(name="public", ownership="PUBLIC"),
    ):
        with pytest.raises(Forbidden):
            change()


def test_a_private_channel_is_nobody_elses(world: World) -> None:
    """Neither seen, nor sent through, nor joined with foreign sender ids."""
    id, _ = channel(world, "111")
    rival = world.engine.application("rival", 1)
    with pytest.raises(NotFound):
        rival.channels.get(id)
    with pytest.raises(InvalidField, match="no channel"):
        rival.message_requests.create(from_=f"channel:{id}", to=numbers(1), body="x")
    own = rival.channels.create(name="own")
    added = rival.channels.add_sender_ids(own.id, [world.sender.id, "nobody"])
    assert added.errors == {
        world.sender.id: f"Unknown document: {world.sender.id}",
        "nobody": "Unknown document: nobody",
    }
    with pytest.raises(Duplicate):
        rival.channels.create(name="own")


def test_adding_twice_and_taking_out_are_harmless(world: World) -> None:
    """Members are a set; deleting a channel leaves its sender ids."""
    id, [sender] = channel(world, "111")
    assert world.app.channels.add_sender_ids(id, [sender, sender]).errors == {}
    assert world.app.channels.sender_ids(id).total == 1
    assert list(world.app.channels.remove_sender_ids(id, [sender, "x"]).errors) == ["x"]
    assert world.app.channels.sender_ids(id).total == 0
    world.app.channels.delete(id)
    assert world.app.sender_ids.get(sender).address == "111"
    with pytest.raises(NotFound):
        world.app.channels.get(id)


def test_a_request_whose_channel_is_gone_is_rejected(world: World) -> None:
    """What can only fail after acceptance."""
    id, _ = channel(world, "111")
    request = world.send(*numbers(2), from_=f"channel:{id}")
    world.app.channels.delete(id)
    world.engine.run_until_idle()

    assert world.request(request.id).state.value == "REJECTED"


def test_what_nobody_heard_from_for_long_is_forgotten(world: World) -> None:
    """The memory of who heard from whom holds the last 30 days, not all that ever was."""
    id, _ = channel(world, "1", "2")
    send(world, id, *numbers(20))
    world.clock.advance(31 * DAY)
    send(world, id, *numbers(3, start=100))

    with world.storage.snapshot() as session:
        assert session.count(Query(StickyChoice)) == 3


def test_a_sender_id_that_must_be_answerable_is_passed_by_if_nobody_can_answer_it(
    world: World,
) -> None:
    """The operator made its type one-way after it was configured."""
    operator = world.engine.operator()
    operator.put_sender_id_type({"id": "SHORTCODE", "capabilities": ["SMS"]})
    id, (first, _) = channel(world, "1", "2")
    operator.update_sender_id(first, type_id="SHORTCODE", two_way_required="YES")
    operator.put_sender_id_type({"id": "SHORTCODE", "capabilities": ["SMS"], "two_way": False})
    request = send(world, id, *numbers(4))

    assert origins(world, request) == {"2": 4}

"""What hand-offs spend of credit and limits, and what they give back."""

from __future__ import annotations

import pytest

from scg_adapters.limits.memory import MemoryLimits
from scg_adapters.transport.carrier_log import submissions
from scg_adapters.transport.loopback import Behaviour
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import HOUR, MINUTE, SECOND, later
from scg_core.ports.message_transport import OnUnknown
from scg_core.tenancy.model import CreditAccount
from tests.scripted import scripted
from tests.world import World, numbers


def account(world: World) -> CreditAccount:
    """The credit account of the world's company."""
    found = world.engine.operator().credit("acme")
    assert found is not None
    return found


@pytest.mark.parametrize("ports", [{}, {"limits": MemoryLimits()}], ids=["stored", "memory"])
def test_what_never_reached_the_transport_takes_nothing_of_the_day(
    url: str, ports: dict[str, object]
) -> None:
    """A link that is down for three tries leaves the day's number whole."""
    world, _ = scripted(url, OnUnknown.RESEND, *["unreachable"] * 3)
    world.ports = ports
    operator = world.engine.operator()
    operator.put_sender_id_class(id="CLASS", country_daily_throughput=5)
    operator.update_sender_id(world.sender.id, class_id="CLASS")
    request = world.send(*numbers(5))
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))

    assert world.request(request.id).sent_count == 5
    assert len(submissions(world.carrier.log)) == 5


def test_an_unreachable_transport_rests_its_lane_and_says_so(url: str) -> None:
    """A message that expires meanwhile tells what it waited for."""
    world, _ = scripted(url, OnUnknown.RESEND, *["unreachable"] * 9_999)
    request = world.send("+14155550100", expiry_time=later(world.clock.now(), MINUTE))
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert message.state.value == "EXPIRED"
    assert "1009 the transport cannot be reached" in (message.failure_details or "")


def test_an_account_opened_while_messages_are_in_flight_is_exact(url: str) -> None:
    """What was handed over before stays owed; what was paid in may be spent from now on."""
    world = World(url, Behaviour(pending=1, delay=30 * SECOND, spread=0))
    operator = world.engine.operator()
    operator.add_tariff(price=0.1)
    world.send(*numbers(3))
    world.engine.run_due()
    assert (account(world).prepaid, account(world).reserved) == (False, 300_000)
    operator.add_credit("acme", 0.25, "EUR")
    assert (account(world).left, account(world).currency) == (250_000, "EUR")
    world.recount()

    world.engine.run_until_idle()
    assert (account(world).reserved, account(world).confirmed) == (0, 300_000)
    assert account(world).left == 250_000
    world.send(*numbers(2, start=100))
    world.engine.run_until_idle()
    assert account(world).left == 50_000
    world.recount()
    with pytest.raises(InvalidField, match="EUR"):
        operator.add_credit("acme", 1, "USD")


def test_a_receipt_for_an_attempt_given_up_as_lost_is_charged(url: str) -> None:
    """The money stays set aside while nobody knows whether the handset has it."""
    world, _ = scripted(url, OnUnknown.RESEND, "silent", echoes=True)
    operator = world.engine.operator()
    operator.add_tariff(price=0.1)
    operator.add_credit("acme", 0.2)
    request = world.send(*numbers(2))
    world.engine.run_due()
    assert (account(world).reserved, account(world).left) == (200_000, 0)
    world.recount()

    world.engine.run_until_idle()
    assert world.request(request.id).delivered_count == 2
    assert set(submissions(world.carrier.log).values()) == {1}
    assert (account(world).reserved, account(world).confirmed) == (0, 200_000)
    assert [message.price for message in world.messages()] == [100_000, 100_000]


def test_a_message_sent_again_after_an_unknown_outcome_is_charged_once(url: str) -> None:
    """By the price at the last hand-off; the difference is set aside or given back."""
    world, _ = scripted(url, OnUnknown.RESEND, "lost")
    operator = world.engine.operator()
    operator.add_tariff(price=0.1)
    operator.add_credit("acme", 0.35)
    world.send(*numbers(2))
    world.engine.run_due(2)
    assert account(world).reserved == 200_000
    operator.add_tariff(price=0.15)
    world.recount()
    world.engine.run_until_idle()

    assert (account(world).reserved, account(world).confirmed) == (0, 300_000)
    world.recount()


@pytest.mark.parametrize("how", ["cancel", "delete", "expire"])
def test_money_set_aside_for_an_unknown_outcome_is_given_back_when_the_message_is_withdrawn(
    url: str, how: str
) -> None:
    """It can no longer leave, so nothing is owed for it."""
    world, _ = scripted(url, OnUnknown.RESEND, *["lost"] * 999)
    operator = world.engine.operator()
    operator.add_tariff(price=0.1)
    operator.add_credit("acme", 1)
    request = world.send("+14155550100", expiry_time=later(world.clock.now(), HOUR))
    world.engine.run_due()
    assert account(world).reserved == 100_000
    if how == "cancel":
        world.app.message_requests.cancel(request.id)
    if how == "delete":
        world.app.messages.delete(world.messages(request.id)[0].id)
    world.engine.run_until_idle()

    assert (account(world).reserved, account(world).confirmed) == (0, 0)
    assert world.messages(request.id)[0].price is None
    world.recount()


def test_a_class_with_wider_limits_counts_at_once(world: World) -> None:
    """What waits for the day's number does not wait for a day that no longer matters."""
    operator = world.engine.operator()
    operator.put_sender_id_class(id="CLASS", country_daily_throughput=2)
    operator.update_sender_id(world.sender.id, class_id="CLASS")
    request = world.send(*numbers(5))
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    assert world.request(request.id).sent_count == 2
    operator.put_sender_id_class(id="CLASS")
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))

    assert world.request(request.id).sent_count == 5


def test_a_repaired_sender_id_sends_at_once(world: World) -> None:
    """Its lane rested while it was BROKEN."""
    operator = world.engine.operator()
    request = world.send(*numbers(2), pause_before_transmit=True)
    operator.move_sender_id(world.sender.id, "FAULT")
    world.engine.run_due()
    world.app.message_requests.resume(request.id)
    world.engine.run_due()
    operator.move_sender_id(world.sender.id, "REPAIR")
    world.engine.run_due()

    assert world.request(request.id).sent_count == 2

"""One company's odd settings, and what an operator's sender id is bound to, touch nobody else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scg_core.kernel.errors import Forbidden, IllegalTransition, InvalidField
from scg_core.kernel.instant import DAY, MINUTE
from scg_core.kernel.resource import Micros
from scg_core.senders.rules.prices import PriceKey
from tests.world import World, numbers


class _OddPrices:
    """A host's price list that comes to break for one company."""

    odd = False

    def of_a_segment(self, keys: Sequence[PriceKey]) -> list[Micros | None]:
        if self.odd and keys[0].company_id == "acme":
            raise OverflowError("odd")
        return [None for _ in keys]


def test_a_company_whose_messages_cannot_be_priced_stops_nobody_else() -> None:
    """Its lane rests; the others' messages leave."""
    prices = _OddPrices()
    world = World(ports={"prices": prices})
    sender = world.engine.operator().add_sender_id("beta", address="777")
    beta = world.engine.application("beta", 1)
    mine = world.send("+14155550100", pause_before_transmit=True)
    world.engine.run_due(10)
    world.app.message_requests.resume(mine.id)
    prices.odd = True
    other = beta.message_requests.create(from_=sender.id, body="hi", to=["+14155550101"])
    for _ in range(20):
        world.engine.run_due(50)
        world.clock.advance(MINUTE)

    [message] = beta.messages.find(message_request_id=other.id)
    assert message.state.value in ("SENT", "DELIVERED")
    assert world.states(mine.id) == ["CREATED"]


@pytest.mark.parametrize(
    "field", [{"country_peak_throughput": 1e-12}, {"country_daily_throughput": 1e300},
              {"burst": 10**9}]
)  # fmt: skip
def test_a_rate_that_no_clock_can_keep_is_refused(field: dict[str, float]) -> None:
    """The error names the field."""
    with pytest.raises(InvalidField) as caught:
        World().engine.operator().put_sender_id_class(id="odd", **field)

    assert caught.value.field in field


@pytest.mark.parametrize(
    ("field", "value"),
    [("address", "1"), ("ownership", "PURCHASED"), ("parent_id", "zzz"), ("address", None)],
)
def test_the_operator_cannot_change_what_a_sender_id_is(field: str, value: object) -> None:
    """Its address, owner and parent stay."""
    world = World()
    with pytest.raises(InvalidField) as caught:
        world.engine.operator().update_sender_id(world.sender.id, {field: value})

    assert caught.value.field == field


def test_nothing_for_a_field_with_a_default_means_the_default() -> None:
    """It is never stored as nothing."""
    world = World()
    changed = world.engine.operator().update_sender_id(
        world.sender.id, {"consent_managed_by": None, "capabilities": None}
    )

    assert changed.consent_managed_by.value == "USER"
    assert changed.capabilities == ("SMS",)


def test_a_copy_is_bound_to_no_less_than_its_parent() -> None:
    """White list and consent keeping cannot be taken off."""
    world = World()
    root = world.engine.operator().add_sender_id(
        "operator", address="888", ownership="SHARED", check_white_list=True
    )
    copy = world.app.sender_ids.create(parent_id=root.id)

    assert copy.check_white_list
    with pytest.raises(Forbidden):
        world.app.sender_ids.update(copy.id, check_white_list=False)


def test_a_sender_id_that_is_not_being_deleted_is_not_deprovisioned() -> None:
    """The carriers' word comes after the deletion."""
    world = World()
    with pytest.raises(IllegalTransition):
        world.engine.operator().deprovisioned(world.sender.id)


def test_a_sender_id_that_a_company_took_is_passed_by_in_a_shared_channel() -> None:
    """Its owner still sends with its copy; nobody else does."""
    world = World()
    operator = world.engine.operator()
    root = operator.add_sender_id("operator", address="999", ownership="PREPROVISIONED")
    channel = operator.channels.create(name="all", ownership="SHARED")
    operator.channels.add_sender_ids(channel.id, [root.id])
    copy = world.app.sender_ids.purchase(parent_id=root.id)
    beta = world.engine.application("beta", 1)

    mine = world.send("+14155550100", from_=f"channel:{channel.id}")
    theirs = beta.message_requests.create(
        from_=f"channel:{channel.id}", body="hi", to=["+14155550101"]
    )
    world.engine.run_until_idle()

    assert [one.customer_sender_id for one in world.messages(mine.id)] == [copy.id]
    [message] = beta.messages.find(message_request_id=theirs.id)
    assert message.state.value == "FAILED"
    assert beta.channels.sender_ids(channel.id).total == 0


def test_a_price_at_the_threshold_is_paid() -> None:
    """Amounts are compared as whole millionths."""
    world = World()
    world.engine.operator().add_tariff(price=0.000249)
    world.send("+14155550100", price_threshold=0.000249)
    world.engine.run_until_idle()

    assert world.states() == ["DELIVERED"]


def test_a_preview_tells_of_those_that_expire_while_they_wait() -> None:
    """As many as then do."""
    world = World()
    operator = world.engine.operator()
    operator.put_sender_id_class(id="slow", country_peak_throughput=1, applicable_countries=["USA"])
    sender = operator.add_sender_id("acme", address="5551", class_id="slow", country="USA")
    fields = {"from_": sender.id, "body": "hi", "to": numbers(100),
              "expiry_time": world.clock.now() + MINUTE}  # fmt: skip
    told = world.app.message_requests.preview(**fields)
    world.app.message_requests.create(**fields)
    world.engine.run_until_idle()

    expired = sum(one.recipients for one in told.outcomes if one.state.value == "EXPIRED")
    assert expired == world.states().count("EXPIRED") > 30


def test_a_preview_of_a_test_costs_nothing_and_leaves_never() -> None:
    """Tests are not handed to a transport."""
    world = World()
    world.engine.operator().add_tariff(price=0.05)
    told = world.app.message_requests.preview(
        from_=world.sender.id, body="hi", to=numbers(3), test_message_flag=True
    )

    assert (told.price, told.last_leaves) == (0, None)


def test_senders_that_share_a_number_a_day_use_it_up_together_in_a_preview() -> None:
    """Thirty messages of a class with ten a day leave on three days, whoever carries them."""
    world = World()
    operator = world.engine.operator()
    operator.put_sender_id_class(
        id="few", country_daily_throughput=10, applicable_countries=["USA"]
    )
    channel = world.app.channels.create(name="c")
    for address in ("5551", "5552"):
        sender = operator.add_sender_id("acme", address=address, class_id="few", country="USA")
        world.app.channels.add_sender_ids(channel.id, [sender.id])
    begun = world.clock.now()
    told = world.app.message_requests.preview(
        from_=f"channel:{channel.id}", body="hi", to=numbers(30)
    )

    assert told.last_leaves is not None
    assert (told.last_leaves - begun) // DAY == 2

"""What a preview tells is what then happens, for any class, clock and list of recipients."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_adapters.transport.carrier_log import SUBMITTED
from scg_core.kernel.instant import HOUR, MINUTE, SECOND
from tests.world import World

WINDOWS = (
    None,
    {"DEFAULT": {"OTH": ["08:00-21:00"]}},
    {"USA": {"OTH": ["22:00-03:00"], "HOL": []}},
)
AREAS = ("+1212555", "+1415555", "+1808555", "+4930123", "+44207946")

classes = st.fixed_dictionaries(
    {
        "country_peak_throughput": st.sampled_from([None, 0.3, 1, 7]),
        "country_peak_total_throughput": st.sampled_from([None, 2, 5]),
        "country_daily_throughput": st.sampled_from([None, 4, 30]),
        "burst": st.sampled_from([1, 4]),
        "delivery_window": st.sampled_from(WINDOWS),
    }
)
recipients = st.lists(
    st.builds(lambda area, n: f"{area}{n}", st.sampled_from(AREAS), st.integers(1000, 1040)),
    min_size=1, max_size=25, unique=True,
)  # fmt: skip
orders = st.fixed_dictionaries(
    {
        "to": recipients,
        "body": st.sampled_from(["x" * 5, "x" * 400]),
        "lives": st.sampled_from([HOUR, 20 * HOUR, 480 * HOUR]),
        "scheduled": st.sampled_from([None, None, 30 * MINUTE]),
        "zone": st.sampled_from(["UTC", "UTC", "LOCAL"]),
    }
)


def compare(klass: dict[str, Any], seconds: int, order: dict[str, Any]) -> None:
    """Preview a request, make it, let it run, and compare with the carrier's own log."""
    world = World()
    operator = world.engine.operator()
    operator.put_sender_id_class({"id": "CLASS", **klass})
    operator.update_sender_id(world.sender.id, class_id="CLASS")
    world.clock.advance(seconds * SECOND)
    now = world.clock.now()
    fields = {"to": order["to"], "body": order["body"], "expiry_time": now + order["lives"]}
    if order["scheduled"] is not None:
        fields["scheduled_delivery_time"] = now + order["scheduled"]
        fields["scheduled_delivery_time_zone"] = order["zone"]
    told = world.app.message_requests.preview(from_=world.sender.id, **fields)
    request = world.send(*fields.pop("to"), **fields)
    world.engine.run_until_idle()

    states = Counter(world.states(request.id))
    foreseen = Counter[str]()
    for outcome in told.outcomes:
        foreseen[outcome.state.value] += outcome.recipients
    assert foreseen["EXPIRED"] == states["EXPIRED"]
    assert foreseen["FAILED"] == states["FAILED"]
    taken = [one.at for one in world.carrier.log.entries() if one.kind == SUBMITTED]
    assert (told.last_leaves is None) == (not taken)
    if told.last_leaves is not None:
        assert abs(max(taken) - told.last_leaves) <= SECOND
    world.recount()


@settings(max_examples=60)
@given(classes, st.integers(0, 172_800), orders)
def test_a_preview_is_what_then_happens(
    klass: dict[str, Any], seconds: int, order: dict[str, Any]
) -> None:
    """As many expire as it said, and the last one leaves when it said, to the second."""
    compare(klass, seconds, order)


@pytest.mark.long
@settings(max_examples=3_000)
@given(classes, st.integers(0, 172_800), orders)
def test_a_preview_is_what_then_happens_at_length(
    klass: dict[str, Any], seconds: int, order: dict[str, Any]
) -> None:
    """The same, three thousand times."""
    compare(klass, seconds, order)

"""Which sender a request names, and what consent lets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core import InvalidField
from scg_core.senders.rules.naming import Origin, read_from
from tests.world import World

ID = "0V70MWDg0008SxwY8yn5sT"


@pytest.mark.parametrize(
    ("text", "origin", "value"),
    [
        (ID, Origin.SENDER_ID, ID),
        (f"sender_id:{ID}", Origin.SENDER_ID, ID),
        (f"sender_id-{ID}", Origin.SENDER_ID, ID),
        (f"  sender_id: {ID} ", Origin.SENDER_ID, ID),
        (f"channel: {ID}", Origin.CHANNEL, ID),
        (f"channel-{ID}", Origin.CHANNEL, ID),
        ("address:+14155550100", Origin.ADDRESS, "+14155550100"),
        ("address:a:b", Origin.ADDRESS, "a:b"),
    ],
)
def test_every_spelling_of_from_is_read(text: str, origin: Origin, value: str) -> None:
    """Colon or hyphen, blanks around, or a bare sender id (semantics 10)."""
    assert read_from(text) == (origin, value)


@given(st.text(max_size=40))
def test_any_from_is_read_or_refused(text: str) -> None:
    """Only an empty one is refused here; whether it exists is asked later."""
    try:
        _, value = read_from(text)
    except InvalidField as refused:
        assert not text.strip() and refused.field == "from"
    else:
        assert value


def test_a_sender_is_named_by_its_address_if_only_one_has_it(world: World) -> None:
    """Two senders of one address in different countries are ambiguous."""
    request = world.send("+14155550100", from_="address:55512")
    assert request.sender_id == world.sender.id
    world.engine.operator().add_sender_id("acme", address="55512", country="CAN")
    with pytest.raises(InvalidField) as refused:
        world.send("+14155550100", from_="address:55512")

    assert refused.value.field == "from"


def test_a_company_finds_its_own_senders(world: World) -> None:
    """By any filter of the specification, sorted by a field."""
    other = world.engine.operator().add_sender_id("acme", address="777", name="alerts")
    found = world.app.sender_ids.find(sort="-address")

    assert [one.address for one in found] == ["777", "55512"]
    assert world.app.sender_ids.find(name="alerts") == [other]
    assert world.app.sender_ids.find(capabilities="SMS", state="ACTIVE", sort="address")
    assert world.app.sender_ids.get(other.id) == other

"""One person from the first word to the last: START, a message in her morning, a click, STOP."""

from __future__ import annotations

import re

import pytest

from scg_core import Settings
from scg_core.kernel.instant import HOUR, MINUTE, later
from scg_core.ports.message_transport import Inbound
from tests.world import World

ANN = "+14155550100"
BASE = "https://go.example/"
SHOP = "https://shop.example/june"
TOKEN = re.compile(re.escape(BASE) + r"(\w{22})")
EIGHT_IN_CALIFORNIA = 1_767_225_600_000 + 16 * HOUR  # 2026-01-01T16:00Z


@pytest.mark.parametrize("manager", ["USER", "SCG"])
def test_one_persons_story(url: str, manager: str) -> None:
    """Where the customer manages consent, and where the engine does."""
    world = World(url, settings=Settings(link_base=BASE))
    operator = world.engine.operator()
    operator.put_sender_id_class(id="C", delivery_window={"DEFAULT": {"OTH": ["08:00-21:00"]}})
    operator.update_sender_id(world.sender.id, class_id="C", consent_managed_by=manager)
    world.app.message_templates.create(
        name="june", designation="TEMPLATE", pattern='$name, see #track("' + SHOP + '")'
    )

    def says(text: str) -> None:
        message = Inbound(ANN, "55512", text, world.clock.now())
        world.engine.inbound_arrived("carrier", [message])
        world.engine.run_until_idle(later(world.clock.now(), MINUTE))

    def promise(hours: int) -> str:
        request = world.send(
            ANN, body='#set($name="Ann")#parse("june")',
            scheduled_delivery_time=later(world.clock.now(), hours * HOUR),
        )  # fmt: skip
        return request.id

    says("START")  # 16:00 in California
    [welcome] = [one for one in world.messages() if one.direction == "MT"]
    assert welcome.state == "DELIVERED"
    assert (welcome.body or "").startswith("You will receive our messages")

    first, second = promise(12), promise(60)  # at noon UTC: 04:00 there
    world.engine.run_until_idle(later(world.clock.now(), 48 * HOUR))
    [message] = world.messages(first)
    assert message.state == "DELIVERED"
    assert message.sent_date == EIGHT_IN_CALIFORNIA
    assert (message.body or "").startswith("Ann, see " + BASE)

    [token] = TOKEN.findall(message.body or "")
    assert world.engine.link_followed(token) == SHOP
    [message] = world.messages(first)
    assert (message.state, message.conversion_info_source) == ("CONVERTED", "SCG/URL")

    says("STOP")
    world.engine.run_until_idle()
    [message] = world.messages(second)
    assert (message.state, message.failure_code) == ("FAILED", "NO_CONSENT")
    assert (message.failure_details or "").startswith("1005")

    history = world.app.contact_address_history.find(msisdn=ANN, sort="id")
    assert [(one.keyword, one.status, one.source, one.message) for one in history] == [
        ("START", "OPTIN", "MESSAGE", "START"),
        ("STOP", "OPTOUT", "MESSAGE", "STOP"),
    ]
    confirmed = [one.body or "" for one in world.messages() if one.direction == "MT"][-1]
    assert confirmed.startswith("You will receive no more messages")
    received = world.app.messages.find(direction="MO", sort="id")
    assert [one.body for one in received] == ["START", "STOP"]
    assert received[-1].reply_to == world.messages(first)[0].id
    world.recount()

"""Links that are followed through the engine: a token each, counted, and leading nowhere else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from scg_adapters.transport.loopback import Behaviour
from scg_core import InvalidField, NotFound, Settings
from scg_core.events.model import Envelope
from scg_core.kernel.instant import MINUTE, later
from scg_core.kernel.query import Query
from scg_core.messaging.records import TrackedLink
from tests.world import World, numbers

BASE = "https://go.example/l/"
SHOP = "https://shop.example/sale?x=1&y=%20"
TOKEN = re.compile(re.escape(BASE) + r"([0-9A-Za-z]{22})")


@pytest.fixture
def linked(url: str) -> World:
    """A world whose engine was told what its links begin with."""
    return World(url, settings=Settings(link_base=BASE))


def sent(world: World, body: str, *to: str, **fields: Any) -> list[str]:
    """Send a body to some; the tokens of the links in the messages, in order."""
    request = world.send(*(to or numbers(1)), body=body, **fields)
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    return [token for one in world.messages(request.id) for token in TOKEN.findall(one.body or "")]


def test_each_message_has_a_link_of_its_own(linked: World) -> None:
    """The same link twice in a message is one; tokens tell nothing and are not guessable."""
    body = f'Sale: #track("{SHOP}") again #track("{SHOP}") and #track("https://other.example/")'
    tokens = sent(linked, body, *numbers(3))

    assert len(tokens) == 9 and len(set(tokens)) == 6
    assert linked.engine.link_target(tokens[0]) == SHOP
    assert linked.engine.link_target(tokens[2]) == "https://other.example/"


def test_a_click_converts_the_message(linked: World) -> None:
    """Once; looking does not count."""
    [token] = sent(linked, f'#track("{SHOP}")')
    assert linked.engine.link_target(token) == SHOP
    assert linked.states() == ["DELIVERED"]
    for _ in range(3):
        assert linked.engine.link_followed(token) == SHOP

    [message] = linked.messages()
    assert (message.state, message.conversion_info_source) == ("CONVERTED", "SCG/URL")
    assert message.converted_date == linked.clock.now()
    assert linked.request(message.message_request_id or "").converted_count == 1
    linked.recount()


def test_a_click_before_the_answer_proves_the_sending(url: str) -> None:
    """The handset has it, so it was sent; the answer that comes later is late."""
    world = World(url, Behaviour(pending=1), settings=Settings(link_base=BASE))
    request = world.send("+14155550100", body=f'#track("{SHOP}")')
    world.engine.run_due()
    [token] = TOKEN.findall(world.messages(request.id)[0].body or "")
    for _ in range(2):
        world.engine.link_followed(token)
    world.engine.run_until_idle()

    after = world.request(request.id)
    assert (after.state, after.sent_count, after.converted_count) == ("COMPLETED", 1, 1)
    assert after.click_thru_count == 1
    world.recount()


def test_every_click_on_a_labelled_link_is_told_of(linked: World) -> None:
    """Of one without a label the first is."""
    linked.app.subscriptions.create(topics=["SCG-Message"])
    plain, labelled = sent(linked, f'#track("{SHOP}") #trackurl("{SHOP}", "button")')
    for token in (plain, plain, labelled, labelled, labelled):
        linked.engine.link_followed(token)

    with linked.storage.snapshot() as session:
        told = [one for one in session.find(Query(Envelope)) if one.type.value == "click"]
    labels = [json.loads(one.facts).get("label") for one in told]
    assert labels.count(None) == 1
    assert labels.count("button") == 3 and len(labels) == 4


def test_a_link_leads_only_to_its_stored_address(linked: World) -> None:
    """A token that is none, or nearly one, leads nowhere."""
    [token] = sent(linked, f'#track("{SHOP}")')
    for wrong in (
        token[:-1],
        token + "x",
        token.swapcase(),
        "https://evil.example/",
        "../" + token,
    ):
        with pytest.raises(NotFound):
            linked.engine.link_followed(wrong)
    with pytest.raises(InvalidField):
        linked.engine.link_followed("")


@pytest.mark.parametrize(
    "url_", ["javascript:alert(1)", "ftp://x.example/", "/relative", "https:// x",
             "data:text/html,x", "https://x.example/" + "a" * 2048, "//x.example"]
)  # fmt: skip
def test_what_is_no_http_address_is_not_tracked(linked: World, url_: str) -> None:
    """1020, and nothing is stored."""
    with pytest.raises(InvalidField) as refused:
        linked.send("+14155550100", body=f'#track("{url_}")')

    assert refused.value.error_code == 1020
    assert linked.messages() == []


def test_an_engine_without_an_address_for_links_refuses_them(world: World) -> None:
    """1020: it would not know what to put there."""
    with pytest.raises(InvalidField) as refused:
        world.send("+14155550100", body=f'#track("{SHOP}")')

    assert refused.value.error_code == 1020


def test_tests_and_failures_make_no_links(linked: World) -> None:
    """Nobody gets them to follow."""
    request = linked.send("+14155550100", "nonsense", body=f'#track("{SHOP}")',
                          test_message_flag=True)  # fmt: skip
    linked.engine.run_until_idle()

    assert {one.body for one in linked.messages(request.id)} == {SHOP}
    with linked.storage.snapshot() as session:
        assert session.count(Query(TrackedLink)) == 0


def test_the_size_of_a_message_counts_its_links_as_they_are_sent(linked: World) -> None:
    """Not as they were written."""
    body = "x" * (160 - len(BASE) - 22) + f'#track("{SHOP}{"a" * 200}")'
    request = linked.send("+14155550100", body=body)
    linked.engine.run_until_idle()
    [message] = linked.messages(request.id)

    assert len(message.body or "") == 160
    assert message.segments == 1


def test_a_deleted_message_still_leads_where_it_led(linked: World) -> None:
    """And stays deleted."""
    [token] = sent(linked, f'#track("{SHOP}")')
    linked.app.messages.delete(linked.messages()[0].id)

    assert linked.engine.link_followed(token) == SHOP
    assert linked.states() == ["DELETED"]
    linked.recount()

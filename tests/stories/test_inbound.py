"""What people send to us: kept once, given to whom it belongs, heard and answered."""

from __future__ import annotations

from typing import Any

import pytest

from scg_adapters.transport.carrier_log import SUBMITTED
from scg_core import InvalidField, Message
from scg_core.kernel.errors import NotFound
from scg_core.kernel.instant import DAY, HOUR, MINUTE, later
from scg_core.ports.message_transport import Inbound, Part
from tests.world import World

ANN, BOB = "+14155550100", "+12125550101"


def arrives(world: World, text: str, handset: str = ANN, to: str = "55512", **more: Any) -> None:
    """A handset sends a text to an address."""
    message = Inbound(handset, to, text, world.clock.now(), **more)
    world.engine.inbound_arrived("carrier", [message])


def received(world: World) -> list[Message]:
    """The messages from handsets that acme has."""
    return world.app.messages.find(direction="MO", sort="id")


def texts(world: World, to: str = ANN) -> list[str]:
    """What was sent to a handset, in order."""
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    sent = [one for one in world.messages() if one.to_address == to and one.direction == "MT"]
    return [one.body or "" for one in sent if one.sent_date is not None]


def test_a_message_from_a_handset_is_kept_as_it_came(world: World) -> None:
    """RECEIVED, with its text and addresses; the customer marks it PROCESSED."""
    arrives(world, "hello there", external_id="x1")

    [message] = received(world)
    assert (message.state, message.direction, message.type) == ("RECEIVED", "MO", "SMS")
    assert (message.from_address, message.to_address, message.body) == (ANN, "55512", "hello there")
    assert message.customer_sender_id == world.sender.id
    assert message.message_request_id is None and message.price is None
    world.app.messages.update(message.id, state="PROCESSED")
    assert received(world)[0].state == "PROCESSED"
    world.recount()


def test_a_message_that_comes_again_is_known_for_seven_days(world: World) -> None:
    """By its external id; one without an id is new each time."""
    for _ in range(3):
        arrives(world, "STOP", external_id="x1")
    arrives(world, "hi")
    arrives(world, "hi")
    assert len(received(world)) == 3
    world.clock.advance(7 * DAY)
    arrives(world, "again", external_id="x1")

    assert len(received(world)) == 4


def test_a_handset_is_one_however_the_network_writes_it(world: World) -> None:
    """With or without a plus, to an address with or without one."""
    number = world.engine.operator().add_sender_id("acme", address="+14155550999", country="USA")
    arrives(world, "a", handset="14155550100", to="14155550999")
    arrives(world, "b", handset="+14155550100", to="+14155550999")

    assert {one.from_address for one in received(world)} == {ANN}
    assert {one.customer_sender_id for one in received(world)} == {number.id}
    assert len(world.app.contact_address_statuses.find(sender_id=number.id)) == 1


def test_an_answer_belongs_to_the_conversation_it_answers(world: World) -> None:
    """The latest message to the handset within 72 hours; later it answers nothing."""
    world.send(ANN, conversation_id="c1")
    world.engine.run_until_idle()
    sent = world.messages()[-1]
    arrives(world, "yes please")
    world.clock.advance(73 * HOUR)
    arrives(world, "and now?")

    first, second = received(world)
    assert (first.reply_to, first.conversation_id) == (sent.id, "c1")
    assert first.application_id == sent.application_id
    assert (second.reply_to, second.conversation_id) == (None, None)


def test_parts_are_put_together_in_whatever_order_they_come(world: World) -> None:
    """Once all are there, one message; a part that comes twice is one part."""
    for number, text in ((3, "c"), (1, "a"), (1, "a"), (2, "b")):
        arrives(world, text, part=Part("ref", number, 3))

    assert [one.body for one in received(world)] == ["abc"]


def test_a_message_whose_parts_do_not_all_come_is_not_lost(world: World) -> None:
    """After an hour it is taken in as far as it came."""
    arrives(world, "one ", part=Part("ref", 1, 3))
    arrives(world, " three", part=Part("ref", 3, 3))
    assert received(world) == []
    world.engine.run_until_idle()

    assert [one.body for one in received(world)] == ["one [...] three"]


def test_parts_of_two_handsets_are_not_mixed(world: World) -> None:
    """The reference of a handset is its own."""
    arrives(world, "ann 1 ", part=Part("7", 1, 2))
    arrives(world, "bob 1 ", BOB, part=Part("7", 1, 2))
    arrives(world, "bob 2", BOB, part=Part("7", 2, 2))
    arrives(world, "ann 2", part=Part("7", 2, 2))

    assert {one.body for one in received(world)} == {"bob 1 bob 2", "ann 1 ann 2"}


def test_a_keyword_is_answered_with_its_template(world: World) -> None:
    """One answer, from the sender id it was sent to."""
    world.app.message_templates.create(name="menu", designation="TEMPLATE", pattern="Today: soup")
    world.app.keywords.create(name="Menu", value="MENU", reply_template="menu")
    arrives(world, "menu")

    assert texts(world) == ["Today: soup"]


def test_a_keyword_whose_template_is_gone_is_heard_but_not_answered(world: World) -> None:
    """Nothing else is lost by it."""
    template = world.app.message_templates.create(name="menu", designation="TEMPLATE", pattern="x")
    world.app.keywords.create(name="Menu", value="MENU", reply_template="menu", actions="OPTIN")
    world.app.message_templates.delete(template.id)
    arrives(world, "menu")

    assert texts(world) == []
    [status] = world.app.contact_address_statuses.find(address=ANN)
    assert status.consent_status == "OPTIN"


def test_two_machines_do_not_answer_each_other_for_ever(world: World) -> None:
    """Five answers an hour go to one address."""
    for _ in range(8):
        arrives(world, "HELP")
    assert len(texts(world)) == 5
    world.clock.advance(2 * HOUR)
    arrives(world, "HELP")

    assert len(texts(world)) == 6


def test_an_opt_out_is_confirmed_once_a_day(world: World) -> None:
    """And takes effect each time."""
    for _ in range(3):
        arrives(world, "STOP")
    assert len(texts(world)) == 1
    world.clock.advance(25 * HOUR)
    arrives(world, "stop!")

    assert len(texts(world)) == 2
    history = world.app.contact_address_history.find(msisdn=ANN)
    assert [one.status for one in history] == ["OPTOUT"] * 4
    assert {(one.keyword, one.source) for one in history} == {("STOP", "MESSAGE")}


def test_answers_that_carriers_require_leave_at_night_and_to_those_who_opted_out(
    world: World,
) -> None:
    """Confirmation and help bypass consent and window; a welcome waits for the morning."""
    operator = world.engine.operator()
    operator.put_sender_id_class(id="C", delivery_window={"DEFAULT": {"OTH": ["08:00-21:00"]}})
    operator.update_sender_id(world.sender.id, class_id="C")
    world.clock.advance(8 * HOUR)  # midnight in California
    arrives(world, "STOP")
    arrives(world, "HELP")
    arrives(world, "START", BOB)

    assert len(texts(world)) == 2
    assert texts(world, BOB) == []
    world.engine.run_until_idle()
    assert len(texts(world, BOB)) == 1


def test_a_sender_id_that_cannot_send_still_hears(world: World) -> None:
    """INACTIVE ones must: consent keywords have to work."""
    world.app.sender_ids.update(world.sender.id, state="INACTIVE")
    arrives(world, "STOP")

    [status] = world.app.contact_address_statuses.find(address=ANN)
    assert status.consent_status == "OPTOUT"
    assert texts(world) == []


def test_where_the_operator_says_nothing_the_engine_has_words_of_its_own(world: World) -> None:
    """They name the words to reply with; another language's word is answered in English then."""
    arrives(world, "HELP")
    arrives(world, "STOP")
    arrives(world, "AIDE", "+33612345678")

    helps = "Reply STOP to receive no more messages, START to receive them again."
    ended = "You will receive no more messages. Reply START to receive them again."
    assert texts(world) == [helps, ended]
    assert texts(world, "+33612345678") == [helps]


def test_the_operators_own_texts_are_sent(world: World) -> None:
    """By kind, class and language; an empty one is not sent; dollars are dollars."""
    operator = world.engine.operator()
    operator.put_consent_text(kind="HELP", text="Costs $5 a month, ${nothing} more.")
    operator.put_consent_text(kind="CONFIRMATION", text="")
    operator.put_consent_text(kind="HELP", language="fr", text="Aidez-vous.")
    arrives(world, "HELP")
    arrives(world, "STOP")
    arrives(world, "AIDE", "+33612345678")

    assert texts(world) == ["Costs $5 a month, ${nothing} more."]
    assert texts(world, "+33612345678") == ["Aidez-vous."]


def shared(world: World) -> tuple[str, dict[str, Any]]:
    """A code that acme, beta and gamma share; its address, and each one's application."""
    operator = world.engine.operator()
    root = operator.add_sender_id("operator", address="777", country="USA", ownership="SHARED")
    apps = {name: world.engine.application(name, 1) for name in ("acme", "beta", "gamma")}
    for app in apps.values():
        app.sender_ids.purchase(root.id)
    return "777", apps


def copy_of(app: Any) -> str:
    """A company's copy of the shared code."""
    [copy] = app.sender_ids.find(ownership="PRIVATE", sort="-id", limit=1)
    return str(copy.id)


def test_a_message_to_a_shared_code_belongs_to_whose_keyword_it_is(world: World) -> None:
    """If only one company's keyword matches; else to who wrote last; else to the operator."""
    code, apps = shared(world)
    apps["beta"].keywords.create(name="win", value="WIN")
    apps["gamma"].keywords.create(name="win", value="win.*")
    apps["gamma"].keywords.create(name="vote", value="VOTE")
    arrives(world, "vote", to=code)
    arrives(world, "win", to=code)
    apps["beta"].message_requests.create(from_=copy_of(apps["beta"]), to=[ANN], body="hi")
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    arrives(world, "win", to=code)
    arrives(world, "what?", to=code)

    bodies = {name: [m.body for m in app.messages.find(direction="MO", sort="id")]
              for name, app in apps.items()}  # fmt: skip
    assert bodies == {"acme": [], "beta": ["win", "what?"], "gamma": ["vote"]}
    inbox = world.engine.operator().messages.find(direction="MO")
    assert [one.body for one in inbox] == ["win"]


def test_stop_at_a_shared_code_is_for_who_wrote_last_or_for_all(world: World) -> None:
    """STOPALL always for all; STOP for all if nobody wrote."""
    code, apps = shared(world)

    def stopped(handset: str) -> set[str]:
        return {
            name
            for name, app in apps.items()
            if app.contact_address_statuses.find(address=handset, consent_status="OPTOUT")
        }

    apps["beta"].message_requests.create(from_=copy_of(apps["beta"]), to=[ANN, BOB], body="hi")
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    arrives(world, "STOP", ANN, code)
    arrives(world, "STOPALL", BOB, code)
    arrives(world, "STOP", "+13125550102", code)

    assert stopped(ANN) == {"beta"}
    assert stopped(BOB) == {"acme", "beta", "gamma"}
    assert stopped("+13125550102") == {"acme", "beta", "gamma"}
    assert len(texts(world, BOB)) == 2  # the message, and one confirmation


def test_a_message_to_an_address_that_nobody_has_is_in_the_operators_inbox(world: World) -> None:
    """Nothing is lost."""
    arrives(world, "hello?", to="99999")

    [message] = world.engine.operator().messages.find()
    assert (message.body, message.customer_sender_id) == ("hello?", None)
    assert received(world) == []


def test_a_message_of_another_company_is_not_seen(world: World) -> None:
    """Everything is scoped by company."""
    arrives(world, "hello")
    [message] = received(world)
    with pytest.raises(NotFound):
        world.engine.application("other", 1).messages.get(message.id)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("messages", "no message"),
        ("messages", Inbound(ANN, "1", 5, 0)),  # type: ignore[arg-type]
        ("from_address", Inbound("", "1", "x", 0)),
        ("to_address", Inbound(ANN, " ", "x", 0)),
        ("at", Inbound(ANN, "1", "x", -1)),
        ("kind", Inbound(ANN, "1", "x", 0, kind="FAX")),
        ("kind", Inbound(ANN, "1", "x", 0, kind=["SMS"])),  # type: ignore[arg-type]
        ("external_id", Inbound(ANN, "1", "x", 0, external_id="")),
        ("part.number", Inbound(ANN, "1", "x", 0, part=Part("r", 4, 3))),
        ("part.of", Inbound(ANN, "1", "x", 0, part=Part("r", 1, 300))),
        ("part", Inbound(ANN, "1", "x", 0, part="1/2")),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_message_is_refused_and_nothing_is_taken(
    world: World, field: str, message: Any
) -> None:
    """The error names the field; a good one beside it is not taken either."""
    good = Inbound(ANN, "55512", "hello", world.clock.now())
    with pytest.raises(InvalidField) as refused:
        world.engine.inbound_arrived("carrier", [good, message])

    assert refused.value.field == field
    assert received(world) == []


def test_a_megabyte_of_text_is_bounded(world: World) -> None:
    """What is kept and what is looked at both are; lone surrogates become marks."""
    arrives(world, "x" * 1_000_000)
    arrives(world, "a\ud800b")

    assert [len(one.body or "") for one in received(world)] == [65_536, 3]


def test_the_carrier_saw_no_more_than_the_answers(world: World) -> None:
    """Inbound sends nothing by itself: what leaves is due work."""
    arrives(world, "HELP")
    assert [one for one in world.carrier.log.entries() if one.kind == SUBMITTED] == []
    assert len(texts(world)) == 1

"""What a fresh look found in words and consent, each mended and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from scg_adapters.limits.memory import MemoryLimits
from scg_adapters.simulated import NEW_YEAR
from scg_adapters.storage.memory import MemoryStorage
from scg_core import Duplicate, Forbidden, IllegalTransition
from scg_core.kernel.instant import HOUR, MINUTE, later
from scg_core.ports.message_transport import Inbound, Part
from scg_core.ports.translator import Translated
from scg_core.senders.rules.throughput import Limit
from tests.stories.test_inbound import arrives, copy_of, received, shared, texts
from tests.world import World, numbers

ANN, BOB = "+14155550100", "+12125550101"


class Says:
    """A translator with one answer to everything."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def translate(self, texts: Sequence[str], source: str, target: str) -> Any:
        """The answer, or what it makes of the text."""
        return [self.answer(text) if callable(self.answer) else self.answer for text in texts]


ODD = [
    Translated("Hallo \ud83d"), Translated(5), Translated(""), Translated(failure="\ud83d"),
    Translated("x" * 100_000),
]  # fmt: skip


@pytest.mark.parametrize("answer", ODD)
def test_a_translation_that_cannot_be_kept_is_a_failure(url: str, answer: Any) -> None:
    """Nobody else's work waits for it."""
    world = World(url, ports={"translator": Says(answer)})
    request = world.send(ANN, body="Hello", translate=True, dst_language="de")
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert (message.state, message.body) == ("DELIVERED", "Hello")
    assert message.failed_translation


def test_a_translation_keeps_its_keywords_while_others_change(url: str) -> None:
    """All pages of a request get the same words."""
    world = World(url, ports={"translator": Says(lambda text: Translated(text + " auf Deutsch"))})
    soup = world.app.keywords.create(name="soup", value="SOUP")
    request = world.send(
        *numbers(1_200), body="Answer SOUP or FISH", translate=True, dst_language="de"
    )
    for _ in range(3):
        world.engine.run_due(1)
    world.app.keywords.delete(soup.id)
    world.app.keywords.create(name="fish", value="FISH")
    world.engine.run_until_idle()

    assert {one.body for one in world.messages(request.id)} == {"Answer SOUP or FISH auf Deutsch"}
    assert world.request(request.id).translations_count == 1_200


def test_a_stop_by_mail_stops_mail(url: str) -> None:
    """However the host is written."""
    world = World(url, kinds=("SMS", "EMAIL"))
    operator = world.engine.operator()
    mail = operator.add_sender_id("acme", address="news@acme.example", capabilities=["EMAIL"])
    arrives(world, "STOP", "Joe@B.Example", "news@acme.example", kind="EMAIL")
    request = world.send("Joe@b.example", from_=mail.id)
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert message.failure_code == "NO_CONSENT"
    [status] = world.app.contact_address_statuses.find(sender_id=mail.id)
    assert (status.address, status.consent_status) == ("Joe@b.example", "OPTOUT")


def test_nobody_takes_a_numbers_messages_by_giving_themselves_its_address(world: World) -> None:
    """It is refused; of two that the operator gave, the country's has them, then the oldest."""
    operator = world.engine.operator()
    operator.add_sender_id("acme", address="+14155550999", country="USA")
    with pytest.raises(Duplicate):
        world.engine.application("evil", 1).sender_ids.create(address="+14155550999")
    operator.add_sender_id("evil", address="+14155550999")
    arrives(world, "STOP", "+16135550100", "+14155550999")  # from Canada

    assert [one.body for one in received(world)] == ["STOP"]


def test_a_keyword_for_everything_does_not_take_anybodys_stop(world: World) -> None:
    """At a shared code STOP is for who wrote last, or for all."""
    code, apps = shared(world)
    apps["gamma"].keywords.create(name="all", value=".*")
    apps["beta"].message_requests.create(from_=copy_of(apps["beta"]), to=[ANN], body="hi")
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    arrives(world, "STOP", ANN, code)
    arrives(world, "STOP", BOB, code)

    def stopped(handset: str) -> set[str]:
        found = {}
        for name, app in apps.items():
            found[name] = app.contact_address_statuses.find(
                address=handset, consent_status="OPTOUT"
            )
        return {name for name, held in found.items() if held}

    assert stopped(ANN) == {"beta"}
    assert stopped(BOB) == {"acme", "beta", "gamma"}


def test_an_operators_patterns_weigh_on_no_company(world: World) -> None:
    """A company whose patterns are at the limit still hears, the operator's words too."""
    for n in range(5):
        world.app.keywords.create(name=f"{n}", value=f"(a|b)*a(a|b){{{140 + n}}}")
    for n in range(5):
        world.engine.operator().keywords.create(
            name=f"r{n}", value=f"(c|d)*c(c|d){{{140 + n}}}", type="RESERVED", actions="OPTOUT"
        )
    arrives(world, "STOP")

    [status] = world.app.contact_address_statuses.find(address=ANN)
    assert status.consent_status == "OPTOUT"


def test_a_character_that_is_split_between_two_parts_is_whole_again(world: World) -> None:
    """Networks cut between the halves of an emoji."""
    arrives(world, "hi \ud83d", part=Part("7", 1, 2))
    arrives(world, "\ude00 end", part=Part("7", 2, 2))

    assert [one.body for one in received(world)] == ["hi 😀 end"]


def test_who_is_on_a_carriers_list_is_not_asked_for_an_opt_in(world: World) -> None:
    """409, as for the black list; and who says STOP before the prompt leaves does not get it."""
    operator = world.engine.operator()
    operator.put_sender_id_class(id="C", delivery_window={"DEFAULT": {"OTH": ["08:00-21:00"]}})
    operator.update_sender_id(world.sender.id, consent_managed_by="SCG", class_id="C")
    operator.suppress([ANN])
    statuses = world.app.contact_address_statuses
    with pytest.raises(IllegalTransition):
        statuses.create(address=ANN, sender_id=world.sender.id)
    world.clock.advance(8 * HOUR)  # it is night in New York too
    statuses.create(address=BOB, sender_id=world.sender.id)
    world.engine.run_due()
    arrives(world, "STOP", BOB)
    world.engine.run_until_idle()

    sent = [one for one in world.messages() if (one.body or "").startswith("Do you want")]
    assert [one.state.value for one in sent] == ["FAILED"]


def test_a_template_that_answers_an_opt_out_goes_out_once_a_day(world: World) -> None:
    """And to nobody on a list: it would be a way round consent."""
    world.app.message_templates.create(name="t", designation="TEMPLATE", pattern="Bye. Our soup!")
    world.app.keywords.create(name="bye", value="b.*", actions="OPTOUT", reply_template="t")
    for text in ("bye", "but", "bah"):
        arrives(world, text)
    world.app.contact_address_statuses.create(
        address=BOB, sender_id=world.sender.id, consent_status="BLACKLIST"
    )
    arrives(world, "bye", BOB)

    assert texts(world) == ["Bye. Our soup!"]
    assert texts(world, BOB) == []


def test_a_customer_does_not_take_consent_into_its_own_hands(world: World) -> None:
    """Once the engine manages it, only the operator changes that."""
    world.app.sender_ids.update(world.sender.id, consent_managed_by="SCG")
    with pytest.raises(Forbidden):
        world.app.sender_ids.update(world.sender.id, consent_managed_by="USER")


def test_deleting_a_status_is_no_way_to_ask_again(world: World) -> None:
    """The prompt is sent once a day."""
    world.app.sender_ids.update(world.sender.id, consent_managed_by="SCG")
    made = world.app.contact_address_statuses.create(address=ANN, sender_id=world.sender.id)
    with pytest.raises(Forbidden):
        world.app.contact_address_statuses.delete(made.id)
    world.clock.advance(25 * HOUR)
    world.app.contact_address_statuses.delete(made.id)


def test_a_sender_id_with_validators_confirms_an_opt_out_all_the_same(world: World) -> None:
    """Carriers require it; the text is the engine's."""
    template = world.app.message_templates.create(
        name="v", designation="VALIDATOR", pattern="Dear ${name}"
    )
    world.app.sender_ids.update(world.sender.id, message_templates=[template.id])
    arrives(world, "STOP")

    assert len(texts(world)) == 1


def test_a_word_with_more_after_two_thousand_blanks_is_not_that_word(world: World) -> None:
    """What is cut off is still part of the message."""
    arrives(world, "STOP" + " " * 2_000 + "is what I will not say")

    [status] = world.app.contact_address_statuses.find(address=ANN)
    assert status.consent_status == "NONE"


def test_an_answer_at_a_shared_code_is_threaded_with_its_own_company(world: World) -> None:
    """Also if another one wrote later; applications are not mixed."""
    code, apps = shared(world)
    apps["acme"].keywords.create(name="menu", value="MENU")
    for name in ("acme", "beta"):
        apps[name].message_requests.create(
            from_=copy_of(apps[name]), to=[ANN], body="hi", conversation_id=f"c {name}"
        )
        world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    arrives(world, "menu", ANN, code)

    [message] = apps["acme"].messages.find(direction="MO")
    assert message.conversation_id == "c acme"


def test_limits_in_memory_give_back_once() -> None:
    """A transaction that is done again gives nothing back a second time."""
    limits, one = MemoryLimits(), [Limit("one", None, 3)]
    with MemoryStorage().transaction("ask") as session:
        given = limits.ask(session, one, [1] * 3, NEW_YEAR, spend=True)
        limits.give_back(session, one, given, 2)
        limits.give_back(session, one, given, 2)

        assert limits.ask(session, one, [1] * 9, NEW_YEAR, spend=True).count == 2


def test_a_message_of_another_kind_of_address_is_kept(world: World) -> None:
    """From a name, from a group: no answer can be sent, nothing breaks."""
    for handset in ("AMAZON", "group:x", "a;b"):
        message = Inbound(handset, "55512", "HELP", world.clock.now())
        world.engine.inbound_arrived("carrier", [message])

    assert len(received(world)) == 3


def test_templates_that_multiply_without_a_word_are_bounded(world: World) -> None:
    """What leaves nothing behind counts too: one text message must not hold the engine."""
    for name, pattern in (
        ("a", "#set($x=1)" * 6_000), ("b", '#parse("a")' * 1_000), ("c", '#parse("b")' * 20),
    ):  # fmt: skip
        world.app.message_templates.create(name=name, designation="TEMPLATE", pattern=pattern)
    world.app.keywords.create(name="k", value="BOMB", reply_template="c")
    arrives(world, "bomb")

    assert texts(world) == []
    assert [one.body for one in received(world)] == ["bomb"]


def test_keywords_of_a_transaction_that_failed_are_not_remembered(url: str) -> None:
    """Not in the compiled words either."""
    world = World(url)
    with pytest.raises(ZeroDivisionError), world.engine.together():
        world.app.keywords.create(name="a", value="AAA")
        arrives(world, "AAA")
        raise ZeroDivisionError
    world.app.keywords.create(name="b", value="BBB")
    arrives(world, "BBB")
    arrives(world, "AAA")

    found = world.app.contact_address_history.find(sort="id")
    assert [one.keyword for one in found] == ["BBB"]


def test_nothing_written_as_an_empty_text_is_nothing(world: World) -> None:
    """Forms write a sender id that is not given so."""
    made = world.app.keywords.create(name="a", value="AAA", sender_id="", reply_template="")
    arrives(world, "aaa")

    assert (made.sender_id, made.reply_template) == (None, None)
    [line] = world.app.contact_address_history.find()
    assert line.keyword == "AAA"


def test_push_and_social_addresses_are_opted_out_and_suppressed_by_their_own_kind(url: str) -> None:
    """Written as recipients are: with the kind in front."""
    kinds = ("SMS", "PSH", "FB")
    world = World(url, kinds=kinds)
    sender = world.engine.operator().add_sender_id(
        "acme", address="app", capabilities=["PUSH", "FACEBOOK"]
    )
    one, two = "psh:apn@app@token", "fb:User@Page"
    assert world.app.contact_address_statuses.opt_out(sender.id, [one]) == 1
    assert world.engine.operator().suppress([two]) == 1
    request = world.send(one, two, from_=sender.id)
    world.engine.run_until_idle()

    assert {one.failure_code for one in world.messages(request.id)} == {"NO_CONSENT"}

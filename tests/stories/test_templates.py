"""Bodies made from templates, through the public API."""

from __future__ import annotations

import pytest

from scg_core.kernel.errors import Duplicate, Forbidden, InvalidField
from tests.world import World

GREETING = {"name": "greeting", "designation": "TEMPLATE", "pattern": "Hello ${name}!"}


def test_a_body_is_filled_in_when_its_messages_are_made() -> None:
    """The values are the body's, which must give all of them."""
    world = World()
    world.app.message_templates.create(GREETING)

    request = world.send("+14155550100", body='#set($name="Ann")#parse("greeting") Bye.')
    world.engine.run_due(10)

    [message] = world.messages(request.id)
    assert message.body == "Hello Ann! Bye."
    with pytest.raises(InvalidField, match="name"):
        world.send("+14155550101", body='#parse("greeting")')


def test_a_body_that_names_an_unknown_template_is_refused_with_1006() -> None:
    """Nothing is stored of it."""
    world = World()
    with pytest.raises(InvalidField, match="nosuch") as caught:
        world.send("+14155550100", body='#parse("nosuch")')

    assert caught.value.error_code == 1006
    assert world.app.message_requests.page().total == 0


def test_a_template_that_does_not_parse_is_refused_with_the_place_of_the_fault() -> None:
    """Line and column are named."""
    world = World()
    with pytest.raises(InvalidField, match="line 2") as caught:
        world.app.message_templates.create({**GREETING, "pattern": "fine\n  ${"})

    assert caught.value.field == "pattern"


def test_two_templates_of_a_company_have_no_common_name() -> None:
    """Another company may have the same."""
    world = World()
    world.app.message_templates.create(GREETING)
    with pytest.raises(Duplicate):
        world.app.message_templates.create(GREETING)

    world.engine.application("beta", 1).message_templates.create(GREETING)


def test_the_operators_template_is_seen_and_not_changed() -> None:
    """Companies inherit it."""
    world = World()
    made = world.engine.operator().message_templates.create(GREETING)

    assert world.app.message_templates.get(made.id).name == "greeting"
    with pytest.raises(Forbidden):
        world.app.message_templates.update(made.id, pattern="other")


def test_what_agrees_with_no_validator_of_the_sender_id_is_refused() -> None:
    """What agrees with one goes out."""
    world = World()
    validator = {"name": "code", "designation": "VALIDATOR", "pattern": "Your code is ${code}."}
    made = world.app.message_templates.create(validator)
    world.app.sender_ids.update(world.sender.id, message_templates=[made.id])

    with pytest.raises(InvalidField, match="agrees"):
        world.send("+14155550100", body="Buy now!")
    world.send("+14155550100", body="Your code is 1234.")


def test_a_value_of_the_recipients_own_that_nobody_has_fails_its_message(world: World) -> None:
    """1006, per recipient; one that may be missing is left out."""
    request = world.send("+14155550100", body="Hi ${contact.first_name}")
    other = world.send("+14155550100", body="Hi$!{contact.first_name}!")
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert message.state.value == "FAILED"
    assert (message.failure_details or "").startswith("1006")
    assert world.messages(other.id)[0].body == "Hi!"
    world.recount()


@pytest.mark.parametrize("name", ["two\nlines", "two\rlines", " "])
def test_a_template_that_no_body_could_name_is_refused(name: str) -> None:
    """At creation, and when it is renamed."""
    templates = World().app.message_templates
    held = templates.create(GREETING)
    with pytest.raises(InvalidField):
        templates.create({**GREETING, "name": name})
    with pytest.raises(InvalidField):
        templates.update(held.id, name=name)

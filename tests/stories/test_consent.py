"""Whom a company may write to: what people say, what customers set, what carriers list."""

from __future__ import annotations

from typing import Any

import pytest

from scg_adapters.transport.carrier_log import SUBMITTED
from scg_core import Duplicate, Forbidden, IllegalTransition, InvalidField, NotFound, Settings
from scg_core.kernel.errors import StaleData
from scg_core.kernel.instant import DAY, HOUR, MINUTE, later
from scg_core.ports.message_transport import Inbound
from tests.world import World, numbers

ANN, BOB = "+14155550100", "+12125550101"


def says(world: World, text: str, handset: str = ANN, to: str = "55512") -> None:
    """A person sends a text."""
    message = Inbound(handset, to, text, world.clock.now())
    world.engine.inbound_arrived("carrier", [message])


def settle(world: World) -> None:
    """A minute passes."""
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))


def status(world: World, handset: str = ANN) -> str:
    """How an address stands with the world's sender id."""
    found = world.app.contact_address_statuses.find(address=handset, sender_id=world.sender.id)
    return found[0].consent_status.value if found else "no record"


def managed(world: World, by: str) -> None:
    """Say who manages the consent of the world's sender id."""
    world.engine.operator().update_sender_id(world.sender.id, consent_managed_by=by)


def ask(world: World, handset: str = ANN, **fields: Any) -> Any:
    """The customer posts a status."""
    return world.app.contact_address_statuses.create(
        address=handset, sender_id=world.sender.id, **fields
    )


def test_a_first_message_in_either_direction_makes_the_record(world: World) -> None:
    """NONE, once, whatever follows; those that never left make none."""
    world.send(ANN, *numbers(3))
    world.send(ANN)
    settle(world)
    says(world, "hello", BOB)

    found = world.app.contact_address_statuses.find(sort="id")
    assert len(found) == 5
    assert {one.consent_status for one in found} == {"NONE"}
    assert {one.address_type for one in found} == {"MDN"}
    assert {one.address: one.application_id for one in found} == {
        ANN: 1, BOB: None, **dict.fromkeys(numbers(3), 1),
    }  # fmt: skip


def test_an_opt_out_stops_messages_that_are_scheduled_already(world: World) -> None:
    """Consent is read again at the hand-off, not only when a message is made."""
    request = world.send(ANN, BOB, scheduled_delivery_time=later(world.clock.now(), HOUR))
    settle(world)
    says(world, "STOP")
    world.engine.run_until_idle()

    held = {one.to_address: one for one in world.messages(request.id)}
    assert held[BOB].state == "DELIVERED"
    assert (held[ANN].state, held[ANN].failure_code) == ("FAILED", "NO_CONSENT")
    assert (held[ANN].failure_details or "").startswith("1005")
    assert world.request(request.id).failed_count == 1
    world.recount()


@pytest.mark.parametrize(
    ("requirement", "before", "sent"),
    [("OPT_IN", "NONE", False), ("OPT_IN", "OPTIN", True), ("OPT_OUT", "NONE", True),
     ("OPT_OUT", "OPTOUT", False), ("NONE", "OPTOUT", True), ("NONE", "BLACKLIST", False),
     ("OPT_IN", "WHITELIST", True)],
)  # fmt: skip
def test_the_requests_requirement_counts_where_the_customer_manages_consent(
    world: World, requirement: str, before: str, sent: bool
) -> None:
    """The cells of the table, by the carrier's own log; a preview and a test say the same."""
    ask(world, consent_status=before)
    fields = {"from_": world.sender.id, "to": [ANN], "body": "x"}
    fields["consent_requirement"] = requirement
    preview = world.app.message_requests.preview(fields)
    trial = world.app.message_requests.create(fields, test_message_flag=True)
    world.app.message_requests.create(fields)
    world.engine.run_until_idle()

    taken = [one for one in world.carrier.log.entries() if one.kind == SUBMITTED]
    assert len(taken) == (1 if sent else 0)
    assert [one.state.value for one in preview.outcomes] == ["CREATED" if sent else "FAILED"]
    [tried] = world.messages(trial.id)
    assert tried.state == "TEST"
    assert (tried.failure_details is None) == sent


def test_a_double_opt_in_asks_and_waits_for_yes(world: World) -> None:
    """Prompted once in a day, NONE until the answer, OPTIN by YES, then welcomed."""
    managed(world, "SCG")
    first = ask(world)
    assert first.consent_status == "NONE"
    assert ask(world).id == first.id
    settle(world)
    says(world, "Yes!")
    settle(world)

    assert status(world) == "OPTIN"
    sent = [one.body or "" for one in world.messages() if one.direction == "MT"]
    assert len(sent) == 2
    assert sent[0].startswith("Do you want") and sent[1].startswith("You will receive our")
    history = world.app.contact_address_history.find(msisdn=ANN)
    assert [(one.status, one.source, one.keyword) for one in history] == [
        ("OPTIN", "MESSAGE", "YES")
    ]


def test_another_answer_ends_the_wait(world: World) -> None:
    """YES after it is an answer to something else."""
    managed(world, "SCG")
    ask(world)
    says(world, "who is this?")
    says(world, "YES")

    assert status(world) == "NONE"


def test_the_wait_ends_after_72_hours(world: World) -> None:
    """And may be asked for again."""
    managed(world, "SCG")
    ask(world)
    settle(world)
    world.clock.advance(73 * HOUR)
    says(world, "YES")
    assert status(world) == "NONE"
    ask(world)
    settle(world)
    says(world, "YES")

    assert status(world) == "OPTIN"


def test_who_opted_out_is_not_asked(world: World) -> None:
    """409, and 409 for the black list; who opted in or is white-listed is not asked either."""
    managed(world, "SCG")
    says(world, "STOP")
    ask(world, BOB, consent_status="BLACKLIST")
    for handset in (ANN, BOB):
        with pytest.raises(IllegalTransition):
            ask(world, handset)
    says(world, "START")
    assert ask(world).consent_status == "OPTIN"
    settle(world)

    prompts = [one for one in world.messages() if (one.body or "").startswith("Do you want")]
    assert prompts == []


def test_a_persons_own_opt_out_is_not_undone_by_the_customer(world: World) -> None:
    """Where the engine manages consent; until they opt in again."""
    managed(world, "SCG")
    says(world, "STOP")
    [held] = world.app.contact_address_statuses.find(address=ANN)
    for wanted in ("NONE", "OPTIN", "WHITELIST"):
        with pytest.raises(Forbidden):
            world.app.contact_address_statuses.update(held.id, consent_status=wanted)
    with pytest.raises(Forbidden):
        world.app.contact_address_statuses.delete(held.id)
    world.app.contact_address_statuses.update(held.id, consent_status="BLACKLIST")
    with pytest.raises(Forbidden):
        world.app.contact_address_statuses.update(held.id, consent_status="WHITELIST")
    says(world, "START")
    assert status(world) == "BLACKLIST"
    world.app.contact_address_statuses.update(held.id, consent_status="NONE")

    assert status(world) == "NONE"


def test_where_the_customer_manages_consent_it_overrules_keywords(world: World) -> None:
    """STOP counts there too, and the customer may set what it likes."""
    says(world, "STOP")
    [held] = world.app.contact_address_statuses.find(address=ANN)
    assert held.consent_status == "OPTOUT"
    world.app.contact_address_statuses.update(held.id, consent_status="OPTIN")
    world.app.contact_address_statuses.delete(held.id)

    assert status(world) == "no record"
    sources = [one.source for one in world.app.contact_address_history.find(sort="id")]
    assert sources == ["MESSAGE", "COMPANY"]


def test_an_opt_in_by_the_customer_is_refused_where_the_engine_manages_consent(
    world: World,
) -> None:
    """403: it must come from the person."""
    managed(world, "SCG")
    with pytest.raises(Forbidden):
        ask(world, consent_status="OPTIN")

    assert status(world) == "no record"


def test_a_white_list_is_not_left_by_a_message(world: World) -> None:
    """Unless the operator chose so; the keyword is in the history all the same."""
    ask(world, consent_status="WHITELIST")
    says(world, "STOP")
    settle(world)
    assert status(world) == "WHITELIST"
    assert [one.direction for one in world.messages()] == ["MO"]
    last = world.app.contact_address_history.find(sort="-id")[0]
    assert (last.keyword, last.status) == ("STOP", "WHITELIST")
    strict = World(settings=Settings(stop_overrides_whitelist=True))
    ask(strict, consent_status="WHITELIST")
    says(strict, "STOP")

    assert status(strict) == "OPTOUT"


def test_a_white_list_sender_writes_to_nobody_else(world: World) -> None:
    """Not even to who opted in."""
    world.app.sender_ids.update(world.sender.id, check_white_list=True)
    ask(world, BOB, consent_status="WHITELIST")
    says(world, "START")
    request = world.send(ANN, BOB)
    settle(world)

    assert {one.to_address: one.state.value for one in world.messages(request.id)} == {
        ANN: "FAILED", BOB: "DELIVERED",
    }  # fmt: skip


def test_unsolicited_messages_go_to_all_who_did_not_opt_out(world: World) -> None:
    """SCG_UNSOLICITED_OPT_OUT: whatever the request asks for."""
    managed(world, "SCG_UNSOLICITED_OPT_OUT")
    says(world, "STOP")
    request = world.send(ANN, BOB, consent_requirement="NONE")
    settle(world)

    assert {one.to_address: one.state.value for one in world.messages(request.id)} == {
        ANN: "FAILED", BOB: "DELIVERED",
    }  # fmt: skip


def test_what_carriers_list_is_bound_for_every_company(world: World) -> None:
    """From one root sender id or from any, whatever the customer asks for; until it is lifted."""
    operator = world.engine.operator()
    other = operator.add_sender_id("beta", address="777", country="USA")
    beta = world.engine.application("beta", 1)
    assert operator.suppress(["(415) 555-0100", ANN], sender_id=world.sender.id) == 1
    assert operator.suppress([BOB]) == 1
    assert operator.suppress([BOB]) == 0
    mine = world.send(ANN, BOB, consent_requirement="NONE")
    theirs = beta.message_requests.create(from_=other.id, to=[ANN, BOB], body="x")
    settle(world)

    states = {
        (request.id, one.to_address): one.failure_code
        for request in (mine, theirs)
        for one in world.messages(request.id)
    }
    assert states == {
        (mine.id, ANN): "NO_CONSENT", (mine.id, BOB): "NO_CONSENT",
        (theirs.id, ANN): None, (theirs.id, BOB): "NO_CONSENT",
    }  # fmt: skip
    assert operator.unsuppress([ANN], sender_id=world.sender.id) == 1
    again = world.send(ANN)
    settle(world)
    assert world.messages(again.id)[0].failure_code is None


def test_a_black_list_may_be_no_more_than_an_opt_out() -> None:
    """By the operator's switch."""
    world = World(settings=Settings(blacklist_overrides_none=False))
    ask(world, consent_status="BLACKLIST")
    request = world.send(ANN, consent_requirement="NONE")
    settle(world)

    assert world.states(request.id) == ["DELIVERED"]


def test_many_are_opted_out_at_once(world: World) -> None:
    """Numbers are read as they are written; those that were are not counted."""
    says(world, "STOP")
    done = world.app.contact_address_statuses.opt_out(
        world.sender.id, ["(415) 555-0100", *numbers(5), "ann@example.com"]
    )

    assert done == 6
    found = world.app.contact_address_statuses.find(consent_status="OPTOUT")
    assert len(found) == 7
    assert {one.address_type for one in found} == {"MDN", "EMAIL"}
    with pytest.raises(InvalidField, match=r"address"):
        world.app.contact_address_statuses.opt_out(world.sender.id, ["nonsense"])


def test_a_channel_passes_a_sender_id_by_that_a_person_left(world: World) -> None:
    """Consent is part of who may be chosen."""
    operator = world.engine.operator()
    other = operator.add_sender_id("acme", address="666", country="USA")
    channel = world.app.channels.create(name="c")
    world.app.channels.add_sender_ids(channel.id, [world.sender.id, other.id])
    says(world, "STOP")
    says(world, "STOP", BOB)
    says(world, "STOP", BOB, "666")
    request = world.send(ANN, BOB, from_=f"channel:{channel.id}")
    settle(world)

    held = {one.to_address: one for one in world.messages(request.id)}
    assert (held[ANN].from_address, held[ANN].state) == ("666", "DELIVERED")
    assert held[BOB].failure_code == "NO_CONSENT"


def test_a_status_is_made_once_and_changed_by_its_version(world: World) -> None:
    """A second one is 1011, a stale version 1001; a record nobody touched is filled in."""
    world.send(ANN)
    settle(world)
    made = ask(world, consent_status="OPTIN")
    with pytest.raises(Duplicate):
        ask(world, consent_status="OPTOUT")
    with pytest.raises(StaleData):
        world.app.contact_address_statuses.update(
            made.id, consent_status="OPTOUT", version_number=1
        )
    with pytest.raises(InvalidField, match="address"):
        world.app.contact_address_statuses.update(made.id, address=BOB)
    with pytest.raises(NotFound):
        world.engine.application("other", 1).contact_address_statuses.get(made.id)

    assert world.app.contact_address_statuses.get(made.id).consent_status == "OPTIN"


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("address", {"address": "nonsense"}),
        ("sender_id", {"sender_id": "none"}),
        ("address_type", {"address_type": "FAX"}),
        ("consent_status", {"consent_status": "MAYBE"}),
        ("id", {"id": "x"}),
        ("address", {"address": None}),
    ],
)
def test_a_status_that_is_none_is_refused(world: World, field: str, fields: dict[str, Any]) -> None:
    """The error names the field; nothing is stored."""
    given = {"address": ANN, "sender_id": world.sender.id, "consent_status": "OPTIN"} | fields
    with pytest.raises(InvalidField) as refused:
        world.app.contact_address_statuses.create(given)

    assert refused.value.field == field
    assert world.app.contact_address_statuses.find() == []


def test_old_names_of_address_types_are_understood(world: World) -> None:
    """Clients say LONGCODE where they mean a number."""
    assert ask(world, address_type="LONGCODE", consent_status="OPTIN").address_type == "MDN"


def test_a_repeated_prompt_is_sent_once_a_day(world: World) -> None:
    """Asking again within the day prolongs the wait only."""
    managed(world, "SCG")
    for _ in range(3):
        ask(world)
        settle(world)
    world.clock.advance(DAY)
    ask(world)
    settle(world)

    prompts = [one for one in world.messages() if (one.body or "").startswith("Do you want")]
    assert len(prompts) == 2

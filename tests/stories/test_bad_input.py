"""Bad input: a typed error that names the field, and nothing stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scg_core import (
    Duplicate,
    IllegalTransition,
    InvalidField,
    NotFound,
    SenderState,
    to_datetime,
)
from scg_core.kernel.instant import DAY, later
from scg_core.kernel.query import Query
from scg_core.messaging.model import MessageRequest
from scg_core.messaging.records import IdempotencyKey, RecipientPage
from tests.world import World, numbers


def nothing_stored(world: World) -> bool:
    with world.storage.snapshot() as session:
        kinds = (MessageRequest, RecipientPage, IdempotencyKey)
        return not any(session.count(Query(kind)) for kind in kinds)


@pytest.mark.parametrize(
    ("field", "fields", "code"),
    [
        ("to", {"to": []}, 400),
        ("to", {"to": ""}, 400),
        ("to", {"to": 5}, 400),
        ("to", {"to": [1]}, 400),
        ("to", {"to": ["nobody"]}, 400),
        ("to", {"to": ["contact:1"]}, 400),
        ("to", {"to": numbers(10_001)}, 400),
        ("from_", {"from_": 7}, 400),
        ("from", {"from_": ""}, 400),
        ("from", {"from_": None}, 400),
        ("from", {"from_": "nobody"}, 400),
        ("from", {"from_": "channel:C1"}, 400),
        ("from", {"from_": "address:nobody"}, 400),
        ("body", {"body": None}, 400),
        ("body", {"body": ""}, 400),
        ("body", {"body": ["x"]}, 400),
        ("body", {"body": "half \ud800 pair"}, 400),
        ("body", {"body": "nul \x00"}, 400),
        ("body", {"body": "x" * 1531}, 1012),
        ("body", {"body": "ж" * 671}, 1012),
        ("subject", {"subject": "x" * 256}, 1023),
        ("external_id", {"external_id": "x" * 129}, 1023),
        ("expiry_time", {"expiry_time": 1_500_000_000_000}, 400),
        ("expiry_time", {"expiry_time": "tomorrow"}, 400),
        ("expiry_time", {"expiry_time": True}, 400),
        ("scheduled_delivery_time", {"scheduled_delivery_time": "2027-12-01"}, 400),
        ("scheduled_delivery_time_zone", {"scheduled_delivery_time_zone": "MARS"}, 400),
        ("test_message_flag", {"test_message_flag": "true"}, 400),
        ("pause_expiry_time", {"pause_expiry_time": 1_500_000_000_000}, 400),
        ("consent_requirement", {"consent_requirement": "MAYBE"}, 400),
        ("price_threshold", {"price_threshold": "1"}, 400),
        ("price_threshold", {"price_threshold": -1}, 400),
        ("price_threshold", {"price_threshold": float("nan")}, 400),
        ("sender_id_sort_criteria", {"sender_id_sort_criteria": ["LUCK"]}, 400),
        ("attachments[0]", {"attachments": ["a"]}, 400),
        ("criteria", {"criteria": "{}"}, 1017),
        ("translate", {"translate": True}, 400),
        ("Idempotency-Key", {"idempotency_key": ""}, 400),
        ("Idempotency-Key", {"idempotency_key": "k" * 256}, 400),
        ("sent_count", {"sent_count": 5}, 400),
        ("id", {"id": "mine"}, 400),
        ("company_id", {"company_id": "other"}, 400),
        ("colour", {"colour": "red"}, 400),
        ("sender_id", {"sender_id": "x"}, 400),
    ],
)
def test_a_request_with_a_bad_field_is_refused_and_nothing_is_stored(
    world: World, field: str, fields: dict[str, Any], code: int
) -> None:
    """The error names the field and its code; no request, page or key remains."""
    with pytest.raises(InvalidField) as refused:
        world.send(*numbers(2), **({"idempotency_key": "key"} | fields))

    assert refused.value.field == field
    assert refused.value.error_code == code
    assert nothing_stored(world)
    assert world.engine.run_due() is None


def test_an_expiry_before_the_schedule_is_refused(world: World) -> None:
    """Nothing could ever leave."""
    now = world.clock.now()
    with pytest.raises(InvalidField) as refused:
        world.send(
            "+14155550100", scheduled_delivery_time=later(now, DAY), expiry_time=later(now, DAY)
        )

    assert refused.value.field == "expiry_time"


def test_a_sender_that_is_not_active_is_refused(world: World) -> None:
    """Only an ACTIVE sender id sends."""
    broken = world.engine.operator().add_sender_id(
        "acme", address="777", state=SenderState.BROKEN.value
    )
    with pytest.raises(InvalidField) as refused:
        world.send("+14155550100", from_=broken.id)

    assert refused.value.field == "from"


def test_a_key_used_for_another_request_is_refused(world: World) -> None:
    """Error 1011: the same key, other content."""
    world.send("+14155550100", idempotency_key="key")
    with pytest.raises(Duplicate) as refused:
        world.send("+14155550101", idempotency_key="key")

    assert (refused.value.status, refused.value.code) == (409, 1011)


def test_another_company_sees_nothing(world: World) -> None:
    """A foreign id answers exactly as an unknown one, in every position."""
    request = world.send("+14155550100")
    world.engine.run_until_idle()
    (message,) = world.messages()
    other = world.engine.application("other", 1)
    for attempt in (
        lambda: other.message_requests.get(request.id),
        lambda: other.message_requests.cancel(request.id),
        lambda: other.message_requests.resume(request.id),
        lambda: other.message_requests.accept(request.id),
        lambda: other.message_requests.delete(request.id),
        lambda: other.message_requests.update(request.id, state="CANCELED"),
        lambda: other.message_requests.append_recipients(request.id, ["+14155550101"], start=0),
        lambda: other.messages.get(message.id),
        lambda: other.messages.delete(message.id),
        lambda: other.messages.update(message.id, state="CONVERTED"),
        lambda: other.sender_ids.get(world.sender.id),
    ):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(InvalidField) as refused:
        other.message_requests.create(from_=world.sender.id, to=["+14155550100"], body="mine now")

    assert refused.value.field == "from"
    assert other.messages.find() == []
    assert other.message_requests.find() == []
    assert other.sender_ids.find() == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"state": "COMPLETED"}, InvalidField),
        ({"state": "nonsense"}, InvalidField),
        ({"state": 5}, InvalidField),
        ({"state": "TRANSMITTING"}, IllegalTransition),
        ({"body": "another"}, InvalidField),
    ],
)
def test_only_canceling_and_resuming_may_be_asked_of_a_request(
    world: World, fields: dict[str, Any], error: type[Exception]
) -> None:
    """A changed attribute or another state is refused; unchanged values may be sent back."""
    request = world.send("+14155550100")
    with pytest.raises(error):
        world.app.message_requests.update(request.id, **fields)

    same = world.app.message_requests.update(
        request.id, body="hello", sent_count=99, unknown="x", state="ACCEPTED"
    )
    assert same == request


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("company", lambda w: w.engine.application("", 1)),
        ("company", lambda w: w.engine.application(5, 1)),
        ("company", lambda w: w.engine.application("x" * 65, 1)),
        ("application_id", lambda w: w.engine.application("acme", "1")),
        ("application_id", lambda w: w.engine.application("acme", 0)),
        ("application_id", lambda w: w.engine.application("acme", 2**70)),
        ("id", lambda w: w.app.message_requests.get(["x"])),
        ("id", lambda w: w.app.message_requests.get("\ud800")),
        ("start", lambda w: w.app.message_requests.append_recipients(
            w.app.message_requests.create(from_=w.sender.id, body="x").id, ["1"], start="0")),
        ("Idempotency-Key", lambda w: w.send("+14155550100", idempotency_key=5)),
        ("Idempotency-Key", lambda w: w.send("+14155550100", idempotency_key="\ud800")),
        ("price_threshold", lambda w: w.send("+14155550100", price_threshold=10**400)),
        ("limit", lambda w: w.app.messages.find(limit="5")),
        ("limit", lambda w: w.app.messages.find(limit=1.5)),
        ("sort", lambda w: w.app.messages.find(sort=5)),
        ("sort", lambda w: w.app.message_requests.find(sort="to")),
        ("to_address", lambda w: w.app.messages.find(to_address={})),
        ("state", lambda w: w.app.messages.find(state="NONSENSE")),
        ("application_id", lambda w: w.app.messages.find(application_id=2**70)),
        ("created_date", lambda w: w.app.messages.find(created_date="yesterday")),
        ("limit", lambda w: w.engine.run_due("5")),
        ("connectors", lambda w: w.engine.run_due(connectors=["nobody"])),
        ("company", lambda w: w.engine.operator().add_sender_id("", address="1")),
        ("company", lambda w: w.engine.operator().add_sender_id(None, address="1")),
        ("address", lambda w: w.engine.operator().add_sender_id("acme", address="  ")),
    ],
)  # fmt: skip
def test_an_argument_of_the_wrong_kind_is_refused_by_name(
    world: World, field: str, call: Callable[[World], object]
) -> None:
    """A typed error on each storage alike, whatever is given."""
    with pytest.raises(InvalidField) as refused:
        call(world)

    assert refused.value.field == field


def test_filters_understand_what_the_wire_will_bring(world: World) -> None:
    """Numbers as text, dates in any spelling."""
    world.send("+14155550100")
    world.engine.run_until_idle()
    (message,) = world.messages()
    date = to_datetime(message.created_date).isoformat()

    assert world.app.messages.find(application_id="1", created_date=date) == [message]
    assert world.app.messages.find(state=["FAILED", "DELIVERED"]) == [message]
    assert world.app.message_requests.find(to="+14155550100", test_message_flag="false")


def test_a_page_with_other_recipients_is_no_repeat(world: World) -> None:
    """Even if it begins and ends where pages were cut."""
    requests = world.app.message_requests
    request = requests.create(from_=world.sender.id, body="hi")
    requests.append_recipients(request.id, numbers(1500), start=0)
    with pytest.raises(InvalidField) as refused:
        requests.append_recipients(request.id, numbers(1000, 5000), start=500)

    assert refused.value.field == "start"
    assert requests.append_recipients(request.id, numbers(1500), start=0).staged_count == 1500


@pytest.mark.parametrize(
    ("field", "filters"),
    [
        ("colour", {"colour": "red"}),
        ("milestones", {"milestones": 1}),
        ("sort", {"sort": "colour"}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 1001}),
        ("offset", {"offset": -1}),
    ],
)
def test_a_bad_filter_is_refused(world: World, field: str, filters: dict[str, Any]) -> None:
    """Unknown and internal fields are no filters."""
    with pytest.raises(InvalidField) as refused:
        world.app.messages.find(**filters)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("address", {}),
        ("country", {"address": "1", "country": "ZZZ"}),
        ("state", {"address": "1", "state": "SLEEPING"}),
        ("colour", {"address": "1", "colour": "red"}),
        ("created_date", {"address": "1", "created_date": 5}),
        ("name", {"address": "1", "name": "x" * 129}),
    ],
)
def test_a_bad_sender_id_is_refused(world: World, field: str, fields: dict[str, Any]) -> None:
    """The operator is told which field and why."""
    with pytest.raises(InvalidField) as refused:
        world.engine.operator().add_sender_id("acme", **fields)

    assert refused.value.field == field


def test_a_second_sender_id_with_the_same_address_is_refused(world: World) -> None:
    """Address, type and country are unique among all that are no copies."""
    for company in ("acme", "other"):
        with pytest.raises(Duplicate):
            world.engine.operator().add_sender_id(company, address="55512", country="US")

    world.engine.operator().add_sender_id("other", address="55512", country="CA")

"""Between resources and plain mappings: strict for libraries, lenient for the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core.conformance.samples import NOW, a_message, a_request
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.resource import Micros, Writer, declaration, evolve
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import Message, MessageRequest
from scg_core.senders.lifecycle import SenderState
from scg_core.senders.model import SenderId

# The attributes of the specification, in its order; typing slips as their intended names.
SPECIFIED = {
    Message: """id message_request_id external_transaction_ids external_message_request_id
        conversation_id campaign_id direction customer_sender_id from_address to_address state
        failure_code failure_details subject body sent_date delivered_date converted_date
        conversion_info_source reply_to attachments scheduled_delivery_time expiry_time type
        message_delivery_provider contact_id price application_id created_date last_updated_date
        version_number language failed_translation""",
    MessageRequest: """id from conversation_id to campaign_id program_id subject application_id
        external_id state attachments body consent_requirement criteria recipient_count sent_count
        delivered_count read_count converted_count canceled_count failed_count
        scheduled_delivery_time scheduled_delivery_time_zone expiry_time test_message_flag
        pause_before_transmit pause_expiry_time price_threshold sender_id_sort_criteria
        contact_delivery_address_priority created_date last_updated_date version_number
        src_language dst_language translate translations_count translations_failed_count
        translations_performed_count content_type""",
    SenderId: """id parent_id name ownership class_id type_id state address content_type
        message_templates country operators credentials two_way_required keep_sender_address
        dr_required consent_managed_by capabilities check_white_list application_id created_date
        last_updated_date version_number billing""",
}
FILTERS = {
    Message: """id message_request_id external_transaction_ids external_message_request_id
        conversation_id campaign_id direction customer_sender_id from_address to_address state
        failure_code subject body sent_date delivered_date converted_date reply_to
        scheduled_delivery_time expiry_time type message_delivery_provider contact_id price
        application_id created_date last_updated_date""",
    MessageRequest: """id from conversation_id to campaign_id program_id subject application_id
        external_id state scheduled_delivery_time expiry_time test_message_flag
        pause_before_transmit pause_expiry_time created_date last_updated_date""",
    SenderId: """id parent_id name ownership class_id type_id state country operators
        two_way_required keep_sender_address dr_required consent_managed_by capabilities
        check_white_list application_id created_date last_updated_date""",
}
BESIDES = {SenderId: "address company_id"}
"""What real clients filter by (wire 4), and the operator."""


@pytest.mark.parametrize("kind", SPECIFIED, ids=lambda kind: kind.__name__)
def test_a_resource_has_every_specified_attribute_in_order(kind: type[Any]) -> None:
    """Under its own name; what the engine adds comes after."""
    wire = [a.wire for a in declaration(kind).attributes]
    wanted = SPECIFIED[kind].split()

    assert wire[: len(wanted)] == wanted


@pytest.mark.parametrize("kind", FILTERS, ids=lambda kind: kind.__name__)
def test_a_resource_is_filtered_by_exactly_the_specified_fields(kind: type[Any]) -> None:
    """No more and no fewer, but for what clients were seen to use."""
    held = {a.wire for a in declaration(kind).attributes if a.filterable}

    assert held == {*FILTERS[kind].split(), *BESIDES.get(kind, "").split()}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("body", 5), ("body", b"x"), ("body", None.__class__), ("to", {"a": 1}), ("to", [None]),
        ("translate", 1), ("translate", "true"), ("price_threshold", "1"),
        ("price_threshold", True), ("price_threshold", float("inf")), ("expiry_time", 1.5),
        ("consent_requirement", 1), ("consent_requirement", "opt_in"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_refused_and_never_coerced(field: str, value: object) -> None:
    """Strict reading names the field."""
    with pytest.raises(InvalidField) as refused:
        codec.read(MessageRequest, {field: value})

    assert refused.value.field == field


def test_a_wrong_element_is_refused_with_its_path() -> None:
    """The error says which of the list."""
    with pytest.raises(InvalidField) as refused:
        codec.read(MessageRequest, {"to": ["+14155550100", 7]})

    assert refused.value.rule == "[1] must be text, not a number"


def test_lenient_reading_understands_what_clients_send() -> None:
    """Unknown keys and the engine's fields are ignored; numbers and flags may be text."""
    given_ = {
        "to": "+14155550100; +14155550101,",
        "translate": "1",
        "test_message_flag": "TRUE",
        "pause_before_transmit": 0,
        "price_threshold": "0.5",
        "expiry_time": "",
        "scheduled_delivery_time": "1767225600000",
        "body": 5,
        "sent_count": 7,
        "recipient_ count": 3,
        "whatever": {},
        "campaign_id": None,
    }

    values = codec.read(MessageRequest, given_, lenient=True)

    assert values == {
        "to": ("+14155550100", "+14155550101"),
        "translate": True,
        "test_message_flag": True,
        "pause_before_transmit": False,
        "price_threshold": 0.5,
        "expiry_time": None,
        "scheduled_delivery_time": 1_767_225_600_000,
        "body": "5",
        "campaign_id": None,
    }


@pytest.mark.parametrize("value", ["maybe", "2", 2, [], {}])
def test_lenient_reading_still_refuses_nonsense(value: object) -> None:
    """Tolerance has a limit."""
    with pytest.raises(InvalidField):
        codec.read(MessageRequest, {"translate": value}, lenient=True)


def test_a_customer_may_not_write_what_is_the_operators() -> None:
    """Who may write a field is part of its declaration."""
    with pytest.raises(InvalidField) as refused:
        codec.read(SenderId, {"country": "USA"})

    assert refused.value.field == "country"
    assert codec.read(SenderId, {"country": "USA"}, writer=Writer.OPERATOR) == {"country": "USA"}
    state = codec.read(SenderId, {"state": "ATIVE"}, writer=Writer.OPERATOR)
    assert state == {"state": SenderState.ACTIVE}


def test_writing_leaves_out_nulls_and_what_is_hidden() -> None:
    """Wire names, epoch milliseconds, plain values."""
    request = a_request(to=("+14155550100",), state=RequestState.PAUSED, expiry_time=NOW)

    out = codec.write(request)

    assert out["from"] == "sender_id:sender"
    assert out["to"] == ["+14155550100"]
    assert out["state"] == "PAUSED" and type(out["state"]) is str
    assert out["expiry_time"] == NOW
    assert out["recipient_count"] == 0
    assert "body" not in out and "segments" not in out and "from_" not in out
    json.dumps(out)


@given(st.integers(0, 10**12))
def test_an_amount_survives_the_wire(micros: int) -> None:
    """Money is whole millionths inside and a number outside."""
    message = evolve(a_message(), price=Micros(micros))

    out = codec.write(message)["price"]

    assert round(out * 1_000_000) == micros


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(SPECIFIED[MessageRequest].split()) | st.text(), JSON),
    st.booleans(),
)
def test_any_json_is_read_or_refused(given_: dict[str, object], lenient: bool) -> None:
    """Nothing but a typed error ever escapes the codec."""
    try:
        codec.read(MessageRequest, given_, lenient=lenient)
    except InvalidField as refused:
        assert refused.field in given_

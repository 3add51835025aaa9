"""What is told to a host: an event, who subscribed to it, and the envelope in between."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource


class Topic(StrEnum):
    """What an event is about (semantics 16)."""

    MESSAGE = "SCG-Message"
    KEYWORD = "SCG-Keyword"
    VOICE = "SCG-Voice-Call"
    CONSENT = "SCG-Consent"  # ours


class EventType(StrEnum):
    """The kinds of events told so far (semantics 16)."""

    MESSAGE_STATE_CHANGE = "message_state_change"
    MESSAGE_REQUEST_STATE_CHANGE = "message_request_state_change"
    LATE_RECEIPT = "late_receipt"
    MO_MESSAGE_RECEIVED = "mo_message_received"
    KEYWORD_MESSAGE_RECEIVED = "keyword_message_received"
    CONSENT_CHANGE = "consent_change"
    OPTOUT_IGNORED = "optout_ignored"
    CLICK = "click"
    CALL_STATE_CHANGE = "call_state_change"
    BRIDGE_STATE_CHANGE = "bridge_state_change"
    CONFERENCE_STATE_CHANGE = "conference_state_change"
    MEMBER_STATE_CHANGE = "conference_member_state_change"
    DTMF_RECEIVED = "dtmf_received"


@frozen
class Event:
    """Something that happened in one company; ``facts`` are the event's named values."""

    topic: Topic
    type: EventType
    company_id: str
    facts: Mapping[str, Any]


@resource("Subscription", indexes=[Index(("company_id", "topic"))])
class Subscription(_Resource):
    """A company's wish to hear the events of one topic."""

    id: str = attribute("Unique identifier.", length=64)
    company_id: str = attribute("The company that listens.", hidden=True)
    topic: Topic = attribute("What it listens to.", writer=Writer.CUSTOMER, required=True)
    created_date: Instant = attribute("When it was made.")


@resource("Envelope", indexes=[Index(("company_id", "created_date"))])
class Envelope(_Resource):
    """One event, stored for one subscription in the transaction that made it happen."""

    id: str = attribute("The event's identifier, the same over all attempts.", length=64)
    subscription_id: str = attribute("The subscription it is for.", length=64)
    company_id: str = attribute("The company it belongs to.", hidden=True)
    topic: Topic = attribute("What it is about.")
    type: EventType = attribute("What happened.")
    facts: str = attribute("The event's named values, as JSON.")
    created_date: Instant = attribute("When it happened.")

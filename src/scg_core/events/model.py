"""What is told to a host: an event, who subscribed to it, and the envelope in between."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

from scg_core.events.lifecycle import EnvelopeState, SubscriptionState
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, JsonObject, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource

_CUSTOMER = Writer.CUSTOMER


class Topic(StrEnum):
    """What an event is about (semantics 16)."""

    MESSAGE = "SCG-Message"
    KEYWORD = "SCG-Keyword"
    VOICE = "SCG-Voice-Call"
    CONSENT = "SCG-Consent"  # ours


class EventType(StrEnum):
    """The kinds of events (semantics 16)."""

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


TOPIC_OF: Final[Mapping[EventType, Topic]] = {
    EventType.MESSAGE_STATE_CHANGE: Topic.MESSAGE,
    EventType.MESSAGE_REQUEST_STATE_CHANGE: Topic.MESSAGE,
    EventType.LATE_RECEIPT: Topic.MESSAGE,
    EventType.MO_MESSAGE_RECEIVED: Topic.MESSAGE,
    EventType.CLICK: Topic.MESSAGE,
    EventType.KEYWORD_MESSAGE_RECEIVED: Topic.KEYWORD,
    EventType.CONSENT_CHANGE: Topic.CONSENT,
    EventType.OPTOUT_IGNORED: Topic.CONSENT,
    EventType.CALL_STATE_CHANGE: Topic.VOICE,
    EventType.BRIDGE_STATE_CHANGE: Topic.VOICE,
    EventType.CONFERENCE_STATE_CHANGE: Topic.VOICE,
    EventType.MEMBER_STATE_CHANGE: Topic.VOICE,
    EventType.DTMF_RECEIVED: Topic.VOICE,
}
"""The topic that each type of event is told under."""


@frozen
class Event:
    """Something that happened in one company.

    ``subject`` is the id of what it happened to: events of one subject are numbered, and delivered
    in that order. ``facts`` are the event's named values; one that is None is left out.
    ``channels`` are the channels it concerns.
    """

    topic: Topic
    type: EventType
    company_id: str
    subject: str
    facts: Mapping[str, Any]
    channels: frozenset[str] = frozenset()


@resource("Subscription", indexes=[Index(("company_id", "created_date"))])
class Subscription(_Resource):
    """A company's wish to be told of events. It is this engine's own, not the specification's."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    name: str | None = attribute(
        "What it is for.", writer=_CUSTOMER, length=128, filterable=True, default=None
    )
    url: str | None = attribute(
        "Where events are delivered by POST: http or https, no credentials in it.",
        writer=_CUSTOMER, default=None,
    )  # fmt: skip
    topics: tuple[str, ...] = attribute(
        "What it listens to: SCG-Message, SCG-Keyword, SCG-Voice-Call, SCG-Consent.",
        writer=_CUSTOMER, required=True, length=64, most=20,
    )  # fmt: skip
    event_types: tuple[str, ...] = attribute(
        "Only these types of events; all of its topics if none is given.",
        writer=_CUSTOMER, length=64, most=50, default=(),
    )  # fmt: skip
    channel_id: str | None = attribute(
        "Only events of messages sent from this channel, or received by a sender id in it.",
        writer=_CUSTOMER, length=64, filterable=True, blank=True, default=None,
    )  # fmt: skip
    only_application_id: int | None = attribute(
        "Only events of what this application did.",
        writer=_CUSTOMER, filterable=True, default=None,
    )  # fmt: skip
    throttle: int | None = attribute(
        "At most so many deliveries a minute; any number if not given.",
        writer=_CUSTOMER, default=None,
    )  # fmt: skip
    state: SubscriptionState = attribute(
        "ACTIVE: told and delivered; PAUSED: kept until it is ACTIVE again; INACTIVE: not told.",
        writer=_CUSTOMER, filterable=True, default=SubscriptionState.ACTIVE,
    )  # fmt: skip
    application_id: int | None = attribute(
        "The application that made it.", filterable=True, default=None
    )
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company that listens.", length=64)
    secret: str = attribute(
        "What deliveries are signed with.", hidden=True, unprinted=True, default=""
    )
    previous_secrets: tuple[str, ...] = attribute(
        "What they were signed with before, each behind the instant until which it counts.",
        hidden=True, unprinted=True, default=(),
    )  # fmt: skip
    previous_until: Instant | None = attribute(
        "Until when deliveries are signed with previous secrets too.", default=None
    )


@resource(
    "Envelope",
    indexes=[
        Index(("subscription_id", "created_date"), alike=(200_000, 1_000)),
        Index(("subscription_id", "due"), only=("due", None), alike=(20_000, 100)),
        Index(("subscription_id", "open", "sequence"), only=("open", None), alike=(20_000, 2, 1)),
        Index(
            ("subscription_id", "id"), only=("state", EnvelopeState.FAILED.value), alike=(10_000, 1)
        ),
        Index(
            ("subscription_id", "created_date", "open"), only=("open", None), alike=(20_000, 100, 1)
        ),
        Index(("subject",), alike=(4,)),
        Index(("settled_date",), only=("settled_date", None), alike=(1_000,)),
    ],
)
class Envelope(_Resource):
    """One event, stored for one subscription in the transaction that made it happen."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    event_id: str = attribute(
        "The event's identifier: the same over all attempts and for all subscriptions.",
        length=64, filterable=True,
    )  # fmt: skip
    subscription_id: str = attribute("The subscription it is for.", length=64)
    topic: Topic = attribute("What it is about.", filterable=True)
    type: EventType = attribute("What happened.", filterable=True)
    subject: str = attribute(
        "The id of what it happened to: a message, request, call, ...", length=64, filterable=True
    )
    sequence: int = attribute("Its place among the events of its subject, from 1.", default=0)
    facts: JsonObject = attribute("The event's named values.")
    state: EnvelopeState = attribute(
        "How far its delivery is.",
        writer=_CUSTOMER, filterable=True, default=EnvelopeState.PENDING,
    )  # fmt: skip
    attempt: int = attribute("How often it was tried.", default=0)
    due: Instant | None = attribute(
        "When it is tried next; none while an earlier event of its subject is on its way.",
        wire="next_attempt_date", default=None,
    )  # fmt: skip
    reason_code: str | None = attribute(
        "What the receiver answered last: a status of HTTP.", length=64, default=None
    )
    reason_description: str | None = attribute("Why it was not taken.", length=255, default=None)
    last_attempt_date: Instant | None = attribute("When it was last tried.", default=None)
    delivered_date: Instant | None = attribute("When the receiver took it.", default=None)
    created_date: Instant = attribute("When it happened.", filterable=True)
    company_id: str = attribute("The company it belongs to.", hidden=True)
    open: str | None = attribute("The subject, as long as it is undelivered.", hidden=True,
                                 default=None)  # fmt: skip
    asked_date: Instant = attribute(
        "When its delivery was last asked for.", hidden=True, default=Instant(0)
    )
    since: Instant = attribute("When it was first tried.", hidden=True, default=Instant(0))
    replayed: int = attribute("The last replay that it was part of.", hidden=True, default=0)
    settled_date: Instant | None = attribute(
        "When it was taken or failed.", hidden=True, default=None
    )

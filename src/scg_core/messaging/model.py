"""What messaging keeps: requests, messages, and the rows that carry a request to its messages.

A message is stored as a cold row, written once, and a hot row (the attributes marked ``hot``)
that moves with its state; readers see both as one. Queued messages are not rows of a queue:
they lie in runs, contiguous message numbers of one lane.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, JsonList, JsonText, Micros, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource
from scg_core.messaging.lifecycle import Direction, MessageState, RequestState
from scg_core.senders.model import Priority

_CUSTOMER = Writer.CUSTOMER


class FailureCode(StrEnum):
    """Why a message failed, as the specification names it; details carry the numeric code."""

    INVALID_RECIPIENT = "INVALID_RECIPIENT"
    NO_CONSENT = "NO_CONSENT"
    OTHER = "OTHER"


class ConsentRequirement(StrEnum):
    """What consent a recipient must have given (semantics 7)."""

    OPT_IN = "OPT_IN"
    OPT_OUT = "OPT_OUT"
    NONE = "NONE"


class Exempt(StrEnum):
    """What does not hold a message back: those that a person asked for or that carriers require."""

    NOTHING = "NOTHING"
    CONSENT = "CONSENT"
    ALL = "ALL"  # consent and the delivery window


class ScheduleZone(StrEnum):
    """How a scheduled time is read."""

    UTC = "UTC"
    LOCAL = "LOCAL"


@resource(
    "Message Request",
    indexes=[
        Index(("company_id", "id")),
        Index(("company_id", "created_date")),
        Index(("company_id", "external_id")),
        Index(("created_date",)),
        Index(("state",), only=("state", RequestState.DELETED.value)),
    ],
    tally="company_id",
)
class MessageRequest(_Resource):
    """One order to send a message to one, many or a million recipients."""

    id: str = attribute("The identifier.", length=64, filterable=True)
    from_: str = attribute(
        "Where it is sent from: `sender_id:ID`, a bare sender id, `channel:ID`, `address:ADDRESS`.",
        writer=_CUSTOMER, required=True, immutable=True, length=128, filterable=True,
    )  # fmt: skip
    conversation_id: str | None = attribute(
        "The conversation it belongs to.",
        writer=_CUSTOMER, immutable=True, length=128, filterable=True, default=None,
    )  # fmt: skip
    to: tuple[str, ...] = attribute(
        "The recipients as given, up to the first 10,000 of them.",
        writer=_CUSTOMER, immutable=True, filterable=True, address=True, most=1_000_000, default=(),
    )  # fmt: skip
    campaign_id: str | None = attribute(
        "The customer's campaign.",
        writer=_CUSTOMER, immutable=True, length=128, filterable=True, default=None,
    )  # fmt: skip
    program_id: str | None = attribute(
        "The customer's program.",
        writer=_CUSTOMER, immutable=True, length=128, filterable=True, default=None,
    )  # fmt: skip
    subject: str | None = attribute(
        "A short summary of the message's purpose.",
        writer=_CUSTOMER, immutable=True, length=255, filterable=True, default=None,
    )  # fmt: skip
    application_id: str = attribute("The application that made it.", length=64, filterable=True)
    external_id: str | None = attribute(
        "The application's own tracking id.",
        writer=_CUSTOMER, immutable=True, length=128, filterable=True, default=None,
    )  # fmt: skip
    state: RequestState = attribute("How far it is.", filterable=True, hot=True)
    attachments: tuple[str, ...] = attribute(
        "Ids of the attachments it carries.", writer=_CUSTOMER, immutable=True, default=()
    )
    body: str | None = attribute(
        "The text as given, before templates are filled in.",
        writer=_CUSTOMER, immutable=True, default=None,
    )  # fmt: skip
    consent_requirement: ConsentRequirement = attribute(
        "Whether a recipient must have opted in, must not have opted out, or neither.",
        writer=_CUSTOMER, immutable=True, default=ConsentRequirement.OPT_OUT,
    )  # fmt: skip
    criteria: JsonText | None = attribute(
        "The criteria that choose contacts as recipients.",
        writer=_CUSTOMER, immutable=True, error_code=1017, default=None,
    )  # fmt: skip
    recipient_count: int = attribute(
        "Recipients after duplicates are dropped.",
        aliases=("recipient_ count",),
        default=0,
        hot=True,
    )
    sent_count: int = attribute("Messages the transport has taken.", default=0, hot=True)
    delivered_count: int = attribute(
        "Messages known to have reached the handset.", default=0, hot=True
    )
    read_count: int = attribute("Messages known to have been read.", default=0, hot=True)
    converted_count: int = attribute("Messages the recipient acted upon.", default=0, hot=True)
    canceled_count: int = attribute(
        "Messages withdrawn by canceling the request.", default=0, hot=True
    )
    failed_count: int = attribute(
        "Messages that expired or could not be delivered.", default=0, hot=True
    )
    scheduled_delivery_time: Instant | None = attribute(
        "When the messages are to leave; at once if not given.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=None,
    )  # fmt: skip
    scheduled_delivery_time_zone: ScheduleZone = attribute(
        "Whether the scheduled time is UTC or each recipient's local time.",
        writer=_CUSTOMER, immutable=True, default=ScheduleZone.UTC,
    )  # fmt: skip
    expiry_time: Instant | None = attribute(
        "After this instant no message of the request leaves.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=None,
    )  # fmt: skip
    test_message_flag: bool = attribute(
        "Messages are made but never handed to a transport, and nothing is charged.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=False,
    )  # fmt: skip
    pause_before_transmit: bool = attribute(
        "Messages are made and held until the request is resumed.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=False,
    )  # fmt: skip
    pause_expiry_time: Instant | None = attribute(
        "When held messages expire; at most 24 hours ahead.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=None,
    )  # fmt: skip
    price_threshold: float | None = attribute(
        "The most one message may cost.", writer=_CUSTOMER, immutable=True, default=None
    )
    sender_id_sort_criteria: tuple[str, ...] = attribute(
        "How senders are preferred: DELIVERY_ADDRESS, PRICE.",
        writer=_CUSTOMER, immutable=True, default=(),
    )  # fmt: skip
    contact_delivery_address_priority: tuple[str, ...] = attribute(
        "Which address of a contact is tried first: MDN, PUSH.",
        writer=_CUSTOMER, immutable=True, default=(),
    )  # fmt: skip
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True, hot=True)
    version_number: int = attribute(
        "1 at creation, one more after each change of state; counters do not raise it.",
        default=1,
        hot=True,
    )
    src_language: str = attribute(
        "The language of the text.",
        writer=_CUSTOMER,
        immutable=True,
        length=64,
        blank=True,
        default="en",
    )
    dst_language: str | None = attribute(
        "The language to translate to.",
        writer=_CUSTOMER,
        immutable=True,
        length=64,
        blank=True,
        default=None,
    )
    translate: bool = attribute(
        "Whether messages are translated.", writer=_CUSTOMER, immutable=True, default=False
    )
    translations_count: int = attribute("Messages that carry a translation.", default=0, hot=True)
    translations_failed_count: int = attribute(
        "Messages whose translation failed.", default=0, hot=True
    )
    translations_performed_count: int = attribute("Calls of the translator.", default=0, hot=True)
    content_type: str | None = attribute(
        "The content type of the body.", writer=_CUSTOMER, immutable=True, length=128, default=None
    )
    click_thru_count: int = attribute(
        "Messages of which a tracked link was followed.", default=0, hot=True
    )
    media_requested_count: int = attribute(
        "Messages whose recipients fetched an attachment, where a transport tells it; none yet.",
        default=0,
        hot=True,
    )
    contact_group_id: str | None = attribute(
        "A contact group whose contacts are recipients.",
        writer=_CUSTOMER, immutable=True, length=64, default=None,
    )  # fmt: skip
    company_id: str = attribute("The company it belongs to.", length=64)
    sender_id: str = attribute("The sender id that `from` names, if any.", hidden=True, default="")
    channel_id: str | None = attribute(
        "The channel that `from` names, if any.", hidden=True, default=None
    )
    connector: str = attribute("The transport it goes out by.", hidden=True, default="")
    segments: int = attribute("Segments of the body.", hidden=True, default=0)
    exempt: Exempt = attribute(
        "What does not hold its messages back.", hidden=True, default=Exempt.NOTHING
    )
    staged_count: int = attribute("Recipients given so far.", hidden=True, default=0, hot=True)
    withdrawn_count: int = attribute(
        "Messages that can no longer leave.", hidden=True, default=0, hot=True
    )
    test_count: int = attribute("Messages of a test.", hidden=True, default=0, hot=True)

    @property
    def open_count(self) -> int:
        """Messages still queued or in flight (semantics 1c, the balance)."""
        closed = self.sent_count + self.withdrawn_count + self.test_count
        return self.recipient_count - closed


@resource(
    "Message",
    key="seq",
    unique=[("id",)],
    indexes=[
        Index(("company_id",), alike=(200_000,)),
        Index(("company_id", "created_date"), alike=(200_000, 1_000)),
        Index(("message_request_id",), alike=(100_000,)),
        Index(("to_address", "message_request_id"), alike=(10, 1)),
        Index(("created_date",), only=("direction", Direction.MO.value)),
        Index(("transport_id",), only=("state", MessageState.SENT.value)),
        Index(("state",), only=("state", MessageState.FAILED.value)),
        Index(("state",), only=("state", MessageState.EXPIRED.value)),
        Index(("state",), only=("state", MessageState.CANCELED.value)),
        Index(("state",), only=("state", MessageState.DELETED.value)),
    ],
    tally="company_id",
)
class Message(_Resource):
    """One message to or from one address."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    message_request_id: str | None = attribute(
        "The request it was made for; none for a message received.",
        length=64, filterable=True, default=None,
    )  # fmt: skip
    external_transaction_ids: str | None = attribute(
        "The transport's ids, one a fragment, separated by commas.",
        filterable=True, hot=True, default=None,
    )  # fmt: skip
    external_message_request_id: str | None = attribute(
        "The application's own tracking id, from the request.",
        length=128, filterable=True, default=None,
    )  # fmt: skip
    conversation_id: str | None = attribute(
        "The conversation it belongs to.", length=128, filterable=True, default=None
    )
    campaign_id: str | None = attribute(
        "The customer's campaign.", length=128, filterable=True, default=None
    )
    direction: Direction = attribute("MT to a handset, MO from one.", filterable=True)
    customer_sender_id: str | None = attribute(
        "The sender id it goes out from or came in at.", length=64, filterable=True, default=None
    )
    from_address: str | None = attribute(
        "The sender's address.", length=128, filterable=True, address=True, default=None
    )
    to_address: str | None = attribute(
        "The recipient's address.", length=128, filterable=True, address=True, default=None
    )
    state: MessageState = attribute("Where it stands.", filterable=True, hot=True)
    failure_code: FailureCode | None = attribute(
        "Why it failed, as a word.", filterable=True, hot=True, default=None
    )
    failure_details: str | None = attribute(
        "Why it failed: a numeric code and a sentence.", hot=True, default=None
    )
    subject: str | None = attribute("Its subject.", length=255, filterable=True, default=None)
    body: str | None = attribute("The text as sent.", filterable=True, default=None)
    sent_date: Instant | None = attribute(
        "When the transport took it.", filterable=True, hot=True, default=None
    )
    delivered_date: Instant | None = attribute(
        "When it reached the handset.", filterable=True, hot=True, default=None
    )
    converted_date: Instant | None = attribute(
        "When the recipient acted upon it.",
        writer=_CUSTOMER, filterable=True, hot=True, default=None,
    )  # fmt: skip
    conversion_info_source: str | None = attribute(
        "Where the conversion is known from; SCG/URL is the link tracker.",
        writer=_CUSTOMER, length=128, hot=True, default=None,
    )  # fmt: skip
    reply_to: str | None = attribute(
        "The message this one answers.", length=64, filterable=True, default=None
    )
    attachments: tuple[str, ...] = attribute("Ids of its attachments.", default=())
    scheduled_delivery_time: Instant | None = attribute(
        "When it is to leave.", filterable=True, hot=True, default=None
    )
    expiry_time: Instant | None = attribute(
        "After this instant it does not leave.", filterable=True, default=None
    )
    type: str = attribute("SMS, MMS, EMAIL, PSH, ...", length=64, filterable=True, default="SMS")
    message_delivery_provider: str | None = attribute(
        "The push provider: APN, GCM.", length=64, filterable=True, default=None
    )
    contact_id: str | None = attribute(
        "The contact it was sent to.",
        aliases=("contact-id",), length=64, filterable=True, default=None,
    )  # fmt: skip
    price: Micros | None = attribute("What it cost.", filterable=True, hot=True, default=None)
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When its request was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True, hot=True)
    version_number: int = attribute(
        "1 at creation, one more after each change.", hot=True, default=1
    )
    language: str | None = attribute(
        "The language it was translated to.", length=64, hot=True, default=None
    )
    failed_translation: str | None = attribute(
        "Why it could not be translated.", aliases=("failedTranslation",), hot=True, default=None
    )
    destination_country: str | None = attribute(
        "The country of its recipient's number, ISO 3166-1 alpha-3.", length=64, default=None
    )
    fragments_info: JsonList | None = attribute(
        "The parts that the transport took one by one: objects with `fragment_id`, "
        "`fragment_state` and `external_id`.",
        derived=True, default=None,
    )  # fmt: skip
    company_id: str = attribute("The company it belongs to.", length=64)
    seq: int = attribute("Its number in this storage.", hidden=True)
    lane: int | None = attribute("The lane it was queued in.", hidden=True, default=None)
    segments: int = attribute("Segments of its text.", hidden=True, default=1)
    transport_id: str | None = attribute(
        "The transport's id, normalised, with its connector.", hidden=True, hot=True, default=None
    )
    milestones: int = attribute("Facts recorded, as bits.", hidden=True, hot=True, default=0)
    read_date: Instant | None = attribute("When it was read.", hidden=True, hot=True, default=None)
    tried: str | None = attribute(
        "Sender ids of the channel that could not send it, separated by commas.",
        hidden=True, hot=True, default=None,
    )  # fmt: skip


class WorkKind(StrEnum):
    """The due work of messaging; the key is a request's id, if nothing else is said."""

    PREPARE = "prepare"  # fan recipients out
    RESUME = "resume"  # let held messages go
    SWEEP = "sweep"  # withdraw what a cancel left queued
    EXPIRE = "expire"  # withdraw what is still queued at the expiry time
    PAUSE_EXPIRY = "pause_expiry"  # the same, for a pause that nobody ended
    FORGET = "forget"  # drop what found repeated recipients
    TRANSLATE = "translate"  # put a request's words into another language; request and language
    REASSEMBLE = "reassemble"  # take in a message whose other parts did not come; the whole


@frozen
class LaneKey:
    """What the messages of one queue have in common: all limits and choices are per lane."""

    connector: str
    sender_id: str
    country: str
    company_id: str
    priority: int = Priority.NORMAL.value


@frozen
class Lane:
    """A queue; while ``wait_until`` is ahead nothing in it is touched."""

    id: int
    key: LaneKey
    wait_until: Instant
    reason: str | None = None

    def waited_for(self, since: Instant) -> str | None:
        """What it has been waiting for, if it has had to wait since then."""
        return self.reason if self.wait_until >= since else None


@frozen
class Run:
    """Contiguous message numbers of one request, one lane and one due instant.

    ``held`` runs wait for their request. A ``leased`` run is in flight: its ``due`` is the end of
    the lease, after which the outcome of its messages is unknown; a ``pending`` one is no longer in
    a worker's hands, the transport is to answer by itself. ``fence`` rises with each lease,
    ``attempt`` counts the times it was handed over. An ``id`` is never used twice.
    """

    lane: int
    request_id: str
    first: int
    last: int
    due: Instant
    held: bool = False
    leased: bool = False
    pending: bool = False
    attempt: int = 0
    fence: int = 0
    id: int = 0

    @property
    def size(self) -> int:
        """How many message numbers it spans."""
        return self.last - self.first + 1


@frozen
class Claim:
    """What one worker took from one lane: its runs, and the lease it holds on them.

    ``lapsed`` are those of its runs that were in flight before and whose lease ran out: nobody
    knows what became of their messages. Every number in a claimed run is an open message.
    """

    lane: Lane
    runs: tuple[Run, ...]
    lapsed: tuple[Run, ...] = ()

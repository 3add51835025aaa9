"""Sender ids, their classes and types, the channels that group them, and what sending costs."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, JsonText, Micros, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource
from scg_core.senders.lifecycle import ConsentManager, Ownership, SenderState

_CUSTOMER = Writer.CUSTOMER
_OPERATOR = Writer.OPERATOR

ANYWHERE: Final = "OTHER"
"""Among a class's countries: every country that no class lists."""


class Priority(IntEnum):
    """Order among the lanes of one connector; a smaller number goes first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


class ChannelPriority(StrEnum):
    """The same, as a channel names it; read in any case."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @classmethod
    def _missing_(cls, value: object) -> ChannelPriority | None:
        known = str(value).strip().lower()
        return cls(known) if known != value and known in list(cls) else None


class WindowPolicy(StrEnum):
    """What becomes of a message outside its delivery window."""

    DEFER = "DEFER"  # it waits for the next opening
    REJECT = "REJECT"  # it fails with 40023


@resource("Sender ID Class", indexes=[Index(("name",))])
class SenderIdClass(_Resource):
    """What kind of messages a sender id sends, how fast and at which hours."""

    id: str = attribute(
        "Its name for programs, such as COMMERCIAL.",
        writer=_OPERATOR, immutable=True, required=True, length=64, filterable=True,
    )  # fmt: skip
    name: str | None = attribute(
        "Its name for people.", writer=_OPERATOR, length=128, filterable=True, default=None
    )
    description: str | None = attribute("What it is for.", writer=_OPERATOR, default=None)
    designation: str | None = attribute(
        "Its purpose: commercial, alerts, notifications.",
        writer=_OPERATOR, length=128, filterable=True, default=None,
    )  # fmt: skip
    applicable_countries: tuple[str, ...] = attribute(
        "The countries it applies to, ISO 3166 alpha-3; OTHER: every country that no class lists.",
        writer=_OPERATOR, filterable=True, default=(ANYWHERE,),
    )  # fmt: skip
    country_peak_throughput: float | None = attribute(
        "Segments a second that one customer may send to a country; none or 0: any number.",
        writer=_OPERATOR, filterable=True, default=None,
    )  # fmt: skip
    country_peak_total_throughput: float | None = attribute(
        "Segments a second that all customers of the address together may send to a country.",
        writer=_OPERATOR, filterable=True, default=None,
    )  # fmt: skip
    country_daily_throughput: float | None = attribute(
        "Segments a day that one customer may send to a country.",
        writer=_OPERATOR, filterable=True, default=None,
    )  # fmt: skip
    delivery_window: JsonText | None = attribute(
        "When messages may arrive, in the recipient's own time, by country and day of the week.",
        writer=_OPERATOR, default=None,
    )  # fmt: skip
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    burst: int = attribute(
        "Segments that may leave at once after a pause; the specification's rates allow one.",
        writer=_OPERATOR, default=1,
    )  # fmt: skip
    window_policy: WindowPolicy = attribute(
        "What becomes of a message outside the window.",
        writer=_OPERATOR, default=WindowPolicy.DEFER,
    )  # fmt: skip
    day_zone: str = attribute(
        "The time zone whose midnight begins the day of the daily number.",
        writer=_OPERATOR, length=64, default="UTC",
    )  # fmt: skip


@resource("Sender ID Type")
class SenderIdType(_Resource):
    """What a sender id of this type can carry, and which gateway delivers it."""

    id: str = attribute(
        "Its name for programs, such as SHORTCODE.",
        writer=_OPERATOR, immutable=True, required=True, length=64, filterable=True,
    )  # fmt: skip
    name: str | None = attribute(
        "Its name for people.", writer=_OPERATOR, length=128, filterable=True, default=None
    )
    description: str | None = attribute("What it is for.", writer=_OPERATOR, default=None)
    capabilities: tuple[str, ...] = attribute(
        "What its sender ids can carry: SMS, MMS, EMAIL, PUSH, VOICE, ...",
        writer=_OPERATOR, filterable=True, default=("SMS",),
    )  # fmt: skip
    allowed_mime_types: tuple[str, ...] = attribute(
        "The content types it takes; if empty, all that are not blocked.",
        writer=_OPERATOR, filterable=True, default=(),
    )  # fmt: skip
    blocked_mime_types: tuple[str, ...] = attribute(
        "The content types it refuses.", writer=_OPERATOR, filterable=True, default=()
    )
    gateway_id: str | None = attribute(
        "The transport that delivers for it; without one, the engine's only transport.",
        writer=_OPERATOR, length=64, filterable=True, default=None,
    )  # fmt: skip
    credential_parameter_list: tuple[str, ...] = attribute(
        "For each delivery provider, the parameters that a sender id's credentials need, separated "
        "by commas.",
        writer=_OPERATOR, filterable=True, default=(),
    )  # fmt: skip
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute(
        "1 at creation, one more after each change.", filterable=True, default=1
    )
    two_way: bool = attribute(
        "Whether its sender ids can be answered.", writer=_OPERATOR, default=True
    )
    needs_provisioning: bool = attribute(
        "Whether carriers have to set a new sender id up before it can be used.",
        writer=_OPERATOR, default=False,
    )  # fmt: skip


@resource(
    "Sender ID",
    indexes=[Index(("company_id", "address")), Index(("parent_id",)), Index(("address",))],
)
class SenderId(_Resource):
    """A short code, long code or other address, provisioned for one company."""

    id: str = attribute("Unique id of the sender address.", length=64, filterable=True)
    parent_id: str | None = attribute(
        "The operator's sender id that this one is a company's copy of.",
        writer=_CUSTOMER, immutable=True, length=64, filterable=True, blank=True, default=None,
    )  # fmt: skip
    name: str | None = attribute(
        "A name for people.", writer=_CUSTOMER, length=128, filterable=True, default=None
    )
    ownership: Ownership = attribute(
        "Who may use it: PRIVATE to one company, SHARED, PREPROVISIONED or PURCHASED.",
        writer=_OPERATOR, filterable=True, default=Ownership.PRIVATE,
    )  # fmt: skip
    class_id: str | None = attribute(
        "The sender class: throughput and delivery window.",
        writer=_CUSTOMER, length=64, filterable=True, default=None,
    )  # fmt: skip
    type_id: str | None = attribute(
        "The sender type: what it can carry and which gateway delivers it; without one the "
        "engine's only transport is used.",
        writer=_CUSTOMER, length=64, filterable=True, default=None,
    )  # fmt: skip
    state: SenderState = attribute(
        "How far it is provisioned; messages leave only while it is ACTIVE.",
        writer=_OPERATOR, filterable=True, default=SenderState.ACTIVE,
    )  # fmt: skip
    address: str = attribute(
        "The address itself: a short code, a number, a mailbox, an app's name.",
        writer=_CUSTOMER, required=True, immutable=True, length=128, address=True, filterable=True,
    )  # fmt: skip
    content_type: str | None = attribute(
        "Content for the gateway, specific to the type.", writer=_CUSTOMER, default=None
    )
    message_templates: tuple[str, ...] = attribute(
        "Ids of the templates that apply to it.", writer=_CUSTOMER, default=()
    )
    country: str | None = attribute(
        "The country it sends in, ISO 3166 alpha-3.",
        writer=_OPERATOR, length=3, filterable=True, default=None,
    )  # fmt: skip
    operators: tuple[str, ...] = attribute(
        "The carriers that have provisioned it.",
        writer=_OPERATOR, filterable=True, joined=True, default=(),
    )  # fmt: skip
    credentials: JsonText | None = attribute(
        "What the gateway needs to use it: an array of objects, one for each delivery provider; "
        "masked when read.",
        writer=_CUSTOMER, default=None, masked=True,
    )  # fmt: skip
    two_way_required: str | None = attribute(
        "YES: replies must be possible.",
        writer=_CUSTOMER, length=64, filterable=True, default=None,
    )  # fmt: skip
    keep_sender_address: str | None = attribute(
        "YES: no other sender may take its place.",
        writer=_CUSTOMER, length=64, filterable=True, default=None,
    )  # fmt: skip
    dr_required: str | None = attribute(
        "YES: delivery receipts are asked for.",
        writer=_CUSTOMER, length=64, filterable=True, default=None,
    )  # fmt: skip
    consent_managed_by: ConsentManager = attribute(
        "Who keeps consent: USER (the customer) or SCG (the engine).",
        writer=_CUSTOMER, filterable=True, default=ConsentManager.USER,
    )  # fmt: skip
    capabilities: tuple[str, ...] = attribute(
        "What it can carry: SMS, MMS, EMAIL, ...",
        writer=_CUSTOMER, filterable=True, default=("SMS",),
    )  # fmt: skip
    check_white_list: bool = attribute(
        "Whether it may write only to people on the white list.",
        also=("check_whitelist",), writer=_CUSTOMER, filterable=True, default=False,
    )  # fmt: skip
    application_id: int | None = attribute(
        "The application that made it.", filterable=True, default=None
    )
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    billing: str | None = attribute("Billing information.", writer=_OPERATOR, default=None)
    extended_attributes: JsonText | None = attribute(
        "Any further attributes, as a JSON object.", writer=_CUSTOMER, default=None
    )
    company_id: str = attribute(
        "The company that may use it.", writer=_OPERATOR, length=64, filterable=True
    )
    retired: bool = attribute("Whether the carriers have let go of it.", hidden=True, default=False)

    @property
    def root_id(self) -> str:
        """The operator's own sender id that this is a copy of, or itself."""
        return self.parent_id or self.id


class ChannelOwnership(StrEnum):
    """Who may send through a channel: one company, or everybody."""

    PRIVATE = "PRIVATE"
    SHARED = "SHARED"
    PUBLIC = "PUBLIC"


@resource(
    "Channel", unique=[("company_id", "name")], indexes=[Index(("company_id", "created_date"))]
)
class Channel(_Resource):
    """A group of sender ids to send from: more throughput, or several media."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    name: str = attribute(
        "Its name, unique within the company.",
        writer=_CUSTOMER, required=True, length=128, filterable=True,
    )  # fmt: skip
    priority: ChannelPriority = attribute(
        "Whose messages go first at a target system: high, normal, low.",
        writer=_CUSTOMER, filterable=True, default=ChannelPriority.NORMAL,
    )  # fmt: skip
    description: str | None = attribute(
        "What it is for.", writer=_CUSTOMER, length=255, filterable=True, default=None
    )
    ownership: ChannelOwnership = attribute(
        "PRIVATE to one company; SHARED and PUBLIC ones are made by the operator for all.",
        writer=_CUSTOMER, filterable=True, default=ChannelOwnership.PRIVATE,
    )  # fmt: skip
    application_id: int | None = attribute(
        "The application that made it.", filterable=True, default=None
    )
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)


@resource("Channel Member", unique=[("channel_id", "sender_id")], indexes=[Index(("sender_id",))])
class ChannelMember(_Resource):
    """That a sender id belongs to a channel."""

    id: str = attribute("Unique identifier.", hidden=True)
    channel_id: str = attribute("The channel.", hidden=True)
    sender_id: str = attribute("The sender id.", hidden=True)
    served: int = attribute("When it was last chosen, as a running number.", hidden=True, default=0)


@resource("Limit State")
class LimitState(_Resource):
    """What a throughput limit remembers."""

    id: str = attribute("Whom and what it limits.", hidden=True)
    arrival: int = attribute("When the next unit would arrive at the rate.", hidden=True)
    day: int = attribute("The day that is counted.", hidden=True)
    used: int = attribute("Units used on that day.", hidden=True)


@resource("Tariff", indexes=[Index(("country", "company_id"))])
class Tariff(_Resource):
    """What one segment costs; what it leaves open is any. The most specific tariff counts."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    company_id: str | None = attribute(
        "For one company.", writer=_OPERATOR, length=64, filterable=True, default=None
    )
    sender_id: str | None = attribute(
        "From one root sender id.", writer=_OPERATOR, length=64, filterable=True, default=None
    )
    country: str | None = attribute(
        "To one country.", writer=_OPERATOR, filterable=True, default=None
    )
    kind: str | None = attribute(
        "For one kind of message: SMS, ...",
        writer=_OPERATOR,
        length=64,
        filterable=True,
        default=None,
    )
    price: Micros = attribute("What a segment costs.", writer=_OPERATOR, required=True)
    created_date: Instant = attribute("When it was made.")

"""The sender id: an address that messages are sent from and received at."""

from __future__ import annotations

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource
from scg_core.senders.lifecycle import ConsentManager, Ownership, SenderState

_CUSTOMER = Writer.CUSTOMER
_OPERATOR = Writer.OPERATOR


@resource("Sender ID", indexes=[Index(("company_id", "address"))])
class SenderId(_Resource):
    """A short code, long code or other address, provisioned for one company."""

    id: str = attribute("Unique id of the sender address.", length=64, filterable=True)
    parent_id: str | None = attribute(
        "The operator's sender id that this one is a company's copy of.",
        writer=_CUSTOMER, immutable=True, length=64, filterable=True, default=None,
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
        writer=_CUSTOMER, required=True, immutable=True, length=128, address=True,
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
    credentials: str | None = attribute(
        "What the gateway needs to use it, as JSON; never shown in full.",
        writer=_CUSTOMER, default=None,
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
    company_id: str = attribute("The company that may use it.", writer=_OPERATOR, length=64)

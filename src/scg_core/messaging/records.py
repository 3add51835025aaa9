"""What messaging notes for itself: nothing here is shown to anybody.

Rows that carry a request to its messages and back: recipients given, keys used, what came too
early, in parts or twice, whom a channel last sent from.
"""

from __future__ import annotations

from enum import StrEnum

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, attribute, resource
from scg_core.kernel.resource import Resource as _Resource


@resource("Sticky Choice", indexes=[Index(("chosen_date",))])
class StickyChoice(_Resource):
    """Which sender id of a channel a recipient last heard from."""

    id: str = attribute("Channel and address.", hidden=True)
    sender_id: str = attribute("The sender id.", hidden=True)
    chosen_date: Instant = attribute("When it was last chosen.", hidden=True)


@resource("Recipient Page", indexes=[Index(("request_id", "start"))])
class RecipientPage(_Resource):
    """Recipients of a request as given, one row a page, consumed by fan-out in order."""

    id: str = attribute("Request id and start.", hidden=True)
    request_id: str = attribute("The request.", hidden=True)
    company_id: str = attribute("The company.", hidden=True)
    start: int = attribute("The position of its first recipient.", hidden=True)
    count: int = attribute("How many recipients it holds.", hidden=True)
    recipients: tuple[str, ...] = attribute("The recipients.", hidden=True)


@resource(
    "Idempotency Key",
    unique=[("company_id", "application_id", "value")],
    indexes=[Index(("created_date",))],
)
class IdempotencyKey(_Resource):
    """That a creation was done, so that a repeat answers with the same request."""

    id: str = attribute("Unique identifier.", hidden=True)
    company_id: str = attribute("The company.", hidden=True)
    application_id: int = attribute("The application.", hidden=True)
    value: str = attribute("The key as given.", hidden=True, length=255)
    digest: str = attribute("A digest of what was asked.", hidden=True)
    request_id: str = attribute("The request that was made.", hidden=True)
    created_date: Instant = attribute("When.", hidden=True)


@resource("Parked Receipt", indexes=[Index(("transport_id",)), Index(("arrived_date",))])
class ParkedReceipt(_Resource):
    """A receipt that came before the transport's answer; it waits 72 hours for its message."""

    id: str = attribute("Unique identifier.", hidden=True)
    transport_id: str = attribute("Connector and normalised id.", hidden=True)
    kind: str = attribute("What the receipt says.", hidden=True)
    at: Instant = attribute("When the network says it happened.", hidden=True)
    code: str | None = attribute("The network's error code.", hidden=True, default=None)
    arrived_date: Instant = attribute("When it came.", hidden=True)


@resource("Parked Answer", indexes=[Index(("message_id",)), Index(("arrived_date",))])
class ParkedAnswer(_Resource):
    """A transport's later answer that overtook its PENDING; it waits for the worker to say so."""

    id: str = attribute("Unique identifier.", hidden=True)
    message_id: str = attribute("The message whose attempt it answers.", hidden=True)
    outcome: str = attribute("What the transport said.", hidden=True)
    transport_ids: tuple[str, ...] = attribute("Its ids for the message.", hidden=True)
    code: str | None = attribute("Its error code.", hidden=True, default=None)
    details: str | None = attribute("Its reason.", hidden=True, default=None)
    arrived_date: Instant = attribute("When it came.", hidden=True)


class FragmentState(StrEnum):
    """What is known of one fragment of a message."""

    OPEN = "OPEN"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"


@resource("Fragment", indexes=[Index(("transport_id",)), Index(("seq",))])
class Fragment(_Resource):
    """One of several parts of a message that the transport reports on one by one."""

    id: str = attribute("Unique identifier.", hidden=True)
    seq: int = attribute("The message's number.", hidden=True)
    number: int = attribute("Its place in the message, from 1.", hidden=True)
    transport_id: str = attribute("Connector and normalised id.", hidden=True)
    state: FragmentState = attribute("What is known of it.", hidden=True)


@resource("Receipt Log", indexes=[Index(("message_id",)), Index(("arrived_date",))])
class LoggedReceipt(_Resource):
    """A receipt that changed nothing: late, doubled, contradicting or intermediate."""

    id: str = attribute("Unique identifier.", hidden=True)
    company_id: str = attribute("The company.", hidden=True)
    message_id: str = attribute("The message.", hidden=True)
    kind: str = attribute("What the receipt says.", hidden=True)
    at: Instant = attribute("When the network says it happened.", hidden=True)
    arrived_date: Instant = attribute("When it came.", hidden=True)


@resource("Received Id", indexes=[Index(("arrived_date",))])
class ReceivedId(_Resource):
    """That a message came in, so that the transport may bring it again."""

    id: str = attribute("Connector and the transport's id, as a digest.", hidden=True)
    arrived_date: Instant = attribute("When.", hidden=True)


@resource("Inbound Part", indexes=[Index(("whole",))])
class InboundPart(_Resource):
    """A part of a received message whose other parts have not come yet."""

    id: str = attribute("The whole and the number.", hidden=True)
    whole: str = attribute("What it is part of, as a digest.", hidden=True)
    number: int = attribute("Its place, from 1.", hidden=True)
    of: int = attribute("How many there are.", hidden=True)
    connector: str = attribute("The transport that brought it.", hidden=True)
    from_address: str = attribute("The handset.", hidden=True)
    to_address: str = attribute("The sender id's address.", hidden=True)
    kind: str = attribute("The kind of message.", hidden=True)
    body: str = attribute("Its text as JSON: half a character may stand at an end.", hidden=True)
    at: Instant = attribute("When the network took it.", hidden=True)


@resource("Tracked Link", indexes=[Index(("seq",))])
class TrackedLink(_Resource):
    """One link of one message that is followed through the engine; the id is the token in it."""

    id: str = attribute("The token: chance, so that nobody can guess another one.", hidden=True)
    seq: int = attribute("The message's number.", hidden=True)
    company_id: str = attribute("The company.", hidden=True)
    url: str = attribute("Where it leads, and nowhere else.", hidden=True)
    label: str | None = attribute(
        "The customer's name for it; with one every click is told of.", hidden=True, default=None
    )
    clicks: int = attribute("How often it was followed.", hidden=True, default=0)
    created_date: Instant = attribute("When it was made.", hidden=True)
    last_updated_date: Instant = attribute("When it was last followed.", hidden=True)


@resource("Translation")
class Translation(_Resource):
    """The words of one request in one other language, or why there are none."""

    id: str = attribute("Request and language.", hidden=True)
    source: str | None = attribute("The masked text that was given.", hidden=True, default=None)
    kept: tuple[str, ...] = attribute("The keywords masked in it.", hidden=True, default=())
    text: str | None = attribute("The masked text.", hidden=True, default=None)
    failure: str | None = attribute("Why it failed.", hidden=True, default=None)
    created_date: Instant = attribute("When.", hidden=True)


@resource("Expansion")
class Expansion(_Resource):
    """Where a request's fan-out stands within a group or criteria."""

    id: str = attribute("The request.", hidden=True)
    position: int = attribute("The recipient that is being expanded.", hidden=True)
    after: str = attribute("The last contact looked at.", hidden=True)
    until: str = attribute("The last contact to look at.", hidden=True)

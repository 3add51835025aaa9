"""What is kept of contacts: who they are, which groups they are in, how their fields are found.

A contact is one row with a column for each attribute; lists are JSON. Twenty fast-access slots are
indexed columns, derived from the rest of the contact by rules or written as they are.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import (
    Day,
    Index,
    JsonObject,
    JsonText,
    Writer,
    attribute,
    resource,
)
from scg_core.kernel.resource import Resource as _Resource

_CUSTOMER = Writer.CUSTOMER
SLOTS: Final = tuple(f"fast_access_{number}" for number in range(1, 21))
"""The names of the fast-access slots."""


class VoicePreference(StrEnum):
    """Whether a contact wants to be called rather than written to."""

    NONE = "NONE"
    PREFER_VOICE = "PREFER_VOICE"
    REQUIRE_VOICE = "REQUIRE_VOICE"


def _text(doc: str, *, length: int = 255, filterable: bool = True, **more: Any) -> Any:
    return attribute(
        doc, writer=_CUSTOMER, length=length, filterable=filterable, default=None, **more
    )


def _list(doc: str, *, name: str | None = None) -> Any:
    also = () if name is None else (name,)
    return attribute(doc, writer=_CUSTOMER, aliases=also, also=also, default=None)


def _slot(number: int) -> Any:
    return attribute(
        f"The value of fast-access slot {number}; read-only where a rule derives it.",
        writer=_CUSTOMER, length=255, filterable=True, default=None,
    )  # fmt: skip


def _slot_indexes() -> list[Index]:
    return [
        Index(("company_id", slot, "id"), only=(slot, None), alike=(1_000_000, 50_000, 1))
        for slot in SLOTS
    ]


@resource(
    "Contact",
    unique=[("company_id", "external_id"), ("company_id", "mdn_key")],
    indexes=[Index(("company_id", "id"), alike=(1_000_000, 1)), *_slot_indexes()],
)
class Contact(_Resource):
    """A person or thing that messages go to (semantics 11-14)."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    external_id: str | None = _text("The customer's own id of the contact.", length=128, blank=True)
    first_name: str | None = _text("First name.", length=128)
    last_name: str | None = _text("Last name.", length=128)
    birth_date: Day | None = _text("Day of birth, YYYY-MM-DD.")
    first_acquisition_date: Instant | None = _text("When the contact first opted in.")
    last_acquisition_date: Instant | None = _text(
        "When the contact last sent an opt-in keyword or confirmed a double opt-in."
    )
    primary_mdn: str | None = _text("The primary phone number.", length=128, address=True)
    primary_addr_line1: str | None = _text("Primary address, first line.")
    primary_addr_line2: str | None = _text("Primary address, second line.")
    primary_addr_city: str | None = _text("City of the primary address.")
    primary_addr_zip: str | None = _text("Zip code of the primary address.")
    primary_addr_state: str | None = _text("State of the primary address.")
    primary_email_addr: str | None = _text("Primary mail address.", length=128)
    primary_addr_country: str | None = _text("Country of the primary address.")
    primary_social_handle: str | None = _text("Primary id in social media.", length=128)
    address_list: JsonText | None = _list(
        "All known addresses: a JSON array of objects with `priority` (1 is highest), "
        "`designation`, `use`, `source`, `status` (VALID_NEW, VALID_CONF, INVALID, EXPIRED), "
        "`line1`, `line2`, `city`, `state`, `province`, `zip`, `country`."
    )
    customer_account_list: JsonText | None = _list(
        "All known accounts: a JSON array of objects with `priority`, `designation`, `source`, "
        "`status`, `type`, `username`, `domain`, `access_token` and others.",
        name="account_list",
    )
    customer_device_list: JsonText | None = _list(
        "All known devices: a JSON array of objects with `priority`, `designation`, `source`, "
        "`status`, `msisdn`, `carrier`, `mac_address`, `uuid`, `imei`, `manufacturer`, `model`, "
        "`os` and others.",
        name="device_list",
    )
    interest_list: JsonText | None = _list(
        "All known interests: a JSON array of objects with `code`, `name`, `source`, `score`."
    )
    demographic_list: JsonText | None = _list(
        "All known demographics: a JSON array of objects with `name`, `source`, `score`."
    )
    social_handles: tuple[str, ...] = attribute(
        "All known handles in social networks.", writer=_CUSTOMER, most=100, default=()
    )
    extended_attributes: JsonText | None = _list("Any further attributes, as a JSON object.")
    fast_access: JsonObject | None = attribute(
        "The fast-access values that have friendly names, by these.", default=None
    )
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    preferred_language: str | None = _text(
        "Messages are translated into it where a request asks for translation.", length=64
    )
    voice_preference: VoicePreference = attribute(
        "Whether the contact wants to be called.",
        writer=_CUSTOMER, filterable=True, default=VoicePreference.NONE,
    )  # fmt: skip
    fast_access_1: str | None = _slot(1)
    fast_access_2: str | None = _slot(2)
    fast_access_3: str | None = _slot(3)
    fast_access_4: str | None = _slot(4)
    fast_access_5: str | None = _slot(5)
    fast_access_6: str | None = _slot(6)
    fast_access_7: str | None = _slot(7)
    fast_access_8: str | None = _slot(8)
    fast_access_9: str | None = _slot(9)
    fast_access_10: str | None = _slot(10)
    fast_access_11: str | None = _slot(11)
    fast_access_12: str | None = _slot(12)
    fast_access_13: str | None = _slot(13)
    fast_access_14: str | None = _slot(14)
    fast_access_15: str | None = _slot(15)
    fast_access_16: str | None = _slot(16)
    fast_access_17: str | None = _slot(17)
    fast_access_18: str | None = _slot(18)
    fast_access_19: str | None = _slot(19)
    fast_access_20: str | None = _slot(20)
    stored_keywords: tuple[str, ...] = attribute(
        "Keywords the contact sent that are kept in its profile, newest last.", default=()
    )
    company_id: str = attribute("The company it belongs to.", length=64)
    mdn_key: str | None = attribute(
        "The digits of the primary number, which no two contacts share.", hidden=True, default=None
    )


class GroupType(StrEnum):
    """How a group knows its members."""

    DYNAMIC = "DYNAMIC"  # whoever meets its criteria when it is asked
    STATIC = "STATIC"  # a list, kept by hand or taken once from criteria


class GroupStatus(StrEnum):
    """Whether a group may be used."""

    PROCESSING = "Processing"
    READY = "Ready"


@resource(
    "Contact Group",
    unique=[("company_id", "name"), ("company_id", "external_id")],
    indexes=[Index(("company_id", "created_date"))],
)
class ContactGroup(_Resource):
    """Contacts that are written to together (semantics 10)."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    external_id: str | None = _text("The customer's own id of the group.", length=128, blank=True)
    name: str = attribute(
        "Its name, unique in the company.",
        writer=_CUSTOMER, required=True, length=128, filterable=True,
    )  # fmt: skip
    description: str | None = attribute("A description.", writer=_CUSTOMER, default=None)
    type: GroupType = attribute(
        "STATIC or DYNAMIC.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=GroupType.STATIC,
    )  # fmt: skip
    criteria: JsonText | None = attribute(
        "Which contacts are meant, as a JSON expression.",
        writer=_CUSTOMER, error_code=1017, default=None,
    )  # fmt: skip
    status: GroupStatus = attribute(
        "Processing while members are being found.", filterable=True, default=GroupStatus.READY
    )
    member_count: int = attribute(
        "Members; of a DYNAMIC group as last counted, when it is read by itself at that moment.",
        default=0,
    )
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)


@resource("Group Member", indexes=[Index(("contact_id",), alike=(2,))])
class GroupMember(_Resource):
    """That a contact is in a STATIC group."""

    id: str = attribute("Group, a slash, contact: members of a group lie together.", hidden=True)
    contact_id: str = attribute("The contact.", hidden=True)


def member_id(group_id: str, contact_id: str = "") -> str:
    """The id of a membership, or how those of one group begin."""
    return f"{group_id}/{contact_id}"


class RuleStatus(StrEnum):
    """Whether contacts carry what a rule says."""

    PROCESSING = "Processing"
    READY = "Ready"


@resource(
    "Fast Access Rule",
    unique=[("company_id", "target_attribute"), ("company_id", "target_attribute_name")],
)
class FastAccessRule(_Resource):
    """How a fast-access slot of a company's contacts is named and filled (semantics 11-14)."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    target_attribute: str = attribute(
        "The slot: fast_access_1 to fast_access_20.",
        writer=_CUSTOMER, required=True, length=64, filterable=True,
    )  # fmt: skip
    target_attribute_name: str | None = _text(
        "Its friendly name, under which it appears in `fast_access`.", length=64
    )
    value_derivation_script: str | None = attribute(
        "A JSONPath into the contact; without one the slot is written by hand.",
        writer=_CUSTOMER, length=1_024, default=None,
    )  # fmt: skip
    user_data: str | None = attribute(
        "Whatever the customer keeps with it.", writer=_CUSTOMER, length=4_096, default=None
    )
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    status: RuleStatus = attribute(
        "Processing while contacts are being derived anew.", default=RuleStatus.READY
    )
    derived_count: int = attribute("Contacts looked at since the rules last changed.", default=0)
    company_id: str = attribute("The company it belongs to.", length=64)


@resource(
    "Contact Application Token",
    unique=[("contact_id", "sender_id_address", "message_delivery_provider", "token")],
)
class ApplicationToken(_Resource):
    """Where push messages reach a contact's application (L1827)."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    sender_id_address: str = attribute(
        "The address of the sender id of the application.",
        writer=_CUSTOMER, required=True, length=64, filterable=True,
    )  # fmt: skip
    message_delivery_provider: str = attribute(
        "APN or GCM.", writer=_CUSTOMER, required=True, length=64, filterable=True
    )
    token: str = attribute(
        "What the provider knows the application on the device by.",
        writer=_CUSTOMER, required=True, length=4_096, filterable=True,
    )  # fmt: skip
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute(
        "When it last changed.",
        aliases=("last_update_date",), also=("last_update_date",), filterable=True,
    )  # fmt: skip
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    contact_id: str = attribute("The contact.", hidden=True)
    company_id: str = attribute("The company it belongs to.", length=64)


class JobState(StrEnum):
    """How far a job is; a job that cannot start is COMPLETED with nothing done."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"


@resource("Contact Import Job", indexes=[Index(("company_id", "created_date"))])
class ImportJob(_Resource):
    """Reads contacts from a CSV file (semantics 15)."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    contact_group_id: str | None = attribute(
        "The STATIC group that the contacts are put in.",
        writer=_CUSTOMER, immutable=True, length=64, default=None,
    )  # fmt: skip
    import_attachment_id: str = attribute(
        "The file, an UPLOADED attachment.",
        writer=_CUSTOMER, required=True, immutable=True, length=64,
    )  # fmt: skip
    failures_attachment_id: str | None = attribute(
        "The rows that failed, each with its error; none if there are none.", default=None
    )
    state: JobState = attribute("How far it is.", filterable=True)
    imported_count: int = attribute("Rows imported.", default=0)
    failed_count: int = attribute("Rows that failed.", default=0)
    started_date: Instant | None = attribute("When it began.", filterable=True, default=None)
    completed_date: Instant | None = attribute("When it ended.", filterable=True, default=None)
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)
    offset: int = attribute("Bytes of the file done.", hidden=True, default=0)
    header: tuple[str, ...] = attribute("The file's columns.", hidden=True, default=())
    whole: bool = attribute("Whether all rows are done.", hidden=True, default=False)


@resource("Contact Export Job", indexes=[Index(("company_id", "created_date"))])
class ExportJob(_Resource):
    """Writes contacts into a CSV file (semantics 15)."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    contact_group_id: str | None = attribute(
        "The group whose contacts are written; all contacts if none is given.",
        writer=_CUSTOMER, immutable=True, length=64, default=None,
    )  # fmt: skip
    export_attachment_id: str | None = attribute(
        "The file: an attachment given without content, or a new one.",
        writer=_CUSTOMER, immutable=True, length=64, default=None,
    )  # fmt: skip
    state: JobState = attribute("How far it is.", filterable=True)
    exported_count: int = attribute("Contacts written.", default=0)
    started_date: Instant | None = attribute("When it began.", filterable=True, default=None)
    completed_date: Instant | None = attribute("When it ended.", filterable=True, default=None)
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)

"""What is kept of people's consent, and the words they can say to change it.

A status is per company, sender id and address; its id is derived from these, so that a page of
recipients is looked up by key. The history is only ever added to.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from scg_core.consent.lifecycle import ConsentPhase, ConsentStatus, HistorySource
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource

_CUSTOMER = Writer.CUSTOMER
_SPARE: Final = bytes.maketrans(b"-_", b"Zz")


class AddressType(StrEnum):
    """The kind of an address."""

    MDN = "MDN"
    EMAIL = "EMAIL"
    SOCIAL = "SOCIAL"
    PUSH = "PUSH"


ADDRESS_TYPES: Final = {
    "SMS": AddressType.MDN,
    "MMS": AddressType.MDN,
    "VOICE": AddressType.MDN,
    "EMAIL": AddressType.EMAIL,
    "PSH": AddressType.PUSH,
    "FB": AddressType.SOCIAL,
    "WE": AddressType.SOCIAL,
}
"""For each kind of message the type of its addresses."""


KINDS: Final = {
    AddressType.MDN: "SMS",
    AddressType.EMAIL: "EMAIL",
    AddressType.PUSH: "PSH",
    AddressType.SOCIAL: "FB",
}
"""For each type of address the kind of message that the engine itself writes to it."""


def status_id(company: str, sender_id: str, address_type: str, address: str) -> str:
    """The id of the status of one address for one sender id of one company.

    It begins with the company and then the address, so that those of one company, and those of one
    address within it, lie together and need no index of their own.
    """
    return (
        status_prefix(company, address)
        + _digest("\0".join((company, sender_id, address_type, address)), 9)[:10]
    )


def status_prefix(company: str, address: str = "") -> str:
    """How the ids of a company's statuses begin, or those of one address within it."""
    return _of_company(company) + (_digest(address, 6) if address else "")


@lru_cache(maxsize=1024)
def _of_company(company: str) -> str:
    return _digest(company, 3)


def _digest(text: str, size: int) -> str:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
    return urlsafe_b64encode(digest).translate(_SPARE).decode("ascii")


@resource("Contact Address Status")
class AddressStatus(_Resource):
    """What one address wishes to get from one sender id (semantics 7)."""

    id: str = attribute(
        "Unique identifier, derived from company, sender id and address.",
        length=64, filterable=True,
    )  # fmt: skip
    address_type: AddressType = attribute(
        "MDN, EMAIL, SOCIAL or PUSH.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=AddressType.MDN,
    )  # fmt: skip
    address: str = attribute(
        "The address: for SMS and MMS a number.",
        writer=_CUSTOMER, required=True, immutable=True, length=128, filterable=True, address=True,
    )  # fmt: skip
    sender_id: str = attribute(
        "The sender id it is about.",
        writer=_CUSTOMER, required=True, immutable=True, length=64, filterable=True,
    )  # fmt: skip
    consent_status: ConsentStatus = attribute(
        "NONE, OPTIN, OPTOUT, BLACKLIST or WHITELIST.",
        writer=_CUSTOMER, filterable=True, default=ConsentStatus.NONE,
    )  # fmt: skip
    application_id: int | None = attribute(
        "The application that made it.", filterable=True, default=None
    )
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute(
        "1 at creation, one more after each change.", filterable=True, default=1
    )
    company_id: str = attribute("The company it belongs to.", length=64)
    by_person: bool = attribute(
        "Whether the person opted out in a message of their own, and not in again since.",
        hidden=True, default=False,
    )  # fmt: skip
    pending_until: Instant | None = attribute(
        "Until when the answer to a double opt-in is awaited.", hidden=True, default=None
    )
    prompted_date: Instant | None = attribute(
        "When a double opt-in was last asked for.", hidden=True, default=None
    )
    confirmed_date: Instant | None = attribute(
        "When an opt-out was last confirmed.", hidden=True, default=None
    )
    replied_dates: tuple[str, ...] = attribute(
        "When the last automatic replies were made.", hidden=True, default=()
    )

    def phase(self, now: Instant) -> ConsentPhase:
        """Where it stands: a prompt that was not answered in time counts no more."""
        waits = self.pending_until is not None and now < self.pending_until
        if waits and self.consent_status is ConsentStatus.NONE:
            return ConsentPhase.PENDING
        return ConsentPhase(self.consent_status.value)


@resource(
    "Contact Address History",
    indexes=[Index(("company_id", "created_date")), Index(("msisdn",), alike=(10,))],
)
class AddressHistory(_Resource):
    """One keyword that was received, or one change of consent; never changed itself."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    msisdn: str = attribute("The address.", length=128, filterable=True, address=True)
    sender_id: str = attribute("The sender id it is about.", length=64, filterable=True)
    source: HistorySource = attribute(
        "MESSAGE: the person's own; COMPANY: the customer's; CARRIER: a carrier's list.",
        filterable=True,
    )
    status: ConsentStatus = attribute("The consent status after it.", filterable=True)
    timestamp: Instant = attribute("When what caused it was received.", filterable=True)
    message: str | None = attribute(
        "The text of the message that caused it.", filterable=True, default=None
    )
    keyword: str | None = attribute("The keyword in it.", length=256, filterable=True, default=None)
    application_id: int | None = attribute(
        "The application that made it.", filterable=True, default=None
    )
    created_date: Instant = attribute("When it was written.", filterable=True)
    last_updated_date: Instant = attribute("The same: it never changes.", filterable=True)
    version_number: int = attribute("Always 1.", filterable=True, default=1)
    company_id: str = attribute("The company it belongs to.", length=64)


@resource("Suppression", indexes=[Index(("address",))])
class Suppression(_Resource):
    """An address that no company may write to, from one root sender id or from any."""

    id: str = attribute("Derived from root sender id and address.", hidden=True)
    address: str = attribute("The address.", writer=Writer.OPERATOR, address=True, filterable=True)
    sender_id: str | None = attribute(
        "The root sender id; any if none.", filterable=True, default=None
    )
    source: HistorySource = attribute("Who asked for it.", default=HistorySource.CARRIER)
    created_date: Instant = attribute("When it was put on the list.", filterable=True)


class KeywordType(StrEnum):
    """Whose keyword it is."""

    RESERVED = "RESERVED"
    COMPANY = "COMPANY"


class KeywordCase(StrEnum):
    """Whether capital letters count."""

    SENSITIVE = "SENSITIVE"
    INSENSITIVE = "INSENSITIVE"


@resource(
    "Keyword", unique=[("company_id", "name")], indexes=[Index(("company_id", "created_date"))]
)
class Keyword(_Resource):
    """A word that people send to a sender id, and what is done when they do (semantics 8)."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    name: str = attribute(
        "Its name, unique within the company.",
        writer=_CUSTOMER, required=True, length=128, filterable=True,
    )  # fmt: skip
    description: str | None = attribute(
        "What it is for.", writer=_CUSTOMER, length=255, default=None
    )
    value: str = attribute(
        "The word, or a POSIX extended regular expression that the whole message must match.",
        writer=_CUSTOMER, required=True, filterable=True,
    )  # fmt: skip
    case: KeywordCase = attribute(
        "SENSITIVE or INSENSITIVE: whether capital letters count.",
        writer=_CUSTOMER, filterable=True, default=KeywordCase.INSENSITIVE,
    )  # fmt: skip
    sender_id: str | None = attribute(
        "The sender id at which it counts; any of the company if not given.",
        writer=_CUSTOMER, length=64, filterable=True, default=None,
    )  # fmt: skip
    valid_from: Instant | None = attribute(
        "From when on it counts.", writer=_CUSTOMER, filterable=True, default=None
    )
    valid_to: Instant | None = attribute(
        "Until when it counts.", writer=_CUSTOMER, filterable=True, default=None
    )
    associated_info: str | None = attribute(
        "What the customer wants to be told with the event.", writer=_CUSTOMER, default=None
    )
    campaign_id: str | None = attribute(
        "The customer's campaign.", writer=_CUSTOMER, length=128, filterable=True, default=None
    )
    type: KeywordType = attribute(
        "RESERVED: the platform's, for all; COMPANY: the customer's.",
        writer=_CUSTOMER, immutable=True, filterable=True, default=KeywordType.COMPANY,
    )  # fmt: skip
    actions: tuple[str, ...] = attribute(
        "OPTIN, OPTOUT, STORE: what is done when it is received.",
        writer=_CUSTOMER, filterable=True, default=("STORE",),
    )  # fmt: skip
    reply_template: str | None = attribute(
        "The name of the template that is sent in answer.",
        writer=_CUSTOMER, length=128, default=None,
    )  # fmt: skip
    application_id: int | None = attribute(
        "The application that made it.", filterable=True, default=None
    )
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)


@resource("Keyword Stamp")
class KeywordStamp(_Resource):
    """Changes with a company's keywords, so that who compiled them knows when to again."""

    id: str = attribute("The company.", hidden=True)
    stamp: int = attribute("A number that is another one after each change.", hidden=True)
    last_updated_date: Instant = attribute("When it last changed.", hidden=True)


class TextKind(StrEnum):
    """What an automatic text is for."""

    PROMPT = "PROMPT"
    WELCOME = "WELCOME"
    CONFIRMATION = "CONFIRMATION"
    HELP = "HELP"


@resource("Consent Text")
class ConsentText(_Resource):
    """What is sent as prompt, welcome, confirmation or help, for a sender class and language."""

    id: str = attribute("Kind, class and language.", hidden=True)
    kind: TextKind = attribute(
        "What it is for.", writer=Writer.OPERATOR, required=True, filterable=True
    )
    class_id: str | None = attribute(
        "The sender class; any if not given.",
        writer=Writer.OPERATOR,
        length=64,
        filterable=True,
        default=None,
    )
    language: str = attribute(
        "ISO 639.", writer=Writer.OPERATOR, length=64, filterable=True, default="en"
    )
    text: str = attribute("The text; an empty one is not sent.", writer=Writer.OPERATOR, default="")
    created_date: Instant = attribute("When it was made.")

"""An attachment: what is known of a file, whose content lies elsewhere; and access tokens."""

from __future__ import annotations

from enum import StrEnum

from scg_core.attachments.lifecycle import AttachmentPhase, AttachmentState
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource

_CUSTOMER = Writer.CUSTOMER


@resource("Attachment", indexes=[Index(("company_id", "created_date"))])
class Attachment(_Resource):
    """A picture, sound or other file that messages carry."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    name: str | None = attribute(
        "Its name within a message, which must be unique there.",
        writer=_CUSTOMER, length=128, filterable=True, default=None,
    )  # fmt: skip
    type: str | None = attribute(
        "Its MIME type, if known.", writer=_CUSTOMER, length=128, filterable=True, default=None
    )
    size: int | None = attribute("Bytes of its content.", filterable=True, default=None)
    filename: str | None = attribute(
        "The name of the file it was.", writer=_CUSTOMER, length=255, filterable=True, default=None
    )
    state: AttachmentState = attribute("Whether it has content.", filterable=True)
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)
    content_key: str | None = attribute(
        "Where its content lies: its id, a dot, and chance.", hidden=True, default=None
    )
    digest: str | None = attribute("SHA-256 of its content.", hidden=True, default=None)
    sniffed: str | None = attribute(
        "The MIME type that its content begins like.", hidden=True, default=None
    )
    used: bool = attribute("Whether a message carries it.", hidden=True, default=False)

    @property
    def phase(self) -> AttachmentPhase:
        """Where it stands in its lifecycle."""
        if self.used and self.state is AttachmentState.UPLOADED:
            return AttachmentPhase.USED
        return AttachmentPhase(self.state.value)


class TokenScope(StrEnum):
    """What an access token opens."""

    ATTACHMENT = "ATTACHMENT"
    CONTACT = "CONTACT"


@resource(
    "Access Token",
    indexes=[Index(("resource_id",)), Index(("company_id", "created_date"))],
)
class AccessToken(_Resource):
    """Opens one resource to whoever shows its id, until it expires (semantics 11-14)."""

    id: str = attribute(
        "Unique identifier: chance, and the credential itself.", length=64, filterable=True
    )
    resource: TokenScope = attribute(
        "ATTACHMENT or CONTACT.", writer=_CUSTOMER, immutable=True, default=TokenScope.ATTACHMENT
    )
    resource_id: str = attribute(
        "The id of what it opens.", writer=_CUSTOMER, required=True, immutable=True, length=64
    )
    expiry_time: Instant = attribute("From this instant on it opens nothing.", filterable=True)
    application_id: int = attribute("The application that made it.", filterable=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)

"""An attachment: what is known of a file; its content lies elsewhere."""

from __future__ import annotations

from scg_core.attachments.lifecycle import AttachmentState
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

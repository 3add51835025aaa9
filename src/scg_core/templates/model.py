"""The message template: a text with places for values, or a text that messages must agree with."""

from __future__ import annotations

from enum import StrEnum

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource

_CUSTOMER = Writer.CUSTOMER


class Designation(StrEnum):
    """What a template is for."""

    TEMPLATE = "TEMPLATE"  # bodies are made from it
    VALIDATOR = "VALIDATOR"  # bodies must agree with it


@resource(
    "Message Template",
    unique=[("company_id", "name")],
    indexes=[Index(("company_id", "created_date"))],
)
class MessageTemplate(_Resource):
    """A text with places for values: to make bodies from, or to check them against."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    designation: Designation = attribute(
        "TEMPLATE: bodies are made from it. VALIDATOR: bodies sent from the sender ids that it is "
        "attached to must agree with it.",
        writer=_CUSTOMER, required=True, filterable=True,
    )  # fmt: skip
    name: str = attribute(
        "Its name, unique within the company, by which bodies refer to it.",
        writer=_CUSTOMER, required=True, length=128, filterable=True,
    )  # fmt: skip
    pattern: str = attribute(
        "The text, with `${name}` for values.", writer=_CUSTOMER, required=True, filterable=True
    )
    application_id: int | None = attribute(
        "The application that made it.", filterable=True, default=None
    )
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    company_id: str = attribute("The company it belongs to.", length=64)

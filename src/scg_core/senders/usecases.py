"""Adding and finding sender ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scg_core.kernel import codec
from scg_core.kernel.resource import Writer
from scg_core.senders.model import SenderId
from scg_core.senders.rules import country_of
from scg_core.unit import Unit


def add_sender_id(unit: Unit, company: str, given: Mapping[str, object]) -> SenderId:
    """The operator adds a sender id for a company; without a state it is ACTIVE at once.

    Raises:
        InvalidField: a field is unknown, missing, too long or of the wrong type.
        Duplicate: the company has a sender id with this address, type and country.
    """
    codec.read_text("company", company, most=64)
    values = codec.read(SenderId, given, writer=Writer.OPERATOR)
    codec.mandatory(SenderId, values | {"company_id": company}, Writer.OPERATOR)
    values = {name: value for name, value in values.items() if value is not None}
    values["company_id"] = company
    codec.read_text("address", values["address"])
    values["country"] = country_of(values.get("country"))
    sender = SenderId(id=unit.new_id(), created_date=unit.now, last_updated_date=unit.now, **values)
    _refuse_a_second(unit, sender)
    return unit.add(sender)


def _refuse_a_second(unit: Unit, sender: SenderId) -> None:
    same: dict[str, Any] = {
        name: getattr(sender, name) for name in ("company_id", "address", "type_id", "country")
    }
    unit.refuse_duplicate(SenderId, same, named=("address", "type_id", "country"))

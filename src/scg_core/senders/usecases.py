"""Adding and finding sender ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import Writer
from scg_core.senders.lifecycle import SenderState
from scg_core.senders.model import SenderId
from scg_core.senders.rules import Origin, country_of, read_from
from scg_core.unit import Unit


def add_sender_id(unit: Unit, company: str, given: Mapping[str, object]) -> SenderId:
    """The operator adds a sender id for a company; without a state it is ACTIVE at once.

    Raises:
        InvalidField: a field is unknown, missing, too long or of the wrong type.
        Duplicate: the company has a sender id with this address, type and country.
    """
    values = codec.read(SenderId, given, writer=Writer.OPERATOR)
    codec.mandatory(SenderId, values | {"company_id": company}, Writer.OPERATOR)
    values = {name: value for name, value in values.items() if value is not None}
    values["company_id"] = company
    values["country"] = country_of(values.get("country"))
    sender = SenderId(id=unit.new_id(), created_date=unit.now, last_updated_date=unit.now, **values)
    _refuse_a_second(unit, sender)
    return unit.add(sender)


def named_sender(unit: Unit, company: str, text: str) -> SenderId:
    """The sender id that a request's ``from`` names, of this company and able to send.

    Raises:
        InvalidField: it is unknown, ambiguous, a channel, or not ACTIVE.
    """
    origin, value = read_from(text)
    if origin is Origin.CHANNEL:
        raise InvalidField("from", f"no channel has the id {value!r}")
    try:
        found = (
            _by_address(unit, company, value)
            if origin is Origin.ADDRESS
            else unit.get(SenderId, company, value)
        )
    except NotFound:
        raise InvalidField("from", f"no sender id has the id {value!r}") from None
    if found.state is not SenderState.ACTIVE:
        raise InvalidField("from", f"the sender id is {found.state.value}, not ACTIVE")
    return found


def _by_address(unit: Unit, company: str, address: str) -> SenderId:
    where = (eq("company_id", company), eq("address", address))
    found = unit.session.find(Query(SenderId, where, limit=2))
    if len(found) != 1:
        how_many = "several sender ids have" if found else "no sender id has"
        raise InvalidField("from", f"{how_many} the address {address!r}")
    return found[0]


def _refuse_a_second(unit: Unit, sender: SenderId) -> None:
    same: dict[str, Any] = {
        name: getattr(sender, name) for name in ("company_id", "address", "type_id", "country")
    }
    unit.refuse_duplicate(SenderId, same, named=("address", "type_id", "country"))

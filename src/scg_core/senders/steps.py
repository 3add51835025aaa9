"""Finding the sender that a request names."""

from __future__ import annotations

from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.query import Query, eq
from scg_core.senders.lifecycle import SenderState
from scg_core.senders.model import SenderId
from scg_core.senders.rules import Origin, read_from
from scg_core.unit import Unit


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

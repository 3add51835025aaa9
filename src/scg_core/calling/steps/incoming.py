"""Incoming calls: whose they are."""

from __future__ import annotations

from typing import Final

from scg_core.calling.lifecycle import Direction
from scg_core.calling.model import Call
from scg_core.calling.steps.commanding import let_go
from scg_core.calling.steps.dialing import begin
from scg_core.calling.steps.exchange import Exchange
from scg_core.messaging.steps.receiving import mended
from scg_core.ports.voice_transport import Arrived
from scg_core.senders.lifecycle import SenderState
from scg_core.senders.model import SenderId
from scg_core.senders.rules.eligibility import CARRIES
from scg_core.senders.steps.finding import receivers
from scg_core.tenancy.model import OPERATOR
from scg_core.unit import Unit

WITHHELD: Final = "anonymous"
"""Who calls, if the caller does not say."""

_LONGEST: Final = 128


def take_call(unit: Unit, connector: str, event: Arrived, exchange: Exchange) -> Call | None:
    """A phone calls one of our addresses: it rings for the company whose sender id it is.

    A call to an address that nobody has, that carries no VOICE, or that several companies share is
    declined, since nobody is there to answer it.
    """
    owners = {one.company_id: one for one in receivers(unit, event.to_address) if _takes(one)}
    if len(owners) != 1:
        let_go(unit, connector, event.leg)
        return None
    [sender] = owners.values()
    caller = _caller(event.from_address, sender, exchange)
    return begin(
        unit, exchange, id=unit.new_id(), leg=event.leg, connector=connector,
        direction=Direction.IN, from_=caller, from_address=caller,
        to=sender.address, to_address=sender.address, sender_id=sender.id,
        company_id=sender.company_id, application_id=sender.application_id,
        answer_timeout=exchange.settings.answer_timeout,
    )  # fmt: skip


def _caller(address: str, sender: SenderId, exchange: Exchange) -> str:
    """Who calls, as a number if it is one."""
    text = mended(address.strip()[:_LONGEST])
    if not text:
        return WITHHELD
    place = exchange.places.locate([text], sender.country)[0]
    return text if place is None else place.address


def _takes(sender: SenderId) -> bool:
    return (
        sender.state is SenderState.ACTIVE
        and sender.company_id != OPERATOR
        and not CARRIES["VOICE"].isdisjoint(sender.capabilities)
    )

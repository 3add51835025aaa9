"""The end of a sender id: it goes once nothing waits for it and the carriers have let go of it."""

from __future__ import annotations

from typing import Final

from scg_core.kernel.instant import HOUR, SECOND, Instant, later
from scg_core.kernel.query import Query, eq
from scg_core.senders.lifecycle import PARENT, CopyState, SenderState
from scg_core.senders.model import ChannelMember, SenderId
from scg_core.senders.steps.finding import type_of
from scg_core.unit import Unit

RETIRE: Final = "retire"
"""The kind of due work; the key is the sender id's id."""

_SOON: Final = 5 * SECOND
_SELDOM: Final = HOUR


def retire(unit: Unit, sender: SenderId) -> bool:
    """Remove a sender id that is PENDING_DELETE, now or as due work; whether it is gone.

    A PURCHASED parent is PREPROVISIONED again once its copy is gone.
    """
    if sender.state is not SenderState.PENDING_DELETE:
        return False
    kind = type_of(unit, sender.type_id)
    if kind is not None and kind.needs_provisioning and not sender.retired:
        return False
    if unit.session.queued(sender.root_id, sender.company_id):
        unit.later(RETIRE, sender.id, later(unit.now, _pause(sender, unit.now)))
        return False
    for member in unit.session.find(Query(ChannelMember, [eq("sender_id", sender.id)])):
        unit.session.remove(member)
    unit.session.remove(sender)
    _return(unit, sender)
    return True


def _pause(sender: SenderId, now: Instant) -> int:
    """When to look again: the longer it has been waited, the less often."""
    return min(max((now - sender.last_updated_date) // 10, _SOON), _SELDOM)


def _return(unit: Unit, copy: SenderId) -> None:
    parent = None if copy.parent_id is None else unit.session.get(SenderId, copy.parent_id)
    if parent is None:
        return
    to = PARENT.follow(CopyState.REMOVED, parent.ownership)
    if to is not parent.ownership:
        unit.save(parent, ownership=to)

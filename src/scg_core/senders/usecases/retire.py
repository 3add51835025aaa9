"""Removing a sender id once nothing waits for it, as due work."""

from __future__ import annotations

from scg_core.ports.storage import Work
from scg_core.senders.model import SenderId
from scg_core.senders.steps.retiring import retire
from scg_core.unit import Unit


def retire_when_idle(unit: Unit, work: Work) -> None:
    """Due work: look again whether the last queued message is gone."""
    unit.session.complete(work)
    sender = unit.session.get(SenderId, work.key)
    if sender is not None:
        retire(unit, sender)

"""Asking for a double opt-in: due work that consent files and messaging does."""

from __future__ import annotations

from scg_core.consent.lifecycle import ConsentPhase
from scg_core.consent.model import KINDS, AddressStatus, TextKind
from scg_core.consent.steps.texts import text_for
from scg_core.messaging.model import Exempt
from scg_core.messaging.steps.replying import plain, send_text
from scg_core.messaging.steps.sources import Sources
from scg_core.ports.storage import Work
from scg_core.senders.model import SenderId
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def send_prompt(unit: Unit, work: Work, sources: Sources) -> None:
    """Ask the person behind a status whether they want messages, if that is still awaited."""
    unit.session.complete(work)
    status = unit.session.get(AddressStatus, work.key)
    if status is None or status.phase(unit.now) is not ConsentPhase.PENDING:
        return
    sender = unit.session.get(SenderId, status.sender_id)
    if sender is None:
        return
    text = text_for(unit, TextKind.PROMPT, sender.class_id, "en")
    if not text:
        return
    caller = Caller(status.company_id, status.application_id or 1)
    to = (KINDS[status.address_type], status.address)
    send_text(unit, sources, caller, sender, to, plain(text), Exempt.CONSENT)

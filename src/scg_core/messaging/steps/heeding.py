"""What a received message does to consent, and the line it leaves in the history."""

from __future__ import annotations

from typing import Any, Final

from scg_core.consent.lifecycle import CONSENT, ConsentEvent, ConsentPhase, ConsentStatus
from scg_core.consent.lifecycle import HistorySource as Source
from scg_core.consent.model import AddressStatus
from scg_core.consent.rules.keywords import OPTOUT, Said, is_confirmation
from scg_core.consent.steps.standing import save_status, write_history
from scg_core.events.model import Event, EventType, Topic
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.owning import Owner
from scg_core.messaging.steps.telling import channels_of
from scg_core.unit import Unit

_STATUS: Final[dict[ConsentPhase, ConsentStatus]] = {
    phase: ConsentStatus(phase.value) for phase in ConsentPhase if phase is not ConsentPhase.PENDING
}


def heed(
    unit: Unit, status: AddressStatus, meant: Said | None, message: Message, settings: Settings
) -> AddressStatus:
    """Let consent hear a message; the status after it.

    An opt-out that somebody on a white list asks for changes nothing and is told of, unless the
    operator chose otherwise. Each keyword leaves a line in the history.
    """
    phase = status.phase(unit.now)
    event = _event(phase, meant)
    after = status
    if event is not None:
        to = CONSENT.step(phase, event)
        if (phase, event) == (ConsentPhase.WHITELIST, ConsentEvent.OPTOUT):
            to = ConsentPhase.OPTOUT if settings.stop_overrides_whitelist else to
        after = _moved(unit, status, to, event)
    if meant is None:
        return after
    write_history(
        unit, after, Source.MESSAGE, message=message.body, keyword=meant.acts.value,
        application=after.application_id,
    )  # fmt: skip
    if meant.opts == OPTOUT and after.consent_status is ConsentStatus.WHITELIST:
        facts: dict[str, Any] = {
            "address": after.address,
            "sender_id": after.sender_id,
            "message_id": message.id,
            "application_id": message.application_id,
        }
        kind = EventType.OPTOUT_IGNORED
        unit.tell(Event(Topic.CONSENT, kind, after.company_id, after.id, facts))
    return after


def tell_keyword(
    unit: Unit, owner: Owner, message: Message, meant: Said, replied: MessageRequest | str | None
) -> None:
    """Tell of a keyword: what acts, all that match, and whether it was answered."""
    acts = meant.acts
    facts: dict[str, Any] = {
        "message_id": message.id,
        "from_address": message.from_address,
        "to_address": message.to_address,
        "sender_id_id": message.customer_sender_id,
        "keyword_id": acts.id,
        "keyword": acts.value,
        "keyword_name": acts.name,
        "actions": sorted(acts.actions),
        "associated_info": acts.associated_info,
        "campaign_id": acts.campaign_id,
        "matched": [one.value for one in meant.words],
        "reply_request_id": replied.id if isinstance(replied, MessageRequest) else None,
        "reply_failure": replied if isinstance(replied, str) else None,
        "application_id": message.application_id,
    }
    kind, company = EventType.KEYWORD_MESSAGE_RECEIVED, owner.company_id
    if unit.listens(company, Topic.KEYWORD):
        channels = channels_of(unit, company, [facts | {"message_request_id": None}])
        concerned = channels.get(message.id, frozenset())
        unit.tell(Event(Topic.KEYWORD, kind, company, message.id, facts, concerned))


def _event(phase: ConsentPhase, meant: Said | None) -> ConsentEvent | None:
    waits = phase is ConsentPhase.PENDING
    if meant is not None and meant.opts is not None:
        if waits and is_confirmation(meant.acts):
            return ConsentEvent.CONFIRM
        return ConsentEvent(meant.opts)
    return ConsentEvent.DECLINE if waits else None


def _moved(
    unit: Unit, status: AddressStatus, to: ConsentPhase, event: ConsentEvent
) -> AddressStatus:
    """Store where consent stands; a person's own opt-out is theirs until they opt in."""
    by_person = status.by_person
    if event in (ConsentEvent.OPTIN, ConsentEvent.CONFIRM):
        by_person = False
    elif event is ConsentEvent.OPTOUT and to is not ConsentPhase.WHITELIST:
        by_person = True
    changes = {"consent_status": _STATUS[to], "pending_until": None, "by_person": by_person}
    if all(getattr(status, name) == value for name, value in changes.items()):
        return status
    return save_status(unit, status, **changes)

"""The gate: whether a message may leave, asked immediately before every hand-off.

Its order is the specification's: cancel, expiry, sender, consent; window, price, credit and
limits are still to come and stand after these (semantics rule 3).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

from scg_core.consent.rules import NO_CONSENT, ConsentStatus, may_send
from scg_core.kernel.instant import Instant
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import ConsentRequirement, FailureCode
from scg_core.senders.lifecycle import SenderState
from scg_core.senders.model import SenderId
from scg_core.senders.rules import MAY_SEND

EXPIRED: Final = 1007
SENDER: Final = 1003


class Decision(StrEnum):
    """What becomes of the message now."""

    SEND = "SEND"
    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"
    WAIT = "WAIT"
    FAIL = "FAIL"


@frozen
class Verdict:
    """A decision, with the failure it means and the reason for people."""

    decision: Decision
    code: FailureCode | None = None
    reason: str | None = None


SEND: Final = Verdict(Decision.SEND)
CANCEL: Final = Verdict(Decision.CANCEL)


@frozen
class Order:
    """What the gate needs to know of the request behind a message."""

    state: RequestState
    expiry_time: Instant | None
    consent_requirement: ConsentRequirement


def gate(
    order: Order,
    sender: SenderId | None,
    consent: ConsentStatus,
    now: Instant,
    lane_reason: str | None = None,
) -> Verdict:
    """The verdict for every message of one request, one sender and one consent status.

    ``lane_reason`` says what their lane was waiting for until just now.
    """
    if order.state in (RequestState.CANCELED, RequestState.DELETED):
        return CANCEL
    if order.expiry_time is not None and order.expiry_time <= now:
        return expired(waited_for(sender, lane_reason))
    if sender is None or sender.state is SenderState.PENDING_IMPLEMENTATION:
        return Verdict(Decision.FAIL, FailureCode.OTHER, f"{SENDER} the sender id cannot send")
    if sender.state not in MAY_SEND:
        return Verdict(Decision.WAIT, None, f"the sender id is {sender.state.value}")
    if not may_send(
        consent,
        requirement=order.consent_requirement.value,
        managed_by=sender.consent_managed_by.value,
        check_white_list=sender.check_white_list,
    ):
        reason = f"{NO_CONSENT} the recipient's consent is {consent.value}"
        return Verdict(Decision.FAIL, FailureCode.NO_CONSENT, reason)
    return SEND


def waited_for(sender: SenderId | None, lane_reason: str | None) -> str | None:
    """What kept a message from leaving: its sender, or what its lane waits for."""
    if sender is not None and sender.state is not SenderState.ACTIVE:
        return f"the sender id was {sender.state.value}"
    return lane_reason


def expired(waited: str | None) -> Verdict:
    """The verdict for a message whose time is over, naming what it waited for."""
    reason = f"{EXPIRED} the expiry time came before it could leave"
    full = reason if waited is None else f"{reason}, {waited}"
    return Verdict(Decision.EXPIRE, FailureCode.OTHER, full)

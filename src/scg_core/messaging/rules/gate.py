"""The gate: whether a message may leave, asked immediately before every hand-off.

Its order is the specification's: cancel, expiry, sender, consent, window, price, credit, limits
(semantics rule 3). It takes facts and gives a verdict with its reason; that it asks nobody is why
the same function judges a page of messages on their way out and a preview of some that are not
even made.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

from scg_core.consent.lifecycle import ConsentStatus
from scg_core.consent.rules.verdict import NO_CONSENT, may_send
from scg_core.kernel.instant import Instant, to_datetime
from scg_core.kernel.resource import Micros
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import ConsentRequirement, Exempt, FailureCode
from scg_core.senders.lifecycle import SenderState
from scg_core.senders.model import SenderId, WindowPolicy
from scg_core.senders.rules.eligibility import SENDER
from scg_core.senders.rules.naming import MAY_SEND

EXPIRED: Final = 1007
CREDIT: Final = 402
SHUT: Final = 40023

_GOING: Final = frozenset({SenderState.PENDING_IMPLEMENTATION, SenderState.PENDING_DELETE})


class Decision(StrEnum):
    """What becomes of the message now."""

    SEND = "SEND"
    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"
    WAIT = "WAIT"  # with its whole lane, until something changes or ``until``
    DEFER = "DEFER"  # this message, until ``until``
    FAIL = "FAIL"


@frozen
class Verdict:
    """A decision, with the failure it means, the reason for people, and when to ask again."""

    decision: Decision
    code: FailureCode | None = None
    reason: str | None = None
    until: Instant | None = None


SEND: Final = Verdict(Decision.SEND)
CANCEL: Final = Verdict(Decision.CANCEL)


@frozen
class Order:
    """What the gate needs to know of the request behind a message."""

    state: RequestState
    expiry_time: Instant | None
    consent_requirement: ConsentRequirement
    price_threshold: float | None = None
    channel_id: str | None = None
    exempt: Exempt = Exempt.NOTHING
    application_id: int = 0
    attachments: tuple[str, ...] = ()
    subject: str | None = None
    language: str | None = None


@frozen
class Facts:
    """What the gate needs to know of the message and the moment; what is not given stands open.

    ``shut_until`` is the next opening of the delivery window if it is shut (None: it never opens
    again, with ``shut`` set), ``credit`` what the company may still spend, ``free_at`` when the
    limits let the message go and ``held_by`` why not before, ``waited`` what its lane was waiting
    for until just now.
    """

    now: Instant
    consent: ConsentStatus = ConsentStatus.NONE
    shut: bool = False
    shut_until: Instant | None = None
    blacklist_binds: bool = True
    policy: WindowPolicy = WindowPolicy.DEFER
    price: Micros | None = None
    credit: Micros | None = None
    free_at: Instant | None = None
    held_by: str | None = None
    waited: str | None = None


def gate(order: Order, sender: SenderId | None, facts: Facts) -> Verdict:
    """The verdict for a message, or for all that share these facts."""
    now = facts.now
    if order.state in (RequestState.CANCELED, RequestState.DELETED):
        return CANCEL
    if order.expiry_time is not None and order.expiry_time <= now:
        return expired(waited_for(sender, facts.waited))
    if sender is None or sender.state in _GOING:
        return Verdict(Decision.FAIL, FailureCode.OTHER, f"{SENDER} the sender id cannot send")
    if sender.state not in MAY_SEND:
        return Verdict(Decision.WAIT, None, f"the sender id is {sender.state.value}")
    unwanted = facts.consent in (ConsentStatus.OPTOUT, ConsentStatus.BLACKLIST)
    asked = order.exempt is Exempt.CONSENT and not unwanted
    if (
        order.exempt is not Exempt.ALL
        and not asked
        and not may_send(
            facts.consent,
            requirement=order.consent_requirement.value,
            managed_by=sender.consent_managed_by.value,
            check_white_list=sender.check_white_list,
            blacklist_binds=facts.blacklist_binds,
        )
    ):
        reason = f"{NO_CONSENT} the recipient's consent is {facts.consent.value}"
        return Verdict(Decision.FAIL, FailureCode.NO_CONSENT, reason)
    if facts.shut and order.exempt is not Exempt.ALL:
        return _shut(order, facts)
    return _afforded(order, facts)


def when_made(order: Order, facts: Facts) -> Verdict:
    """What is known of a message's way when it is made: whether it expires, or has to wait.

    ``facts`` are of the instant at which it will be due; everything else is judged then.
    """
    if order.expiry_time is not None and order.expiry_time <= facts.now:
        return expired(None)
    return _shut(order, facts) if facts.shut and order.exempt is not Exempt.ALL else SEND


def _shut(order: Order, facts: Facts) -> Verdict:
    """The delivery window is shut: wait for it, unless the message expires or is not to wait."""
    opens = facts.shut_until
    if facts.policy is WindowPolicy.REJECT:
        reason = f"{SHUT} it is outside the delivery window"
        return Verdict(Decision.FAIL, FailureCode.OTHER, reason)
    if opens is None or (order.expiry_time is not None and opens >= order.expiry_time):
        when = "never opens" if opens is None else f"opens only at {_written(opens)}"
        return expired(f"{SHUT} the delivery window {when}")
    reason = f"{SHUT} the delivery window opens at {_written(opens)}"
    return Verdict(Decision.DEFER, None, reason, opens)


def _afforded(order: Order, facts: Facts) -> Verdict:
    """Price, credit and limits, in this order: a limit's reservation is spent last."""
    price = facts.price or 0
    if order.price_threshold is not None and price > round(order.price_threshold * 1_000_000):
        reason = f"{SENDER} price: {price / 1e6:g} is above the threshold {order.price_threshold:g}"
        return Verdict(Decision.FAIL, FailureCode.OTHER, reason)
    if facts.credit is not None and price > facts.credit:
        return Verdict(Decision.WAIT, None, f"{CREDIT} the credit is not enough")
    if facts.free_at is not None and facts.free_at > facts.now:
        return Verdict(Decision.WAIT, None, facts.held_by, facts.free_at)
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


def _written(at: Instant) -> str:
    return to_datetime(at).strftime("%Y-%m-%dT%H:%MZ")

"""What becomes of a request's recipients: from where each hears, when, or why never.

Fan-out asks it page by page, and so do a preview and an estimate of the price, which make nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from scg_core.consent.lifecycle import ConsentStatus
from scg_core.consent.steps.standing import standing
from scg_core.kernel.instant import Instant
from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.model import Exempt, FailureCode, LaneKey, MessageRequest
from scg_core.messaging.rules.gate import Decision, Facts, Order, gate, when_made
from scg_core.messaging.rules.recipients import INVALID_RECIPIENT, Recipient
from scg_core.messaging.steps.carrying import not_carried
from scg_core.messaging.steps.routing import Chosen, Router
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.speaking import Speech, Wording
from scg_core.messaging.steps.windows import due_for, window_facts
from scg_core.messaging.steps.wording import disagrees
from scg_core.senders.model import SenderId
from scg_core.unit import Unit

_AT_ONCE: Final = Instant(0)
NO_WORDS: Final = Wording()


@frozen
class Plan:
    """What all messages of one request have in common: who chooses their sender ids, their words.

    A ``dry`` plan only looks: it makes no lane.
    """

    request: MessageRequest
    router: Router
    sources: Sources
    speech: Speech
    dry: bool = False

    @property
    def checks(self) -> bool:
        """Whether each recipient's own words have to be compared with templates."""
        return self.speech.varies and self.router.validates


@frozen
class Fate:
    """What becomes of one recipient's message when it is made.

    Messages of one fate lie together: same lane, same due instant.
    """

    state: MessageState
    lane: int | None = None
    due: Instant = _AT_ONCE
    sender: SenderId | None = None
    code: FailureCode | None = None
    details: str | None = None
    consent: ConsentStatus = ConsentStatus.NONE
    wording: Wording = NO_WORDS

    @property
    def failed(self) -> bool:
        """Whether it never leaves."""
        return self.state in (MessageState.FAILED, MessageState.EXPIRED)


def planned(
    unit: Unit, request: MessageRequest, router: Router, sources: Sources, *, dry: bool = False
) -> Plan:
    """The plan of a request, its body filled in with the templates as they are now."""
    return Plan(request, router, sources, Speech(unit, request, sources, dry=dry), dry)


def decide_fates(unit: Unit, plan: Plan, recipients: Sequence[Recipient], first: int) -> list[Fate]:
    """What becomes of each recipient's message, decided once for all that share the facts."""
    good = [at for at, one in enumerate(recipients) if one.problem is None]
    by_place: dict[int, Chosen] = {}
    for free in (False, True):
        some = [at for at in good if recipients[at].at_any_price is free]
        if some:
            router = plan.router.at_any_price() if free else plan.router
            asked = [recipients[at] for at in some]
            chosen = router.choose(
                [(one.kind, one.country, one.address) for one in asked], [first + at for at in some]
            )
            by_place |= zip(some, chosen, strict=True)
    stands = _stands(unit, plan, recipients, by_place)
    known: dict[tuple[object, ...], Fate] = {}
    fates = []
    for at, recipient in enumerate(recipients):
        choice = by_place.get(at)
        sender = None if choice is None or choice.sender is None else choice.sender.id
        reason = recipient.problem or (choice.reason if choice else None)
        consent = stands.get((sender, recipient.kind, recipient.address), ConsentStatus.NONE)
        wording = plan.speech.to(recipient)
        key = (
            reason, sender, recipient.kind, recipient.country, recipient.zones, consent,
            wording.wrong, wording.language, plan.checks and wording.original,
        )  # fmt: skip
        fate = known.get(key)
        if fate is None:
            fate = known[key] = _fate(unit, plan, recipient, choice, consent, wording)
        fates.append(fate if fate.wording is wording else evolve(fate, wording=wording))
    return fates


def _stands(
    unit: Unit, plan: Plan, recipients: Sequence[Recipient], chosen: Mapping[int, Chosen]
) -> dict[tuple[str | None, str, str], ConsentStatus]:
    """How recipients stand, for who only looks: what really leaves is asked at its hand-off."""
    if not plan.dry and not plan.request.test_message_flag:
        return {}
    senders = {one.sender.id: one.sender for one in chosen.values() if one.sender is not None}
    found: dict[tuple[str | None, str, str], ConsentStatus] = {}
    for sender in senders.values():
        addresses = [
            (recipients[at].kind.value, recipients[at].address)
            for at, one in chosen.items()
            if one.sender is not None and one.sender.id == sender.id
        ]
        held = standing(unit, plan.request.company_id, sender, addresses).by_address
        found |= {(sender.id, *key): status for key, status in held.items()}
    return found


def _fate(
    unit: Unit,
    plan: Plan,
    recipient: Recipient,
    choice: Chosen | None,
    consent: ConsentStatus,
    wording: Wording,
) -> Fate:
    """Its fate; the words are put in afterwards where they are its own."""
    fate = _way(unit, plan, recipient, choice, consent, wording)
    return evolve(fate, wording=wording)


def _way(
    unit: Unit,
    plan: Plan,
    recipient: Recipient,
    choice: Chosen | None,
    consent: ConsentStatus,
    wording: Wording,
) -> Fate:
    if recipient.problem is not None or choice is None:
        details = f"{INVALID_RECIPIENT} {recipient.problem}"
        sender = plan.router.sender
        code = FailureCode.INVALID_RECIPIENT
        return Fate(MessageState.FAILED, sender=sender, code=code, details=details)
    if choice.sender is None:
        sender = plan.router.sender
        return Fate(MessageState.FAILED, sender=sender, code=FailureCode.OTHER,
                    details=choice.reason)  # fmt: skip
    wrong = wording.wrong
    free = plan.request.exempt is not Exempt.NOTHING
    if wrong is None and wording.original is not None and not free:
        wrong = disagrees(unit, choice.sender, wording.original)
    if wrong is None:
        ids, most = plan.request.attachments, plan.sources.settings.message_size
        wrong = not_carried(unit, choice.sender, recipient.kind.value, ids, most)
    if wrong is not None:
        code = FailureCode.OTHER
        return Fate(MessageState.FAILED, sender=choice.sender, code=code, details=wrong)
    if plan.request.test_message_flag:
        return _test_fate(plan, choice.sender, unit.now, consent)
    due = due_for(plan.request, recipient.zones, unit.now)
    facts = window_facts(unit, plan.sources, choice.sender, recipient.country,
                         recipient.zones, due)  # fmt: skip
    verdict = when_made(_order(plan.request), facts)
    if verdict.decision in (Decision.EXPIRE, Decision.FAIL):
        state = MessageState.FAILED
        if verdict.decision is Decision.EXPIRE:
            state = MessageState.EXPIRED
        return Fate(state, sender=choice.sender, code=verdict.code, details=verdict.reason)
    if verdict.decision is Decision.DEFER and verdict.until is not None:
        due = verdict.until
    state = MessageState.SCHEDULED if due > unit.now else MessageState.CREATED
    if plan.request.pause_before_transmit:
        state = MessageState.PAUSED
    lane = _lane(unit, plan, choice, recipient.country)
    return Fate(state, lane, due, choice.sender, None, verdict.reason, consent)


def _test_fate(plan: Plan, sender: SenderId, now: Instant, consent: ConsentStatus) -> Fate:
    """What the gate would say to a test's message, which never reaches it (semantics 2)."""
    binds = plan.sources.settings.blacklist_overrides_none
    verdict = gate(_order(plan.request), sender, Facts(now, consent, blacklist_binds=binds))
    details = None if verdict.decision is Decision.SEND else verdict.reason
    return Fate(MessageState.TEST, due=now, sender=sender, details=details)


def _order(request: MessageRequest) -> Order:
    return Order(
        request.state, request.expiry_time, request.consent_requirement, exempt=request.exempt
    )


def _lane(unit: Unit, plan: Plan, choice: Chosen, country: str | None) -> int:
    if choice.sender is None or plan.dry:
        return 0
    key = LaneKey(
        choice.connector,
        choice.sender.root_id,
        country or "",
        plan.request.company_id,
        plan.router.priority.value,
    )
    return unit.session.lane(key).id

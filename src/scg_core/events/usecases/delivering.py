"""Delivering envelopes: claim a batch for one subscription, write down what its receiver said.

One worker at a time holds a subscription, by a lease on its outlet, and a batch holds at most one
envelope of a subject; so events of a subject arrive in order, and after a crash again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.events.lifecycle import ENVELOPE, EnvelopeEvent, EnvelopeState, SubscriptionState
from scg_core.events.model import Envelope, Subscription
from scg_core.events.outbox import DELIVER, GIVE_UP, wake
from scg_core.events.records import Outlet
from scg_core.events.rules.outcomes import Reception, fitting, rest, retry_at
from scg_core.events.rules.wording import body_of, values_of
from scg_core.events.settings import EventSettings
from scg_core.kernel.errors import LeaseLost
from scg_core.kernel.instant import DAY, SECOND, Instant, later
from scg_core.kernel.query import Query, above, among, at_most, below, eq, ne
from scg_core.ports.events import EventsCapabilities, Parcel, Reply
from scg_core.ports.storage import Work
from scg_core.unit import Unit

_SLACK: Final = 15 * SECOND
"""How much longer than its patience an adapter may take before a batch is anybody's."""

_TURN: Final = SECOND
_LOOK_AGAIN: Final = 10 * SECOND
_LONGEST_WISH: Final = DAY
_LONGEST_REASON: Final = 255
_SILENT: Final = "the receiver was silent for too long"
_TOO_MANY: Final = "429"
_EVENTS: Final = {
    Reception.TAKEN: EnvelopeEvent.TAKEN,
    Reception.LATER: EnvelopeEvent.PUT_OFF,
    Reception.REFUSED: EnvelopeEvent.GIVEN_UP,
}
_SETTLED: Final = (
    "state", "attempt", "due", "open", "reason_code", "reason_description", "last_attempt_date",
    "delivered_date", "since", "settled_date",
)  # fmt: skip
_HELD: Final = ("busy_until", "fence", "arrival", "waits_since")
_LET_GO: Final = ("busy_until", "failures", "failing_since", "rest_until")
_PAGE: Final = 200


@frozen
class Batch:
    """Envelopes that a worker holds: as they are stored, and as they travel."""

    subscription_id: str
    fence: int
    envelopes: tuple[Envelope, ...]
    parcels: tuple[Parcel, ...]


def next_batch(
    unit: Unit, work: Work, capabilities: EventsCapabilities, settings: EventSettings
) -> Batch | None:
    """What a subscription's due work is to deliver now; None for nothing."""
    unit.session.complete(work)
    outlet = unit.session.get(Outlet, work.key)
    if outlet is None:
        return None
    if outlet.busy_until > unit.now:  # its worker looks again before it lets go
        unit.later(DELIVER, work.key, outlet.busy_until)
        return None
    if _in_hand(unit, outlet.company_id) >= settings.at_once:
        _wait_turn(unit, outlet)
        return None
    batch = _claim(unit, outlet, capabilities, settings)
    if batch is None:  # it has no use for its turn
        unit.session.update(Outlet, ("waits_since",), ("id",), [(None, outlet.id)])
        _gives_turn(unit, outlet.company_id)
    return batch


def settle_batch(
    unit: Unit,
    batch: Batch,
    replies: Sequence[Reply],
    capabilities: EventsCapabilities,
    settings: EventSettings,
    *,
    more: bool,
) -> Batch | None:
    """Write down what the receiver said; with ``more`` claim what is due next of it.

    Raises:
        LeaseLost: it took too long, another worker holds the subscription.
    """
    outlet = unit.session.get(Outlet, batch.subscription_id)
    if outlet is None:  # it was deleted meanwhile
        _gives_turn(unit, batch.envelopes[0].company_id)
        return None
    if outlet.fence != batch.fence:
        raise LeaseLost(f"{DELIVER} {outlet.id}", batch.fence)
    _write(unit, batch, replies, settings)
    failures = outlet.failures + 1 if _is_silent(replies) else 0
    pause = max(rest(failures, settings), _wished_of_all(replies))
    until = later(unit.now, pause) if pause else Instant(0)
    since = outlet.failing_since if failures else None
    if failures and any(one.reception is Reception.LATER for one in replies):
        since = since or unit.now  # somebody was asked, and did not answer
    if since is not None and later(since, settings.give_up) <= unit.now:
        unit.later(GIVE_UP, outlet.id, unit.now)
    rows = [(Instant(0), failures, since, until, outlet.id)]
    unit.session.update(Outlet, _LET_GO, ("id",), rows)
    unit.session.withdraw(DELIVER, outlet.id)
    if _gives_turn(unit, outlet.company_id):
        unit.later(DELIVER, outlet.id, max(later(unit.now, _TURN), until))
        return None
    if more:
        after = unit.session.get(Outlet, outlet.id)
        return None if after is None else _claim(unit, after, capabilities, settings)
    unit.later(DELIVER, outlet.id, max(unit.now, until))
    return None


def _in_hand(unit: Unit, company: str) -> int:
    """How many subscriptions of a company workers hold: its slow receivers are not to hold all."""
    where = (eq("company_id", company), above("busy_until", unit.now))
    return unit.session.count(Query(Outlet, where))


def _wait_turn(unit: Unit, outlet: Outlet) -> None:
    """Let a subscription wait until one of its company's that workers hold gives it the turn."""
    waits = outlet.waits_since or unit.now
    unit.session.update(Outlet, ("waits_since",), ("id",), [(waits, outlet.id)])
    unit.later(DELIVER, outlet.id, later(unit.now, _LOOK_AGAIN))


def _gives_turn(unit: Unit, company: str) -> bool:
    """Let the one of a company's subscriptions that waits longest go next; whether one waits."""
    where = (eq("company_id", company), ne("waits_since", None))
    query = Query(Outlet, where, (("waits_since", False),), limit=1)
    waiting = unit.session.rows(query, ("id",))
    for (id,) in waiting:
        unit.session.update(Outlet, ("waits_since",), ("id",), [(None, id)])
        unit.later(DELIVER, id, unit.now)
    return bool(waiting)


def _claim(
    unit: Unit, outlet: Outlet, capabilities: EventsCapabilities, settings: EventSettings
) -> Batch | None:
    """Hold a subscription and some of its due envelopes, or file when there will be some."""
    subscription = unit.session.get(Subscription, outlet.id)
    if subscription is None or subscription.state is not SubscriptionState.ACTIVE:
        return None  # being made ACTIVE files it anew
    if outlet.rest_until > unit.now:
        unit.later(DELIVER, outlet.id, outlet.rest_until)
        return None
    most = 1 if outlet.failures else capabilities.batch
    room, _, free_at = fitting(outlet.arrival, unit.now, most, subscription.throttle)
    where = (eq("subscription_id", outlet.id), at_most("due", unit.now))
    query = Query(Envelope, where, (("due", False),), limit=max(room, 1))
    found = unit.session.find(query)
    if not found:
        due = _next_due(unit, outlet.id)
        if due is not None:
            unit.later(DELIVER, outlet.id, due)
        return None
    if not room:
        unit.later(DELIVER, outlet.id, free_at)
        return None
    _, arrival, _ = fitting(outlet.arrival, unit.now, len(found), subscription.throttle)
    until = later(unit.now, capabilities.patience + _SLACK)
    fence = outlet.fence + 1
    unit.session.update(Outlet, _HELD, ("id",), [(until, fence, arrival, None, outlet.id)])
    unit.later(DELIVER, outlet.id, until)  # if this worker is not heard of again
    secrets = _secrets(subscription, unit.now)
    parcels = tuple(_parcel(one, subscription, secrets) for one in found)
    return Batch(outlet.id, fence, tuple(found), parcels)


def _next_due(unit: Unit, id: str) -> Instant | None:
    where = (eq("subscription_id", id), ne("due", None))
    query = Query(Envelope, where, (("due", False),), limit=1)
    rows = unit.session.rows(query, ("due",))
    return Instant(rows[0][0]) if rows else None


def _secrets(subscription: Subscription, now: Instant) -> tuple[str, ...]:
    before = [one.partition(":") for one in subscription.previous_secrets]
    return (subscription.secret, *(secret for until, _, secret in before if int(until) > now))


def _parcel(envelope: Envelope, subscription: Subscription, secrets: tuple[str, ...]) -> Parcel:
    attempt = envelope.attempt + 1
    return Parcel(
        id=envelope.id,
        event_id=envelope.event_id,
        subscription_id=subscription.id,
        company_id=envelope.company_id,
        topic=envelope.topic,
        type=envelope.type,
        subject=envelope.subject,
        sequence=envelope.sequence,
        attempt=attempt,
        at=envelope.created_date,
        facts=values_of(envelope),
        body=body_of(envelope, attempt),
        url=subscription.url,
        secrets=secrets,
    )


def _is_silent(replies: Sequence[Reply]) -> bool:
    """Whether nobody answered at all; who answers, be it with an error, is there."""
    silent = (Reception.LATER, Reception.UNTRIED)
    return all(one.code is None and one.reception in silent for one in replies)


def _wished_of_all(replies: Sequence[Reply]) -> int:
    """For how long a receiver wants to be left alone altogether.

    Who asks for that while it takes other events means the one; but too many requests are too many.
    """
    took = any(one.reception is Reception.TAKEN for one in replies)
    wishes = [_wish(one) or 0 for one in replies if not took or one.code == _TOO_MANY]
    return max(wishes, default=0)


def _write(unit: Unit, batch: Batch, replies: Sequence[Reply], settings: EventSettings) -> None:
    """Store where each envelope stands, and let the next of each subject follow."""
    rows: list[tuple[Any, ...]] = []
    subjects = []
    stored = _stored(unit, batch)
    for claimed, reply in zip(batch.envelopes, replies, strict=True):
        held = stored.get(claimed.id)
        if held is None or held.open is None or reply.reception is Reception.UNTRIED:
            continue
        attempt = held.attempt + 1
        event = _EVENTS[reply.reception]
        due: Instant | None = None
        since = held.since if held.attempt else unit.now
        if reply.reception is Reception.LATER:
            due = retry_at(unit.now, attempt, held.id, _wish(reply), settings)
            if due > later(since, settings.give_up):
                event, due = EnvelopeEvent.GIVEN_UP, None
        state = ENVELOPE.step(held.state, event)
        unit.note("event_deliveries", state.value)
        taken = reply.reception is Reception.TAKEN
        if due is None:
            subjects.append(held.subject)
        rows.append(
            (state.value, attempt, due, None if due is None else held.subject, reply.code,
             None if taken else (reply.reason or "")[:_LONGEST_REASON] or None, unit.now,
             unit.now if taken else None, since, unit.now if due is None else None, held.id)
        )  # fmt: skip
    unit.session.update(Envelope, _SETTLED, ("id",), rows)
    follow(unit, batch.subscription_id, subjects)


def give_up_page(unit: Unit, work: Work, settings: EventSettings) -> None:
    """Fail a page of what has waited too long for a receiver that is silent; it may be replayed.

    One try a minute, as such a receiver gets, would never come to an end of what is told to it.
    """
    outlet = unit.session.get(Outlet, work.key)
    if outlet is not None and outlet.busy_until > unit.now:  # what is in hand is not given up
        unit.session.again(work, outlet.busy_until, 0)
        return
    if outlet is None or outlet.failing_since is None:  # it has answered, or may answer anew
        unit.session.complete(work)
        return
    before = later(unit.now, -settings.give_up)
    where = (
        eq("subscription_id", work.key),
        ne("open", None),
        below("created_date", before),
        below("asked_date", before),
    )
    query = Query(Envelope, where, (("created_date", False),), limit=_PAGE)
    found = unit.session.find(query)
    rows = [
        (ENVELOPE.step(one.state, EnvelopeEvent.GIVEN_UP).value, None, None, _SILENT, unit.now,
         one.id)
        for one in found
    ]  # fmt: skip
    columns = ("state", "due", "open", "reason_description", "settled_date")
    unit.session.update(Envelope, columns, ("id",), rows)
    unit.note("event_deliveries", EnvelopeState.FAILED.value, amount=len(found))
    follow(unit, work.key, [one.subject for one in found])
    wake(unit.session, work.key, unit.now)
    if len(found) < _PAGE:
        unit.session.complete(work)
    else:
        unit.session.again(work, unit.now, 0)


def _stored(unit: Unit, batch: Batch) -> dict[str, Envelope]:
    """The envelopes of a batch as they are by now: they may have been asked for anew."""
    where = [among("id", [one.id for one in batch.envelopes])]
    return {one.id: one for one in unit.session.find(Query(Envelope, where))}


def _wish(reply: Reply) -> int | None:
    return None if reply.retry_after is None else min(reply.retry_after, _LONGEST_WISH)


def follow(unit: Unit, subscription_id: str, subjects: Sequence[str]) -> None:
    """Let the earliest undelivered envelope of each subject leave."""
    ready = []
    for subject in dict.fromkeys(subjects):
        where = (eq("subscription_id", subscription_id), eq("open", subject))
        query = Query(Envelope, where, (("sequence", False),), limit=1)
        ready += [(unit.now, row[0]) for row in unit.session.rows(query, ("id",))]
    unit.session.update(Envelope, ("due",), ("id",), ready)

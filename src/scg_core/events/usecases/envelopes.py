"""Envelopes after the fact: asked for again, or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scg_core.events.lifecycle import ENVELOPE, OPEN, EnvelopeEvent, EnvelopeState
from scg_core.events.model import Envelope, Subscription
from scg_core.events.outbox import wake
from scg_core.events.records import Outlet
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.query import Query, above, among, at_most, below, eq
from scg_core.ports.storage import Work
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

REPLAY: Final = "replay"
"""The due work of replaying what failed; the key is the subscription."""

_PAGE: Final = 200
_FAILED: Final = EnvelopeState.FAILED.value
_AGAIN: Final = ("state", "attempt", "due", "open", "settled_date", "asked_date", "replayed")


def envelope_of(unit: Unit, caller: Caller, subscription_id: str, envelope_id: str) -> Envelope:
    """An envelope of one of the company's subscriptions.

    Raises:
        NotFound: there is none.
    """
    subscription = unit.get(Subscription, caller.company_id, subscription_id)
    scope = eq("subscription_id", subscription.id)
    return unit.get(Envelope, caller.company_id, envelope_id, scope=scope)


def replay_envelope(
    unit: Unit, caller: Caller, subscription_id: str, envelope_id: str, given: Mapping[str, object]
) -> Envelope:
    """Deliver an envelope once more, whatever became of it; its state is set to PENDING for that.

    Raises:
        NotFound: there is none.
        InvalidField: another state is asked for, or anything else.
    """
    held = envelope_of(unit, caller, subscription_id, envelope_id)
    values = codec.read(Envelope, given, lenient=caller.lenient)
    wanted = values.get("state") or held.state
    if wanted is held.state is not EnvelopeState.PENDING:
        return held
    if wanted is not EnvelopeState.PENDING:
        raise InvalidField("state", "may only be set to PENDING, to deliver the event once more")
    if held.state in OPEN:  # where it waits behind another it goes on waiting
        state = ENVELOPE.step(held.state, EnvelopeEvent.REPLAY)
        due = None if held.due is None else unit.now
        unit.session.update(
            Envelope, ("state", "attempt", "due", "asked_date"), ("id",),
            [(state.value, 0, due, unit.now, held.id)],
        )  # fmt: skip
    else:
        _reopen(unit, [held], held.replayed)
    _hope_anew(unit, subscription_id)
    wake(unit.session, subscription_id, unit.now)
    return envelope_of(unit, caller, subscription_id, envelope_id)


def replay_failed(unit: Unit, caller: Caller, subscription_id: str) -> Subscription:
    """Deliver once more, page by page in the background, all that has FAILED by now.

    Raises:
        NotFound: the company has no such subscription.
    """
    subscription = unit.get(Subscription, caller.company_id, subscription_id)
    outlet = unit.session.get(Outlet, subscription.id)
    number = 1 if outlet is None else outlet.replays + 1
    begun = [(unit.now, "", number, subscription.id)]
    unit.session.update(Outlet, ("replay_until", "replay_after", "replays"), ("id",), begun)
    _hope_anew(unit, subscription.id)
    unit.later(REPLAY, subscription.id, unit.now)
    return subscription


def _hope_anew(unit: Unit, id: str) -> None:
    """Who asks for events again thinks that the receiver is there: its silence counts from now."""
    unit.session.update(Outlet, ("failing_since",), ("id",), [(None, id)])


def replay_page(unit: Unit, work: Work) -> None:
    """Ask for a page of what failed before the last replay was asked for, oldest first."""
    outlet = unit.session.get(Outlet, work.key)
    if outlet is None:
        unit.session.complete(work)
        return
    where = (
        eq("subscription_id", work.key),
        eq("state", _FAILED),
        above("id", outlet.replay_after),
        at_most("created_date", outlet.replay_until),
        below("replayed", outlet.replays),
    )
    found = unit.session.find(Query(Envelope, where, (("id", False),), limit=_PAGE))
    _reopen(unit, _with_their_likes(unit, found, outlet), outlet.replays)
    if found:
        unit.session.update(Outlet, ("replay_after",), ("id",), [(found[-1].id, outlet.id)])
    wake(unit.session, work.key, unit.now)
    if len(found) < _PAGE:
        unit.session.complete(work)
    else:
        unit.session.again(work, unit.now, work.position + len(found))


def _with_their_likes(unit: Unit, found: list[Envelope], outlet: Outlet) -> list[Envelope]:
    """Envelopes, and all others of their subjects that failed: ids are no order within one."""
    if not found:
        return []
    subjects = sorted({one.subject for one in found})
    where = (
        eq("subscription_id", found[0].subscription_id),
        eq("state", _FAILED),
        among("subject", subjects),
        at_most("created_date", outlet.replay_until),
        below("replayed", outlet.replays),
    )
    likes = unit.session.find(Query(Envelope, where, (("sequence", False),), limit=2 * _PAGE))
    return list({one.id: one for one in (*found, *likes)}.values())


def _reopen(unit: Unit, held: list[Envelope], replay: int) -> None:
    """Have envelopes delivered once more; one whose subject is on its way waits its turn."""
    if not held:
        return
    rows = []
    subjects = sorted({one.subject for one in held})
    where = (eq("subscription_id", held[0].subscription_id), among("open", subjects))
    busy = {row[0] for row in unit.session.rows(Query(Envelope, where), ("subject",))}
    for one in sorted(held, key=lambda one: one.sequence):
        due = None if one.subject in busy else unit.now
        busy.add(one.subject)
        state = ENVELOPE.step(one.state, EnvelopeEvent.REPLAY)
        rows.append((state.value, 0, due, one.subject, None, unit.now, replay, one.id))
    unit.session.update(Envelope, _AGAIN, ("id",), rows)


def drop_envelopes(unit: Unit, work: Work) -> None:
    """Drop a page of a deleted subscription's envelopes."""
    where = [eq("subscription_id", work.key)]
    query = Query(Envelope, where, (("created_date", False),), limit=_PAGE)
    ids = [row[0] for row in unit.session.rows(query, ("id",))]
    unit.session.discard(Envelope, ids)
    if len(ids) < _PAGE:
        unit.session.complete(work)
    else:
        unit.session.again(work, unit.now, 0)

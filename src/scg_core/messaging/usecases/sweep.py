"""Withdrawing what a canceled or expired request still has queued, a page a transaction."""

from __future__ import annotations

from typing import Final

from scg_core.kernel.instant import MINUTE, later
from scg_core.kernel.query import Query, among, at_least, at_most
from scg_core.messaging.lifecycle import MessageEvent, RequestEvent, RequestState
from scg_core.messaging.model import FailureCode, Message, MessageRequest, Run, WorkKind
from scg_core.messaging.rules.gate import expired, waited_for
from scg_core.messaging.steps.counting import Tally, move_request
from scg_core.messaging.steps.hearing import News, hear_news
from scg_core.messaging.steps.queueing import QUEUED, next_runs
from scg_core.ports.storage import Work
from scg_core.senders.model import SenderId
from scg_core.unit import Unit

_RECENTLY: Final = 5 * MINUTE
_OVER: Final = frozenset({RequestState.CANCELED, RequestState.REJECTED, RequestState.DELETED})


def sweep_page(unit: Unit, work: Work) -> None:
    """Withdraw the next queued messages of a request; those in flight resolve by themselves.

    The kind of work says why: SWEEP cancels, EXPIRE and PAUSE_EXPIRY expire.
    """
    request = unit.session.get(MessageRequest, work.key)
    if request is not None and request.state is RequestState.SUBMITTED:
        request = move_request(unit, request, RequestEvent.CANCEL)  # it was never accepted
        unit.later(WorkKind.FORGET, request.id, unit.now)
    if request is None or not _applies(request, work.kind):
        unit.session.complete(work)
        return
    event = MessageEvent.CANCEL if work.kind == WorkKind.SWEEP else MessageEvent.EXPIRE
    taken = next_runs(unit, request.id)
    if taken:
        unit.session.again(work, unit.now, 0)  # first: completing the request withdraws it
        _withdraw(unit, request, taken, event)
        return
    unit.session.complete(work)
    _close(unit, request.id, work.kind)


def _applies(request: MessageRequest, kind: str) -> bool:
    if kind == WorkKind.SWEEP:
        return request.state in _OVER
    if kind == WorkKind.PAUSE_EXPIRY:
        return request.state is RequestState.PAUSED
    return request.state in (RequestState.PAUSED, RequestState.TRANSMITTING)


def _withdraw(unit: Unit, request: MessageRequest, runs: list[Run], event: MessageEvent) -> None:
    facts = {}
    if event is MessageEvent.EXPIRE:
        facts = {
            "failure_code": FailureCode.OTHER.value,
            "failure_details": expired(_waited_for(unit, request, runs)).reason,
        }
    news = []
    for run in runs:
        where = [at_least("seq", run.first), at_most("seq", run.last), among("state", QUEUED)]
        for (seq,) in unit.session.rows(Query(Message, where), ("seq",)):
            news.append(News(seq, event, unit.now, facts))
    unit.session.drop(runs)
    tally = Tally()
    hear_news(unit, news, (), tally)
    tally.apply(unit)


def _waited_for(unit: Unit, request: MessageRequest, runs: list[Run]) -> str | None:
    if request.state is RequestState.PAUSED:
        return "the request was paused"
    lanes = unit.session.lanes({run.lane for run in runs})
    reasons = [lane.waited_for(later(unit.now, -_RECENTLY)) for lane in lanes]
    reason = next((one for one in reasons if one is not None), None)
    return waited_for(unit.session.get(SenderId, request.sender_id), reason)


def _close(unit: Unit, request_id: str, kind: str) -> None:
    """A paused request whose messages have all expired is COMPLETED."""
    request = unit.session.get(MessageRequest, request_id)
    if (
        kind == WorkKind.PAUSE_EXPIRY
        and request is not None
        and request.state is RequestState.PAUSED
    ):
        move_request(unit, request, RequestEvent.EXPIRE)

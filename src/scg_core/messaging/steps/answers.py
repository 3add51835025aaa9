"""What the transport answered: each message goes on, goes back, or is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query, among
from scg_core.messaging.lifecycle import MessageEvent, MessageState, Milestone, RequestState
from scg_core.messaging.model import FailureCode, Message, MessageRequest, Run
from scg_core.messaging.rules.receipts import transport_key
from scg_core.messaging.rules.retry import retry_at
from scg_core.messaging.rules.runs import owner
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.hearing import Move, News, hear_news, rows_by_seq, tell_moves
from scg_core.messaging.steps.queueing import requeue
from scg_core.messaging.steps.receipts import apply_parked
from scg_core.ports.message_transport import (
    Answer,
    Capabilities,
    OnUnknown,
    Outcome,
)
from scg_core.unit import Unit

DELIVERY: Final = 1009
_SENT: Final = MessageState.SENT.value
_CREATED: Final = MessageState.CREATED.value
_FAST: Final = (
    "state",
    "milestones",
    "sent_date",
    "last_updated_date",
    "transport_id",
    "external_transaction_ids",
)
_WAITS: Final = frozenset({Outcome.DEFERRED, Outcome.THROTTLED, Outcome.UNKNOWN})


@frozen
class Open:
    """A message whose attempt is open."""

    seq: int
    id: str
    request_id: str
    company_id: str


@frozen
class Answered:
    """An open message and what the transport said to it."""

    message: Open
    answer: Answer


def resolve(
    unit: Unit,
    connector: str,
    runs: Sequence[Run],
    answered: Sequence[Answered],
    capabilities: Capabilities,
    settings: Settings,
) -> None:
    """Apply answers to open messages that lie in these runs, which hold them no more."""
    groups: defaultdict[Outcome, list[Answered]] = defaultdict(list)
    for item in answered:
        groups[_outcome(item.answer, capabilities)].append(item)
    tally = Tally()
    _accepted(unit, connector, groups[Outcome.ACCEPTED], tally)
    _refused(unit, groups[Outcome.REFUSED], tally)
    for outcome in _WAITS:
        _put_off(unit, runs, outcome, groups[outcome], tally, settings)
    tally.apply(unit)
    pending_until = later(unit.now, capabilities.pending_limit)
    requeue(
        unit,
        runs,
        (item.message.seq for item in groups[Outcome.PENDING]),
        lambda run, _: evolve(run, due=pending_until, leased=True),
    )


def _outcome(answer: Answer, capabilities: Capabilities) -> Outcome:
    if answer.outcome is Outcome.UNKNOWN and capabilities.on_unknown is OnUnknown.FAIL:
        return Outcome.REFUSED
    return answer.outcome


def _accepted(unit: Unit, connector: str, items: Sequence[Answered], tally: Tally) -> None:
    """The fast path of ACK: one conditional update for the page, counters by delta.

    What the update does not find CREATED and untouched hears its ACK by the plain rules.
    """
    if not items:
        return
    now, sent = unit.now, int(Milestone.SENT)
    rows = [
        (
            _SENT,
            sent,
            now,
            now,
            transport_key(connector, item.answer.transport_id),
            item.answer.transport_id,
            item.message.seq,
            _CREATED,
            0,
        )
        for item in items
    ]
    changed = unit.session.update(Message, _FAST, ("seq", "state", "milestones"), rows)
    quick: Sequence[Answered] = items
    if changed != len(items):
        quick = _left_to_the_rules(unit, connector, items, tally)
    for request_id, amount in Counter(item.message.request_id for item in quick).items():
        tally.add(request_id, "sent_count", amount)
    tell_moves(unit, lambda: (_moved(item.message) for item in quick))
    apply_parked(unit, [row[4] for row in rows], tally)


def _moved(message: Open) -> Move:
    return (message.company_id, message.id, message.request_id, _CREATED, _SENT)


def _left_to_the_rules(
    unit: Unit, connector: str, items: Sequence[Answered], tally: Tally
) -> list[Answered]:
    """Let the messages that the fast path passed by hear their ACK; the others are returned."""
    seqs = [item.message.seq for item in items]
    held = rows_by_seq(unit, ("seq", "state", "transport_id"), seqs)
    done = {seq for seq, state, key in held if state == _SENT and key is not None}
    slow = [item for item in items if item.message.seq not in done]
    news = [
        News(
            item.message.seq,
            MessageEvent.ACK,
            unit.now,
            {
                "transport_id": transport_key(connector, item.answer.transport_id),
                "external_transaction_ids": item.answer.transport_id,
            },
        )
        for item in slow
    ]
    hear_news(unit, news, [item.message.seq for item in slow], tally)
    return [item for item in items if item.message.seq in done]


def _refused(unit: Unit, items: Sequence[Answered], tally: Tally) -> None:
    withdrawn = _withdrawn_requests(unit, items)
    news: list[News] = []
    for item in items:
        seq = item.message.seq
        if item.message.request_id in withdrawn:
            news.append(News(seq, MessageEvent.DEFERRED, unit.now))
            news.append(News(seq, MessageEvent.CANCEL, unit.now))
        else:
            news.append(News(seq, MessageEvent.REFUSED, unit.now, failure(item.answer)))
    _hear_open(unit, news, [item.message.seq for item in items], tally)


def _put_off(
    unit: Unit,
    runs: Sequence[Run],
    outcome: Outcome,
    items: Sequence[Answered],
    tally: Tally,
    settings: Settings,
) -> None:
    """Send it again later; what was canceled in the meantime is canceled now."""
    if not items:
        return
    withdrawn = _withdrawn_requests(unit, items)
    facts: dict[str, Any] = {"unknown": True} if outcome is Outcome.UNKNOWN else {}
    news: list[News] = []
    for item in items:
        news.append(News(item.message.seq, MessageEvent.DEFERRED, unit.now, facts))
        if item.message.request_id in withdrawn:
            news.append(News(item.message.seq, MessageEvent.CANCEL, unit.now))
    after = _hear_open(unit, news, [item.message.seq for item in items], tally)
    queued = [seq for seq, status in after.items() if status.state is MessageState.CREATED]
    if outcome is Outcome.THROTTLED:
        until = later(unit.now, settings.throttle_pause)
        unit.session.wait(owner(runs, items[0].message.seq).lane, until, "1039 throttled")
        requeue(unit, runs, queued, lambda run, _: _fresh(run, unit.now, run.attempt - 1))
    else:
        requeue(
            unit,
            runs,
            queued,
            lambda run, seq: _fresh(
                run, retry_at(unit.now, run.attempt, seq, settings), run.attempt
            ),
        )


def _hear_open(
    unit: Unit, news: Sequence[News], seqs: Sequence[int], tally: Tally
) -> dict[int, Any]:
    """Hear events of open attempts; a CANCEL after a DELETE or conversion is dropped."""
    after = hear_news(unit, [n for n in news if n.event is not MessageEvent.CANCEL], seqs, tally)
    still = [
        item
        for item in news
        if item.event is MessageEvent.CANCEL and after[item.seq].state is MessageState.CREATED
    ]
    return after | hear_news(unit, still, (), tally)


def _fresh(run: Run, due: Instant, attempt: int) -> Run:
    return evolve(run, due=due, leased=False, attempt=attempt, fence=0)


def _withdrawn_requests(unit: Unit, items: Iterable[Answered]) -> set[str]:
    """Those of the messages' requests that were canceled or deleted."""
    ids = sorted({item.message.request_id for item in items})
    if not ids:
        return set()
    over = (RequestState.CANCELED.value, RequestState.DELETED.value)
    where = [among("id", ids), among("state", over)]
    return {row[0] for row in unit.session.rows(Query(MessageRequest, where), ("id",))}


def failure(answer: Answer) -> dict[str, Any]:
    """The failure that a refusal, or an outcome that stays unknown, means to a message."""
    said = " ".join(part for part in (answer.code, answer.details) if part)
    reason = f"the carrier refused it: {said}" if said else "the carrier refused it"
    if answer.outcome is Outcome.UNKNOWN:
        reason = "the carrier never said what became of it"
    return {
        "failure_code": FailureCode.OTHER.value,
        "failure_details": f"{DELIVERY} {reason}",
    }

"""What the transport answered: each message goes on, goes back, or is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from scg_core.kernel.instant import Instant, later
from scg_core.kernel.query import Query, among, at_most, eq
from scg_core.messaging.lifecycle import MessageEvent, MessageState, Milestone, RequestState
from scg_core.messaging.model import FailureCode, Message, MessageRequest, Run
from scg_core.messaging.records import Fragment, FragmentState, ParkedAnswer
from scg_core.messaging.rules.receipts import transport_key
from scg_core.messaging.rules.retry import retry_at
from scg_core.messaging.rules.runs import owner
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.failover import other_senders, send_elsewhere
from scg_core.messaging.steps.hearing import News, hear_news, rows_by_seq
from scg_core.messaging.steps.queueing import FRONT, requeue
from scg_core.messaging.steps.receipts import DELIVERY, apply_parked
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.telling import Move, tell_moves
from scg_core.ports.message_transport import (
    Answer,
    Capabilities,
    OnUnknown,
    Outcome,
)
from scg_core.unit import Unit

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
_CHUNK: Final = 400
_NO_ANSWER_YET: Final = (Outcome.PENDING, Outcome.UNKNOWN)
_WAITS: Final = (Outcome.DEFERRED, Outcome.THROTTLED, Outcome.UNREACHED, Outcome.UNKNOWN)
_RESTS: Final = {
    Outcome.THROTTLED: "1039 throttled by the carrier",
    Outcome.UNREACHED: f"{DELIVERY} the transport cannot be reached",
}
"""Answers after which the whole lane rests, and why."""


@frozen
class Open:
    """A message whose attempt is open."""

    seq: int
    id: str
    request_id: str
    company_id: str
    price: int = 0


def opened(row: Sequence[Any], price: int | None) -> Open:
    """An open message from a row that begins with number, id, request and company."""
    return Open(row[0], row[1], row[2], row[3], price or 0)


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
    sources: Sources,
) -> None:
    """Apply answers to open messages that lie in these runs, which hold them no more."""
    settings = sources.settings
    groups: defaultdict[Outcome, list[Answered]] = defaultdict(list)
    for item in overtaken(unit, answered):
        groups[item.answer.outcome].append(item)
    unsure = _decide_unknown(unit, groups, capabilities)
    tally = Tally()
    accepted = groups[Outcome.ACCEPTED]
    _accepted(unit, connector, accepted, capabilities, settings, tally)
    _refused(unit, runs, groups[Outcome.REFUSED], sources, tally)
    for outcome in _WAITS:
        _put_off(unit, runs, outcome, groups[outcome], tally, settings)
    tally.apply(unit)
    pending_until = later(unit.now, capabilities.pending_limit)
    _keep_open(unit, runs, groups[Outcome.PENDING], lambda run, _: pending_until)
    _keep_open(
        unit, runs, unsure, lambda run, _: retry_at(unit.now, run.attempt, run.first, settings)
    )


def park_answer(unit: Unit, item: Answered) -> None:
    """Keep an answer that overtook its PENDING."""
    unit.add(
        ParkedAnswer(
            id=unit.new_id(),
            message_id=item.message.id,
            outcome=item.answer.outcome.value,
            transport_ids=item.answer.transport_ids,
            code=item.answer.code,
            details=item.answer.details,
            arrived_date=unit.now,
        )
    )


def overtaken(unit: Unit, items: Sequence[Answered]) -> list[Answered]:
    """The items, with the transport's own later answer in place of what is no answer yet.

    Answers that came for any of these messages are used up or dropped: they belong to the attempt
    that is settled now.
    """
    if not items or not unit.session.count(Query(ParkedAnswer), at_most=1):
        return list(items)
    said: dict[str, Answer] = {}
    for begin in range(0, len(items), _CHUNK):
        some = [item.message.id for item in items[begin : begin + _CHUNK]]
        for held in unit.session.find(Query(ParkedAnswer, [among("message_id", some)])):
            unit.session.remove(held)
            outcome = Outcome(held.outcome)
            said[held.message_id] = Answer(outcome, held.transport_ids, held.code, held.details)
    return [
        evolve(item, answer=said.get(item.message.id, item.answer))
        if item.answer.outcome in _NO_ANSWER_YET
        else item
        for item in items
    ]


def _keep_open(
    unit: Unit,
    runs: Sequence[Run],
    items: Sequence[Answered],
    until: Callable[[Run, int], Instant],
) -> None:
    """Attempts that are still open stay leased until they are answered or asked about."""
    seqs = [item.message.seq for item in items]
    requeue(
        unit,
        runs,
        seqs,
        lambda run, seq: evolve(run, due=until(run, seq), leased=True, pending=True),
    )


def _decide_unknown(
    unit: Unit, groups: dict[Outcome, list[Answered]], capabilities: Capabilities
) -> list[Answered]:
    """By the transport's policy unknown outcomes are sent again, refused, or asked about.

    Returned are those to ask about; a message past its expiry is given up instead.
    """
    unknown = groups[Outcome.UNKNOWN]
    if capabilities.on_unknown is OnUnknown.RESEND or not unknown:
        return []
    groups[Outcome.UNKNOWN] = []
    given_up = {item.message.request_id for item in unknown}
    if capabilities.on_unknown is OnUnknown.QUERY:
        where = [among("id", sorted(given_up)), at_most("expiry_time", unit.now)]
        given_up = {row[0] for row in unit.session.rows(Query(MessageRequest, where), ("id",))}
    groups[Outcome.REFUSED] += [i for i in unknown if i.message.request_id in given_up]
    return [item for item in unknown if item.message.request_id not in given_up]


def _accepted(
    unit: Unit,
    connector: str,
    items: Sequence[Answered],
    capabilities: Capabilities,
    settings: Settings,
    tally: Tally,
) -> None:
    """The fast path of ACK: one conditional update for the page, counters by delta.

    What the update does not find CREATED and untouched hears its ACK by the plain rules.
    """
    if not items:
        return
    now, sent = unit.now, int(Milestone.SENT)
    keys: dict[str, int] = {}
    rows = []
    for item in items:
        ids, seq = item.answer.transport_ids, item.message.seq
        mine = [transport_key(connector, one) for one in ids]
        keys.update(dict.fromkeys(mine, seq))
        key = mine[0] if len(mine) == 1 else None
        if len(mine) > 1 or not capabilities.addresses:
            _split(unit, seq, mine)
        rows.append((_SENT, sent, now, now, key, ",".join(ids) or None, seq, _CREATED, 0))
    changed = unit.session.update(Message, _FAST, ("seq", "state", "milestones"), rows)
    quick = items if changed == len(items) else _left_to_the_rules(unit, rows, items, tally)
    for request_id, amount in Counter(item.message.request_id for item in quick).items():
        tally.add(request_id, "sent_count", amount)
    for item in quick:
        if item.message.price:
            tally.pay(item.message.company_id, item.message.price, 0)
    tell_moves(unit, lambda: (_moved(item.message) for item in quick))
    apply_parked(unit, keys, capabilities.receipt_policy, settings, tally)


def _split(unit: Unit, seq: int, keys: Sequence[str]) -> None:
    """Keep the fragments that the transport reports on one by one; a resend replaces them."""
    for old in unit.session.find(Query(Fragment, [eq("seq", seq)])):
        unit.session.remove(old)
    for number, key in enumerate(keys, start=1):
        unit.add(
            Fragment(
                id=unit.new_id(),
                seq=seq,
                number=number,
                transport_id=key,
                state=FragmentState.OPEN,
            )
        )


def _moved(message: Open) -> Move:
    return Move(message.company_id, message.id, message.request_id, _CREATED, _SENT)


def _left_to_the_rules(
    unit: Unit, rows: Sequence[tuple[Any, ...]], items: Sequence[Answered], tally: Tally
) -> list[Answered]:
    """Let the messages that the fast path passed by hear their ACK; the others are returned."""
    seqs = [item.message.seq for item in items]
    held = rows_by_seq(unit, ("seq", "state", "milestones", "sent_date", "last_updated_date"), seqs)
    just_now = (_SENT, int(Milestone.SENT), unit.now, unit.now)
    done = {row[0] for row in held if tuple(row[1:]) == just_now}
    news = [
        News(
            seq,
            MessageEvent.ACK,
            unit.now,
            {"transport_id": key, "external_transaction_ids": ids},
        )
        for _, _, _, _, key, ids, seq, _, _ in rows
        if seq not in done
    ]
    hear_news(unit, news, [item.seq for item in news], tally)
    return [item for item in items if item.message.seq in done]


def _refused(
    unit: Unit, runs: Sequence[Run], items: Sequence[Answered], sources: Sources, tally: Tally
) -> None:
    """A refusal fails a message, unless its channel has another sender id that may be tried."""
    withdrawn = _withdrawn_requests(unit, items)
    standing = [i.message.seq for i in items if i.message.request_id not in withdrawn]
    elsewhere = other_senders(unit, sources, runs, standing, refused=True)
    news: list[News] = []
    for item in items:
        seq = item.message.seq
        if item.message.request_id in withdrawn:
            news.append(News(seq, MessageEvent.DEFERRED, unit.now))
            news.append(News(seq, MessageEvent.CANCEL, unit.now))
        elif seq in elsewhere:
            news.append(News(seq, MessageEvent.DEFERRED, unit.now))
        else:
            news.append(News(seq, MessageEvent.REFUSED, unit.now, failure(item.answer)))
    after = _hear_open(unit, news, [item.message.seq for item in items], tally)
    still = {seq for seq in elsewhere if after[seq].state is MessageState.CREATED}
    send_elsewhere(unit, {seq: one for seq, one in elsewhere.items() if seq in still})


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
    if outcome in _RESTS:
        until = later(unit.now, settings.throttle_pause)
        for lane in sorted({owner(runs, item.message.seq).lane for item in items}):
            unit.session.wait(lane, until, _RESTS[outcome])
        requeue(unit, runs, queued, lambda run, _: _fresh(run, FRONT, run.attempt - 1))
    else:
        requeue(
            unit,
            runs,
            queued,
            lambda run, _: _fresh(
                run, retry_at(unit.now, run.attempt, run.first, settings), run.attempt
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
    return evolve(run, due=due, leased=False, pending=False, attempt=attempt, fence=0)


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

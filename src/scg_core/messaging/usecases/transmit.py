"""Hand-off: claim a window of one lane, pass the gate, and settle what the transport answers.

Three pieces: ``claim`` in one transaction, the submission itself by the pump outside any
transaction, ``settle`` in another. The lease of the claimed runs is the attempt's record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from scg_core.kernel.errors import StorageUnavailable
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, among, at_least, at_most
from scg_core.messaging.lifecycle import MessageEvent, MessageState, RequestState
from scg_core.messaging.model import (
    Claim,
    ConsentRequirement,
    Exempt,
    Lane,
    Message,
    MessageRequest,
    Run,
)
from scg_core.messaging.rules.gate import Decision, Order, Verdict
from scg_core.messaging.rules.runs import contiguous, narrowed
from scg_core.messaging.rules.status import Status
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.answers import Answered, Open, failure, opened, overtaken, resolve
from scg_core.messaging.steps.carrying import files_for
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.failover import attempt_id, other_senders, send_elsewhere
from scg_core.messaging.steps.hearing import News, hear_news, rows_by_seq
from scg_core.messaging.steps.judging import Counter, Judge, counter_of
from scg_core.messaging.steps.queueing import requeue
from scg_core.messaging.steps.reserving import Reserved, give_back, let_go, put_back, take
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.telling import Move, tell_moves
from scg_core.ports.message_transport import Answer, Attempt, Capabilities, OnUnknown, Outcome
from scg_core.senders.rules.throughput import Grant
from scg_core.unit import Unit

_COLUMNS: Final = (
    "seq",
    "id",
    "message_request_id",
    "company_id",
    "from_address",
    "to_address",
    "body",
    "segments",
    "state",
    "milestones",
    "type",
    "price",
    "tried",
    "language",
)
_MANY_STRETCHES: Final = 4
_LANES_AT_ONCE: Final = 50
_SEND: Final = Decision.SEND
_CREATED: Final = MessageState.CREATED.value
_SCHEDULED: Final = MessageState.SCHEDULED.value
_EVENTS: Final = {
    Decision.CANCEL: MessageEvent.CANCEL,
    Decision.EXPIRE: MessageEvent.EXPIRE,
    Decision.FAIL: MessageEvent.FAIL,
}


class LaneFailed(Exception):
    """The messages of a lane could not be judged; nothing of the claim may be kept."""

    def __init__(self, lane_id: int) -> None:
        super().__init__(lane_id)
        self.lane_id = lane_id


@frozen
class Submission:
    """A claimed window: the messages to hand over, and those to ask the transport about.

    ``open`` are the messages of the attempts and then those of the questions; the answers come in
    that order. ``grant`` is what the limits of the lane granted the attempts.
    """

    claim: Claim
    attempts: tuple[Attempt, ...]
    questions: tuple[str, ...]
    open: tuple[Open, ...]
    counter: Counter
    grant: Grant | None

    @property
    def connector(self) -> str:
        """The transport it goes to."""
        return self.claim.lane.key.connector


def claim(
    unit: Unit, connectors: Mapping[str, Capabilities], sources: Sources
) -> Submission | None:
    """Lease the next window of the lane whose turn it is, and let the gate judge it.

    A lane whose limits let nothing go now rests untouched. What the gate refuses or puts off is
    written at once; what it lets pass is CREATED with its attempt open, its credit and its place
    under the limits taken. None: no lane is ready.
    """
    windows = {}
    for name, declared in connectors.items():
        room = declared.window - unit.session.pending(name, unit.now)[0]
        if room > 0:
            windows[name] = room
    if not windows:
        return None
    for _ in range(_LANES_AT_ONCE):
        lane = unit.session.next_lane(windows.keys(), unit.now)
        if lane is None:
            return None
        declared = connectors[lane.key.connector]
        try:
            claimed = _claim_of(unit, lane, windows[lane.key.connector], declared, sources)
        except StorageUnavailable:
            raise
        except Exception as reason:
            raise LaneFailed(lane.id) from reason
        if claimed is not None:
            return claimed
    return None


def rest_failed_lane(unit: Unit, lane_id: int, settings: Settings) -> None:
    """A lane whose messages could not be judged rests, so that it stops nobody else."""
    unit.session.wait(lane_id, later(unit.now, settings.sender_pause), "it could not be judged")


def _claim_of(
    unit: Unit, lane: Lane, most: int, declared: Capabilities, sources: Sources
) -> Submission | None:
    counter = counter_of(unit, lane, sources)
    fits = let_go(unit, counter, most, sources)
    if not fits:
        return None
    until = later(unit.now, sources.settings.lease)
    taken = unit.session.claim_runs(lane, fits, unit.now, until)
    return _judge(unit, taken, counter, declared, sources)


def _judge(
    unit: Unit,
    taken: Claim,
    counter: Counter,
    capabilities: Capabilities,
    sources: Sources,
) -> Submission:
    """Let the gate judge what was claimed, and take the credit and places of what passes."""
    rows = _rows(unit, taken.runs)
    asked: list[tuple[Any, ...]] = []
    if taken.lapsed:
        rows, asked = _lapse(unit, taken, rows, capabilities, sources)
    orders = _orders(unit, {row[2] for row in rows})
    judge = Judge(unit, taken.lane, counter.sender, capabilities, sources)
    judge.look_up(rows)
    verdicts = [judge.verdict(orders[row[2]], row) for row in rows]
    passed = [row for row, one in zip(rows, verdicts, strict=True) if one.decision is _SEND]
    held = [
        (row, one) for row, one in zip(rows, verdicts, strict=True) if one.decision is not _SEND
    ]
    if held:
        _withhold(unit, taken, held, orders, sources)
    kept = take(unit, taken, counter, passed, judge, sources)
    if len(kept.rows) + len(asked) != sum(run.size for run in taken.runs):
        taken = _narrow(unit, taken, [*kept.rows, *asked])
    judge.note_first_contact(kept.rows, orders)
    _release(unit, kept.rows)
    return _submission(unit, taken, kept, asked, counter, orders)


def settle(
    unit: Unit,
    submission: Submission,
    answers: Sequence[Answer],
    capabilities: Capabilities,
    sources: Sources,
) -> None:
    """Write down what the transport answered.

    Raises:
        LeaseLost: it took longer than the lease; another worker has the messages now.
    """
    unit.session.finish(submission.claim)
    answered = [
        Answered(message, answer) for message, answer in zip(submission.open, answers, strict=True)
    ]
    unreached = sum(
        attempt.segments
        for attempt, answer in zip(submission.attempts, answers, strict=False)
        if answer.outcome is Outcome.UNREACHED
    )
    give_back(unit, submission.counter, submission.grant, unreached, sources)
    runs = submission.claim.runs
    resolve(unit, submission.connector, runs, answered, capabilities, sources)


def _rows(unit: Unit, runs: Sequence[Run]) -> list[tuple[Any, ...]]:
    """The messages of some runs."""
    stretches = contiguous(seq for run in runs for seq in range(run.first, run.last + 1))
    if len(stretches) > _MANY_STRETCHES:
        seqs = [seq for first, last in stretches for seq in range(first, last + 1)]
        return rows_by_seq(unit, _COLUMNS, seqs)
    rows: list[tuple[Any, ...]] = []
    for first, last in stretches:
        where = [at_least("seq", first), at_most("seq", last)]
        rows += unit.session.rows(Query(Message, where), _COLUMNS)
    return rows


def _orders(unit: Unit, ids: set[str]) -> dict[str, Order]:
    columns = (
        "id", "state", "expiry_time", "consent_requirement", "price_threshold", "channel_id",
        "exempt", "application_id", "attachments", "subject", "src_language",
    )  # fmt: skip
    found = unit.session.rows(Query(MessageRequest, [among("id", sorted(ids))]), columns)
    return {
        id: Order(
            RequestState(state),
            expiry,
            ConsentRequirement(requirement),
            most,
            channel,
            Exempt(exempt),
            int(application),
            attachments,
            subject,
            language,
        )
        for (
            id,
            state,
            expiry,
            requirement,
            most,
            channel,
            exempt,
            application,
            attachments,
            subject,
            language,
        ) in found
    }


def _lapse(
    unit: Unit,
    taken: Claim,
    rows: Sequence[tuple[Any, ...]],
    capabilities: Capabilities,
    sources: Sources,
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Messages whose lease ran out have an unknown outcome: settle that first.

    Returned are the rows to hand over, those to be sent again among them, and the rows to ask
    the transport about.
    """
    lapsed = [row for row in rows if any(r.first <= row[0] <= r.last for r in taken.lapsed)]
    pending = [row for row in lapsed if Status(MessageState(row[8]), row[9], True).is_open]
    gone = {row[0] for row in lapsed}
    unknown = Answer(Outcome.UNKNOWN)
    lapsing = [opened(row, row[11]) for row in pending]
    said = overtaken(unit, [Answered(one, unknown) for one in lapsing])
    known = [item for item in said if item.answer is not unknown]
    if known:
        connector = taken.lane.key.connector
        resolve(unit, connector, taken.runs, known, capabilities, sources)
        settled = {item.message.seq for item in known}
        pending = [row for row in pending if row[0] not in settled]
    if capabilities.on_unknown is OnUnknown.QUERY:
        return [row for row in rows if row[0] not in gone], pending
    tally = Tally()
    event, facts = MessageEvent.DEFERRED, dict[str, Any](unknown=True)
    if capabilities.on_unknown is OnUnknown.FAIL:
        event, facts = MessageEvent.REFUSED, failure(Answer(Outcome.UNKNOWN))
    news = [News(row[0], event, unit.now, facts) for row in pending]
    after = hear_news(unit, news, [row[0] for row in pending], tally)
    tally.apply(unit)
    gone -= {seq for seq, status in after.items() if status.state is MessageState.CREATED}
    return [row for row in rows if row[0] not in gone], []


def _withhold(
    unit: Unit,
    taken: Claim,
    held: Sequence[tuple[tuple[Any, ...], Verdict]],
    orders: Mapping[str, Order],
    sources: Sources,
) -> None:
    """Write the gate's refusals; what must wait goes back or on, and its lane rests."""
    news, waiting, deferred = [], [], []
    for row, verdict in held:
        if verdict.decision is Decision.WAIT:
            waiting.append(row)
        elif verdict.decision is Decision.DEFER:
            deferred.append((row, verdict))
        else:
            facts: dict[str, Any] = {}
            if verdict.code is not None:
                facts = {"failure_code": verdict.code.value, "failure_details": verdict.reason}
            news.append(News(row[0], _EVENTS[verdict.decision], unit.now, facts))
    tally = Tally()
    hear_news(unit, news, (), tally)
    tally.apply(unit)
    if deferred:
        _defer(unit, taken, deferred)
    if waiting:
        reason = next(one.reason for _, one in held if one.decision is Decision.WAIT)
        seqs = [row[0] for row in waiting if orders[row[2]].channel_id is not None]
        moved = other_senders(unit, sources, taken.runs, seqs, refused=False)
        send_elsewhere(unit, moved)
        rest = [row[0] for row in waiting if row[0] not in moved]
        if rest:
            until = later(unit.now, sources.settings.sender_pause)
            unit.session.wait(taken.lane.id, until, reason or "")
            put_back(unit, taken, rest)


def _defer(unit: Unit, taken: Claim, deferred: Sequence[tuple[tuple[Any, ...], Verdict]]) -> None:
    """The window is shut: these are SCHEDULED, each for the next opening of its recipient."""
    until = {row[0]: one.until or unit.now for row, one in deferred}
    rows = [
        (_SCHEDULED, unit.now, until[row[0]], one.reason, row[0], row[8]) for row, one in deferred
    ]
    columns = ("state", "last_updated_date", "scheduled_delivery_time", "failure_details")
    unit.session.update(Message, columns, ("seq", "state"), rows)
    tell_moves(
        unit,
        lambda: [
            Move(row[3], row[1], row[2], row[8], _SCHEDULED, one.reason)
            for row, one in deferred
            if row[8] != _SCHEDULED
        ],
    )
    requeue(
        unit,
        taken.runs,
        until,
        lambda run, seq: evolve(
            run, due=until[seq], leased=False, fence=0, attempt=run.attempt - 1
        ),
    )


def _narrow(unit: Unit, taken: Claim, passed: Sequence[tuple[Any, ...]]) -> Claim:
    """Cut the claimed runs down to what passed: a leased run holds open attempts only."""
    unit.session.drop(taken.runs)
    seqs = [row[0] for row in passed]
    runs = unit.session.queue(part for run in taken.runs for part in narrowed(run, seqs))
    return evolve(taken, runs=tuple(runs), lapsed=())


def _release(unit: Unit, passed: Sequence[tuple[Any, ...]]) -> None:
    """What was scheduled is CREATED once it is let go."""
    waiting = [row for row in passed if row[8] != _CREATED]
    if not waiting:
        return
    rows = [(_CREATED, unit.now, None, row[0], row[8]) for row in waiting]
    columns = ("state", "last_updated_date", "failure_details")
    unit.session.update(Message, columns, ("seq", "state"), rows)
    tell_moves(unit, lambda: [Move(row[3], row[1], row[2], row[8], _CREATED) for row in waiting])


def _submission(
    unit: Unit,
    taken: Claim,
    kept: Reserved,
    asked: Sequence[tuple[Any, ...]],
    counter: Counter,
    orders: Mapping[str, Order],
) -> Submission:
    wanted = counter.sender is None or counter.sender.dr_required != "NO"
    return Submission(
        taken,
        tuple(
            Attempt(attempt_id(row[1], row[12]), row[4], row[5], row[6] or "", row[7], wanted,
                    row[10], orders[row[2]].subject,
                    files_for(unit, orders[row[2]].attachments) or (),
                    row[13] or orders[row[2]].language)
            for row in kept.rows
        ),
        tuple(attempt_id(row[1], row[12]) for row in asked),
        tuple(
            opened(row, kept.prices.get(row[0], row[11])) for row in (*kept.rows, *asked)
        ),
        counter,
        kept.grant,
    )  # fmt: skip

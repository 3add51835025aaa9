"""Hand-off: claim a window of one lane, pass the gate, and settle what the transport answers.

Three pieces: ``claim`` in one transaction, the submission itself by the pump outside any
transaction, ``settle`` in another. The lease of the claimed runs is the attempt's record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from scg_core.consent.rules import ConsentStatus
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, among, at_least, at_most
from scg_core.messaging.lifecycle import MessageEvent, MessageState, RequestState
from scg_core.messaging.model import Claim, ConsentRequirement, Message, MessageRequest, Run
from scg_core.messaging.rules.gate import Decision, Order, Verdict, gate
from scg_core.messaging.rules.runs import contiguous, narrowed
from scg_core.messaging.rules.status import Status
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.answers import Answered, Open, failure, overtaken, resolve
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.hearing import News, hear_news, rows_by_seq, tell_moves
from scg_core.messaging.steps.queueing import requeue
from scg_core.ports.message_transport import Answer, Attempt, Capabilities, OnUnknown, Outcome
from scg_core.senders.model import SenderId
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
)
_MANY_STRETCHES: Final = 4
_CREATED: Final = MessageState.CREATED.value
_FRAGMENT: Final = "/1"
_EVENTS: Final = {
    Decision.CANCEL: MessageEvent.CANCEL,
    Decision.EXPIRE: MessageEvent.EXPIRE,
    Decision.FAIL: MessageEvent.FAIL,
}


@frozen
class Submission:
    """A claimed window: the messages to hand over, and those to ask the transport about.

    ``open`` are the messages of the attempts and then those of the questions; the answers come in
    that order.
    """

    claim: Claim
    attempts: tuple[Attempt, ...]
    questions: tuple[str, ...]
    open: tuple[Open, ...]

    @property
    def connector(self) -> str:
        """The transport it goes to."""
        return self.claim.lane.key.connector


def claim(
    unit: Unit, connectors: Mapping[str, Capabilities], settings: Settings
) -> Submission | None:
    """Lease the next window of the lane whose turn it is, and let the gate judge it.

    What the gate refuses or withdraws is written at once; what it lets pass is CREATED with its
    attempt open. None: no lane is ready.
    """
    windows = {}
    for name, declared in connectors.items():
        room = declared.window - unit.session.pending(name, unit.now)[0]
        if room > 0:
            windows[name] = room
    if not windows:
        return None
    taken = unit.session.claim_runs(windows, unit.now, later(unit.now, settings.lease))
    if taken is None:
        return None
    capabilities = connectors[taken.lane.key.connector]
    rows = _rows(unit, taken.runs)
    asked: list[tuple[Any, ...]] = []
    if taken.lapsed:
        rows, asked = _lapse(unit, taken, rows, capabilities, settings)
    sender = unit.session.get(SenderId, taken.lane.key.sender_id)
    orders = _orders(unit, {row[2] for row in rows})
    waited = taken.lane.waited_for(later(unit.now, -settings.retry_longest))
    verdicts = {
        request: gate(order, sender, ConsentStatus.NONE, unit.now, waited)
        for request, order in orders.items()
    }
    passed = [row for row in rows if verdicts[row[2]].decision is Decision.SEND]
    held = [row for row in rows if verdicts[row[2]].decision is not Decision.SEND]
    if held:
        _withhold(unit, taken, held, verdicts, settings)
    if len(passed) + len(asked) != sum(run.size for run in taken.runs):
        taken = _narrow(unit, taken, [*passed, *asked])
    _release(unit, passed)
    return _submission(taken, passed, asked, sender)


def settle(
    unit: Unit,
    submission: Submission,
    answers: Sequence[Answer],
    capabilities: Capabilities,
    settings: Settings,
) -> None:
    """Write down what the transport answered.

    Raises:
        LeaseLost: it took longer than the lease; another worker has the messages now.
    """
    unit.session.finish(submission.claim)
    answered = [
        Answered(message, answer) for message, answer in zip(submission.open, answers, strict=True)
    ]
    runs = submission.claim.runs
    resolve(unit, submission.connector, runs, answered, capabilities, settings)


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
    columns = ("id", "state", "expiry_time", "consent_requirement")
    found = unit.session.rows(Query(MessageRequest, [among("id", sorted(ids))]), columns)
    return {
        id: Order(RequestState(state), expiry, ConsentRequirement(requirement))
        for id, state, expiry, requirement in found
    }


def _lapse(
    unit: Unit,
    taken: Claim,
    rows: Sequence[tuple[Any, ...]],
    capabilities: Capabilities,
    settings: Settings,
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Messages whose lease ran out have an unknown outcome: settle that first.

    Returned are the rows to hand over, those to be sent again among them, and the rows to ask
    the transport about.
    """
    lapsed = [row for row in rows if any(r.first <= row[0] <= r.last for r in taken.lapsed)]
    pending = [row for row in lapsed if Status(MessageState(row[8]), row[9], True).is_open]
    gone = {row[0] for row in lapsed}
    unknown = Answer(Outcome.UNKNOWN)
    said = overtaken(unit, [Answered(Open(*row[:4]), unknown) for row in pending])
    known = [item for item in said if item.answer is not unknown]
    if known:
        connector = taken.lane.key.connector
        resolve(unit, connector, taken.runs, known, capabilities, settings)
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
    rows: Sequence[tuple[Any, ...]],
    verdicts: Mapping[str, Verdict],
    settings: Settings,
) -> None:
    """Write the gate's refusals; what must wait goes back, and its lane rests."""
    news, waiting = [], []
    for row in rows:
        verdict = verdicts[row[2]]
        if verdict.decision is Decision.WAIT:
            waiting.append(row[0])
            continue
        facts: dict[str, Any] = {}
        if verdict.code is not None:
            facts = {"failure_code": verdict.code.value, "failure_details": verdict.reason}
        news.append(News(row[0], _EVENTS[verdict.decision], unit.now, facts))
    tally = Tally()
    hear_news(unit, news, (), tally)
    tally.apply(unit)
    if waiting:
        reason = next(v.reason for v in verdicts.values() if v.decision is Decision.WAIT)
        until = later(unit.now, settings.sender_pause)
        unit.session.wait(taken.lane.id, until, reason or "")
        requeue(
            unit,
            taken.runs,
            waiting,
            lambda run, _: evolve(
                run, due=unit.now, leased=False, fence=0, attempt=run.attempt - 1
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
    rows = [(_CREATED, unit.now, row[0], row[8]) for row in waiting]
    unit.session.update(Message, ("state", "last_updated_date"), ("seq", "state"), rows)
    tell_moves(unit, lambda: [(row[3], row[1], row[2], row[8], _CREATED) for row in waiting])


def _submission(
    taken: Claim,
    passed: Sequence[tuple[Any, ...]],
    asked: Sequence[tuple[Any, ...]],
    sender: SenderId | None,
) -> Submission:
    wanted = sender is None or sender.dr_required != "NO"
    return Submission(
        taken,
        tuple(
            Attempt(id + _FRAGMENT, origin, address, body or "", segments, wanted)
            for _, id, _, _, origin, address, body, segments, _, _ in passed
        ),
        tuple(row[1] + _FRAGMENT for row in asked),
        tuple(Open(*row[:4]) for row in (*passed, *asked)),
    )

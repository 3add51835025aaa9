"""Looks at what is left after a run, knowing nothing of how the engine works.

Two witnesses are compared: the storage's rows and the carrier's own log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from scg_core.calling.model import Call
from scg_core.kernel.instant import SECOND, Instant
from scg_core.kernel.query import Query
from scg_core.messaging.lifecycle import Direction, Milestone
from scg_core.messaging.model import Message, MessageRequest, Run
from scg_core.messaging.rules.status import TEST_MESSAGE
from scg_core.tenancy.model import CreditAccount

if TYPE_CHECKING:
    from scg_core.conformance.simulation.scheduler import Simulation

CLOSED = ("16:02", "16:10")
"""When nothing may leave in worlds with a window, on the handsets' clocks."""
ZONE = ZoneInfo("America/Los_Angeles")
BURST, LONGEST = 1, 3
"""A class without a burst of its own has one; segments of the longest message sent."""
QUEUED = ("CREATED", "SCHEDULED", "PAUSED")
FINISHED = ("COMPLETED", "CANCELED", "REJECTED", "DELETED")
COUNTERS = {
    "sent_count": Milestone.SENT,
    "delivered_count": Milestone.DELIVERED,
    "read_count": Milestone.READ,
    "converted_count": Milestone.CONVERTED,
    "canceled_count": Milestone.CANCELED,
    "failed_count": Milestone.FAILED,
}


def recount(storage: Any) -> None:
    """Semantics 1c: every counter equals a recount, the balance holds, the queue is exact."""
    with storage.snapshot() as session:
        messages = session.find(Query(Message))
        requests = session.find(Query(MessageRequest))
        held = {m.seq: session.runs_at([m.seq]) for m in messages}
        accounts = session.find(Query(CreditAccount))
        calls = session.find(Query(Call))
    for account in accounts:
        _ledger(account, messages, [one for one in calls if one.company_id == account.id])
    by_request: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_request[message.message_request_id or ""].append(message)
    for request in requests:
        _balanced(request, by_request[request.id], held)
    for message in messages:
        runs = held[message.seq]
        if message.state.value in QUEUED:
            assert len(runs) == 1, f"{message.state} in {len(runs)} runs"
        else:
            assert all(run.leased for run in runs), f"{message.state} is still queued"


def _ledger(account: CreditAccount, messages: list[Message], calls: list[Call]) -> None:
    """What a company has reserved and spent is the sum of its messages' and calls' prices."""
    mine = [m for m in messages if m.company_id == account.id and m.price is not None]
    sent: int = sum(m.price or 0 for m in mine if m.milestones & Milestone.SENT)
    waiting: int = sum(m.price or 0 for m in mine if not m.milestones & Milestone.SENT)
    sent += sum(one.price or 0 for one in calls)
    waiting += sum(one.reserved for one in calls)
    assert (account.confirmed, account.reserved) == (sent, waiting), account
    assert account.left >= 0 or not account.prepaid


def _balanced(request: MessageRequest, mine: list[Message], held: dict[int, list[Run]]) -> None:
    assert request.recipient_count == len(mine)
    for counter, bit in COUNTERS.items():
        assert getattr(request, counter) == sum(bool(m.milestones & bit) for m in mine), counter
    assert request.test_count == sum(bool(m.milestones & TEST_MESSAGE) for m in mine)
    open_ = sum(_open(m, held[m.seq]) for m in mine)
    assert request.open_count == open_, (request.open_count, open_)
    assert request.recipient_count >= request.sent_count >= request.delivered_count
    assert request.delivered_count >= request.read_count
    assert request.canceled_count + request.sent_count <= request.recipient_count


def _open(message: Message, runs: list[Run]) -> bool:
    if message.milestones & Milestone.SENT:
        return False
    return message.state.value in QUEUED or any(run.leased for run in runs)


def check(simulation: Simulation) -> None:
    """Nothing lost, nothing doubled beyond the promise, every request finished."""
    recount(simulation.storage)
    with simulation.storage.snapshot() as session:
        messages = session.find(Query(Message))
        requests = session.find(Query(MessageRequest))
    asked = [one for one in requests if set(one.body or "") == {"x"}]  # the rest are replies
    assert len(asked) == len(simulation.expected)
    assert sum(one.direction is Direction.MO for one in messages) == simulation.heard
    for request in requests:
        assert request.state.value in FINISHED, request.state
        assert request.open_count == 0
    _nobody_forgotten(simulation, asked, messages)
    _taken_as_recorded(simulation, messages)
    within_the_rules(simulation)
    if simulation.callers is not None:
        simulation.callers.check()


def _nobody_forgotten(
    simulation: Simulation, requests: list[MessageRequest], messages: list[Message]
) -> None:
    """Every recipient of a request that was not withdrawn has exactly one message."""
    for request in requests:
        addresses = [m.to_address for m in messages if m.message_request_id == request.id]
        assert len(addresses) == len(set(addresses))
        if request.state.value == "COMPLETED":
            assert set(addresses) in list(simulation.expected.values())


def _taken_as_recorded(simulation: Simulation, messages: list[Message]) -> None:
    """What the storage calls sent, the carrier took, and the other way round; few took it twice."""
    taken = Counter(one.attempt_id for one in simulation.carrier.inner.taken())
    by_attempt = {f"{message.id}/1": message for message in messages}
    assert taken.keys() <= by_attempt.keys()
    for attempt, message in by_attempt.items():
        if message.milestones & Milestone.SENT:
            assert taken[attempt], f"{message.state} but the carrier never saw it"
    for attempt in taken:
        message = by_attempt[attempt]
        late = message.state.value in ("EXPIRED", "CANCELED", "DELETED", "CONVERTED", "FAILED")
        assert message.milestones & Milestone.SENT or late, f"lost: {message.state}"
    knows = simulation.carrier.capabilities.deduplicates
    for attempt, count in taken.items():
        may = 1 if knows else 1 + simulation.carrier.doubtful[attempt]
        assert count <= may, f"taken {count} times where {may} may be: {attempt}"


def within_the_rules(simulation: Simulation) -> None:
    """Nothing left when the window was closed, faster than the limit, or after an opt-out.

    Replies to a handset's own words may.
    """
    handed = [one for one in simulation.carrier.handed if set(one[0].body) == {"x"}]
    if simulation.windowed:
        for one, at in handed:
            assert not _closed(at), f"left at {at} {one}, when the window was closed"
    if simulation.peak is not None:
        _no_faster(simulation.peak, sorted((at, one.segments) for one, at in handed))
    for one, at in handed:
        said = simulation.said.get(one.to_address, ())
        words = [text for since, text in said if (text == "START" and since <= at)
                 or (text == "STOP" and since < at)]  # fmt: skip
        assert words[-1:] != ["STOP"], "left after an opt-out"


def _closed(at: Instant) -> bool:
    shown = datetime.fromtimestamp(at / 1000, ZONE).strftime("%H:%M")
    return CLOSED[0] <= shown < CLOSED[1]


def _no_faster(rate: int, handed: list[tuple[Instant, int]]) -> None:
    """In no second more than the rate and the burst, or one message."""
    first, units = 0, 0
    for at, size in handed:
        units += size
        while handed[first][0] <= at - SECOND:
            units -= handed[first][1]
            first += 1
        assert units <= rate + max(BURST, LONGEST), f"{units} in the second to {at}"

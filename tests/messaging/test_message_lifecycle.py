"""Semantics 1a, cell by cell: what a message makes of each event, in each place it can be.

The table below is written from the specification, not from the code: for each event and each
column the state it leads to and the counters that rise; ``late`` changes nothing, ``illegal``
is error 409.
"""

from __future__ import annotations

import itertools

import pytest

from scg_core.kernel.errors import IllegalTransition
from scg_core.messaging.lifecycle import MT, MessageEvent, MessageState, Milestone, Phase
from scg_core.messaging.rules.status import UNKNOWN_OUTCOME, Status, delete, hear

E, S, M = MessageEvent, MessageState, Milestone
SENT, DELIVERED, READ = M.SENT, M.SENT | M.DELIVERED, M.SENT | M.DELIVERED | M.READ

COLUMNS = {
    "CREATED": Status(S.CREATED),
    "SCHEDULED": Status(S.SCHEDULED),
    "PAUSED": Status(S.PAUSED),
    "F": Status(S.CREATED, in_flight=True),
    "SENT": Status(S.SENT, SENT),
    "DELIVERED": Status(S.DELIVERED, DELIVERED),
    "READ": Status(S.READ, READ),
    "CONVERTED": Status(S.CONVERTED, SENT | M.CONVERTED),
    "CONVERTED in flight": Status(S.CONVERTED, M.CONVERTED, in_flight=True),
    "FAILED": Status(S.FAILED, M.FAILED),
    "EXPIRED": Status(S.EXPIRED, M.FAILED),
    "CANCELED": Status(S.CANCELED, M.CANCELED),
    "TEST": Status(S.TEST),
}
QUEUED = ("CREATED", "SCHEDULED", "PAUSED")
FINAL = ("FAILED", "EXPIRED", "CANCELED", "TEST")
PAST = ("SENT", "DELIVERED", "READ")

TABLE: dict[tuple[str, MessageEvent], str] = {}


def _row(event: MessageEvent, **cells: str) -> None:
    groups = {"Q": QUEUED, "final": FINAL, "past": PAST, "flying": ("CONVERTED in flight",)}
    for name, outcome in cells.items():
        for column in groups.get(name, (name,)):
            TABLE[column, event] = outcome


_row(
    E.ACK,
    Q="late",
    F="SENT sent",
    past="late",
    CONVERTED="late",
    flying="CONVERTED sent",
    final="late",
)
_row(
    E.REFUSED,
    Q="late",
    F="FAILED failed",
    past="late",
    CONVERTED="late",
    flying="CONVERTED",
    final="late",
)
_row(E.DEFERRED, F="CREATED", past="late", FAILED="late", CONVERTED="CONVERTED", flying="CONVERTED")
_row(
    E.DELIVERED,
    Q="late",
    F="DELIVERED sent delivered",
    SENT="DELIVERED delivered",
    DELIVERED="late",
    READ="late",
    CONVERTED="CONVERTED delivered",
    flying="CONVERTED sent delivered",
    final="late",
)
_row(
    E.READ,
    Q="late",
    F="READ sent delivered read",
    SENT="READ delivered read",
    DELIVERED="READ read",
    READ="late",
    CONVERTED="CONVERTED delivered read",
    flying="CONVERTED sent delivered read",
    final="late",
)
_row(
    E.CLICK,
    Q="late",
    F="CONVERTED sent converted",
    past="CONVERTED converted",
    CONVERTED="CONVERTED",
    flying="CONVERTED sent",
    final="late",
)
_row(
    E.UNDELIVERED,
    Q="late",
    F="FAILED sent failed",
    SENT="FAILED failed",
    DELIVERED="late",
    READ="late",
    CONVERTED="late",
    flying="late",
    final="late",
)
_row(E.EXPIRE, Q="EXPIRED failed")
_row(E.CANCEL, Q="CANCELED canceled")
_row(E.FAIL, Q="FAILED failed")
_row(
    E.CONVERT,
    Q="CONVERTED converted",
    F="CONVERTED converted",
    past="CONVERTED converted",
    CONVERTED="CONVERTED",
    flying="CONVERTED",
    CANCELED="CONVERTED converted",
)
_row(E.HANDOFF, CREATED="CREATED", SCHEDULED="SCHEDULED", PAUSED="PAUSED", F="CREATED")
_row(E.RELEASE, SCHEDULED="CREATED", PAUSED="CREATED")
_row(E.WAIT, CREATED="SCHEDULED", PAUSED="SCHEDULED")  # fmt: skip

NAMES = {
    "sent": M.SENT, "delivered": M.DELIVERED, "read": M.READ,
    "converted": M.CONVERTED, "canceled": M.CANCELED, "failed": M.FAILED,
}  # fmt: skip


@pytest.mark.parametrize("event", E)
@pytest.mark.parametrize("column", COLUMNS)
def test_each_cell_of_the_table_is_as_specified(column: str, event: MessageEvent) -> None:
    """State, counters and lateness after one event, or error 409 where the cell is empty."""
    before = COLUMNS[column]
    outcome = TABLE.get((column, event), "illegal")
    if outcome == "illegal":
        with pytest.raises(IllegalTransition) as refused:
            hear(before, event)
        assert refused.value.wanted == event.value
        return

    heard = hear(before, event)

    if outcome == "late":
        assert (heard.late, heard.gained) == (True, M(0))
        assert (heard.status.state, heard.status.milestones) == (before.state, before.milestones)
        ended = event in (E.ACK, E.REFUSED, E.DEFERRED)
        assert heard.status.in_flight is (before.in_flight and not ended)
        return
    state, *counters = outcome.split()
    gained = M(0)
    for name in counters:
        gained |= NAMES[name]
    assert not heard.late
    assert heard.status.state == S(state)
    assert heard.gained == gained
    assert heard.status.milestones == before.milestones | gained


def test_the_matrix_of_phases_and_events_has_no_blind_spot(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every column by every event is decided by the table or is error 409; the matrix is shown."""
    short = {"late": "late", "illegal": "409"}
    lines = [" " * 20 + " ".join(f"{event.value[:9]:>9}" for event in E)]
    visited = 0
    for column in COLUMNS:
        cells = [TABLE.get((column, event), "illegal") for event in E]
        visited += len(cells)
        shown = (short.get(cell, cell.split()[0])[:9] for cell in cells)
        lines.append(f"{column:20}" + " ".join(f"{cell:>9}" for cell in shown))
    with capsys.disabled():
        print("\n" + "\n".join(lines))

    assert visited == len(COLUMNS) * len(E)
    assert {(column, event) for column, event in TABLE} <= set(itertools.product(COLUMNS, E))


def test_a_message_begins_queued_as_a_test_or_refused() -> None:
    """Nothing begins in flight, or with an outcome that only a network can report."""
    assert MT.start == {*(Phase(name) for name in QUEUED), Phase.TEST, Phase.FAILED}


def test_every_phase_has_a_row() -> None:
    """No phase is forgotten in the table."""
    assert set(MT.rows) == set(Phase)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_message_is_deleted_from_any_state_and_counts_nothing(column: str) -> None:
    """DELETED is shown, no counter moves; a queued one is withdrawn."""
    before = COLUMNS[column]

    heard = delete(before)

    assert heard.status.state is S.DELETED
    assert heard.gained == M(0)
    assert heard.withdrawn == int(column in QUEUED)


def test_a_message_is_deleted_once() -> None:
    """What is deleted is gone."""
    with pytest.raises(IllegalTransition):
        delete(Status(S.DELETED))


@pytest.mark.parametrize(
    ("before", "event", "gained"),
    [
        (Status(S.DELETED, in_flight=True), E.ACK, M.SENT),
        (Status(S.DELETED, M.SENT), E.DELIVERED, M.DELIVERED),
        (Status(S.DELETED, DELIVERED), E.READ, M.READ),
        (Status(S.DELETED, M.SENT), E.UNDELIVERED, M.FAILED),
        (Status(S.DELETED, in_flight=True), E.REFUSED, M.FAILED),
    ],
)
def test_receipts_after_deletion_move_counters_but_not_the_state(
    before: Status, event: MessageEvent, gained: Milestone
) -> None:
    """It did happen, so it is counted; it stays DELETED."""
    heard = hear(before, event)

    assert heard.status.state is S.DELETED
    assert heard.gained == gained


def _gained(status: Status, event: MessageEvent) -> tuple[Milestone, bool] | None:
    """What rises, and whether it comes too late; None: the table has no such cell."""
    try:
        heard = hear(status, event)
    except IllegalTransition:
        return None
    return heard.gained, heard.late


@pytest.mark.parametrize("event", E)
@pytest.mark.parametrize("column", ["SENT", "DELIVERED", "READ", "CONVERTED", "FAILED"])
def test_deletion_changes_nothing_that_is_heard_of_a_message_that_left(
    column: str, event: MessageEvent
) -> None:
    """The same counters rise, and what would have been late is late."""
    before = COLUMNS[column]

    assert _gained(delete(before).status, event) == _gained(before, event)


@pytest.mark.parametrize("state", [S.CREATED, S.SCHEDULED, S.PAUSED])
def test_after_an_unknown_outcome_receipts_count_although_the_message_is_queued(
    state: MessageState,
) -> None:
    """The handset has it: a receipt is taken as if the attempt were still open."""
    heard = hear(Status(state, UNKNOWN_OUTCOME), E.DELIVERED)

    assert heard.status.state is S.DELIVERED
    assert heard.gained == M.SENT | M.DELIVERED
    assert not heard.late


@pytest.mark.parametrize("state", [S.CONVERTED, S.DELETED])
@pytest.mark.parametrize("event", [E.ACK, E.DELIVERED, E.READ, E.CLICK, E.UNDELIVERED])
def test_what_was_canceled_is_never_counted_as_sent(
    state: MessageState, event: MessageEvent
) -> None:
    """Also when it was converted or deleted afterwards: canceled + sent <= recipients."""
    before = Status(state, M.CANCELED | M.CONVERTED | UNKNOWN_OUTCOME)

    heard = hear(before, event)

    assert heard.late and heard.status == before


@pytest.mark.parametrize("event", [E.ACK, E.REFUSED, E.DELIVERED, E.READ, E.CLICK, E.UNDELIVERED])
def test_what_the_network_says_leaves_what_is_over_where_it_is(event: MessageEvent) -> None:
    """The table has those cells, so that nothing late is an error."""
    for phase in (Phase.CANCELED, Phase.EXPIRED, Phase.FAILED, Phase.TEST):
        assert MT.step(phase, event) is phase


def test_an_unknown_outcome_is_no_milestone() -> None:
    """The bit that remembers it is never counted."""
    assert hear(Status(S.CREATED, UNKNOWN_OUTCOME), E.EXPIRE).gained == M.FAILED


def _outcomes(events: tuple[MessageEvent, ...]) -> tuple[str, int]:
    status = Status(S.CREATED, in_flight=True)
    for event in events:
        status = hear(status, event).status
    return status.state.value, status.milestones


@pytest.mark.parametrize("size", range(1, 7))
def test_good_news_converges_whatever_its_order(size: int) -> None:
    """ACK, DELIVERED, READ and click, in every order and with repeats, end alike."""
    news = (E.ACK, E.DELIVERED, E.READ, E.CLICK)
    ends: dict[frozenset[MessageEvent], set[tuple[str, int]]] = {}
    for events in itertools.product(news, repeat=size):
        ends.setdefault(frozenset(events), set()).add(_outcomes(events))

    assert all(len(end) == 1 for end in ends.values())


@pytest.mark.parametrize("size", range(1, 6))
def test_counters_only_rise_and_the_balance_holds(size: int) -> None:
    """Along every path: no milestone is lost, and a message is open, sent, withdrawn or a test."""
    starts = [Status(S.CREATED), Status(S.CREATED, in_flight=True), Status(S.PAUSED)]
    events = [e for e in E if e not in (E.WAIT, E.HANDOFF)]
    frontier = set(starts)
    for _ in range(size):
        following = set()
        for before in frontier:
            for event in events:
                try:
                    heard = hear(before, event)
                except IllegalTransition:
                    continue
                after = heard.status
                assert after.milestones & before.milestones == before.milestones
                assert heard.withdrawn == after.is_withdrawn - before.is_withdrawn
                sent = bool(after.milestones & M.SENT)
                assert sent + after.is_open + after.is_withdrawn == 1
                following.add(after)
        frontier |= following

"""Answers that were PENDING come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scg_core.kernel.query import Query, among
from scg_core.messaging.model import Message, Run
from scg_core.messaging.rules.runs import narrowed
from scg_core.messaging.steps.answers import Answered, opened, park_answer, resolve
from scg_core.messaging.steps.soundness import sound
from scg_core.messaging.steps.sources import Sources
from scg_core.ports.message_transport import Capabilities, LateAnswer
from scg_core.unit import Unit

_CHUNK: Final = 400


def answers_arrived(
    unit: Unit,
    connector: str,
    answers: Sequence[LateAnswer],
    capabilities: Capabilities,
    sources: Sources,
) -> None:
    """Answers that were PENDING have come; those to attempts no longer open are ignored.

    An answer may overtake the worker that is still writing PENDING down: it is parked for it.
    """
    by_id = {str(late.attempt_id).partition("/")[0]: sound(late.answer) for late in answers}
    columns = ("seq", "id", "message_request_id", "company_id", "price")
    wanted = sorted(by_id)
    rows = [
        row
        for begin in range(0, len(wanted), _CHUNK)
        for row in unit.session.rows(
            Query(Message, [among("id", wanted[begin : begin + _CHUNK])]), columns
        )
    ]
    runs = [run for run in unit.session.runs_at([row[0] for row in rows]) if run.leased]
    lanes = unit.session.lanes({run.lane for run in runs})
    mine = {lane.id for lane in lanes if lane.key.connector == connector}
    runs = [run for run in runs if run.lane in mine]
    waiting = [run for run in runs if run.pending]
    settled: list[Answered] = []
    for row in rows:
        answered = Answered(opened(row, row[4]), by_id[row[1]])
        if _within(waiting, row[0]):
            settled.append(answered)
        elif _within(runs, row[0]):
            park_answer(unit, answered)
    taken = {item.message.seq for item in settled}
    unit.session.drop(waiting)
    for run in waiting:
        rest = (seq for seq in range(run.first, run.last + 1) if seq not in taken)
        unit.session.queue(narrowed(run, rest))
    resolve(unit, connector, waiting, settled, capabilities, sources)


def _within(runs: Sequence[Run], seq: int) -> bool:
    return any(run.first <= seq <= run.last for run in runs)

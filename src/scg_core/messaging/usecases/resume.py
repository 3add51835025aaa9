"""Letting the held messages of a resumed request go, a page a transaction."""

from __future__ import annotations

from attrs import evolve

from scg_core.kernel.query import Query, at_least, at_most, eq
from scg_core.messaging.lifecycle import MessageState, RequestState
from scg_core.messaging.model import Message, MessageRequest, Run
from scg_core.messaging.steps.queueing import next_runs
from scg_core.messaging.steps.telling import Move, tell_moves
from scg_core.ports.storage import Work
from scg_core.unit import Unit


def resume_page(unit: Unit, work: Work) -> None:
    """Release the next held runs: their messages are CREATED, or SCHEDULED if due later."""
    request = unit.session.get(MessageRequest, work.key)
    if request is None or request.state is not RequestState.TRANSMITTING:
        unit.session.complete(work)
        return
    taken = next_runs(unit, request.id, held=True)
    for run in taken:
        _release(unit, request, run)
    unit.session.drop(taken)
    unit.session.queue(evolve(run, held=False, id=0) for run in taken)
    if taken:
        unit.session.again(work, unit.now, 0)
    else:
        unit.session.complete(work)


def _release(unit: Unit, request: MessageRequest, run: Run) -> None:
    before = MessageState.PAUSED.value
    to = MessageState.SCHEDULED if run.due > unit.now else MessageState.CREATED
    where = [at_least("seq", run.first), at_most("seq", run.last), eq("state", before)]
    held = unit.session.rows(Query(Message, where), ("seq", "id"))
    rows = [(to.value, unit.now, seq, before) for seq, _ in held]
    unit.session.update(Message, ("state", "last_updated_date"), ("seq", "state"), rows)
    company = request.company_id
    tell_moves(unit, lambda: [Move(company, id, request.id, before, to.value) for _, id in held])

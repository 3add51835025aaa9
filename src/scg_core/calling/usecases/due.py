"""What becomes due on calls: nobody answered, the next unit begins, a message took too long."""

from __future__ import annotations

from scg_core.calling.lifecycle import OVER, CallEvent, CallState
from scg_core.calling.model import Call, CallFailure
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.moving import move_call
from scg_core.kernel.instant import later
from scg_core.ports.storage import Work
from scg_core.tenancy.steps import reserve
from scg_core.unit import Unit


def ring_out(unit: Unit, work: Work, exchange: Exchange) -> None:
    """Nobody answered in time (semantics 3, answer_timeout)."""
    unit.session.complete(work)
    call = unit.session.get(Call, work.key)
    if call is not None and call.state is CallState.STARTED:
        move_call(
            unit, call, CallEvent.UNANSWERED, exchange, hang_up=True,
            failure=CallFailure.NO_ANSWER,
        )  # fmt: skip


def next_unit(unit: Unit, work: Work, exchange: Exchange) -> None:
    """A call's next unit begins: set credit aside for it, or end the call."""
    call = unit.session.get(Call, work.key)
    if call is None or call.state is not CallState.ACTIVE or not call.tariff:
        unit.session.complete(work)
        return
    if reserve(unit, call.company_id, [call.tariff]):
        unit.session.increase(Call, call.id, {"reserved": call.tariff}, unit.now)
        begun = call.reserved // call.tariff + 1
        due = later(call.answer_time or unit.now, begun * exchange.settings.charge_unit)
        unit.session.again(work, due, 0)
        return
    unit.session.complete(work)
    move_call(
        unit, call, CallEvent.FAILED, exchange, hang_up=True, failure=CallFailure.NO_CREDIT,
    )  # fmt: skip


def spoken_too_long(unit: Unit, work: Work, exchange: Exchange) -> None:
    """A call that only speaks a message does not end by itself: end it."""
    unit.session.complete(work)
    call = unit.session.get(Call, work.key)
    if call is not None and call.state not in OVER:
        move_call(unit, call, CallEvent.HANG_UP, exchange, hang_up=True)

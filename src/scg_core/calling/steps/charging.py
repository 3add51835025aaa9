"""What calls cost: credit is set aside for each unit as it begins, and settled at the end."""

from __future__ import annotations

from typing import Final

from scg_core.calling.model import Call
from scg_core.calling.rules.charging import price_of
from scg_core.calling.steps.exchange import Exchange
from scg_core.kernel.errors import InsufficientCredit
from scg_core.kernel.instant import later
from scg_core.kernel.resource import Micros
from scg_core.senders.rules.prices import PriceKey
from scg_core.senders.steps.pricing import segment_price
from scg_core.tenancy.steps import left, reserve, settle
from scg_core.unit import Unit

CALL_KIND: Final = "CALL"
"""The kind by which a tariff is one of calls."""

METER: Final = "call_meter"
"""The due work of setting credit aside for a call's next unit; the key is the call's id."""


def tariff_of(
    unit: Unit, company: str, root_sender: str, country: str | None, exchange: Exchange
) -> Micros | None:
    """What a begun unit of a call costs; None: nothing is charged."""
    key = PriceKey(company, root_sender, country or "", CALL_KIND)
    return segment_price(unit, exchange.prices, key)


def set_aside(unit: Unit, company: str, tariff: Micros | None) -> Micros:
    """Set the price of a first unit aside.

    Raises:
        InsufficientCredit: the company's credit does not cover it.
    """
    if not tariff:
        return Micros(0)
    if not reserve(unit, company, [tariff]):
        raise InsufficientCredit(tariff, left(unit, company) or 0)
    return tariff


def begin_meter(unit: Unit, call: Call, exchange: Exchange) -> None:
    """A call was answered: its next unit begins one unit later."""
    if call.tariff and call.answer_time is not None:
        unit.later(METER, call.id, later(call.answer_time, exchange.settings.charge_unit))


def settled(unit: Unit, call: Call, seconds: int, exchange: Exchange) -> dict[str, Micros | None]:
    """What changes of a call that is over: its price is earned, the rest given back.

    A call whose end was heard late may have lasted longer than credit was set aside for; what a
    prepaid company cannot cover of that is not charged.
    """
    unit.session.withdraw(METER, call.id)
    price = price_of(
        call.tariff, seconds, exchange.settings.charge_unit, call.answer_time is not None
    )
    if price is None:
        return {}
    missing, aside = price - call.reserved, int(call.reserved)
    if missing > 0:
        aside += missing if reserve(unit, call.company_id, [missing]) else 0
        price = Micros(aside)
    settle(unit, {call.company_id: (price, aside - price)})
    return {"price": price, "reserved": Micros(0)}

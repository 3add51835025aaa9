"""What messages cost, by the host's own prices or by the tariffs in the storage."""

from __future__ import annotations

from scg_core.kernel.query import Query, either, eq
from scg_core.kernel.resource import Micros
from scg_core.ports.prices import Prices
from scg_core.senders.model import Tariff
from scg_core.senders.rules.prices import PriceKey, price_of_a_segment
from scg_core.unit import Unit


def segment_price(unit: Unit, prices: Prices | None, key: PriceKey) -> Micros | None:
    """The price of one segment; None: nothing is charged. Looked up once a unit."""
    return unit.once(f"price/{key}", lambda: _look_up(unit, prices, key))


def _look_up(unit: Unit, prices: Prices | None, key: PriceKey) -> Micros | None:
    if prices is not None:
        return prices.of_a_segment([key])[0]
    if not unit.once("tariffs", lambda: unit.session.count(Query(Tariff), at_most=1)):
        return None
    named = (("country", key.country), ("company_id", key.company_id),
             ("sender_id", key.sender_id), ("kind", key.kind))  # fmt: skip
    where = [either(eq(name, value), eq(name, None)) for name, value in named]
    return price_of_a_segment(unit.session.find(Query(Tariff, where)), key)

"""What a message costs: the most specific tariff, times its segments (semantics 11)."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from scg_core.kernel.resource import Micros
from scg_core.senders.model import Tariff

PRICE = "the price"


@frozen
class PriceKey:
    """What a price depends on, besides the number of segments."""

    company_id: str
    sender_id: str
    country: str
    kind: str


def price_of_a_segment(tariffs: Iterable[Tariff], key: PriceKey) -> Micros | None:
    """The price of one segment by the tariff that says most of the key; None: nothing is charged.

    What a tariff names counts in the order company, sender id, country, kind; of two that say the
    same the later one.
    """
    best: tuple[tuple[bool, ...], int, str] | None = None
    found: Micros | None = None
    for tariff in tariffs:
        if not _fits(tariff, key):
            continue
        named = (
            tariff.company_id is not None,
            tariff.sender_id is not None,
            tariff.country is not None,
            tariff.kind is not None,
        )
        rank = (named, tariff.created_date, tariff.id)
        if best is None or rank > best:
            best, found = rank, tariff.price
    return found


def _fits(tariff: Tariff, key: PriceKey) -> bool:
    return (
        tariff.company_id in (None, key.company_id)
        and tariff.sender_id in (None, key.sender_id)
        and tariff.country in (None, key.country)
        and tariff.kind in (None, key.kind)
    )

"""A table of tariffs, from code or from a file: for a host that keeps its prices itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scg_core.kernel import codec
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Micros, Writer
from scg_core.senders.model import Tariff
from scg_core.senders.rules.prices import PriceKey, price_of_a_segment


class TablePrices:
    """``Prices`` from rows of ``company_id``, ``sender_id``, ``country``, ``kind`` and ``price``.

    What a row leaves out is any; the most specific row counts, of equals the last.

    Raises:
        InvalidField: a row has another name, or no price.
    """

    def __init__(self, rows: Iterable[Mapping[str, object]]) -> None:
        self._tariffs = [self._tariff(number, row) for number, row in enumerate(rows)]

    def of_a_segment(self, keys: Sequence[PriceKey]) -> list[Micros | None]:
        """The price of one segment for each key."""
        return [price_of_a_segment(self._tariffs, key) for key in keys]

    @staticmethod
    def _tariff(number: int, row: Mapping[str, object]) -> Tariff:
        values = codec.read(Tariff, row, writer=Writer.OPERATOR)
        codec.mandatory(Tariff, values, Writer.OPERATOR)
        return Tariff(id=str(number), created_date=Instant(number), **values)

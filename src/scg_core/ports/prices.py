"""What a segment of a message costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scg_core.kernel.resource import Micros
from scg_core.senders.rules.prices import PriceKey


class Prices(Protocol):
    """A host's own tariffs; pure, so a use case may ask."""

    def of_a_segment(self, keys: Sequence[PriceKey]) -> list[Micros | None]:
        """The price of one segment for each key; None: nothing is charged.

        Laws:
            - ``prices_come_in_the_order_asked``
        """
        ...

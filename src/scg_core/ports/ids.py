"""New ids. Their shape is ``kernel.ids``; where chance comes from is the adapter's."""

from __future__ import annotations

from typing import Protocol

from scg_core.kernel.instant import Instant


class Ids(Protocol):
    """Makes ids that nobody else makes."""

    def new(self, now: Instant, count: int = 1) -> list[str]:
        """That many new ids, 22 characters of base 62, sorted by the time they were made.

        Laws:
            - ``ids_are_never_repeated``
            - ``later_ids_sort_after_earlier_ones``
        """
        ...

    def credential(self) -> str:
        """22 characters of base 62 that cannot be guessed and tell nothing."""
        ...

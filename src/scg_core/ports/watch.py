"""What a host may watch: how long things take and how often they happen.

Metrics and traces are adapters of this port. Nothing here changes what the engine does: what a
watch raises is the host's own mistake, so an adapter raises nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol


class Watch(Protocol):
    """Hears of what the engine does, outside of its decisions."""

    def span(self, name: str, /, **facts: str | int) -> AbstractContextManager[None]:
        """Something begins now and ends when the block is left.

        ``transaction`` (``of``), ``submit`` (``connector``, ``messages``), ``deliver``
        (``parcels``).
        """
        ...

    def count(self, what: str, labels: tuple[str, ...], amount: int, /) -> None:
        """Something happened so many times, in a transaction that has ended well.

        ``late_receipts`` (kind), ``parked_receipts`` (), ``limiter_waits`` (connector),
        ``event_deliveries`` (state), ``pruned`` (what).
        """
        ...


class _Blind:
    """Watches nothing, at no cost."""

    def span(self, name: str, /, **facts: str | int) -> AbstractContextManager[None]:
        return _NOTHING

    def count(self, what: str, labels: tuple[str, ...], amount: int, /) -> None:
        return


_NOTHING: Final[AbstractContextManager[None]] = nullcontext()

UNWATCHED: Final[Watch] = _Blind()
"""For an engine that nobody watches."""

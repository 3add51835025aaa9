"""Adapters of the watch: metrics for Prometheus, traces by OpenTelemetry, several at once."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

from scg_core.ports.watch import Watch


class Together:
    """Tells several watches."""

    def __init__(self, *watches: Watch) -> None:
        self._watches = watches

    def span(self, name: str, /, **facts: str | int) -> AbstractContextManager[None]:
        """Something begins now."""
        stack = ExitStack()
        for one in self._watches:
            stack.enter_context(one.span(name, **facts))
        return stack  # type: ignore[return-value]

    def count(self, what: str, labels: tuple[str, ...], amount: int, /) -> None:
        """Something happened so many times."""
        for one in self._watches:
            one.count(what, labels, amount)

"""Traces by OpenTelemetry's API: what the engine does becomes spans of the host's own tracer.

Only the API is needed; where spans go is for the host's SDK to say, and without one they cost next
to nothing. A span's attributes are names and numbers of the engine: no body, address or token,
and so no words of an error either.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from opentelemetry import trace


class Traces:
    """Spans named ``scg.transaction``, ``scg.submit``, ``scg.deliver``, each with its facts."""

    def __init__(self, tracer: trace.Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("scg_engine")

    def span(self, name: str, /, **facts: str | int) -> AbstractContextManager[None]:
        """Something begins now."""
        attributes = {f"scg.{key}": value for key, value in facts.items()}
        return self._tracer.start_as_current_span(  # type: ignore[return-value]
            f"scg.{name}", attributes=attributes, record_exception=False,
            set_status_on_exception=False,
        )  # fmt: skip

    def count(self, what: str, labels: tuple[str, ...], amount: int, /) -> None:
        """Counts are for metrics; the current span gets an event."""
        names = {str(at): label for at, label in enumerate(labels)}
        trace.get_current_span().add_event(f"scg.{what}", {**names, "amount": amount})

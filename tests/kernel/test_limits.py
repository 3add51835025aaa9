"""What may be how long or how many is a promise: another number is another API."""

from __future__ import annotations

from pathlib import Path

from scg_adapters.reference import pages

PAGE = Path(__file__).parents[2] / "docs/reference/limits.md"


def test_the_limits_are_those_that_the_reference_promises() -> None:
    """Also the settings, and what comes with the engine."""
    assert pages()["limits.md"] == PAGE.read_text(encoding="utf-8")

"""What all tests share: seeded hypothesis, and engines on a simulated clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.lifecycles import (  # noqa: F401 - hooks of pytest
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from tests.world import World

settings.register_profile(
    "seeded",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("seeded")


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A storage to tell a story on: each story is told on each."""
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/scg.db"


@pytest.fixture
def world(url: str) -> Iterator[World]:
    """An engine, its carrier and a clock to move, with one sender id of the company acme."""
    yield World(url)

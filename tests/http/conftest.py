"""One server for all tests of this folder that leave nothing behind they mind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.server import Served


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server on an empty world, shared by the tests of a module."""
    with Served() as running:
        yield running

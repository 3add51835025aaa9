"""The server and the specification, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.contract import CONTRACT, GREEN, Walk, report
from tests.http.server import Served


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    """A walk on a server of its own."""
    with Served() as served:
        yield Walk(served)


def test_what_was_green_stays_green_and_what_becomes_green_is_written_down(walk: Walk) -> None:
    """``green.txt`` lists the operations that are complete; the report says what is missing."""
    findings = walk.findings()
    print(report(findings))
    green = {one.name for one in findings if not one.problems}

    assert green == set(GREEN.read_text(encoding="utf-8").splitlines()), report(findings)


def test_the_contract_is_the_whole_of_it() -> None:
    """127 operations and 22 resources."""
    assert len(CONTRACT["operations"]) == 127
    assert len(CONTRACT["resources"]) == 22

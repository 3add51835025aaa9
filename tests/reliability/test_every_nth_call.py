"""Every Nth call of a port fails, for every N: after healing the result is the fault-free one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from scg_core.conformance.simulation.checker import recount
from tests.reliability.failing import Stage
from tests.reliability.scenarios import SCENARIOS

URLS = ["memory:", "sqlite:///:memory:"]
SHORT = 16
"""So many of a scenario's calls fail in the normal run; all of them in the long one."""


def acted(name: str, url: str, fail_at: int) -> Stage:
    """A scenario whose call of that number fails, and whose host tries again."""
    act, behaviour = SCENARIOS[name]
    stage = Stage(url, behaviour)
    stage.begin(fail_at)
    act(stage)
    stage.count.fail_at = 0
    return stage


def heals(name: str, url: str, places: Iterable[int]) -> int:
    """Whether each failure leaves what no failure leaves; how many there were."""
    right = acted(name, url, 0)
    rows = {twice: right.rows(twice=twice) for twice in (False, True)}
    outside, failures = right.outside(), 0
    for fail_at in places:
        if fail_at > right.count.calls:
            break
        stage = acted(name, url, fail_at)
        place = f"{name} with call {fail_at} ({stage.count.failed}) failing"
        assert stage.count.failed is not None, place
        assert stage.most_often <= (2 if stage.count.failed == "storage" else 1), place
        twice = stage.most_often > 1
        assert stage.rows(twice=twice) == rows[twice], place
        assert stage.outside() == outside, place
        recount(stage.storage)
        failures += 1
    return failures


def test_there_are_thirty_scenarios_and_they_ask_every_port() -> None:
    """Each asks the storage; together they ask whatever can fail."""
    asked: set[str] = set()
    for name in SCENARIOS:
        asked |= acted(name, "memory:", 0).count.by_port.keys()

    assert len(SCENARIOS) >= 30
    assert asked == {"storage", "carrier", "switch", "events", "blobs"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_after_a_failing_call_the_result_is_the_same(name: str) -> None:
    """Some calls of each scenario, spread over it; nothing is lost, doubled or left half done."""
    calls = acted(name, "memory:", 0).count.calls
    first, step = len(name) % 7 + 1, max(1, calls // SHORT)

    assert heals(name, "memory:", range(first, calls + 1, step)) >= min(SHORT, calls) - 1


@pytest.mark.long
@pytest.mark.parametrize("url", URLS, ids=["memory", "sqlite"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_after_any_failing_call_the_result_is_the_same(
    name: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every call of every scenario fails once, on both storages."""
    failures = heals(name, url, range(1, 1_000_000))
    with capsys.disabled():
        print(f"\n{name} on {url}: {failures} calls failed in turn, none left a trace")

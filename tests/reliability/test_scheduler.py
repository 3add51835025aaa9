"""Runs of the seeded scheduler: a short set always, a thousand with ``-m long``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.reliability.scheduler import Simulation

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", range(40))
def test_a_seeded_run_loses_nothing_and_its_books_balance(seed: int) -> None:
    """Crashes at commit points and between port calls, clock jumps, slow and failing ports."""
    Simulation(seed).run()


@pytest.mark.parametrize("seed", range(1000, 1006))
def test_the_memory_storage_keeps_the_same_books(seed: int) -> None:
    """The simplest adapter lives through the same."""
    Simulation(seed, "memory:").run()


@pytest.mark.long
def test_a_thousand_seeded_runs_lose_nothing() -> None:
    """The campaign behind the figures in docs/explanation/reliability.md."""
    crashes, points = 0, Counter[str]()
    for seed in range(10_000, 11_000):
        simulation = Simulation(seed)
        try:
            simulation.run()
        except BaseException as reason:
            raise AssertionError(f"seed {seed}") from reason
        crashes += simulation.crashes
        points.update(f"{name}: {point}" for name, point in simulation.storage.visited)
        points.update(simulation.carrier.visited)
    print(f"\n1000 seeds, {crashes} crashes, 0 lost, 0 invariant breaks")
    for point, count in sorted(points.items()):
        print(f"  {point}: {count}")


def test_the_same_seed_is_the_same_history_in_every_process() -> None:
    """Whatever PYTHONHASHSEED is: a failing seed can be run again."""
    code = "from tests.reliability.scheduler import Simulation; print(Simulation(7).run())"
    digests = set()
    for hash_seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        digests.add(ran.stdout)

    assert len(digests) == 1

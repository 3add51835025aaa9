"""Runs of the seeded scheduler: a short set always, more with ``-m long`` and ``scg simulate``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scg_adapters.cli.simulate import run_seeds
from scg_adapters.simulation import MEMORY, simulation
from scg_core import ScgError
from scg_core.conformance.simulation.faults import FaultyStorage
from scg_core.conformance.simulation.scheduler import Host

MOST_TRANSACTIONS = 8_000
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", [*range(16), 17_485])
def test_a_seeded_run_loses_nothing_and_its_books_balance(seed: int) -> None:
    """Crashes at commit points and between port calls, clock jumps, slow and failing ports."""
    simulation(seed).run()


@pytest.mark.parametrize("seed", range(1000, 1002))
def test_the_memory_storage_keeps_the_same_books(seed: int) -> None:
    """The simplest adapter lives through the same."""
    simulation(seed, "memory:").run()


@pytest.mark.long
def test_a_thousand_seeded_runs_lose_nothing() -> None:
    """The campaign of docs/explanation/reliability.md in small: ``scg simulate`` has the rest."""
    covered, broken = run_seeds(range(1_000_000, 1_001_000), MEMORY)
    print(f"\n{covered.total()} things met")

    assert broken == []


class _Forgets(FaultyStorage):
    """A broken storage to test the checker with: one kind of write is quietly dropped."""

    def __init__(self, inner: Any, verb: str) -> None:
        super().__init__(inner)
        self._verb = verb
        self._transactions = 0

    @contextmanager
    def transaction(self, name: str, /) -> Iterator[Any]:
        """The inner transaction, forgetting some of what it is told; no world needs so many."""
        self._transactions += 1
        assert self._transactions < MOST_TRANSACTIONS, "it never comes to rest"
        with super().transaction(name) as session:
            yield _Forgetful(session, self._verb if name != "add_sender_id" else "")


class _Forgetful:
    def __init__(self, session: Any, verb: str) -> None:
        self._session, self._verb, self._told = session, verb, 0

    def __getattr__(self, verb: str) -> Any:
        if verb == self._verb:
            self._told += 1
            if self._told == 1:
                return lambda *_, **__: []
        return getattr(self._session, verb)


def _found(verb: str, seed: int) -> bool:
    """Whether the checker finds fault with a storage that forgets this."""
    world = simulation(seed)
    world.storage = _Forgets(world.storage.inner, verb)
    world.hosts = [Host(world.another_engine()) for _ in world.hosts]
    try:
        world.run()
    except (AssertionError, ScgError, IndexError, KeyError):
        return True
    return False


@pytest.mark.parametrize("verb", ["queue", "increase", "drop", "finish"])
def test_the_checker_notices_a_storage_that_forgets(verb: str) -> None:
    """Lost runs, lost counts, runs that stay: within a few seeds each is found."""
    assert any(_found(verb, seed) for seed in range(6))


def test_the_checker_finds_no_fault_with_one_that_forgets_nothing() -> None:
    """Under the same bounds: what it finds in the others is theirs."""
    assert not any(_found("", seed) for seed in range(6))


def test_the_same_seed_is_the_same_history_in_every_process() -> None:
    """Whatever PYTHONHASHSEED is: a failing seed can be run again."""
    code = "from scg_adapters.simulation import simulation as s; print(s(7).run(), s(0).run())"
    digests = set()
    for hash_seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        digests.add(ran.stdout)

    assert len(digests) == 1

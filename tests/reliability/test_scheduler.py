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
from attrs import evolve
from click.testing import CliRunner

from scg_adapters.cli import main
from scg_adapters.cli.simulate import run_seeds
from scg_adapters.simulation import MEMORY, embedded_parts, simulation
from scg_core import ScgError
from scg_core.conformance.simulation import Simulation
from scg_core.conformance.simulation.checker import within_the_rules
from scg_core.conformance.simulation.faults import FaultyStorage
from scg_core.conformance.simulation.scheduler import Host
from scg_core.kernel.instant import MINUTE, later
from scg_core.ports.message_transport import Attempt

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


class _SendsTwice:
    """A carrier that is handed every window twice."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def submit(self, attempts: Any, now: Any) -> Any:
        """Once more than the engine asked for."""
        answers = self._inner.submit(attempts, now)
        self._inner.submit(attempts, now)
        return answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_the_checker_notices_messages_that_go_out_twice() -> None:
    """Where nothing had gone wrong that could excuse it, attempt by attempt."""
    honest = embedded_parts()
    parts = evolve(honest, carrier=lambda chance: _SendsTwice(honest.carrier(chance)))
    for seed in range(3):
        with pytest.raises(AssertionError, match="taken"):
            Simulation(seed, parts).run()


def test_nothing_is_checked_without_assertions() -> None:
    """So nothing is run: it would always say that all is well."""
    code = "from scg_adapters.simulation import simulation as s; s(0).run()"
    ran = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert "BrokenInvariant" in ran.stderr and ran.returncode == 1


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


def _handed_wrongly(change: str) -> Simulation:
    """A world that is as it should be but for one message that left when it should not have."""
    world = simulation(0)
    world.windowed, world.peak = False, None
    at = world.clock.now()
    one = Attempt("message/1", "55512", "+14152000001", "x" * 9)
    if change == "window":
        world.windowed, at = True, later(at, 5 * MINUTE)
    if change == "limit":
        world.peak = 2
        world.carrier.handed += [(one, at)] * 5
    if change == "opt-out":
        world.said["+14152000001"] = [(at, "STOP")]
        at = later(at, 1)
    world.carrier.handed.append((one, at))
    return world


@pytest.mark.parametrize("change", ["window", "limit", "opt-out"])
def test_the_checker_notices_what_left_when_it_should_not(change: str) -> None:
    """While the window was closed, faster than the limit, after an opt-out."""
    with pytest.raises(AssertionError):
        within_the_rules(_handed_wrongly(change))


def test_the_checker_lets_pass_what_left_as_it_should() -> None:
    """Else the test above would prove nothing."""
    within_the_rules(_handed_wrongly("nothing"))


def test_the_command_says_what_was_met() -> None:
    """Two seeds, how many processes ended, and that no promise was broken."""
    said = CliRunner().invoke(main, ["simulate", "--seeds", "0..1"])

    assert said.exit_code == 0, said.output
    assert said.output.startswith("2 seeds, ") and ", 0 seeds broke a promise\n" in said.output
    assert "messages handed over" in said.output


@pytest.mark.parametrize("seeds", ["", "x", "5..3", "-1..2", "1..2..3"])
def test_seeds_that_are_no_range_are_refused(seeds: str) -> None:
    """In one line, with what to write instead."""
    said = CliRunner().invoke(main, ["simulate", "--seeds", seeds])

    assert said.exit_code == 2 and "write A..B" in said.output

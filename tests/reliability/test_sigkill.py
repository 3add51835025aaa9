"""Processes killed with SIGKILL at named commit points, recounted against the carrier's log."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from shutil import rmtree

import pytest

from scg_adapters.storage.sqlite import SqliteStorage
from scg_adapters.transport.carrier_log import FileLog, submissions
from scg_core import RequestState
from scg_core.conformance.simulation.checker import recount
from scg_core.conformance.simulation.listener import check_told
from scg_core.kernel.instant import HOUR
from scg_core.kernel.query import Query
from scg_core.messaging.lifecycle import Milestone
from scg_core.messaging.model import Message, MessageRequest
from tests.reliability.listener import read_arrivals
from tests.reliability.victim import RECIPIENTS, WINDOW

ROOT = Path(__file__).parents[2]
START = 1_767_225_600_000
POINTS = 150
KILLS_A_DATABASE = 8
CAMPAIGN = 2_000


def run(folder: Path, now: int, kill_at: int) -> tuple[int, str]:
    """One process; how it ended and its last word."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.reliability.victim", str(folder), str(now), str(kill_at)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode, ran.stdout.strip()


def campaign(folder: Path, seed: int, kills: int) -> Counter[str]:
    """Kill one process after the other on one database, let the last one finish, and recount."""
    chance, where, done = random.Random(seed), Counter[str](), 0
    for number in range(kills):
        ended, said = run(folder, START + number * HOUR, chance.randint(1, POINTS // (number + 1)))
        if ended == 0:
            break
        where[said] += 1
        done += 1
    assert run(folder, START + kills * HOUR, 0)[0] == 0
    recounted(folder, done)
    return where


def recounted(folder: Path, kills: int) -> None:
    """Nothing lost, nothing doubled beyond a window a kill, and the books balance."""
    storage = SqliteStorage(folder / "scg.db")
    recount(storage)
    with storage.snapshot() as session:
        (request,) = session.find(Query(MessageRequest))
        messages = session.find(Query(Message))
    storage.close()
    taken = submissions(FileLog(folder / "carrier"))
    assert request.state is RequestState.COMPLETED
    assert request.recipient_count == len({m.to_address for m in messages}) == RECIPIENTS
    for message in messages:
        assert bool(message.milestones & Milestone.SENT) == bool(taken[f"{message.id}/1"])
    assert sum(count - 1 for count in taken.values() if count) <= kills * WINDOW
    check_told(read_arrivals(folder / "heard"), messages)


def test_a_process_that_is_not_killed_finishes(tmp_path: Path) -> None:
    """The victim by itself: everything sent once."""
    ended, said = run(tmp_path, START, 0)

    assert ended == 0
    assert int(said.split()[1]) >= POINTS
    recounted(tmp_path, 0)


@pytest.mark.parametrize("seed", range(2))
def test_killed_processes_lose_nothing_and_double_at_most_a_window(
    tmp_path: Path, seed: int
) -> None:
    """SIGKILL before and after commits and submissions; the next process goes on."""
    assert campaign(tmp_path, seed, 4).total() >= 1


@pytest.mark.long
def test_two_thousand_kills(tmp_path: Path) -> None:
    """The campaign behind the figures in docs/explanation/reliability.md."""
    where, seed = Counter[str](), 100
    while where.total() < CAMPAIGN:
        folder = tmp_path / str(seed)
        folder.mkdir()
        where.update(campaign(folder, seed, KILLS_A_DATABASE))
        rmtree(folder)
        seed += 1
    print(f"\n{where.total()} SIGKILLs on {seed - 100} databases, 0 lost, books balanced")
    for point, count in sorted(where.items()):
        print(f"  {point}: {count}")

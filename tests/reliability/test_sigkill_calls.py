"""Processes that make calls are killed anywhere; what is left agrees with the switch."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scg_adapters.simulated import SimulatedClock
from scg_adapters.storage.sqlite import SqliteStorage
from scg_adapters.voice.simulator import Does, Faults, Phone, VoiceSimulator
from scg_core.calling.lifecycle import MemberState
from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.calling.records import VoiceCommand
from scg_core.conformance.simulation.checker import recount
from scg_core.kernel.instant import SECOND, Instant
from scg_core.kernel.query import Query
from scg_core.tenancy.model import CreditAccount
from tests.reliability.caller import NUMBERS, SPOKEN, START
from tests.reliability.exchange import Exchange

ROOT = Path(__file__).parents[2]
POINTS = 700


def phones(chance: random.Random) -> dict[str, Phone]:
    """Most answer, soon or late; some hang up by themselves, some never answer."""
    scripts = [Phone(after=chance.randrange(0, 15) * SECOND,
                     talks=chance.choice([None, None, 90 * SECOND, 150 * SECOND]),
                     presses=((5_000, "1"), (6_000, "#"))) for _ in NUMBERS]  # fmt: skip
    scripts[13], scripts[14] = Phone(Does.IS_BUSY), Phone(Does.RINGS)
    spoken = [Phone(after=chance.randrange(0, 30) * SECOND) for _ in SPOKEN]
    spoken[3] = Phone(Does.DECLINES)
    return dict(zip((*NUMBERS, *SPOKEN), (*scripts, *spoken), strict=True))


def run(folder: Path, kill_at: int) -> tuple[int, str]:
    """One process; how it ended and its last word."""
    command = [sys.executable, "-m", "tests.reliability.caller", str(folder),
               str(folder / "socket"), str(kill_at)]  # fmt: skip
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode, ran.stdout.strip()


def campaign(folder: Path, seed: int, kills: int) -> Counter[str]:
    """Kill one process after the other, let the last one finish, and compare."""
    chance, where = random.Random(seed), Counter[str]()
    faults = Faults(lost=0.1, doubled=0.2, breaks=0.05, seed=seed)
    switch = VoiceSimulator(phones(chance), faults=faults)
    exchange = Exchange(switch, SimulatedClock(Instant(START)), folder / "socket")
    try:
        for _ in range(kills):
            ended, said = run(folder, chance.randint(1, POINTS // (kills // 2 + 1)))
            if ended == 0:
                break
            where[said] += 1
        assert run(folder, 0)[0] == 0
    finally:
        exchange.close()
    compared(folder, switch)
    return where


def compared(folder: Path, switch: VoiceSimulator) -> None:
    """Every phone rang at most once; who is up is ACTIVE and where the engine says; books close."""
    storage = SqliteStorage(folder / "scg.db")
    with storage.snapshot() as session:
        calls = session.find(Query(Call))
        bridges = session.find(Query(Bridge))
        conferences = session.find(Query(Conference))
        members = session.find(Query(ConferenceMember))
        commands = session.find(Query(VoiceCommand))
        accounts = session.find(Query(CreditAccount))
    recount(storage)
    storage.close()
    rang = Counter(switch.dialled)
    assert set(rang) <= {*NUMBERS, *SPOKEN} and max(rang.values()) == 1
    assert len(calls) == len(NUMBERS) + len(SPOKEN) and commands == []
    active = {call.to_address: call.room_id for call in calls if call.state == "ACTIVE"}
    assert switch.up() == active
    assert not [call for call in calls if call.state == "STARTED"]
    for conference in conferences:
        there = [m for m in members if m.conference_id == conference.id]
        assert conference.active_members == sum(one.is_in for one in there)
        assert (conference.state == "completed") <= all(
            one.state is MemberState.COMPLETED for one in there
        )
    for bridge in bridges:
        seated = [call for call in calls if call.room_id == bridge.id]
        assert len(seated) == (2 if bridge.state in ("ACTIVE", "HOLD") else len(seated))
        assert not (bridge.state in ("COMPLETED", "ERROR") and seated)
    price = sum(call.price or 0 for call in calls)
    aside = sum(call.reserved for call in calls)
    assert [(one.confirmed, one.reserved) for one in accounts] == [(price, aside)]


@pytest.mark.parametrize("seed", [1, 2])
def test_calls_of_killed_processes_agree_with_the_switch(tmp_path: Path, seed: int) -> None:
    """Six processes are killed before and after commits and commands; the seventh puts it right."""
    assert sum(campaign(tmp_path, seed, kills=6).values()) >= 4


@pytest.mark.long
def test_two_hundred_processes_are_killed_and_no_call_is_lost(tmp_path: Path) -> None:
    """On 25 databases; run it with ``-m long -s`` to see where."""
    where: Counter[str] = Counter()
    for seed in range(100, 125):
        folder = tmp_path / str(seed)
        folder.mkdir()
        where += campaign(folder, seed, kills=8)
    total = sum(where.values())
    print(f"{total} SIGKILLs on 25 databases, every phone rang at most once, books balanced")
    print("\n".join(f"  {count:4} {name}" for name, count in where.most_common()))
    assert total >= 150

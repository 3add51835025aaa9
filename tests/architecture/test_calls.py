"""The core asks nobody for the time, for chance, or for the world."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "src" / "scg_core"
FORBIDDEN = {"now", "today", "utcnow", "time", "time_ns", "monotonic", "sleep", "uuid1", "uuid4",
             "urandom", "random", "randint", "choice", "token_hex", "token_urlsafe", "open",
             "getenv", "environ", "system", "socket", "print", "input"}  # fmt: skip
ASKED_OF_A_PORT = {"self._clock.now", "self.clock.now", "self.world.clock.now"}
SEEDED = {"self.random", "self._chance", "chance"}
"""What a simulation draws from is made from its seed."""


def calls(tree: ast.AST) -> list[str]:
    """What a file calls, written as it stands there."""
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    "path", sorted(CORE.rglob("*.py")), ids=lambda path: path.relative_to(CORE).as_posix()
)
def test_a_core_file_calls_nothing_of_the_world(path: Path) -> None:
    """Clock, randomness, sleep, files, sockets and environment are for adapters."""
    for called in calls(ast.parse(path.read_text(encoding="utf-8"))):
        if called.rsplit(".", 1)[-1] in FORBIDDEN:
            seeded = "simulation" in path.parts and called.rpartition(".")[0] in SEEDED
            assert seeded or called in ASKED_OF_A_PORT, f"{path.name} calls {called}()"


def test_a_planted_clock_is_found() -> None:
    """The test above can fail."""
    planted = ast.parse("from datetime import datetime\nx = datetime.now()")

    assert [one for one in calls(planted) if one.rsplit(".", 1)[-1] in FORBIDDEN]


def test_only_the_pump_speaks_to_the_outward_ports() -> None:
    """submit, poll and their like are called in one file of the core."""
    callers = {
        path.name
        for path in CORE.rglob("*.py")
        if "conformance" not in path.parts
        for called in calls(ast.parse(path.read_text(encoding="utf-8")))
        if called.rsplit(".", 1)[-1] in {"submit", "poll"}
    }

    assert callers == {"pump.py"}


def test_only_the_switchboard_speaks_to_switches() -> None:
    """It is the pump's part for them: what it says is claimed before and written down after."""
    callers = {
        path.name
        for path in CORE.rglob("*.py")
        if path.parent.name != "conformance"
        for called in calls(ast.parse(path.read_text(encoding="utf-8")))
        if called.rsplit(".", 1)[-1] in {"originate", "look", "press", "play"}
    }

    assert callers == {"switchboard.py"}

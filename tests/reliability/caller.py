"""A process that makes calls and kills itself with SIGKILL at its n-th point.

Run by ``test_sigkill_calls``: ``python -m tests.reliability.caller FOLDER SOCKET KILL_AT``. A point
lies before and after each commit and each command to the switch. Whatever was asked by an earlier
process is found by its external id and not asked again.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.system import SystemIds
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core import CallSettings, Engine, IllegalTransition, InvalidField
from scg_core.kernel.instant import MINUTE, SECOND, Instant, later
from tests.reliability.exchange import FarClock, FarSwitch, Wire
from tests.reliability.victim import Killer, Storage

NUMBERS = [f"+1415555{3000 + number}" for number in range(16)]
SPOKEN = [f"+1415555{4000 + number}" for number in range(8)]
BRIDGES = ((0, 1), (2, 3), (4, 5))
CONFERENCE = range(6, 12)
START = 1_767_225_600_000
HOW_LONG = 6 * MINUTE
TARIFF = 0.01


class Caller:
    """Asks for everything once, however often it is killed."""

    def __init__(self, folder: Path, socket: Path, kill_at: int) -> None:
        self.killer = Killer(kill_at)
        wire = Wire(socket)
        self.clock = FarClock(wire)
        self.engine = Engine(
            storage=Storage(folder / "scg.db", self.killer),  # type: ignore[arg-type]
            transports={"carrier": LoopbackCarrier()},
            voice={"switch": FarSwitch(wire, self.killer)},
            clock=self.clock,
            ids=SystemIds(),
            places=NumberPlaces(),
            call_settings=CallSettings(look=10 * SECOND),
        )
        self.app = self.engine.application("acme", 1)

    def run(self) -> None:
        """Do it all, or what is left of it."""
        number = self.sender()
        for at, to in enumerate(NUMBERS):
            given = {"from": number, "to": to, "answer_timeout": 2 * MINUTE}
            self.once(self.app.calls, f"call{at}", given)
        requests = self.app.message_requests
        to = [f"voice:{one}" for one in SPOKEN]
        self.once(requests, "spoken", {"from": number, "to": to, "body": "hello there"})
        self.go(20 * SECOND)
        for first, second in BRIDGES:
            ids = [self.call(first).id, self.call(second).id]
            self.tolerant(lambda name, ids=ids: self.once(
                self.app.bridges, name, {"call_ids": ids}), f"bridge{first}")  # fmt: skip
        held = self.once(self.app.conferences, "conference", {})
        for at in CONFERENCE:
            self.tolerant(
                lambda _, at=at: self.app.conference_members.create(
                    held.id, call_id=self.call(at).id, join_tone=True
                ),
                "member",
            )
        self.go(40 * SECOND)
        for first, _ in BRIDGES:
            for bridge in self.app.bridges.find(external_id=f"bridge{first}", state="ACTIVE"):
                self.app.bridges.hold(bridge.id)
        self.go(60 * SECOND)
        for at in (0, 6, 12):
            self.tolerant(lambda _, at=at: self.app.calls.hang_up(self.call(at).id), "")
        self.go(HOW_LONG)
        self.engine.run_until_idle(later(self.clock.now(), 2 * MINUTE))
        sys.stdout.write(f"done {self.killer.passed}\n")

    def sender(self) -> str:
        """The voice number, and a tariff beside it."""
        found = self.app.sender_ids.find()
        if found:
            return found[0].id
        operator = self.engine.operator()
        operator.add_tariff(kind="CALL", price=TARIFF)
        fields = {"address": "+14155559000", "capabilities": ["VOICE"], "country": "USA"}
        return operator.add_sender_id("acme", fields).id

    def once(self, collection: Any, name: str, fields: dict[str, Any]) -> Any:
        """Make it, unless it is there."""
        found = collection.find(external_id=name)
        return found[0] if found else collection.create({**fields, "external_id": name})

    def tolerant(self, do: Any, name: str) -> None:
        """Do it; calls that are over or have their place already refuse."""
        with contextlib.suppress(IllegalTransition, InvalidField):
            do(name)

    def call(self, at: int) -> Any:
        """The call that was made at a place."""
        [found] = self.app.calls.find(external_id=f"call{at}")
        return found

    def go(self, after: int) -> None:
        """Let time pass until so long after the start."""
        until = Instant(START + after)
        self.engine.run_until_idle(until)
        self.clock.wait(until)


if __name__ == "__main__":
    Caller(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])).run()

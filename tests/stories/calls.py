"""A world with a simulated switch, for stories about calls."""

from __future__ import annotations

from typing import Any

from scg_adapters.voice.simulator import Phone, VoiceSimulator
from scg_core import Call
from scg_core.kernel.query import Query
from scg_core.kernel.resource import R
from tests.world import World

ANN, BOB, CID, DAN, EVE = (f"+1415555010{number}" for number in range(1, 6))
OURS = "+14155559000"


class VoiceWorld(World):
    """A world whose company has a voice number, and a switch whose phones answer at once."""

    def __init__(
        self,
        url: str = "memory:",
        switch: VoiceSimulator | None = None,
        ports: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.switch = switch or VoiceSimulator()
        super().__init__(url, ports={"voice": {"switch": self.switch}, **(ports or {})}, **options)
        self.number = self.voice_number("acme", OURS)
        self.start = self.clock.now()

    def voice_number(self, company: str, address: str, **fields: Any) -> Any:
        """A sender id that can call."""
        given = {"address": address, "country": "USA", "capabilities": ["VOICE"], **fields}
        return self.engine.operator().add_sender_id(company, given)

    def phone(self, address: str, **script: Any) -> None:
        """Say what the phone of an address does."""
        self.switch.phones[address] = Phone(**script)

    def call(self, to: str, **fields: Any) -> Call:
        """Dial a phone, without waiting for anything."""
        return self.app.calls.create({"from": self.number.id, "to": to, **fields})

    def connected(self, to: str) -> Call:
        """A call to a phone that has answered."""
        call = self.call(to)
        self.settle()
        return self.app.calls.get(call.id)

    def settle(self) -> None:
        """Do whatever is due now; time stands still."""
        self.engine.run_until_idle(self.clock.now())

    def wait(self, milliseconds: int) -> None:
        """Let time pass, doing what becomes due at its instant."""
        until = self.clock.advance(0) + milliseconds
        self.engine.run_until_idle(until)  # type: ignore[arg-type]
        self.clock.wait(until)  # type: ignore[arg-type]
        self.settle()

    def heard(self, party: str) -> list[tuple[int, str, str]]:
        """What a party heard and did, in milliseconds since the world began."""
        return self.switch.heard(party, self.start)

    def all(self, kind: type[R]) -> list[R]:
        """Everything of a kind that is stored."""
        with self.storage.snapshot() as session:
            return session.find(Query(kind))

"""The simulated switch keeps the laws, and its faults are what they are said to be."""

from __future__ import annotations

import pytest

from scg_adapters.simulated import NEW_YEAR, SimulatedClock
from scg_adapters.voice.simulator import Does, Faults, Phone, VoiceSimulator
from scg_core.conformance.voice import OURS, Line, Listener, VoiceContract
from scg_core.kernel.errors import TransportUnavailable
from scg_core.kernel.instant import Instant
from scg_core.ports.voice_transport import Answered, Leg, VoiceCapabilities


class Simulated(Line):
    """A simulated switch with three phones."""

    answers, busy, silent = "+14155550111", "+14155550112", "+14155550113"

    def __init__(self, switch: VoiceSimulator) -> None:
        switch.phones |= {self.busy: Phone(Does.IS_BUSY), self.silent: Phone(Does.RINGS)}
        self.transport = self.switch = switch
        self.clock = SimulatedClock()

    def instant(self) -> Instant:
        """The simulated clock's."""
        return self.clock.now()

    def settle(self) -> None:
        """Poll."""
        self.switch.poll(self.clock.now())

    def pass_time(self, milliseconds: int) -> None:
        """Jump."""
        self.clock.advance(milliseconds)
        self.settle()

    def rings(self, number: str) -> int | None:
        """It is known here."""
        return self.switch.dialled.count(number)

    def call_in(self, to: str) -> None:
        """A phone calls."""
        self.switch.call_in(self.answers, to, self.clock.now())


class TestSimulator(VoiceContract):
    """The whole file of an adapter's author would end here."""

    def line(self) -> Line:
        """One as it comes."""
        return Simulated(VoiceSimulator())


class TestASimulatorThatDeduplicatesNothing(VoiceContract):
    """The kit lets a switch do less, if it says so."""

    def line(self) -> Line:
        """One that declares less."""
        less = VoiceCapabilities(speech=False, digits=False, inbound=False, deduplicates=False)
        return Simulated(VoiceSimulator(capabilities=less))


def _heard(faults: Faults) -> list[object]:
    switch, listener = VoiceSimulator(faults=faults), Listener()
    switch.connect("switch", listener)
    for number in range(40):
        switch.originate(Leg(f"leg{number}", OURS, f"+1415555{2000 + number}", 1_000), NEW_YEAR)
    switch.poll(NEW_YEAR)
    return listener.of(Answered)  # type: ignore[return-value]


def test_faults_repeat_with_their_seed() -> None:
    """Two runs with one seed tell the same, another seed tells something else."""
    some = [_heard(Faults(lost=0.3, doubled=0.3, seed=seed)) for seed in (1, 1, 2)]

    assert some[0] == some[1] != some[2]


def test_a_lost_event_is_never_told_and_a_doubled_one_twice() -> None:
    """All lost: nothing; all doubled: twice as many."""
    assert _heard(Faults(lost=1.0)) == []
    assert len(_heard(Faults(doubled=1.0))) == 80


def test_an_early_event_is_told_before_the_command_returns() -> None:
    """Nobody has to poll for it."""
    switch, listener = VoiceSimulator(faults=Faults(early=True)), Listener()
    switch.connect("switch", listener)
    switch.originate(Leg("leg", OURS, "+14155550111", 1_000), NEW_YEAR)
    switch.hang_up("leg", NEW_YEAR)

    assert [type(one).__name__ for one in listener.events] == ["Answered", "Ended"]


def test_a_switch_that_is_away_takes_no_commands() -> None:
    """Every one finds it away, and it tells nothing until it is back."""
    switch = VoiceSimulator()
    switch.reachable = False

    with pytest.raises(TransportUnavailable):
        switch.hang_up("leg", NEW_YEAR)
    assert switch.poll(NEW_YEAR) == NEW_YEAR + 1_000

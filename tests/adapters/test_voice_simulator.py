"""The simulated switch keeps the laws, and its faults are what they are said to be."""

from __future__ import annotations

import pytest
from attrs import evolve

from scg_adapters.simulated import NEW_YEAR, SimulatedClock
from scg_adapters.voice.simulator import Does, Faults, Phone, VoiceSimulator
from scg_core.conformance.line import OURS
from scg_core.conformance.voice import Line, Listener, VoiceContract
from scg_core.kernel.errors import TransportUnavailable
from scg_core.kernel.instant import Instant
from scg_core.ports.voice_transport import (
    Answered,
    Leg,
    Playback,
    RoomKind,
    VoiceCapabilities,
)


class Simulated(Line):
    """A simulated switch with three phones."""

    answers, answers_too = "+14155550111", "+14155550114"
    busy, silent = "+14155550112", "+14155550113"

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

    def hears(self, number: str) -> tuple[str, ...]:
        """It is known here."""
        return self.switch.listening()[number]

    def pressed(self, number: str) -> list[str]:
        """As the timeline has it."""
        sent = [about for _, what, about in self.switch.heard(number) if what == "plays"]
        return [one.removeprefix("digits ") for one in sent if one.startswith("digits ")]

    def heard(self, number: str) -> list[str]:
        """As the timeline has it."""
        sent = [about for _, what, about in self.switch.heard(number) if what == "plays"]
        return [one.removeprefix("speech ") for one in sent if one.startswith("speech ")]

    def presses(self, number: str, digits: str) -> None:
        """It presses them now."""
        self.switch.presses(number, digits, self.clock.now())

    def hangs_up(self, number: str) -> None:
        """It hangs up now."""
        self.switch.hangs_up(number, self.clock.now())

    def lose(self, room: str) -> None:
        """It can be asked to."""
        self.switch.loses_room(room, self.clock.now())

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
    return [one for one in listener.events if isinstance(one, Answered)]


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


class _Deaf(VoiceSimulator):
    """A switch that lets everybody hear everything."""

    def place(
        self, room: str, kind: RoomKind, leg: str, hears: bool, speaks: bool, now: Instant
    ) -> None:
        """Neither hold nor mute."""
        super().place(room, kind, leg, True, True, now)


class _Twice(VoiceSimulator):
    """A switch that knows no request again."""

    def press(self, leg: str, digits: str, id: str, now: Instant) -> None:
        """Every time."""
        self.times = getattr(self, "times", 0) + 1
        super().press(leg, digits, f"{id}{self.times}", now)

    def play(self, playback: Playback, now: Instant) -> None:
        """Every time, and at once."""
        self.times = getattr(self, "times", 0) + 1
        self._busy.clear()
        super().play(evolve(playback, id=f"{playback.id}{self.times}"), now)


@pytest.mark.parametrize(
    ("wrong", "law"),
    [
        (_Deaf, "a_leg_hears_and_is_heard_as_it_was_placed"),
        (_Twice, "digits_can_be_sent_where_that_is_declared"),
        (_Twice, "a_sound_asked_for_twice_is_played_once"),
        (_Twice, "sounds_are_played_one_after_the_other"),
    ],
)
def test_the_kit_finds_a_switch_that_breaks_a_law(wrong: type[VoiceSimulator], law: str) -> None:
    """The kit is tested too."""

    class Kit(TestSimulator):
        def line(self) -> Line:
            return Simulated(wrong())

    with pytest.raises(AssertionError):
        getattr(Kit(), f"test_{law}")()

"""What phones do, and what is over, for every switch; part of ``VoiceContract``."""

from __future__ import annotations

from abc import ABC

import pytest

from scg_core.conformance.line import Line, OnTheLine
from scg_core.kernel.errors import VoiceRefused
from scg_core.ports.voice_transport import (
    NOT_THERE,
    Answered,
    Cause,
    Ended,
    Playback,
    Played,
    Presence,
    Pressed,
    RoomKind,
    Speech,
)

_GONE = (Presence.ENDED, Presence.UNKNOWN)


class PhonesContract(OnTheLine, ABC):
    """The laws of phones that ring, press, hang up and hear; of legs and rooms that are over."""

    def test_a_switch_tells_under_the_name_it_was_given(self) -> None:
        """The engine knows it by no other."""
        line, _, listener = self.start()
        self.dial(line, line.answers)

        assert listener.names == {"switch"}

    def test_a_leg_that_rings_can_be_hung_up(self) -> None:
        """The phone stops ringing."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.silent)
        switch.hang_up(leg, line.instant())
        line.settle()

        assert self.presence(line, leg) in _GONE
        assert len(listener.of(Ended, leg)) == 1

    def test_an_end_has_its_cause_and_its_instant(self) -> None:
        """HUNG_UP, about now, and of no other leg."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.answers)
        before = line.instant()
        switch.hang_up(leg, line.instant())
        line.settle()

        [ended] = listener.of(Ended)
        assert (ended.leg, ended.cause) == (leg, Cause.HUNG_UP)
        assert self.soon(line, ended.at, before)

    def test_a_leg_that_is_over_is_not_dialled_again(self) -> None:
        """A command that is given again after a crash may come when all is over."""
        line, switch, listener = self.start()
        if not switch.capabilities.deduplicates:
            pytest.skip("not declared")
        leg = self.over(line)
        line.pass_time(2_000)
        self.dial(line, line.answers, leg)

        assert len(listener.of(Answered, leg)) == len(listener.of(Ended, leg)) == 1
        assert line.rings(line.answers) in (None, 1)

    def test_a_leg_that_is_over_takes_nothing(self) -> None:
        """VoiceRefused with NOT_THERE: no room, no sound, no digits; nor does one that rings."""
        line, switch, _ = self.start()
        for leg in (self.dial(line, line.silent, "rings"), self.over(line)):
            now = line.instant()
            with pytest.raises(VoiceRefused) as placed:
                switch.place("room1", RoomKind.BRIDGE, leg, True, True, now)
            with pytest.raises(VoiceRefused) as played:
                switch.play(Playback(f"play {leg}", self.sound(line), leg=leg), now)
            refused = [placed, played]
            if switch.capabilities.digits:
                with pytest.raises(VoiceRefused) as pressed:
                    switch.press(leg, "1", f"press {leg}", now)
                refused.append(pressed)
            assert {one.value.cause for one in refused} == {NOT_THERE}

    def test_a_closed_room_plays_nothing(self) -> None:
        """VoiceRefused with NOT_THERE."""
        line, switch, _ = self.start()
        self.place(line, "room1", self.dial(line, line.answers))
        switch.close("room1", line.instant())
        line.settle()

        with pytest.raises(VoiceRefused) as refused:
            switch.play(Playback("play1", self.sound(line), room="room1"), line.instant())
        assert refused.value.cause == NOT_THERE

    def test_a_sound_ends_with_its_leg(self) -> None:
        """Played is told of it all the same, with the leg."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.answers)
        switch.play(Playback("play1", self.sound(line), leg=leg), line.instant())
        switch.hang_up(leg, line.instant())
        line.pass_time(60_000)

        assert [(one.playback, one.leg) for one in listener.of(Played)] == [("play1", leg)]

    def test_a_phone_rings_as_long_as_it_may(self) -> None:
        """And no longer: milliseconds, not seconds."""
        line, _, listener = self.start()
        leg = self.dial(line, line.silent, timeout=20_000)
        line.pass_time(5_000)
        assert listener.of(Ended) == [] and self.presence(line, leg) is Presence.RINGING
        line.pass_time(20_000)

        assert [one.cause for one in listener.of(Ended, leg)] == [Cause.NO_ANSWER]

    def test_rooms_are_apart(self) -> None:
        """Who is in one hears nobody of the other; nor does who was removed or closed out."""
        line, switch, _ = self.start()
        one, two = self.dial(line, line.answers, "leg1"), self.dial(line, line.answers_too, "leg2")
        self.place(line, "room1", one)
        self.place(line, "room2", two)
        if line.hears(line.answers) is None:
            pytest.skip("nobody knows what these phones hear")
        assert self._heard(line) == [[], []]
        self.place(line, "room2", one)
        assert self._heard(line) == [[line.answers_too], [line.answers]]
        switch.remove("room2", one, line.instant())
        line.settle()
        assert self._heard(line) == [[], []]
        self.place(line, "room2", one)
        switch.close("room2", line.instant())
        line.settle()

        assert self._heard(line) == [[], []]

    def _heard(self, line: Line) -> list[list[str]]:
        return [list(line.hears(one) or ()) for one in (line.answers, line.answers_too)]

    def test_digits_that_a_phone_presses_are_told(self) -> None:
        """All of them, in order, of their leg."""
        line, _, listener = self.start()
        leg = self.dial(line, line.answers)
        before = line.instant()
        line.presses(line.answers, "5#")
        line.settle()

        told = listener.of(Pressed)
        assert "".join(one.digits for one in told) == "5#"
        assert {one.leg for one in told} == {leg}
        assert all(self.soon(line, one.at, before) for one in told)

    def test_a_phone_that_hangs_up_is_heard_to(self) -> None:
        """One Ended with HUNG_UP, without being asked."""
        line, _, listener = self.start()
        leg = self.dial(line, line.answers)
        line.hangs_up(line.answers)
        line.settle()

        assert [one.cause for one in listener.of(Ended, leg)] == [Cause.HUNG_UP]
        assert self.presence(line, leg) in _GONE

    def test_a_sound_is_heard_where_it_was_asked_for(self) -> None:
        """Each phone hears its own words."""
        line, switch, _ = self.start()
        if not switch.capabilities.speech or line.heard(line.answers) is None:
            pytest.skip("nobody knows what these phones hear")
        for at, (phone, text) in enumerate(
            ((line.answers, "one one"), (line.answers_too, "two two")), start=1
        ):
            leg = self.dial(line, phone, f"leg{at}")
            switch.play(Playback(f"play{at}", Speech(text), leg=leg), line.instant())
        line.pass_time(20_000)

        assert list(line.heard(line.answers) or ()) == ["one one"]
        assert list(line.heard(line.answers_too) or ()) == ["two two"]

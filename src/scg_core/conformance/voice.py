"""What every switch must do: subclass, say how to make one with phones, run pytest.

The kit needs phones that behave: two that answer, one that is busy, one that rings for ever. With
a real switch these are test extensions; ``settle`` waits until the switch has told what it knows.
What only the phones know (whom they hear, what was pressed, how often they rang) is asked of
``Line`` and may be left out.
"""

from __future__ import annotations

from abc import ABC

import pytest

from scg_core.conformance.line import Line, Listener
from scg_core.conformance.phones import PhonesContract
from scg_core.kernel.errors import VoiceRefused
from scg_core.ports.voice_transport import (
    NOT_THERE,
    Answered,
    Arrived,
    Cause,
    Ended,
    Playback,
    Played,
    Presence,
    RoomFailed,
    RoomKind,
    Speech,
)

__all__ = ["Line", "Listener", "VoiceContract"]


class VoiceContract(PhonesContract, ABC):
    """The laws of ``ports.voice_transport``, one test each."""

    def test_a_phone_that_answers_is_heard_to(self) -> None:
        """One Answered for its leg, not before the command and not ahead."""
        line, _, listener = self.start()
        before = line.instant()
        leg = self.dial(line, line.answers)

        [answered] = listener.of(Answered, leg)
        assert self.soon(line, answered.at, before)

    def test_a_phone_that_is_busy_or_declines_is_heard_to(self) -> None:
        """One Ended with the cause, or a refusal of the command with it; no Answered."""
        line, _, listener = self.start()
        try:
            leg = self.dial(line, line.busy)
        except VoiceRefused as refused:
            assert refused.cause in (Cause.BUSY, Cause.REFUSED)
            return

        [ended] = listener.of(Ended, leg)
        assert ended.cause in (Cause.BUSY, Cause.REFUSED)
        assert listener.of(Answered) == []

    def test_a_leg_asked_for_twice_rings_once_where_deduplication_is_declared(self) -> None:
        """A command that is given again after a crash finds the leg."""
        line, switch, listener = self.start()
        if not switch.capabilities.deduplicates:
            pytest.skip("not declared")
        leg = self.dial(line, line.answers)
        line.pass_time(2_000)
        self.dial(line, line.answers, leg)

        assert len(listener.of(Answered, leg)) == 1
        assert line.rings(line.answers) in (None, 1)

    def test_a_phone_that_nobody_answers_is_given_up(self) -> None:
        """Ended with NO_ANSWER once its time is over."""
        line, _, listener = self.start()
        leg = self.dial(line, line.silent, timeout=10_000)
        assert listener.of(Ended) == []
        line.pass_time(12_000)

        assert [one.cause for one in listener.of(Ended, leg)] == [Cause.NO_ANSWER]

    def test_an_incoming_leg_is_brought_and_can_be_answered(self) -> None:
        """Arrived names the numbers and the leg, which is up after the answer."""
        line, switch, listener = self.start()
        if not switch.capabilities.inbound:
            pytest.skip("not declared")
        before = line.instant()
        line.call_in(line.ours)
        line.settle()
        [arrived] = listener.of(Arrived)
        assert arrived.to_address == line.ours != arrived.from_address
        assert arrived.from_address and self.soon(line, arrived.at, before)

        switch.answer(arrived.leg, line.instant())
        line.settle()
        assert self.presence(line, arrived.leg) is Presence.UP
        assert len(listener.of(Answered, arrived.leg)) == 1
        line.call_in(line.ours)
        line.settle()
        assert len({one.leg for one in listener.of(Arrived)}) == 2

    def test_a_leg_that_is_hung_up_is_over(self) -> None:
        """It is seen as ended, and heard to end."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.answers)
        switch.hang_up(leg, line.instant())
        line.settle()

        assert self.presence(line, leg) in (Presence.ENDED, Presence.UNKNOWN)
        assert len(listener.of(Ended, leg)) == 1

    def test_hanging_up_what_is_not_there_changes_nothing(self) -> None:
        """Neither an unknown leg nor one that has ended is an error."""
        line, switch, listener = self.start()
        switch.hang_up("nobody", line.instant())
        leg = self.over(line)
        switch.hang_up(leg, line.instant())
        line.settle()

        assert len(listener.of(Ended, leg)) == 1

    def test_a_leg_is_in_the_room_it_was_placed_in(self) -> None:
        """``look`` says so."""
        line, switch, _ = self.start()
        leg = self.dial(line, line.answers)
        self.place(line, "room1", leg)

        assert self.room(line, leg) == "room1"
        switch.place("room1", RoomKind.BRIDGE, leg, False, False, line.instant())  # again, on hold
        assert self.room(line, leg) == "room1"

    def test_a_leg_hears_and_is_heard_as_it_was_placed(self) -> None:
        """On hold it does neither, muted it hears; the other hears it only if it speaks."""
        line, switch, _ = self.start()
        first = self.dial(line, line.answers, "leg1")
        second = self.dial(line, line.answers_too, "leg2")
        switch.place("room1", RoomKind.CONFERENCE, second, True, True, line.instant())
        for hears, speaks in ((True, True), (True, False), (False, False), (True, True)):
            now = line.instant()
            switch.place("room1", RoomKind.CONFERENCE, first, hears, speaks, now)
            line.settle()
            if line.hears(line.answers) is None:
                pytest.skip("nobody knows what these phones hear")
            assert (line.answers_too in (line.hears(line.answers) or ())) is hears
            assert (line.answers in (line.hears(line.answers_too) or ())) is speaks

    def test_a_room_that_fails_is_told(self) -> None:
        """RoomFailed by its name; its legs stay up."""
        line, _, listener = self.start()
        leg = self.dial(line, line.answers)
        self.place(line, "room1", leg)
        line.lose("room1")
        line.settle()

        assert [one.room for one in listener.of(RoomFailed)] == ["room1"]
        assert self.presence(line, leg) is Presence.UP

    def test_a_leg_that_is_placed_elsewhere_is_moved(self) -> None:
        """It is in the last room it was placed in."""
        line, _, _ = self.start()
        leg = self.dial(line, line.answers)
        self.place(line, "room1", leg)
        self.place(line, "room2", leg)

        assert self.room(line, leg) == "room2"

    def test_a_leg_that_is_not_up_cannot_be_placed(self) -> None:
        """VoiceRefused with NOT_THERE, for a ringing and for an unknown one."""
        line, switch, _ = self.start()
        leg = self.dial(line, line.silent)
        for one in (leg, "nobody"):
            with pytest.raises(VoiceRefused) as refused:
                switch.place("room1", RoomKind.BRIDGE, one, True, True, line.instant())
            assert refused.value.cause == NOT_THERE

    def test_a_leg_that_is_removed_stays_up(self) -> None:
        """It is in no room and still there."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.answers)
        self.place(line, "room1", leg)
        switch.remove("room1", leg, line.instant())
        line.settle()

        assert (self.presence(line, leg), self.room(line, leg)) == (Presence.UP, None)
        assert listener.of(Ended) == []

    def test_removing_from_another_room_changes_nothing(self) -> None:
        """A leg that was moved meanwhile stays where it is."""
        line, switch, _ = self.start()
        leg = self.dial(line, line.answers)
        self.place(line, "room1", leg)
        self.place(line, "room2", leg)
        switch.remove("room1", leg, line.instant())
        switch.remove("room3", "nobody", line.instant())

        assert self.room(line, leg) == "room2"

    def test_the_legs_of_a_closed_room_stay_up(self) -> None:
        """They are in no room; closing it again is no error."""
        line, switch, listener = self.start()
        phones = (line.answers, line.answers_too)
        legs = [self.dial(line, phone, f"leg{at}") for at, phone in enumerate(phones)]
        for leg in legs:
            self.place(line, "room1", leg)
        switch.close("room1", line.instant())
        switch.close("room1", line.instant())
        line.settle()

        assert [self.room(line, leg) for leg in legs] == [None, None]
        assert [self.presence(line, leg) for leg in legs] == [Presence.UP] * 2
        assert listener.of(Ended) == []

    def test_the_end_of_a_sound_is_heard(self) -> None:
        """One Played under the playback's name, on a leg and in a room."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.answers)
        self.place(line, "room1", leg)
        sound = self.sound(line)
        switch.play(Playback("play1", sound, leg=leg), line.instant())
        switch.play(Playback("play2", sound, room="room1"), line.instant())
        line.pass_time(60_000)

        assert sorted(one.playback for one in listener.of(Played)) == ["play1", "play2"]

    def test_sounds_are_played_one_after_the_other(self) -> None:
        """A short one does not end before a long one that was asked for first."""
        line, switch, listener = self.start()
        if not switch.capabilities.speech:
            pytest.skip("not declared")
        leg = self.dial(line, line.answers)
        for id, text in (("long", "one two three four five"), ("short", "six")):
            switch.play(Playback(id, Speech(text), leg=leg), line.instant())
        line.pass_time(60_000)

        assert [one.playback for one in listener.of(Played)] == ["long", "short"]

    def test_a_sound_asked_for_twice_is_played_once(self) -> None:
        """A command that is given again after a crash finds the playback."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.answers)
        for _ in range(2):
            switch.play(Playback("play1", self.sound(line), leg=leg), line.instant())
        line.pass_time(60_000)

        assert len(listener.of(Played)) == 1

    def test_a_sound_on_a_leg_that_is_not_up_is_refused(self) -> None:
        """VoiceRefused with NOT_THERE, on a ringing leg and in a room that is not there."""
        line, switch, _ = self.start()
        leg = self.dial(line, line.silent)
        for where in ({"leg": leg}, {"leg": "nobody"}, {"room": "nowhere"}):
            with pytest.raises(VoiceRefused) as refused:
                switch.play(Playback("play1", self.sound(line), **where), line.instant())
            assert refused.value.cause == NOT_THERE

    def test_digits_can_be_sent_where_that_is_declared(self) -> None:
        """To a leg that is up, once for a request; not to one that is not up."""
        line, switch, _ = self.start()
        if not switch.capabilities.digits:
            pytest.skip("not declared")
        leg = self.dial(line, line.answers)
        for _ in range(2):  # one request, given again after a crash
            switch.press(leg, "1w2#", "press1", line.instant())
        line.settle()
        assert line.pressed(line.answers) in (None, ["1w2#"])
        with pytest.raises(VoiceRefused):
            switch.press("nobody", "1", "press2", line.instant())

    def test_a_leg_is_seen_ringing_up_and_gone(self) -> None:
        """In the order asked; what never was is UNKNOWN."""
        line, switch, _ = self.start()
        rings = self.dial(line, line.silent, "rings")
        up = self.dial(line, line.answers, "up")
        over = self.dial(line, line.answers, "over")
        switch.hang_up(over, line.instant())
        line.settle()

        seen = [one.presence for one in switch.look(["never", up, rings, over], line.instant())]
        assert seen[:3] == [Presence.UNKNOWN, Presence.UP, Presence.RINGING]
        assert seen[3] in (Presence.ENDED, Presence.UNKNOWN)

    def test_what_was_brought_once_is_not_brought_again(self) -> None:
        """Polling on brings nothing twice."""
        line, _, listener = self.start()
        self.dial(line, line.answers)
        line.settle()
        before = list(listener.events)
        line.settle()
        line.settle()

        assert listener.events == before

    def test_a_declared_sound_is_taken(self) -> None:
        """Speech, addresses and files as far as they are declared, and chimes."""
        line, switch, listener = self.start()
        leg = self.dial(line, line.answers)
        wanted = self.sounds(line)
        for at, sound in enumerate(wanted):
            switch.play(Playback(f"play{at}", sound, leg=leg), line.instant())
        line.pass_time(60_000)

        assert len(listener.of(Played)) == len(wanted)
        assert switch.capabilities.window >= 1

"""A simulated switch with phones: it dials, connects and plays, and keeps what everybody heard.

Nothing is random but the faults, and these repeat with their seed. Time is what the engine says:
what a phone does at an instant is done when the switch is polled at or after it.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from attrs import field, mutable

from scg_adapters.voice.phones import Does, Faults, Heard, Phone, duration, said
from scg_core.kernel.errors import InvalidField, TransportUnavailable, VoiceRefused
from scg_core.kernel.instant import Instant, later
from scg_core.ports.voice_transport import (
    NOT_THERE,
    Answered,
    Arrived,
    Cause,
    Ended,
    Leg,
    Playback,
    Played,
    Presence,
    Pressed,
    RoomFailed,
    RoomKind,
    Sighting,
    Sound,
    VoiceCapabilities,
    VoiceEvent,
    VoiceInbox,
)

__all__ = ["Does", "Faults", "Heard", "Phone", "VoiceSimulator"]

KEPT: Final = 100_000
"""Moments and legs that are kept; older ones are forgotten."""


@mutable
class _Leg:
    id: str
    party: str
    presence: Presence
    at: Instant
    phone: Phone
    room: str | None = None
    hears: bool = True
    speaks: bool = True
    listens_to: tuple[str, ...] = ()


@mutable
class _Room:
    id: str
    kind: RoomKind
    legs: dict[str, None] = field(factory=dict)


class VoiceSimulator:
    """A switch that is only simulated; public, for tests and development.

    ``phones`` says what the phone of an address does, ``otherwise`` what all others do.
    """

    def __init__(
        self,
        phones: Mapping[str, Phone] | None = None,
        *,
        otherwise: Phone | None = None,
        capabilities: VoiceCapabilities | None = None,
        faults: Faults | None = None,
        lasts: Callable[[Sound], int] | None = None,
    ) -> None:
        self.phones: dict[str, Phone] = dict(phones or {})
        self.otherwise = otherwise or Phone()
        self.reachable = True
        """While False every command finds the switch away."""
        self.makes_rooms = True
        """While False no new room can be made."""
        self._capabilities = capabilities or VoiceCapabilities()
        self._faults = faults or Faults()
        self._random = random.Random(self._faults.seed)
        self._lasts = lasts or duration
        self._lock = threading.RLock()
        self._inbox: VoiceInbox | None = None
        self._connector = ""
        self._legs: dict[str, _Leg] = {}
        self._rooms: dict[str, _Room] = {}
        self._playbacks: dict[str, None] = {}
        self._busy: dict[str, Instant] = {}
        self._asked: set[str] = set()
        self._plan: list[tuple[Instant, int, Callable[[Instant], None]]] = []
        self._news: list[VoiceEvent] = []
        self._numbers = 0
        self._timeline: deque[Heard] = deque(maxlen=KEPT)

    # -- what tests look at and do -----------------------------------------------------------

    def timeline(self, party: str | None = None) -> list[Heard]:
        """What everybody, or one party, heard and did, in order."""
        with self._lock:
            return [one for one in self._timeline if party in (None, one.party)]

    def heard(self, party: str, since: int = 0) -> list[tuple[int, str, str]]:
        """One party's timeline as (milliseconds since an instant, what, about)."""
        return [(one.at - since, one.what, one.about) for one in self.timeline(party)]

    @property
    def dialled(self) -> list[str]:
        """Every address that was made to ring, in order: who was called twice stands here twice."""
        return [one.party for one in self.timeline() if one.what == "rings"]

    def up(self) -> dict[str, str | None]:
        """The parties that are on the line, each with the room it is in."""
        with self._lock:
            return {
                one.party: one.room for one in self._legs.values() if one.presence is Presence.UP
            }

    def rooms(self) -> set[str]:
        """The rooms that are there, empty ones too."""
        with self._lock:
            return set(self._rooms)

    def listening(self) -> dict[str, tuple[str, ...]]:
        """Whom each party that is on the line hears now."""
        with self._lock:
            up = [one for one in self._legs.values() if one.presence is Presence.UP]
            return {one.party: one.listens_to for one in up}

    def picks_up(self, party: str, now: Instant) -> None:
        """A party whose phone rings answers it."""
        with self._lock:
            for leg in self._of(party):
                if leg.presence is Presence.RINGING:
                    self._pick_up(leg, now)

    def call_in(
        self, from_address: str, to_address: str, now: Instant, phone: Phone | None = None
    ) -> str:
        """A phone calls one of our addresses; the id of its leg."""
        with self._lock:
            self._numbers += 1
            leg = _Leg(
                f"in-{now}-{self._numbers}", from_address, Presence.RINGING, now, phone or Phone()
            )
            self._legs[leg.id] = leg
            self._keep(now, from_address, "calls", to_address)
            self._tell(Arrived(leg.id, from_address, to_address, now))
            return leg.id

    def hangs_up(self, party: str, now: Instant) -> None:
        """A party ends its call."""
        with self._lock:
            for leg in self._of(party):
                self._end(leg, now, Cause.HUNG_UP)

    def presses(self, party: str, digits: str, now: Instant) -> None:
        """A party presses digits."""
        with self._lock:
            for leg in self._of(party):
                self._press(leg, digits, now)

    def fails(self, party: str, now: Instant) -> None:
        """A party's media fails."""
        with self._lock:
            for leg in self._of(party):
                self._end(leg, now, Cause.FAILED)

    def loses_room(self, room: str, now: Instant) -> None:
        """A room is gone; its legs stay up."""
        with self._lock:
            self._shut(room, now)
            self._tell(RoomFailed(room, now, "the room is gone"))

    def restarts(self, now: Instant) -> None:
        """The switch forgets everything it knew, and tells nobody."""
        with self._lock:
            for leg in list(self._legs.values()):
                if leg.presence is not Presence.ENDED:
                    self._keep(now, leg.party, "ends", "restart")
            for known in (self._legs, self._rooms, self._playbacks, self._busy):
                known.clear()
            self._asked.clear()
            self._plan.clear()
            self._news.clear()

    # -- the port ----------------------------------------------------------------------------

    @property
    def capabilities(self) -> VoiceCapabilities:
        """What it was told to be able to do."""
        return self._capabilities

    def connect(self, connector: str, inbox: VoiceInbox) -> None:
        """Where news are brought from now on."""
        self._connector, self._inbox = connector, inbox

    def originate(self, leg: Leg, now: Instant) -> None:
        """Make a phone ring."""
        with self._lock:
            self._arrive(now)
            if leg.id not in self._asked or not self._capabilities.deduplicates:
                self._ring(leg, now)
        self._return()

    def answer(self, leg: str, now: Instant) -> None:
        """Take an incoming leg."""
        with self._lock:
            self._arrive(now)
            held = self._legs.get(leg)
            if held is None or held.presence is Presence.ENDED:
                raise VoiceRefused("the leg is not there", NOT_THERE)
            if held.presence is Presence.RINGING:
                self._pick_up(held, now)
        self._return()

    def hang_up(self, leg: str, now: Instant) -> None:
        """End a leg."""
        with self._lock:
            self._arrive(now)
            held = self._legs.get(leg)
            if held is not None and held.presence is not Presence.ENDED:
                self._end(held, now, Cause.HUNG_UP)
        self._return()

    def place(
        self, room: str, kind: RoomKind, leg: str, hears: bool, speaks: bool, now: Instant
    ) -> None:
        """Put a leg into a room."""
        with self._lock:
            self._arrive(now)
            held = self._standing(leg)
            if room not in self._rooms:
                if not self.makes_rooms:
                    raise VoiceRefused("no room can be made")
                self._rooms[room] = _Room(room, kind)
            if held.room not in (None, room):
                self._take_out(held, now)
            held.room, held.hears, held.speaks = room, hears, speaks
            self._rooms[room].legs[leg] = None
            self._listen(room, now)
        self._return()

    def remove(self, room: str, leg: str, now: Instant) -> None:
        """Take a leg out of a room."""
        with self._lock:
            self._arrive(now)
            held = self._legs.get(leg)
            if held is not None and held.room == room:
                self._take_out(held, now)
        self._return()

    def close(self, room: str, now: Instant) -> None:
        """End a room."""
        with self._lock:
            self._arrive(now)
            self._shut(room, now)
        self._return()

    def play(self, playback: Playback, now: Instant) -> None:
        """Play a sound after those that play already there."""
        with self._lock:
            self._arrive(now)
            if playback.id not in self._playbacks:
                self._queue(playback, now)
        self._return()

    def press(self, leg: str, digits: str, id: str, now: Instant) -> None:
        """Send digits to a phone."""
        with self._lock:
            self._arrive(now)
            held = self._standing(leg)
            if id not in self._playbacks:
                self._playbacks[id] = None
                self._keep(now, held.party, "plays", f"digits {digits}")
        self._return()

    def look(self, legs: Sequence[str], now: Instant) -> Sequence[Sighting]:
        """How legs stand."""
        with self._lock:
            self._arrive(now)
            return [self._sighting(self._legs.get(leg)) for leg in legs]

    def poll(self, now: Instant) -> Instant | None:
        """Let time pass up to now and bring what has happened; when something happens next."""
        with self._lock:
            if not self.reachable:
                return later(now, 1_000)
            self._pass(now)
        self._bring()
        with self._lock:
            return self._plan[0][0] if self._plan else None

    # -- how it goes on ----------------------------------------------------------------------

    def _arrive(self, now: Instant) -> None:
        """A command comes in."""
        if not self.reachable:
            raise TransportUnavailable(self._connector)
        self._pass(now)

    def _return(self) -> None:
        """A command is done; its answer may get lost, or what it led to may be told before it."""
        if self._faults.early:
            with self._lock:
                self._pass(max((one.at for one in self._news), default=Instant(0)))
            self._bring()
        if self._random.random() < self._faults.breaks:
            raise ConnectionResetError("the answer got lost")

    def _pass(self, now: Instant) -> None:
        while self._plan and self._plan[0][0] <= now:
            at, _, happen = heapq.heappop(self._plan)
            happen(at)

    def _later(self, at: Instant, happen: Callable[[Instant], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._plan, (at, self._numbers, happen))

    def _tell(self, event: VoiceEvent) -> None:
        if self._random.random() < self._faults.lost:
            return
        self._news.append(event)
        if self._random.random() < self._faults.doubled:
            self._news.append(event)

    def _bring(self) -> None:
        with self._lock:
            news, self._news = self._news, []
        if not news or self._inbox is None:
            return
        try:
            self._inbox.calls_heard(self._connector, news)
        except BaseException:
            with self._lock:
                self._news = [*news, *self._news]
            raise

    def _keep(self, at: Instant, party: str, what: str, about: str = "") -> None:
        self._timeline.append(Heard(at, party, what, about))

    def _of(self, party: str) -> list[_Leg]:
        found = [one for one in self._legs.values() if one.party == party]
        standing = [one for one in found if one.presence is not Presence.ENDED]
        if not standing:
            raise InvalidField("party", f"{party!r} is not on the line")
        return standing

    def _standing(self, leg: str) -> _Leg:
        held = self._legs.get(leg)
        if held is None or held.presence is not Presence.UP:
            raise VoiceRefused("the leg is not up", NOT_THERE)
        return held

    def _sighting(self, held: _Leg | None) -> Sighting:
        if held is None:
            return Sighting(Presence.UNKNOWN)
        return Sighting(held.presence, held.room, held.at)

    def _ring(self, wanted: Leg, now: Instant) -> None:
        phone = self.phones.get(wanted.to_address, self.otherwise)
        if phone.does is Does.IS_UNREACHABLE:
            raise VoiceRefused("there is no such number", Cause.UNREACHABLE)
        self._forget()
        self._asked.add(wanted.id)
        leg = _Leg(wanted.id, wanted.to_address, Presence.RINGING, now, phone)
        self._legs[leg.id] = leg
        self._keep(now, leg.party, "rings")
        self._later(later(now, wanted.timeout), lambda at: self._give_up(leg, at))
        self._later(later(now, phone.after), lambda at: self._react(leg, at))

    def _give_up(self, leg: _Leg, at: Instant) -> None:
        if leg.presence is Presence.RINGING:
            self._end(leg, at, Cause.NO_ANSWER)

    def _react(self, leg: _Leg, at: Instant) -> None:
        if leg.presence is not Presence.RINGING:
            return
        if leg.phone.does is Does.ANSWERS:
            self._pick_up(leg, at)
        elif leg.phone.does is Does.IS_BUSY:
            self._end(leg, at, Cause.BUSY)
        elif leg.phone.does is Does.DECLINES:
            self._end(leg, at, Cause.REFUSED)

    def _pick_up(self, leg: _Leg, at: Instant) -> None:
        leg.presence, leg.at = Presence.UP, at
        self._keep(at, leg.party, "answers")
        self._tell(Answered(leg.id, at))
        for after, digits in leg.phone.presses:
            self._later(later(at, after), _pressing(self, leg, digits))
        if leg.phone.talks is not None:
            self._later(later(at, leg.phone.talks), lambda then: self._hang(leg, then))

    def _hang(self, leg: _Leg, at: Instant) -> None:
        if leg.presence is Presence.UP:
            self._end(leg, at, Cause.HUNG_UP)

    def _press(self, leg: _Leg, digits: str, at: Instant) -> None:
        if leg.presence is Presence.UP:
            self._numbers += 1
            self._keep(at, leg.party, "pressed", digits)
            self._tell(Pressed(leg.id, digits, at, str(self._numbers)))

    def _end(self, leg: _Leg, at: Instant, cause: Cause) -> None:
        self._take_out(leg, at)
        leg.presence, leg.at = Presence.ENDED, at
        self._keep(at, leg.party, "ends", cause.value)
        self._tell(Ended(leg.id, at, cause))

    def _take_out(self, leg: _Leg, at: Instant) -> None:
        room, leg.room = leg.room, None
        leg.hears = leg.speaks = True
        self._hearing(leg, (), at)
        if room is not None and room in self._rooms:
            self._rooms[room].legs.pop(leg.id, None)
            self._listen(room, at)

    def _shut(self, room: str, at: Instant) -> None:
        held = self._rooms.pop(room, None)
        for leg in () if held is None else held.legs:
            self._take_out(self._legs[leg], at)

    def _listen(self, room: str, at: Instant) -> None:
        """Find out anew who hears whom in a room."""
        legs = [self._legs[one] for one in self._rooms[room].legs]
        for leg in legs:
            voices = [one.party for one in legs if one is not leg and one.speaks]
            self._hearing(leg, tuple(sorted(voices)) if leg.hears else (), at)

    def _hearing(self, leg: _Leg, voices: tuple[str, ...], at: Instant) -> None:
        if leg.listens_to != voices:
            leg.listens_to = voices
            self._keep(at, leg.party, "hears", ",".join(voices))

    def _queue(self, playback: Playback, now: Instant) -> None:
        if playback.leg is not None:
            target = self._standing(playback.leg).id
        elif playback.room in self._rooms:
            target = playback.room or ""
        else:
            raise VoiceRefused("the room is not there", NOT_THERE)
        self._playbacks[playback.id] = None
        start = Instant(max(now, self._busy.get(target, now)))
        end = later(start, self._lasts(playback.sound))
        self._busy[target] = end
        self._later(start, lambda at: self._sound(playback, at))
        self._later(end, lambda at: self._tell(Played(playback.id, playback.leg, at)))
        self._pass(now)

    def _sound(self, playback: Playback, at: Instant) -> None:
        """A sound begins: it is heard by whoever is there now and hears."""
        if playback.leg is not None:
            legs = [playback.leg]
        else:
            room = self._rooms.get(playback.room or "")
            legs = [] if room is None else [one for one in room.legs if self._legs[one].hears]
        for one in legs:
            leg = self._legs.get(one)
            if leg is not None and leg.presence is Presence.UP:
                self._keep(at, leg.party, "plays", said(playback.sound))

    def _forget(self) -> None:
        """Let go of the oldest legs and playbacks that are over."""
        while len(self._legs) > KEPT:
            oldest = next(iter(self._legs.values()))
            if oldest.presence is not Presence.ENDED:
                break
            del self._legs[oldest.id]
            self._asked.discard(oldest.id)
        while len(self._playbacks) > KEPT:
            del self._playbacks[next(iter(self._playbacks))]


def _pressing(switch: VoiceSimulator, leg: _Leg, digits: str) -> Callable[[Instant], None]:
    return lambda at: switch._press(leg, digits, at)

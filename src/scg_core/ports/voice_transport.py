"""The way to phones: a switch that dials, connects, plays, and says what happens.

Only the pump calls it. What happens comes back as ``engine.calls_heard(connector, events)``, in
any order, twice, before a command has been answered, or never: what is asked here is a wish,
what is heard is the truth, and ``look`` is asked for what was never heard.

Ids are the engine's own: a leg (one phone's side of a call), a room (where legs hear each other)
and a playback are named by whoever asks for them, so that a command which is given again after a
crash finds what it made. Only an incoming leg is named by the switch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, Protocol

from attrs import frozen

from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import File

WINDOW: Final = 100

NOT_THERE: Final = "NOT_THERE"
"""The cause of a refusal because a leg is not up, or a room not there (any more)."""


class RoomKind(StrEnum):
    """What a room is for; a switch may keep two legs apart from many."""

    BRIDGE = "BRIDGE"
    CONFERENCE = "CONFERENCE"


class Cause(StrEnum):
    """Why a leg ended."""

    HUNG_UP = "HUNG_UP"  # somebody hung up
    BUSY = "BUSY"
    NO_ANSWER = "NO_ANSWER"
    REFUSED = "REFUSED"  # the phone declined
    UNREACHABLE = "UNREACHABLE"  # no such number, or no way to it
    FAILED = "FAILED"  # the network or the media failed


class Presence(StrEnum):
    """How a switch sees a leg."""

    RINGING = "RINGING"
    UP = "UP"
    ENDED = "ENDED"  # it was there, and is not any more
    UNKNOWN = "UNKNOWN"  # it was never there, or the switch has forgotten it


class Chime(StrEnum):
    """A short sound that a switch has by itself."""

    JOIN = "JOIN"
    LEAVE = "LEAVE"


@frozen
class VoiceCapabilities:
    """What a switch declares of itself; a false declaration fails its kit.

    ``speech`` that it speaks text, ``urls`` and ``files`` that it plays audio from an address or
    from bytes, ``digits`` that it can press them, ``inbound`` that it brings incoming calls,
    ``deduplicates`` that a leg asked for twice under one id rings once. ``window`` is how many
    messages may be spoken at once.
    """

    speech: bool = True
    urls: bool = True
    files: bool = True
    digits: bool = True
    inbound: bool = True
    deduplicates: bool = True
    window: int = WINDOW


@frozen
class Leg:
    """A phone to dial: from whom, to whom, for how many milliseconds it may ring."""

    id: str
    from_address: str
    to_address: str
    timeout: int


@frozen
class Speech:
    """Text to speak; a ``voice`` by name counts before a ``gender``."""

    text: str
    language: str | None = None
    gender: str | None = None
    voice: str | None = None


@frozen
class Audio:
    """A sound at an address that the switch fetches itself."""

    url: str


@frozen
class Recording:
    """A sound in a file, read with ``inbox.content_of(file)``."""

    file: File


Sound = Speech | Audio | Recording | Chime


@frozen
class Playback:
    """A sound to play, on one leg or to everybody in a room."""

    id: str
    sound: Sound
    leg: str | None = None
    room: str | None = None


@frozen
class Sighting:
    """What a switch sees of a leg: the room it is in, since when it is up or over if it knows."""

    presence: Presence
    room: str | None = None
    at: Instant | None = None


@frozen
class Answered:
    """The phone picked up."""

    leg: str
    at: Instant


@frozen
class Ended:
    """A leg is over."""

    leg: str
    at: Instant
    cause: Cause = Cause.HUNG_UP
    details: str | None = None


@frozen
class Arrived:
    """A phone calls one of our addresses; the leg rings until it is answered or hung up.

    ``from_address`` is empty if the caller withholds it. A leg's name is never used for another.
    """

    leg: str
    from_address: str
    to_address: str
    at: Instant


@frozen
class Pressed:
    """A phone pressed digits; ``key`` makes a report that comes twice known.

    Without a key the same digits at the same instant are the same.
    """

    leg: str
    digits: str
    at: Instant
    key: str | None = None


@frozen
class Played:
    """A sound has ended, by itself or because its leg or room did."""

    playback: str
    leg: str | None
    at: Instant


@frozen
class RoomFailed:
    """A room is not there any more, or could not be made; its legs stay up."""

    room: str
    at: Instant
    details: str | None = None


VoiceEvent = Answered | Ended | Arrived | Pressed | Played | RoomFailed


class VoiceInbox(Protocol):
    """Where a switch brings what happens; every method is one transaction."""

    def calls_heard(self, connector: str, events: Sequence[VoiceEvent]) -> None:
        """What happened, in any order, late or doubled; safe to bring twice."""
        ...

    def switch_restored(self, connector: str) -> None:
        """The connection to the switch was lost and is back: what was missed is asked for."""
        ...

    def content_of(self, file: File) -> Iterator[bytes]:
        """The content of a file to play, in chunks."""
        ...


class VoiceTransport(Protocol):
    """Connects calls. Commands return once the switch has taken them, not once they are done, and
    within seven seconds: who holds them longer may find them given by another worker.

    Each command may raise ``VoiceRefused`` (never: the switch says why, it is not asked again) or
    ``TransportUnavailable`` (not now: it is asked again, before whatever follows it). What breaks
    with any other error may have happened or not; it is asked again.
    """

    @property
    def capabilities(self) -> VoiceCapabilities:
        """What this switch can do."""
        ...

    def connect(self, connector: str, inbox: VoiceInbox) -> None:
        """Learn one's own name and where to bring what happens; called once, first."""
        ...

    def originate(self, leg: Leg, now: Instant) -> None:
        """Dial a phone. Whether it is answered is heard later.

        Raises:
            VoiceRefused: it cannot be dialled; the cause is one of ``Cause``.

        Laws:
            - ``a_phone_that_answers_is_heard_to``
            - ``a_phone_that_is_busy_or_declines_is_heard_to``
            - ``a_leg_asked_for_twice_rings_once_where_deduplication_is_declared``
            - ``a_leg_that_is_over_is_not_dialled_again``
            - ``a_phone_rings_as_long_as_it_may``
        """
        ...

    def answer(self, leg: str, now: Instant) -> None:
        """Take an incoming leg; one that is up already stays so.

        Laws:
            - ``an_incoming_leg_is_brought_and_can_be_answered``
        """
        ...

    def hang_up(self, leg: str, now: Instant) -> None:
        """End a leg; one that is not there is no error.

        Laws:
            - ``a_leg_that_is_hung_up_is_over``
            - ``a_leg_that_rings_can_be_hung_up``
            - ``an_end_has_its_cause_and_its_instant``
            - ``hanging_up_what_is_not_there_changes_nothing``
        """
        ...

    def place(
        self, room: str, kind: RoomKind, leg: str, hears: bool, speaks: bool, now: Instant
    ) -> None:
        """Put a leg into a room, which is made if need be, and say what it hears and says there.

        A leg that is in the room already is changed; one that is in another room is moved.

        Raises:
            VoiceRefused: the leg is not up (cause ``NOT_THERE``), or the room cannot be made.

        Laws:
            - ``a_leg_is_in_the_room_it_was_placed_in``
            - ``a_leg_hears_and_is_heard_as_it_was_placed``
            - ``a_room_that_fails_is_told``
            - ``a_leg_that_is_placed_elsewhere_is_moved``
            - ``a_leg_that_is_not_up_cannot_be_placed``
            - ``a_leg_that_is_over_takes_nothing``
            - ``rooms_are_apart``
        """
        ...

    def remove(self, room: str, leg: str, now: Instant) -> None:
        """Take a leg out of a room; it stays up. One that is not in that room stays where it is.

        Laws:
            - ``a_leg_that_is_removed_stays_up``
            - ``removing_from_another_room_changes_nothing``
        """
        ...

    def close(self, room: str, now: Instant) -> None:
        """End a room; its legs stay up. One that is not there is no error.

        Laws:
            - ``the_legs_of_a_closed_room_stay_up``
            - ``a_closed_room_plays_nothing``
        """
        ...

    def play(self, playback: Playback, now: Instant) -> None:
        """Play a sound after those that play already there; its end is heard as ``Played``.

        Raises:
            VoiceRefused: the leg is not up or the room is not there (cause ``NOT_THERE``), or the
                sound cannot be played.

        Laws:
            - ``the_end_of_a_sound_is_heard``
            - ``a_sound_ends_with_its_leg``
            - ``a_sound_is_heard_where_it_was_asked_for``
            - ``a_sound_asked_for_twice_is_played_once``
            - ``sounds_are_played_one_after_the_other``
            - ``a_sound_on_a_leg_that_is_not_up_is_refused``
        """
        ...

    def press(self, leg: str, digits: str, id: str, now: Instant) -> None:
        """Send digits to a phone; ``id`` names the request, ``w`` and ``,`` wait.

        Raises:
            VoiceRefused: the leg is not up (cause ``NOT_THERE``).

        Laws:
            - ``digits_can_be_sent_where_that_is_declared``
        """
        ...

    def look(self, legs: Sequence[str], now: Instant) -> Sequence[Sighting]:
        """How each leg stands, in their order.

        Laws:
            - ``a_leg_is_seen_ringing_up_and_gone``
        """
        ...

    def poll(self, now: Instant) -> Instant | None:
        """Bring what has happened by now into the inbox; when to be called again, or None.

        A switch that brings what happens from a thread of its own returns None.

        Laws:
            - ``what_was_brought_once_is_not_brought_again``
            - ``a_switch_tells_under_the_name_it_was_given``
            - ``digits_that_a_phone_presses_are_told``
            - ``a_phone_that_hangs_up_is_heard_to``
        """
        ...

"""A switch to be tried with its phones, what hears it, and what the laws of switches share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import pytest

from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import File
from scg_core.ports.voice_transport import (
    Audio,
    Chime,
    Leg,
    Presence,
    Recording,
    RoomKind,
    Sound,
    Speech,
    VoiceEvent,
    VoiceTransport,
)

E = TypeVar("E")

OURS = "+14155550100"
RINGS = 30_000
SLACK = 1_000
"""Milliseconds by which a switch's clock may differ, and to which it may round."""


class Listener:
    """The inbox of the kit: it keeps what a switch brings."""

    def __init__(self) -> None:
        self.events: list[VoiceEvent] = []
        self.names: set[str] = set()

    def calls_heard(self, connector: str, events: Sequence[VoiceEvent]) -> None:
        """Keep them."""
        self.names.add(connector)
        self.events += events

    def switch_restored(self, connector: str) -> None:
        """Nothing is asked for anew."""

    def content_of(self, file: File) -> Iterator[bytes]:
        """A second of silence, more or less."""
        yield bytes(8_000)

    def of(self, kind: type[E], leg: str | None = None) -> list[E]:
        """The events of a kind, or those of one leg; what is told twice is told once."""
        return [
            one for one in dict.fromkeys(self.events)
            if isinstance(one, kind) and leg in (None, getattr(one, "leg", None))
        ]  # fmt: skip


class Line(ABC):
    """A switch to be tried, and its phones."""

    transport: VoiceTransport
    answers: str
    """The number of a phone that answers soon."""
    answers_too: str
    """The number of another one."""
    busy: str
    """The number of a phone that is busy, or declines."""
    silent: str
    """The number of a phone that rings until the caller has enough."""
    ours: str = OURS
    """The number we call from, and are called at."""
    audio: str = "https://example.com/hello.mp3"
    """An address of a sound that the switch can fetch."""

    @abstractmethod
    def instant(self) -> Instant:
        """The present instant."""

    @abstractmethod
    def settle(self) -> None:
        """Let the switch tell what has happened: events of the last command are in afterwards."""

    @abstractmethod
    def pass_time(self, milliseconds: int) -> None:
        """Let at least that much time pass, and settle."""

    def rings(self, number: str) -> int | None:
        """How often a phone was made to ring, if that is known."""
        return None

    def hears(self, number: str) -> Sequence[str] | None:
        """The numbers that a phone hears now, if that is known."""
        return None

    def pressed(self, number: str) -> Sequence[str] | None:
        """The digits that were sent to a phone, request by request, if that is known."""
        return None

    def heard(self, number: str) -> Sequence[str] | None:
        """The texts that were spoken to a phone, in order, if that is known."""
        return None

    def presses(self, number: str, digits: str) -> None:
        """Let a phone press digits."""
        pytest.skip("these phones press nothing")

    def hangs_up(self, number: str) -> None:
        """Let a phone end its call."""
        pytest.skip("these phones do not hang up by themselves")

    def lose(self, room: str) -> None:
        """Let a room fail in the switch."""
        pytest.skip("this switch loses no rooms on purpose")

    def call_in(self, to: str) -> None:
        """Let a phone call one of our numbers."""
        pytest.skip("this switch cannot be called here")


class OnTheLine(ABC):
    """How a law dials, plays and looks."""

    @abstractmethod
    def line(self) -> Line:
        """A new switch with phones, nobody on the line."""

    def start(self) -> tuple[Line, VoiceTransport, Listener]:
        """A line, its switch, and an inbox that hears it."""
        line, listener = self.line(), Listener()
        line.transport.connect("switch", listener)
        return line, line.transport, listener

    def dial(self, line: Line, number: str, leg: str = "leg1", timeout: int = RINGS) -> str:
        """Dial a phone; the leg."""
        line.transport.originate(Leg(leg, line.ours, number, timeout), line.instant())
        line.settle()
        return leg

    def sounds(self, line: Line) -> list[Sound]:
        """Sounds that the switch declares to play; chimes it has in any case."""
        declared = line.transport.capabilities
        found: list[Sound] = [Speech("hello")] if declared.speech else []
        if declared.urls:
            found.append(Audio(line.audio))
        if declared.files:
            found.append(Recording(File("hello.wav", "audio/x-wav", 8_000, "key")))
        return [*found, Chime.JOIN, Chime.LEAVE]

    def sound(self, line: Line) -> Sound:
        """One of them."""
        return self.sounds(line)[0]

    def over(self, line: Line, leg: str = "over") -> str:
        """A leg that was answered and hung up; the leg."""
        self.dial(line, line.answers, leg)
        line.transport.hang_up(leg, line.instant())
        line.settle()
        return leg

    def soon(self, line: Line, at: Instant, since: Instant) -> bool:
        """Whether an instant lies between another one and now, more or less."""
        return since - SLACK <= at <= line.instant() + SLACK

    def place(self, line: Line, room: str, leg: str) -> None:
        """Put a leg into a room."""
        line.transport.place(room, RoomKind.BRIDGE, leg, True, True, line.instant())
        line.settle()

    def presence(self, line: Line, leg: str) -> Presence:
        """How a leg is seen."""
        return self._seen(line, leg).presence  # type: ignore[no-any-return]

    def room(self, line: Line, leg: str) -> str | None:
        """The room a leg is seen in."""
        return self._seen(line, leg).room  # type: ignore[no-any-return]

    def _seen(self, line: Line, leg: str) -> Any:
        [seen] = line.transport.look([leg], line.instant())
        return seen

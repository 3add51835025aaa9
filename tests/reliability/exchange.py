"""A simulated switch that outlives the processes that call through it.

The switch and the clock live in the test's own process; a process that may be killed at any point
speaks to both through a socket. What it was told and did not write down is gone with it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from scg_adapters.simulated import SimulatedClock
from scg_adapters.voice.simulator import VoiceSimulator
from scg_core.kernel.instant import Instant
from scg_core.ports.message_transport import File
from scg_core.ports.voice_transport import (
    Leg,
    Playback,
    RoomKind,
    Sighting,
    VoiceCapabilities,
    VoiceEvent,
    VoiceInbox,
)
from tests.reliability.victim import Killer


class Exchange:
    """The switch and the clock behind a socket; also the inbox that keeps events to be fetched."""

    def __init__(self, switch: VoiceSimulator, clock: SimulatedClock, socket: Path) -> None:
        self.switch = switch
        self.clock = clock
        self._events: list[VoiceEvent] = []
        switch.connect("switch", self)
        self._listener = Listener(str(socket), "AF_UNIX")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def calls_heard(self, connector: str, events: Sequence[VoiceEvent]) -> None:
        """Keep them for whoever asks next."""
        self._events += events

    def switch_restored(self, connector: str) -> None:
        """Nobody to tell."""

    def content_of(self, file: File) -> Iterator[bytes]:
        """No files are played here."""
        yield b""

    def close(self) -> None:
        """Let go of the socket."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:
                return
            self._answer(connection)

    def _answer(self, connection: Connection[Any, Any]) -> None:
        """Serve one process until it ends, however it does."""
        try:
            while True:
                connection.send(self._outcome(*connection.recv()))
        except (EOFError, OSError):
            connection.close()

    def _outcome(self, name: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
        try:
            return True, self._do(name, arguments)
        except Exception as failed:
            return False, failed

    def _do(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name == "now":
            return self.clock.now()
        if name == "wait":
            return self.clock.wait(*arguments)
        if name == "poll":
            due = self.switch.poll(*arguments)
            events, self._events = self._events, []
            return due, events
        return getattr(self.switch, name)(*arguments)


class Wire:
    """The other end of the socket."""

    def __init__(self, socket: Path) -> None:
        self._connection = Client(str(socket), "AF_UNIX")

    def ask(self, name: str, *arguments: Any) -> Any:
        """Let it be done over there."""
        self._connection.send((name, arguments))
        done, answer = self._connection.recv()
        if not done:
            raise answer
        return answer


class FarClock:
    """The exchange's clock."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def now(self) -> Instant:
        """The present instant."""
        found: Instant = self._wire.ask("now")
        return found

    def wait(self, until: Instant) -> None:
        """Jump there."""
        self._wire.ask("wait", until)


class FarSwitch:
    """A switch behind a socket, with a point before and after each command: a thin adapter."""

    capabilities = VoiceCapabilities()

    def __init__(self, wire: Wire, killer: Killer) -> None:
        self._wire = wire
        self._killer = killer
        self._inbox: VoiceInbox | None = None
        self._fresh = True

    def connect(self, connector: str, inbox: VoiceInbox) -> None:
        """Where to bring what is fetched."""
        self._inbox = inbox

    def originate(self, leg: Leg, now: Instant) -> None:
        """Over there."""
        self._ask("originate", leg, now)

    def answer(self, leg: str, now: Instant) -> None:
        """Over there."""
        self._ask("answer", leg, now)

    def hang_up(self, leg: str, now: Instant) -> None:
        """Over there."""
        self._ask("hang_up", leg, now)

    def place(
        self, room: str, kind: RoomKind, leg: str, hears: bool, speaks: bool, now: Instant
    ) -> None:
        """Over there."""
        self._ask("place", room, kind, leg, hears, speaks, now)

    def remove(self, room: str, leg: str, now: Instant) -> None:
        """Over there."""
        self._ask("remove", room, leg, now)

    def close(self, room: str, now: Instant) -> None:
        """Over there."""
        self._ask("close", room, now)

    def play(self, playback: Playback, now: Instant) -> None:
        """Over there."""
        self._ask("play", playback, now)

    def press(self, leg: str, digits: str, id: str, now: Instant) -> None:
        """Over there."""
        self._ask("press", leg, digits, id, now)

    def look(self, legs: Sequence[str], now: Instant) -> Sequence[Sighting]:
        """Over there."""
        found: Sequence[Sighting] = self._ask("look", list(legs), now)
        return found

    def poll(self, now: Instant) -> Instant | None:
        """Fetch what happened and bring it; a new process first asks what it missed."""
        assert self._inbox is not None
        if self._fresh:
            self._inbox.switch_restored("switch")
            self._fresh = False
        due, events = self._ask("poll", now)
        if events:
            self._inbox.calls_heard("switch", events)
        found: Instant | None = due
        return found

    def _ask(self, name: str, *arguments: Any) -> Any:
        self._killer.at(f"before {name}")
        answer = self._wire.ask(name, *arguments)
        self._killer.at(f"after {name}")
        return answer

"""What a simulated phone does, what a simulated switch gets wrong, and what was heard."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

from scg_core.kernel.instant import Instant
from scg_core.ports.voice_transport import Audio, Chime, Recording, Sound, Speech

_A_CHARACTER: Final = 60
_CHIME: Final = 300
_FILE: Final = 2_000


class Does(StrEnum):
    """What a phone does when it is called."""

    ANSWERS = "answers"
    IS_BUSY = "is busy"
    DECLINES = "declines"
    RINGS = "rings"  # until whoever calls has enough
    IS_UNREACHABLE = "is unreachable"


@frozen
class Phone:
    """A phone's script; times are milliseconds.

    It does what it ``does`` after ringing for ``after``; once it has answered it presses digits,
    each so long after the answer, and hangs up after ``talks``, if that is given.
    """

    does: Does = Does.ANSWERS
    after: int = 0
    talks: int | None = None
    presses: tuple[tuple[int, str], ...] = ()


@frozen
class Faults:
    """How much of what happens is never told, or told twice; ``early``: before a command returns.

    ``breaks`` is the share of commands after which the switch fails although it has done them.
    """

    lost: float = 0.0
    doubled: float = 0.0
    early: bool = False
    breaks: float = 0.0
    seed: int = 0


@frozen
class Heard:
    """A moment of somebody's ears: ``what`` is rings, answers, ends, hears, plays or pressed.

    ``about`` is whom it hears from now on (addresses, by commas, empty for nobody), what is played,
    the digits, or why it ended.
    """

    at: Instant
    party: str
    what: str
    about: str = ""


def duration(sound: Sound) -> int:
    """How many milliseconds a sound takes: text by its length, files two seconds."""
    match sound:
        case Speech(text=text):
            return max(len(text) * _A_CHARACTER, _CHIME)
        case Chime():
            return _CHIME
        case _:
            return _FILE


def said(sound: Sound) -> str:
    """A sound as it stands in a timeline."""
    match sound:
        case Speech(text=text):
            return f"speech {text}"
        case Audio(url=url):
            return f"audio {url}"
        case Recording(file=file):
            return f"file {file.name}"
        case _:
            return f"chime {sound.value}"

"""Which commands of a line are still worth giving, and how long a switch is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from scg_core.calling.records import Verb, VoiceCommand
from scg_core.kernel.instant import MINUTE, SECOND

BEGINNINGS: Final = (Verb.ORIGINATE, Verb.ANSWER)
"""What takes a leg up."""

ENDS: Final = (Verb.HANG_UP, Verb.CLOSE)
"""What ends a line: nothing before it is of use any more."""


@frozen
class Sifted:
    """The commands to give, and those that are of no use any more."""

    give: tuple[VoiceCommand, ...]
    drop: tuple[VoiceCommand, ...]


def sift(commands: Sequence[VoiceCommand]) -> Sifted:
    """What comes before the end of a leg or room is of no use; a leg never dialled has no end."""
    ends = [at for at, one in enumerate(commands) if one.verb in ENDS]
    if not ends:
        return Sifted(tuple(commands), ())
    last = ends[-1]
    before, end, rest = commands[:last], commands[last], commands[last + 1 :]
    never = any(one.verb is Verb.ORIGINATE and not one.tried for one in before)
    if never:
        return Sifted(tuple(rest), (*before, end))
    return Sifted((end, *rest), tuple(before))


def wait_of(attempt: int) -> int:
    """Milliseconds until a switch that could not be reached is tried again."""
    return min(SECOND << min(max(attempt - 1, 0), 6), MINUTE)

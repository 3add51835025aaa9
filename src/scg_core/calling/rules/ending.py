"""What the end of a leg means to a call: the event it hears, and the failure (semantics 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scg_core.calling.lifecycle import CallEvent
from scg_core.calling.model import CallFailure

_e, _f = CallEvent, CallFailure

Meaning = tuple[CallEvent, CallFailure | None]

WHILE_RINGING: Final[Mapping[str, Meaning]] = {
    "HUNG_UP": (_e.HUNG_UP, _f.REFUSED),
    "BUSY": (_e.UNANSWERED, _f.BUSY),
    "NO_ANSWER": (_e.UNANSWERED, _f.NO_ANSWER),
    "REFUSED": (_e.UNANSWERED, _f.REFUSED),
    "UNREACHABLE": (_e.UNANSWERED, _f.UNREACHABLE),
    "FAILED": (_e.FAILED, _f.FAILED),
}
"""By the cause that a switch names, of a call that nobody has answered yet."""

AFTERWARDS: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(WHILE_RINGING, (_e.HUNG_UP, None)),
    "FAILED": (_e.FAILED, _f.FAILED),
}
"""The same of one that was answered: it was a call, unless the network or its media failed."""

SAYS: Final[Mapping[CallFailure, str]] = {
    _f.BUSY: "the called party was busy",
    _f.NO_ANSWER: "nobody answered in time",
    _f.REFUSED: "it was declined, or ended before it was answered",
    _f.UNREACHABLE: "the number cannot be reached",
    _f.FAILED: "the network failed",
    _f.LOST: "the switch does not know it any more",
    _f.NO_CREDIT: "the credit ran out",
}
"""A failure as a sentence, where nobody says more."""

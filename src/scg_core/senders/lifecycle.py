"""Where a sender id may go next: how far it is provisioned, and to whom it belongs (semantics 4).

Rule 1: every legal move is a cell below. Rule 2: who may raise which event is a rule of the use
cases; a customer's own are ACTIVATE, DEACTIVATE and DELETE.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from scg_core.kernel.lifecycle import Joint, Lifecycle


class SenderState(StrEnum):
    """How far a sender id is provisioned."""

    PENDING_IMPLEMENTATION = "PENDING_IMPLEMENTATION"
    IMPLEMENTED = "IMPLEMENTED"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    BROKEN = "BROKEN"
    PENDING_DELETE = "PENDING_DELETE"

    @classmethod
    def _missing_(cls, value: object) -> SenderState | None:
        return cls.ACTIVE if value == "ATIVE" else None  # the specification's own spelling


class SenderEvent(StrEnum):
    """What a sender id can hear of its provisioning."""

    IMPLEMENT = "IMPLEMENT"  # the carriers have set it up
    FAIL = "FAIL"  # they could not
    ACTIVATE = "ACTIVATE"
    DEACTIVATE = "DEACTIVATE"
    FAULT = "FAULT"  # its connector finds it unusable
    REPAIR = "REPAIR"
    DELETE = "DELETE"


_s, _e = SenderState, SenderEvent

SENDER: Final = Lifecycle[SenderState, SenderEvent](
    name="sender id",
    start=frozenset({_s.PENDING_IMPLEMENTATION, _s.ACTIVE}),
    rows={
        _s.PENDING_IMPLEMENTATION: {
            _e.IMPLEMENT: _s.IMPLEMENTED, _e.FAIL: _s.BROKEN, _e.DELETE: _s.PENDING_DELETE,
        },
        _s.IMPLEMENTED: {
            _e.IMPLEMENT: _s.IMPLEMENTED, _e.ACTIVATE: _s.ACTIVE, _e.FAULT: _s.BROKEN,
            _e.DELETE: _s.PENDING_DELETE,
        },
        _s.ACTIVE: {
            _e.ACTIVATE: _s.ACTIVE, _e.DEACTIVATE: _s.INACTIVE, _e.FAULT: _s.BROKEN,
            _e.REPAIR: _s.ACTIVE, _e.DELETE: _s.PENDING_DELETE,
        },
        _s.INACTIVE: {
            _e.ACTIVATE: _s.ACTIVE, _e.DEACTIVATE: _s.INACTIVE, _e.FAULT: _s.BROKEN,
            _e.DELETE: _s.PENDING_DELETE,
        },
        _s.BROKEN: {
            _e.FAULT: _s.BROKEN, _e.REPAIR: _s.ACTIVE, _e.DELETE: _s.PENDING_DELETE,
        },
        _s.PENDING_DELETE: {_e.DELETE: _s.PENDING_DELETE},
    },
)  # fmt: skip

MOVES_TO: Final = {
    SenderState.ACTIVE: SenderEvent.ACTIVATE,
    SenderState.INACTIVE: SenderEvent.DEACTIVATE,
}
"""What a customer who sets the state asks for."""


class Ownership(StrEnum):
    """Who may use a sender id."""

    PRIVATE = "PRIVATE"
    SHARED = "SHARED"
    PREPROVISIONED = "PREPROVISIONED"
    PURCHASED = "PURCHASED"


class OwnershipEvent(StrEnum):
    """What can happen to the ownership of a sender id."""

    COPY = "COPY"  # a company purchases it, or makes its copy of it
    RETURN = "RETURN"  # that company's copy is gone


_o, _w = Ownership, OwnershipEvent

OWNERSHIP: Final = Lifecycle[Ownership, OwnershipEvent](
    name="sender id ownership",
    start=frozenset({_o.PRIVATE, _o.SHARED, _o.PREPROVISIONED}),
    rows={
        _o.PREPROVISIONED: {_w.COPY: _o.PURCHASED},
        _o.PURCHASED: {_w.RETURN: _o.PREPROVISIONED},
        _o.SHARED: {_w.COPY: _o.SHARED, _w.RETURN: _o.SHARED},
        _o.PRIVATE: {},
    },
)


class CopyState(StrEnum):
    """Whether a company's copy of an operator's sender id is there."""

    MADE = "MADE"
    REMOVED = "REMOVED"


PARENT: Final = Joint[CopyState, Ownership](
    name="a parent follows its copy",
    rows={
        (CopyState.MADE, _o.PREPROVISIONED): _o.PURCHASED,
        (CopyState.REMOVED, _o.PURCHASED): _o.PREPROVISIONED,
    },
)
"""What a copy's coming and going makes of its parent; a SHARED parent stays as it is."""


class ConsentManager(StrEnum):
    """Who keeps the consent of the people a sender id writes to."""

    USER = "USER"
    SCG = "SCG"
    SCG_UNSOLICITED_OPT_OUT = "SCG_UNSOLICITED_OPT_OUT"  # only an opt-out or a black list blocks

"""The words for a sender id's state and ownership (semantics 4).

The tables of provisioning and ownership moves belong here too; until customers can move a sender,
the operator adds it in the state it has.
"""

from __future__ import annotations

from enum import StrEnum


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


class Ownership(StrEnum):
    """Who may use a sender id."""

    PRIVATE = "PRIVATE"
    SHARED = "SHARED"
    PREPROVISIONED = "PREPROVISIONED"
    PURCHASED = "PURCHASED"


class ConsentManager(StrEnum):
    """Who keeps the consent of the people a sender id writes to."""

    USER = "USER"
    SCG = "SCG"

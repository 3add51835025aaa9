"""Receipts: how ids are compared and what each kind means to a message (semantics 1a)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scg_core.messaging.lifecycle import MessageEvent
from scg_core.messaging.records import FragmentState

HEARD_AS: Final = {
    "DELIVERED": MessageEvent.DELIVERED,
    "READ": MessageEvent.READ,
    "UNDELIVERED": MessageEvent.UNDELIVERED,
    "REJECTED": MessageEvent.UNDELIVERED,
    "EXPIRED": MessageEvent.UNDELIVERED,
}
"""INTERMEDIATE and UNKNOWN are heard as nothing: they are only logged."""

_FRAGMENT: Final = {
    MessageEvent.DELIVERED: FragmentState.DELIVERED,
    MessageEvent.READ: FragmentState.READ,
    MessageEvent.UNDELIVERED: FragmentState.FAILED,
}
_MEANS: Final = {state: event for event, state in _FRAGMENT.items()}
_ARRIVED: Final = frozenset({FragmentState.DELIVERED, FragmentState.READ})


def transport_key(connector: str, transport_id: str) -> str:
    """A transport's id as it is compared: with its connector, without case or leading zeros."""
    plain = transport_id.strip().lower()
    return f"{connector}/{plain.lstrip('0') or plain}"


def fragment_after(before: FragmentState, event: MessageEvent) -> FragmentState:
    """What a receipt makes of a fragment: the first final one wins, READ follows DELIVERED."""
    heard = _FRAGMENT[event]
    if before is FragmentState.OPEN:
        return heard
    if before is FragmentState.DELIVERED and heard is FragmentState.READ:
        return heard
    return before


def whole(policy: str, fragments: Sequence[FragmentState]) -> MessageEvent | None:
    """What the fragments together say of their message, or None while they do not say.

    ALL: one failed fails it, all there deliver it, all read read it. LAST: what the last one
    says. ANY: whatever is known of any, the best of it.
    """
    if policy == "LAST":
        return _MEANS.get(fragments[-1])
    if policy == "ANY":
        for state in (FragmentState.READ, FragmentState.DELIVERED, FragmentState.FAILED):
            if state in fragments:
                return _MEANS[state]
        return None
    if FragmentState.FAILED in fragments:
        return MessageEvent.UNDELIVERED
    if all(state is FragmentState.READ for state in fragments):
        return MessageEvent.READ
    return MessageEvent.DELIVERED if _ARRIVED.issuperset(fragments) else None

"""Receipts: how ids are compared and what each kind means to a message (semantics 1a)."""

from __future__ import annotations

from typing import Final

from scg_core.messaging.lifecycle import MessageEvent

HEARD_AS: Final = {
    "DELIVERED": MessageEvent.DELIVERED,
    "READ": MessageEvent.READ,
    "UNDELIVERED": MessageEvent.UNDELIVERED,
    "REJECTED": MessageEvent.UNDELIVERED,
    "EXPIRED": MessageEvent.UNDELIVERED,
}
"""INTERMEDIATE and UNKNOWN are heard as nothing: they are only logged."""


def transport_key(connector: str, transport_id: str | None) -> str | None:
    """A transport's id as it is compared: with its connector, without case or leading zeros."""
    if transport_id is None:
        return None
    plain = transport_id.strip().lower()
    return f"{connector}/{plain.lstrip('0') or plain}"

"""Which sender ids may carry a message, and which of them does (semantics 4 and 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

from scg_core.senders.lifecycle import Ownership, SenderState
from scg_core.senders.model import ANYWHERE, SenderId, SenderIdClass

SENDER: Final = 1003

CARRIES: Final[Mapping[str, frozenset[str]]] = {
    "SMS": frozenset({"SMS"}),
    "MMS": frozenset({"MMS"}),
    "EMAIL": frozenset({"EMAIL"}),
    "PSH": frozenset({"PUSH", "PSH"}),
    "FB": frozenset({"FACEBOOK", "FB"}),
    "WE": frozenset({"WECHAT", "WE"}),
    "VOICE": frozenset({"VOICE"}),
}
"""For each kind of message the capabilities that carry it."""


def usable_classes(
    classes: Iterable[SenderIdClass], country: str | None
) -> dict[str, SenderIdClass]:
    """The classes that may be used to a country, by id.

    Those that list it; only if none does, those that list OTHER (the specification's L9).
    """
    known = list(classes)
    listing = {one.id: one for one in known if country in one.applicable_countries}
    return listing or {one.id: one for one in known if ANYWHERE in one.applicable_countries}


def unfit(
    sender: SenderId, kind: str, country: str | None, usable: Mapping[str, SenderIdClass]
) -> str | None:
    """Why a sender id cannot carry this kind of message to this country, or None if it can."""
    if CARRIES.get(kind, frozenset()).isdisjoint(sender.capabilities):
        return f"{SENDER} the sender id carries no {kind}"
    if sender.class_id is not None and sender.class_id not in usable:
        return f"{SENDER} the sender id's class {sender.class_id} is not for {country or 'there'}"
    return None


def may_be_chosen(sender: SenderId) -> bool:
    """Whether a channel may choose this sender id at all: not one that a company took."""
    return sender.state is SenderState.ACTIVE and sender.ownership is not Ownership.PURCHASED


@frozen
class Candidate:
    """A sender id of a channel, with what its rank depends on.

    ``free`` is how many messages its limits would let go now, ``served`` rises each time it is
    chosen; ``fits`` tells whether it reaches the recipient's first address.
    """

    sender: SenderId
    price: int = 0
    free: int = 0
    served: int = 0
    fits: bool = True


def rank(one: Candidate, criteria: Sequence[str]) -> tuple[object, ...]:
    """The place of a candidate, the best lowest: by the criteria in their order, then most free,
    least recently used, id."""
    wanted = [one.price if name == "PRICE" else not one.fits for name in criteria or _USUAL]
    return (*wanted, -one.free, one.served, one.sender.id)


_USUAL: Final = ("DELIVERY_ADDRESS",)

"""Finding what a request or a customer names, and what is known of senders within one unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.query import Condition, Query, among, either, eq
from scg_core.senders.lifecycle import Ownership, SenderState
from scg_core.senders.model import (
    Channel,
    ChannelMember,
    ChannelOwnership,
    SenderId,
    SenderIdClass,
    SenderIdType,
)
from scg_core.senders.rules.eligibility import usable_classes
from scg_core.senders.rules.naming import Origin, read_address, read_from, spellings
from scg_core.tenancy.model import OPERATOR
from scg_core.unit import Unit


def seen_senders(company: str) -> Condition:
    """What a company sees of sender ids: its own, those shared, those it may purchase."""
    return either(
        eq("company_id", company),
        eq("ownership", Ownership.SHARED.value),
        eq("ownership", Ownership.PREPROVISIONED.value),
    )


def seen_channels(company: str) -> Condition:
    """What a company sees of channels: its own and those made for all."""
    return either(
        eq("company_id", company),
        eq("ownership", ChannelOwnership.SHARED.value),
        eq("ownership", ChannelOwnership.PUBLIC.value),
    )


def classes(unit: Unit) -> Mapping[str, SenderIdClass]:
    """All sender classes, by id."""
    return unit.once(
        "sender classes", lambda: {one.id: one for one in unit.session.find(Query(SenderIdClass))}
    )


def classes_for(unit: Unit, country: str | None) -> Mapping[str, SenderIdClass]:
    """The sender classes that may be used to a country."""
    made = lambda: usable_classes(classes(unit).values(), country)  # noqa: E731
    return unit.once(f"sender classes/{country}", made)


def type_of(unit: Unit, id: str | None) -> SenderIdType | None:
    """The sender type of this id, if it is loaded."""
    if id is None:
        return None
    return unit.once(f"sender type/{id}", lambda: unit.session.get(SenderIdType, id))


def connector_of(
    unit: Unit, sender: SenderId, connectors: Mapping[str, frozenset[str]], kind: str | None = None
) -> str | None:
    """The transport that delivers for a sender id, or None if the engine has none.

    It is the one that its type's ``gateway_id`` names; a type that is itself the name of a
    transport means that one; without either, the engine's only transport. ``connectors`` says
    what each carries. Spoken messages go through a switch: the one that is named, or the only one.
    """
    switches = [name for name, carried in connectors.items() if carried == SPOKEN]
    usual = [name for name in connectors if name not in switches] or switches
    known = type_of(unit, sender.type_id)
    named = sender.type_id if known is None else known.gateway_id
    if kind in SPOKEN and switches and kind not in connectors.get(named or "", ()):
        return switches[0] if len(switches) == 1 else None
    if named is not None:
        return named if named in connectors else None
    return usual[0] if len(usual) == 1 else None


VOICE: Final = "VOICE"
SPOKEN: Final = frozenset({VOICE})
"""What a switch carries, of all kinds of message."""


def named_origin(unit: Unit, company: str, text: str) -> SenderId | Channel:
    """The sender id or channel that a request's ``from`` names; a sender id is able to send.

    A bare text that is no id is an address (wire 6).

    Raises:
        InvalidField: it is unknown, ambiguous, or a sender id that is not ACTIVE.
    """
    origin, value = read_from(text)
    if origin is Origin.CHANNEL:
        return _channel(unit, company, value)
    if origin is Origin.ADDRESS:
        found = _by_address(unit, company, value)
    else:
        found = _by_id(unit, company, value, bare=value == text.strip())
    if found.state is not SenderState.ACTIVE:
        raise InvalidField("from", f"the sender id is {found.state.value}, not ACTIVE")
    return found


def members_of(unit: Unit, channel_id: str, company: str) -> list[tuple[ChannelMember, SenderId]]:
    """The sender ids of a channel, with what the channel knows of each.

    A company that has a copy of one sends with its copy.
    """
    members = unit.session.find(Query(ChannelMember, [eq("channel_id", channel_id)]))
    senders = unit.session.find(Query(SenderId, [among("id", [m.sender_id for m in members])]))
    by_id = {one.id: one for one in senders}
    shared = [one.id for one in senders if one.company_id != company]
    where = [among("parent_id", shared), eq("company_id", company)]
    for copy in unit.session.find(Query(SenderId, where)) if shared else ():
        by_id[copy.parent_id or ""] = copy
    return [(one, by_id[one.sender_id]) for one in members if one.sender_id in by_id]


def receivers(unit: Unit, address: str) -> list[SenderId]:
    """The sender ids, roots and copies, that receive what is sent to an address."""
    bare = address.removeprefix("+")
    where = among("address", dict.fromkeys((address, bare, f"+{bare}")))
    found = unit.session.find(Query(SenderId, [where]))
    return [one for one in found if one.state is not SenderState.PENDING_IMPLEMENTATION]


def own_sender(unit: Unit, root_id: str, company: str) -> SenderId | None:
    """What a company sends with where a lane names the root: its copy, else the root itself."""
    root = unit.session.get(SenderId, root_id)
    if root is not None and root.company_id in (company, OPERATOR):
        copy = None if root.company_id == company else _copy(unit, root_id, company)
        taken = root.ownership is Ownership.PURCHASED and root.company_id != company
        return copy or (None if taken else root)
    return _copy(unit, root_id, company)


def _copy(unit: Unit, root_id: str, company: str) -> SenderId | None:
    where = (eq("parent_id", root_id), eq("company_id", company))
    found = unit.session.find(Query(SenderId, where, limit=1))
    return found[0] if found else None


def _channel(unit: Unit, company: str, id: str) -> Channel:
    try:
        return unit.get(Channel, company, id, scope=seen_channels(company))
    except NotFound:
        raise InvalidField("from", f"no channel has the id {id!r}") from None


def _by_id(unit: Unit, company: str, value: str, *, bare: bool) -> SenderId:
    try:
        return unit.get(SenderId, company, value)
    except NotFound:
        where = (eq("company_id", company), among("address", spellings(read_address(value))))
        if bare and unit.session.count(Query(SenderId, where), at_most=1):
            return _by_address(unit, company, value)
        raise InvalidField("from", f"no sender id has the id {value!r}") from None


def _by_address(unit: Unit, company: str, address: str) -> SenderId:
    where = (eq("company_id", company), among("address", spellings(read_address(address))))
    found = unit.session.find(Query(SenderId, where, limit=2))
    if len(found) != 1:
        how_many = "several sender ids have" if found else "no sender id has"
        raise InvalidField("from", f"{how_many} the address {address!r}")
    return found[0]

"""Channels: making and changing them, and whose sender ids they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from scg_core.kernel import codec
from scg_core.kernel.errors import Forbidden, InvalidField
from scg_core.kernel.members import Added
from scg_core.kernel.query import Page, Query, among, eq, listing
from scg_core.kernel.resource import Writer
from scg_core.senders.lifecycle import Ownership
from scg_core.senders.model import (
    Channel,
    ChannelMember,
    ChannelOwnership,
    SenderId,
)
from scg_core.senders.steps.finding import seen_channels
from scg_core.tenancy.model import OPERATOR, Caller
from scg_core.unit import Unit

MOST_AT_ONCE = 1_000


def create_channel(unit: Unit, caller: Caller, given: Mapping[str, object]) -> Channel:
    """Make a channel of a company; only the operator makes SHARED and PUBLIC ones.

    Raises:
        InvalidField: it names the field.
        Forbidden: another ownership than PRIVATE.
        Duplicate: the company has a channel of this name.
    """
    values = codec.read(Channel, given, lenient=caller.lenient)
    codec.mandatory(Channel, values, Writer.CUSTOMER)
    values = {name: value for name, value in values.items() if value is not None}
    codec.read_text("name", values["name"])
    _refuse_ownership(caller, values.get("ownership"), ChannelOwnership.PRIVATE)
    _refuse_a_second(unit, caller.company_id, values["name"])
    return unit.add(
        Channel(
            id=unit.new_id(),
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            **values,
        )
    )


def update_channel(
    unit: Unit, caller: Caller, channel_id: str, given: Mapping[str, object], *, whole: bool = False
) -> Channel:
    """Change a channel; ``whole`` replaces it, so that what is not given takes its default.

    Raises:
        NotFound: the company sees no such channel.
        Forbidden: it is the operator's, or another ownership is asked for.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
        Duplicate: the company has a channel of this name.
    """
    channel = own_channel(unit, caller, channel_id)
    unit.check_version(channel, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = codec.read(Channel, asked, lenient=caller.lenient)
    _refuse_ownership(caller, values.pop("ownership", None), channel.ownership)
    changes = codec.changes(channel, {"ownership": channel.ownership, **values}, whole=whole)
    if "name" in changes:
        codec.read_text("name", changes["name"])
        _refuse_a_second(unit, channel.company_id, changes["name"])
    return unit.save(channel, **changes) if changes else channel


def delete_channel(unit: Unit, caller: Caller, channel_id: str, seen: object = None) -> None:
    """Delete a channel; its sender ids stay.

    Raises:
        NotFound: the company sees no such channel.
        Forbidden: it is the operator's.
        StaleData: ``seen`` is given and is not the present version.
    """
    channel = own_channel(unit, caller, channel_id)
    unit.check_version(channel, seen)
    for member in unit.session.find(Query(ChannelMember, [eq("channel_id", channel.id)])):
        unit.session.remove(member)
    unit.session.remove(channel)


def add_members(
    unit: Unit, caller: Caller, channel_id: str, given: Sequence[str]
) -> Added[Channel]:
    """Add sender ids to a channel; one that is there already stays, an unknown one is named.

    Raises:
        NotFound: the company sees no such channel.
        Forbidden: it is the operator's.
        InvalidField: there are none, or too many.
    """
    channel = own_channel(unit, caller, channel_id)
    ids = list(dict.fromkeys(given))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise InvalidField("sender_ids", f"must hold 1 to {MOST_AT_ONCE} ids")
    senders = unit.session.find(Query(SenderId, [among("id", ids)]))
    usable = {one.id for one in senders if one.company_id == channel.company_id}
    where = (eq("channel_id", channel.id), among("sender_id", ids))
    held = {one.sender_id for one in unit.session.find(Query(ChannelMember, where))}
    for id in ids:
        if id in usable and id not in held:
            unit.add(ChannelMember(id=unit.new_id(), channel_id=channel.id, sender_id=id))
    return Added(channel, {id: f"Unknown document: {id}" for id in ids if id not in usable})


def remove_members(
    unit: Unit, caller: Caller, channel_id: str, given: Sequence[str]
) -> Added[Channel]:
    """Take sender ids out of a channel; one that is not in it is named.

    Raises:
        NotFound: the company sees no such channel.
        Forbidden: it is the operator's.
    """
    channel = own_channel(unit, caller, channel_id)
    where = (eq("channel_id", channel.id), among("sender_id", given))
    members = unit.session.find(Query(ChannelMember, where))
    for member in members:
        unit.session.remove(member)
    gone = {one.sender_id for one in members}
    return Added(channel, {id: f"Unknown document: {id}" for id in given if id not in gone})


def senders_of_channel(
    unit: Unit,
    caller: Caller,
    channel_id: str,
    filters: Mapping[str, object],
    sort: str | None,
    limit: int,
    offset: int,
) -> Page[SenderId]:
    """A page of a channel's sender ids.

    Raises:
        NotFound: the company sees no such channel.
    """
    channel = unit.get(
        Channel, caller.company_id, channel_id, scope=seen_channels(caller.company_id)
    )
    members = unit.session.find(Query(ChannelMember, [eq("channel_id", channel.id)]))
    inside = among("id", [one.sender_id for one in members])
    free = among("ownership", [one.value for one in Ownership if one is not Ownership.PURCHASED])
    query = listing(
        SenderId, caller.company_id, filters, sort=sort, limit=limit, offset=offset, scope=inside
    )
    query = evolve(query, where=(*query.where, free))
    return unit.page(query)


def own_channel(unit: Unit, caller: Caller, channel_id: str) -> Channel:
    """A channel that the caller may change.

    Raises:
        NotFound: the company sees no such channel.
        Forbidden: it sees it, but it is the operator's.
    """
    seen = seen_channels(caller.company_id)
    channel = unit.get(Channel, caller.company_id, channel_id, scope=seen)
    if channel.company_id != caller.company_id:
        raise Forbidden("id", "is the operator's channel, which you may only send through")
    return channel


def _refuse_ownership(
    caller: Caller, wanted: ChannelOwnership | None, held: ChannelOwnership
) -> None:
    if wanted not in (None, held) and caller.company_id != OPERATOR:
        raise Forbidden("ownership", "of a customer's channel is always PRIVATE")


def _refuse_a_second(unit: Unit, company: str, name: str) -> None:
    unit.refuse_duplicate(Channel, {"company_id": company, "name": name}, named=("name",))

"""Bridges between two calls (semantics 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from scg_core.calling.lifecycle import BRIDGE, OVER, BridgeEvent, BridgeState
from scg_core.calling.model import Bridge, Call
from scg_core.calling.rules.asking import insists, read_call_ids
from scg_core.calling.steps import bridging
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.finding import held, named_call, seen
from scg_core.calling.steps.telling import tell_bridge
from scg_core.calling.steps.versions import NEW, one_step
from scg_core.kernel import codec
from scg_core.kernel.query import DEFAULT_LIMIT, Page, Query, among, eq, listing
from scg_core.kernel.resource import evolve
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_CALLS: Final = "call_ids"


def create_bridge(
    unit: Unit, caller: Caller, given: Mapping[str, object], exchange: Exchange
) -> Bridge:
    """Make a bridge, with up to two calls.

    Raises:
        InvalidField: it names the field.
        IllegalTransition: a call is over, or in a bridge or conference already.
    """
    values = codec.read(Bridge, _without(given), lenient=caller.lenient)
    audio = values.get("bridge_audio")
    bridge = unit.add(
        Bridge(
            id=unit.new_id(), external_id=values.get("external_id"), state=BridgeState.CREATED,
            bridge_audio=True if audio is None else audio, created_date=unit.now,
            last_updated_date=unit.now, application_id=caller.application_id,
            company_id=caller.company_id,
        )
    )  # fmt: skip
    tell_bridge(unit, None, bridge)
    _add(unit, bridge, read_call_ids(given.get(_CALLS)), exchange)
    one_step(unit, Bridge, bridge.id, NEW)
    return held(unit, Bridge, caller.company_id, bridge.id)


def update_bridge(
    unit: Unit, caller: Caller, id: str, given: Mapping[str, object], exchange: Exchange
) -> Bridge:
    """Change what is given: ``call_ids`` is the whole set, ``bridge_audio`` holds and releases.

    Raises:
        NotFound: the company has no such bridge.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field; more than two calls.
        IllegalTransition: the bridge is over, or a call is over or elsewhere; or calls are to be
            taken out of a connected bridge, which ends it, and others to be put in.
    """
    bridge = held(unit, Bridge, caller.company_id, id)
    unit.check_version(bridge, given.get("version_number"))
    before = bridge.version_number
    values = codec.changes(bridge, codec.read(Bridge, _without(given), lenient=caller.lenient))
    audio = values.pop("bridge_audio", None)
    if audio is None and insists(given, "bridge_audio"):
        audio = bridge.bridge_audio  # what is over takes no wish, not even the one it had
    if audio is not None:
        bridge = bridging.set_audio(unit, bridge, audio, exchange)
    if given.get(_CALLS) not in (None, ""):
        wanted = read_call_ids(given[_CALLS])
        if not insists(given, _CALLS):  # a whole bridge comes back, with calls that are over by now
            wanted = tuple(id for id in wanted if not _is_over(unit, caller.company_id, id))
        _replace(unit, bridge, wanted, exchange)
        bridge = held(unit, Bridge, caller.company_id, id)
    if values:
        unit.save(bridge, **values)
    one_step(unit, Bridge, id, before)
    return held(unit, Bridge, caller.company_id, id)


def delete_bridge(unit: Unit, caller: Caller, id: str, version: object, exchange: Exchange) -> None:
    """End a bridge and delete it; its calls stay up.

    Raises:
        NotFound: the company has no such bridge.
        StaleData: a version is given and is not the present one.
    """
    bridge = held(unit, Bridge, caller.company_id, id)
    unit.check_version(bridge, version)
    unit.save(bridging.move_bridge(unit, bridge, BridgeEvent.DELETE, exchange), deleted=True)


def calls_of(
    unit: Unit,
    caller: Caller,
    id: str,
    filters: Mapping[str, object],
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
) -> Page[Call]:
    """A page of the calls that are on a bridge, or were on it last.

    Raises:
        NotFound: the company has no such bridge.
        InvalidField: an unknown filter.
    """
    bridge = held(unit, Bridge, caller.company_id, id)
    query = listing(
        Call, caller.company_id, filters, sort=sort, limit=limit, offset=offset,
        scope=seen(caller.company_id),
    )  # fmt: skip
    return unit.page(query.also(eq("bridge_id", bridge.id)))


def with_calls(unit: Unit, bridges: Sequence[Bridge]) -> list[Bridge]:
    """Bridges with the calls that have a place in them."""
    where = [among("room_id", [one.id for one in bridges])]
    on: defaultdict[str, list[str]] = defaultdict(list)
    for room, id in unit.session.rows(Query(Call, where), ("room_id", "id")):
        on[room].append(id)
    return [evolve(one, call_ids=tuple(on[one.id])) for one in bridges]


def _replace(unit: Unit, bridge: Bridge, wanted: Sequence[str], exchange: Exchange) -> None:
    present = bridging.calls_in(unit, bridge.id)
    gone = [call for call in present if call.id not in wanted]
    fresh = [id for id in wanted if id not in {call.id for call in present}]
    if fresh:
        BRIDGE.step(bridge.state, BridgeEvent.JOIN)
    for call in gone:
        if bridge.state is not BridgeState.COMPLETED:
            bridge, call = bridging.leave(unit, bridge, call, exchange)
        unit.save(held(unit, Call, call.company_id, call.id), bridge_id=None)
    _add(unit, bridge, fresh, exchange)


def _add(unit: Unit, bridge: Bridge, ids: Sequence[str], exchange: Exchange) -> None:
    for at, id in enumerate(ids):
        call = named_call(unit, bridge.company_id, id, f"{_CALLS}[{at}]")
        bridge = bridging.take_place(unit, bridge, call, exchange)


def _is_over(unit: Unit, company: str, id: str) -> bool:
    call = unit.session.get(Call, id)
    return call is not None and call.company_id == company and call.state in OVER


def _without(given: Mapping[str, object]) -> dict[str, Any]:
    """What is given but for what is no attribute or is checked apart; null audio is not given."""
    return {
        name: value
        for name, value in given.items()
        if name not in (_CALLS, "version_number")
        and not (name == "bridge_audio" and value in (None, ""))
    }

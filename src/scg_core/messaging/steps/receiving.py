"""A received message before anything is made of it: known already, or waiting for its parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from attrs import evolve

from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, at_most, eq
from scg_core.messaging.model import WorkKind
from scg_core.messaging.records import InboundPart, ReceivedId
from scg_core.messaging.settings import Settings
from scg_core.ports.message_transport import Inbound
from scg_core.unit import Unit

MISSING: Final = "[...]"
"""Stands for a part that never came."""

LONGEST_BODY: Final = 65_536
"""So many characters of a received text are kept."""

_STALE: Final = 5


def is_new(unit: Unit, connector: str, message: Inbound, settings: Settings) -> bool:
    """Note that a message came; False if it came before, within the time that ids are kept."""
    since = later(unit.now, -settings.received)
    stale = Query(ReceivedId, [at_most("arrived_date", since)], limit=_STALE)
    for one in unit.session.find(stale):
        unit.session.remove(one)
    if message.external_id is None:
        return True
    id = _digest(connector, message.external_id)
    held = unit.session.get(ReceivedId, id)
    if held is not None:
        return False
    unit.add(ReceivedId(id=id, arrived_date=unit.now))
    return True


def whole(unit: Unit, connector: str, message: Inbound, settings: Settings) -> Inbound | None:
    """The message, put together if this was its last part; None: others have not come yet.

    What has come is kept, and taken in as it is if the rest does not come in time.
    """
    part = message.part
    if part is None or part.of == 1:
        return message
    name = _digest(
        connector, message.from_address, message.to_address, part.reference, str(part.of)
    )
    id = f"{name}/{part.number}"
    if unit.session.get(InboundPart, id) is None:
        unit.add(
            InboundPart(
                id=id, whole=name, number=part.number, of=part.of, connector=connector,
                from_address=message.from_address, to_address=message.to_address,
                kind=message.kind, body=json.dumps(message.body[:LONGEST_BODY]), at=message.at,
            )
        )  # fmt: skip
    parts = parts_of(unit, name)
    if len(parts) < part.of:
        unit.later(WorkKind.REASSEMBLE, name, later(unit.now, settings.reassembly))
        return None
    unit.session.withdraw(WorkKind.REASSEMBLE, name)
    return evolve(joined(unit, parts), external_id=message.external_id)


def parts_of(unit: Unit, name: str) -> list[InboundPart]:
    """The parts of a message that have come."""
    return unit.session.find(Query(InboundPart, [eq("whole", name)]))


def joined(unit: Unit, parts: Sequence[InboundPart]) -> Inbound:
    """One message of the parts that have come, which are kept no longer."""
    texts = {one.number: str(json.loads(one.body)) for one in parts}
    for one in parts:
        unit.session.remove(one)
    first = min(parts, key=lambda one: one.number)
    body = "".join(texts.get(number, MISSING) for number in range(1, first.of + 1))
    return Inbound(first.from_address, first.to_address, body, first.at, kind=first.kind)


def mended(text: str) -> str:
    """A text whose surrogate pairs are characters again; what is half a pair becomes a mark."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest()

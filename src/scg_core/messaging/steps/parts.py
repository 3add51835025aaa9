"""The parts of messages, as whoever reads a message is told of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from scg_core.kernel.query import Query, among
from scg_core.kernel.resource import JsonList, evolve
from scg_core.messaging.model import Message
from scg_core.messaging.records import Fragment
from scg_core.unit import Unit


def with_parts(unit: Unit, messages: Sequence[Message]) -> list[Message]:
    """The messages, those of several parts with what is known of each (wire 5)."""
    several = [one.seq for one in messages if "," in (one.external_transaction_ids or "")]
    if not several:
        return list(messages)
    parts: defaultdict[int, list[Fragment]] = defaultdict(list)
    order = (("number", False),)
    for part in unit.session.find(Query(Fragment, [among("seq", several)], order)):
        parts[part.seq].append(part)
    return [
        evolve(one, fragments_info=_told(one, parts[one.seq])) if parts.get(one.seq) else one
        for one in messages
    ]


def _told(message: Message, parts: Sequence[Fragment]) -> JsonList:
    ids = (message.external_transaction_ids or "").split(",")
    told = [
        {
            "fragment_id": part.id,
            "fragment_state": part.state.value,
            "external_id": ids[at] if at < len(ids) else part.transport_id,
        }
        for at, part in enumerate(parts)
    ]
    return JsonList(json.dumps(told))

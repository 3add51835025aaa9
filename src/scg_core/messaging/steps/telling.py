"""Telling of messages: what an event says of one (semantics 16), read a page at a time.

Nothing is read unless somebody listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.events.model import Event, EventType, Topic
from scg_core.kernel.query import Query, among
from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.model import Message, MessageRequest
from scg_core.senders.model import ChannelMember
from scg_core.unit import Unit

TAKEN: Final = "200"
"""The reason code of what has not failed."""

CLICKTHRU: Final = "CLICKTHRU"
"""The reason of a change that a tracked click made."""

_CHUNK: Final = 400
_COLUMNS: Final = (
    "id", "message_request_id", "external_message_request_id", "from_address", "to_address",
    "customer_sender_id", "failure_code", "failure_details", "segments", "price", "application_id",
    "attachments", "conversation_id", "campaign_id", "contact_id", "type", "state",
)  # fmt: skip
_FAILED: Final = frozenset({MessageState.FAILED.value, MessageState.EXPIRED.value})


@frozen
class Move:
    """A message's move from one state to another, and why, if there is more to say than that."""

    company_id: str
    message_id: str
    request_id: str | None
    before: str
    after: str
    reason: str | None = None


@frozen
class Late:
    """A receipt that changed nothing, and the state that its message was in."""

    company_id: str
    message_id: str
    request_id: str | None
    state: str
    receipt: str


def tell_moves(unit: Unit, moved: Callable[[], Iterable[Move | Late]]) -> None:
    """Tell of what happened to messages, in order, with what is stored of them by now.

    ``moved`` is not asked in vain.
    """
    if not unit.anyone_listens():
        return
    moves = [one for one in moved() if unit.listens(one.company_id, Topic.MESSAGE)]
    if not moves:
        return
    told = messages_told(unit, [one.message_id for one in moves])
    channels: dict[str, frozenset[str]] = {}
    for company in sorted({one.company_id for one in moves}):
        mine = [
            told[o.message_id] for o in moves if o.company_id == company and o.message_id in told
        ]
        channels |= channels_of(unit, company, mine)
    unit.tell(
        *(
            Event(
                Topic.MESSAGE,
                EventType.MESSAGE_STATE_CHANGE if isinstance(one, Move) else EventType.LATE_RECEIPT,
                one.company_id,
                one.message_id,
                _facts(one, told.get(one.message_id, {})),
                channels.get(one.message_id, frozenset()),
            )
            for one in moves
        )
    )


def messages_told(unit: Unit, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What an event says of each of these messages, besides what happened."""
    found: dict[str, dict[str, Any]] = {}
    wanted = list(dict.fromkeys(ids))
    for begin in range(0, len(wanted), _CHUNK):
        where = [among("id", wanted[begin : begin + _CHUNK])]
        for row in unit.session.rows(Query(Message, where), _COLUMNS):
            found[row[0]] = _of_message(dict(zip(_COLUMNS, row, strict=True)))
    return found


def channels_of(
    unit: Unit, company: str, told: Sequence[Mapping[str, Any]]
) -> dict[str, frozenset[str]]:
    """The channels that messages concern: what a request was sent from, or what the sender id that
    received it is in.

    They are looked up only if a subscription of the company is kept to a channel.
    """
    if not any(one.channel_id is not None for one in unit.listeners(company)):
        return {}
    made = [one for one in told if one.get("message_request_id") is not None]
    came = [one for one in told if one.get("message_request_id") is None]
    requests = _channels_by(unit, Query(MessageRequest), "id", made, "message_request_id")
    senders = _channels_by(unit, Query(ChannelMember), "sender_id", came, "sender_id_id")
    return requests | senders


def _channels_by(
    unit: Unit, query: Query[Any], name: str, told: Sequence[Mapping[str, Any]], by: str
) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    ids = sorted({one[by] for one in told if one[by] is not None})
    for begin in range(0, len(ids), _CHUNK):
        some = query.also(among(name, ids[begin : begin + _CHUNK]))
        for id, channel in unit.session.rows(some, (name, "channel_id")):
            if channel is not None:
                found.setdefault(id, set()).add(channel)
    return {one["message_id"]: frozenset(found.get(one[by], ())) for one in told}


def _facts(what: Move | Late, told: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a message; why it failed only where it did."""
    said = {name: value for name, value in told.items() if name not in _ASIDE}
    said |= {"message_id": what.message_id, "message_request_id": what.request_id}
    if isinstance(what, Late):
        return {**said, "state": what.state, "receipt": what.receipt}
    failed = what.after in _FAILED
    code = str(told.get("failure_details") or "").partition(" ")[0]
    return {
        **said,
        "previous_state": what.before,
        "new_state": what.after,
        "reason_code": code if failed and code.isdigit() else TAKEN,
        "reason_description": what.reason or (told.get("failure_details") if failed else None),
        "failure_code": told.get("failure_code") if failed else None,
    }


_ASIDE: Final = frozenset({"failure_details", "failure_code"})


def _of_message(row: Mapping[str, Any]) -> dict[str, Any]:
    price = row["price"]
    return {
        "message_id": row["id"],
        "message_request_id": row["message_request_id"],
        "external_message_request_id": row["external_message_request_id"],
        "from_address": row["from_address"],
        "to_address": row["to_address"],
        "sender_id_id": row["customer_sender_id"],
        "failure_code": row["failure_code"],
        "failure_details": row["failure_details"],
        "fragments_count": row["segments"],
        "mt_price": None if price is None else price / 1_000_000,
        "application_id": row["application_id"],
        "attachment_ids": list(row["attachments"]) or None,
        "conversation_id": row["conversation_id"],
        "campaign_id": row["campaign_id"],
        "contact_id": row["contact_id"],
        "type": row["type"],
    }

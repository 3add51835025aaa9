"""Another sender id of the channel for messages that theirs cannot send (semantics 6).

A sender id that a customer wants to be kept (``keep_sender_address``) is never replaced, and a
message changes its sender id only so often.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from attrs import frozen

from scg_core.kernel.query import Query, among
from scg_core.messaging.model import LaneKey, Message, MessageRequest, Run
from scg_core.messaging.rules.runs import owner
from scg_core.messaging.rules.status import ANY_PRICE
from scg_core.messaging.steps.hearing import rows_by_seq
from scg_core.messaging.steps.routing import Chosen, Router
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.model import SenderId
from scg_core.unit import Unit

KEEP: Final = "YES"
_COLUMNS: Final = (
    "seq", "message_request_id", "type", "to_address", "customer_sender_id", "tried", "milestones",
)  # fmt: skip


def attempt_id(message_id: str, tried: str | None) -> str:
    """The id of a message's attempts: stable over retries, another one for each sender id."""
    return f"{message_id}/1" if not tried else f"{message_id}/1-{tried.count(',') + 2}"


@frozen
class Elsewhere:
    """Where a message goes instead: the choice, its lane's key, the sender ids tried so far."""

    chosen: Chosen
    key: LaneKey
    request_id: str
    tried: str | None


def other_senders(
    unit: Unit,
    sources: Sources,
    runs: Sequence[Run],
    seqs: Collection[int],
    *,
    refused: bool,
) -> dict[int, Elsewhere]:
    """Other sender ids for these messages of the runs, by number; those that have none are not
    among the answers.

    A sender id counts as tried only if the transport may have had the message from it.
    """
    if not seqs:
        return {}
    rows = rows_by_seq(unit, _COLUMNS, sorted(seqs))
    requests = _channel_requests(unit, {row[1] for row in rows})
    if not requests:
        return {}
    countries = {
        lane.id: lane.key.country for lane in unit.session.lanes({run.lane for run in runs})
    }
    alike: dict[tuple[str, tuple[str, ...], str, int], list[_Stuck]] = {}
    for seq, request_id, kind, address, sender_id, tried, bits in rows:
        before = tuple(one for one in (tried or "").split(",") if one)
        if request_id not in requests or len(before) >= sources.settings.failovers:
            continue
        if _kept(unit, sender_id):
            continue
        run = owner(runs, seq)
        if run.attempt > 1 or refused:  # else it was never handed over
            before = (*before, sender_id)
        stuck = _Stuck(seq, kind, countries[run.lane], address, before)
        alike.setdefault((request_id, before, sender_id, bits & ANY_PRICE), []).append(stuck)
    found: dict[int, Elsewhere] = {}
    for (request_id, before, sender_id, free), group in alike.items():
        router = Router(unit, requests[request_id], sources, (*before, sender_id))
        router = router.at_any_price() if free else router
        found |= _choose(router, requests[request_id], group)
    return found


@frozen
class _Stuck:
    """A message that its sender id cannot send."""

    seq: int
    kind: str
    country: str
    address: str
    before: tuple[str, ...]


def _choose(
    router: Router, request: MessageRequest, group: Sequence[_Stuck]
) -> dict[int, Elsewhere]:
    recipients = [(one.kind, one.country or None, one.address) for one in group]
    chosen = router.choose(recipients, [one.seq for one in group])
    return {
        stuck.seq: Elsewhere(
            one,
            LaneKey(one.connector, one.sender.root_id, stuck.country, request.company_id,
                    router.priority.value),
            request.id,
            ",".join(stuck.before) or None,
        )
        for stuck, one in zip(group, chosen, strict=True)
        if one.sender is not None
    }  # fmt: skip


def _channel_requests(unit: Unit, ids: Collection[str]) -> dict[str, MessageRequest]:
    where = [among("id", sorted(ids))]
    found = unit.session.find(Query(MessageRequest, where))
    return {one.id: one for one in found if one.channel_id is not None}


def _kept(unit: Unit, sender_id: str | None) -> bool:
    """Whether a sender id is one that its messages keep."""
    sender = unit.once(f"sender/{sender_id}", lambda: unit.session.get(SenderId, sender_id or ""))
    return sender is not None and sender.keep_sender_address == KEEP


def send_elsewhere(unit: Unit, moves: Mapping[int, Elsewhere]) -> None:
    """Put messages, which lie in no run, into the lanes of their new sender ids."""
    columns = ("customer_sender_id", "from_address", "lane", "tried", "last_updated_date")
    rows, runs = [], []
    for seq, one in sorted(moves.items()):
        if one.chosen.sender is None:
            continue
        lane = unit.session.lane(one.key).id
        sender = one.chosen.sender
        rows.append((sender.id, sender.address, lane, one.tried, unit.now, seq))
        runs.append(Run(lane, one.request_id, seq, seq, unit.now))
    unit.session.update(Message, columns, ("seq",), rows)
    unit.session.queue(runs)

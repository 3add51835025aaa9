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
from scg_core.messaging.steps.hearing import rows_by_seq
from scg_core.messaging.steps.routing import Chosen, Router
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.model import SenderId
from scg_core.unit import Unit

KEEP: Final = "YES"
_COLUMNS: Final = (
    "seq", "message_request_id", "type", "to_address", "customer_sender_id", "tried",
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
    where = [among("id", sorted({row[1] for row in rows}))]
    requests = {
        one.id: one
        for one in unit.session.find(Query(MessageRequest, where))
        if one.channel_id is not None
    }
    if not requests:
        return {}
    countries = {
        lane.id: lane.key.country for lane in unit.session.lanes({run.lane for run in runs})
    }
    found: dict[int, Elsewhere] = {}
    for seq, request_id, kind, address, sender_id, tried in rows:
        request = requests.get(request_id)
        before = [one for one in (tried or "").split(",") if one]
        if request is None or len(before) >= sources.settings.failovers:
            continue
        sender = unit.session.get(SenderId, sender_id or "")
        if sender is not None and sender.keep_sender_address == KEEP:
            continue
        if owner(runs, seq).attempt > 1 or refused:  # else it was never handed over
            before.append(sender_id)
        router = Router(unit, request, sources, [*before, sender_id])
        country = countries[owner(runs, seq).lane]
        [chosen] = router.choose([(kind, country or None, address)], [seq])
        if chosen.sender is not None:
            key = LaneKey(
                chosen.connector, chosen.sender.root_id, country, request.company_id,
                router.priority.value,
            )  # fmt: skip
            found[seq] = Elsewhere(chosen, key, request_id, ",".join(before) or None)
    return found


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

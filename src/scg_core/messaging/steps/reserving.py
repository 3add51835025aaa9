"""What a hand-off spends: credit, and places under the throughput limits.

Both are taken in the transaction of the hand-off. What does not fit goes back to its lane, which
rests until there is room again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from scg_core.kernel.instant import later
from scg_core.messaging.model import Claim, Lane, Message
from scg_core.messaging.rules.gate import CREDIT
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.judging import Counter, Judge
from scg_core.messaging.steps.queueing import FRONT, requeue
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.rules.limits import reason_of
from scg_core.senders.rules.throughput import Grant
from scg_core.tenancy.steps import reserve
from scg_core.tenancy.steps import settle as settle_credit
from scg_core.unit import Unit

Row = tuple[Any, ...]
KIND, SEGMENTS, PRICE = 10, 7, 11
"""Where a claimed row has the message's kind, segments, and the price it was handed over at."""


@frozen
class Reserved:
    """The rows that leave, their prices by number, and what the limits granted them."""

    rows: Sequence[Row]
    prices: Mapping[int, int]
    grant: Grant | None = None


def let_go(unit: Unit, counter: Counter, most: int, sources: Sources) -> int:
    """How many messages of a lane its limits would let go; if none, the lane rests."""
    if not counter.limits:
        return most
    given = sources.limits.ask(unit.session, counter.limits, [1] * most, unit.now, spend=False)
    if not given.count:
        _rest(unit, counter.lane, given)
    return given.count


def take(
    unit: Unit,
    taken: Claim,
    counter: Counter,
    passed: Sequence[Row],
    judge: Judge,
    sources: Sources,
) -> Reserved:
    """Fix the prices, set the credit aside and take the messages' places under the limits.

    The rest waits with its lane; the limits come last, since what they grant is spent.
    """
    able, given = passed, None
    units = [row[SEGMENTS] for row in passed]
    if counter.limits and passed:
        held = sources.limits.ask(unit.session, counter.limits, units, unit.now, spend=False)
        able = passed[: held.count]
        if held.count < len(passed):
            _rest(unit, taken.lane, held)
    prices = _prices(able, judge)
    paid = _pay(unit, taken, able, prices, sources.settings) if prices else able
    if counter.limits and paid:
        asked = units[: len(paid)]
        given = sources.limits.ask(unit.session, counter.limits, asked, unit.now, spend=True)
        if given.count < len(paid):  # another process was quicker
            owed = sum(_due(row, prices) for row in paid[given.count :])
            settle_credit(unit, {taken.lane.key.company_id: (0, owed)})
            paid = paid[: given.count]
            _rest(unit, taken.lane, given)
    if len(paid) < len(passed):
        put_back(unit, taken, [row[0] for row in passed[len(paid) :]])
    fixed = [
        (prices[row[0]], row[0])
        for row in paid
        if row[0] in prices and prices[row[0]] != row[PRICE]
    ]
    unit.session.update(Message, ("price",), ("seq",), fixed)
    return Reserved(paid, prices, given)


def give_back(
    unit: Unit, counter: Counter, grant: Grant | None, units: int, sources: Sources
) -> None:
    """Attempts that never reached the network leave their places to others (semantics 6)."""
    if grant is not None and units:
        sources.limits.give_back(unit.session, counter.limits, grant, units)


def put_back(unit: Unit, taken: Claim, seqs: Sequence[int]) -> None:
    """Return claimed messages to the front of their lane, where they were taken from."""
    requeue(
        unit,
        taken.runs,
        seqs,
        lambda run, _: evolve(run, due=FRONT, leased=False, fence=0, attempt=run.attempt - 1),
    )


def _prices(rows: Sequence[Row], judge: Judge) -> dict[int, int]:
    """What each costs; what has no tariff any more costs what it was handed over at before."""
    known = {row[0]: judge.price(row[KIND], row[SEGMENTS]) for row in rows}
    held = {row[0]: row[PRICE] for row in rows if row[PRICE] is not None}
    return held | {seq: price for seq, price in known.items() if price is not None}


def _due(row: Row, prices: Mapping[int, int]) -> int:
    """What is to be set aside for a message, besides what still is for an attempt of it."""
    return prices.get(row[0], 0) - (row[PRICE] or 0)


def _pay(
    unit: Unit, taken: Claim, able: Sequence[Row], prices: Mapping[int, int], settings: Settings
) -> Sequence[Row]:
    """Those whose price the company's credit covers; if not all, the lane waits."""
    company = taken.lane.key.company_id
    count = reserve(unit, company, [_due(row, prices) for row in able])
    if count < len(able):
        until = later(unit.now, settings.credit_pause)
        unit.session.wait(taken.lane.id, until, f"{CREDIT} the credit is not enough")
    return able[:count]


def _rest(unit: Unit, lane: Lane, given: Grant) -> None:
    until = given.next_at if given.next_at is not None else later(unit.now, 1)
    unit.note("limiter_waits", lane.key.connector)
    unit.session.wait(lane.id, until, reason_of(given.held_by))

"""What would become of a request: who hears when, who never and why, and what it would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from scg_core.kernel import codec
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, among
from scg_core.kernel.resource import Micros, Writer
from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.model import MessageRequest
from scg_core.messaging.rules.gate import Decision
from scg_core.messaging.rules.request import check_new, with_defaults
from scg_core.messaging.steps.building import build_request
from scg_core.messaging.steps.outline import Sketch, outline
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.windows import rules_for
from scg_core.senders.model import LimitState, SenderId
from scg_core.senders.rules.limits import limits_of
from scg_core.senders.rules.throughput import Used, course
from scg_core.senders.rules.window import closes_at, next_opening
from scg_core.senders.steps.finding import classes
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


@frozen
class Outcome:
    """How many recipients would fare alike: the state of their messages, and why."""

    state: MessageState
    reason: str | None
    recipients: int


@frozen
class Preview:
    """What a request would come to if it were made now and nothing else were sent.

    ``segments`` are of one message, ``price`` of all that would leave. ``openings`` tells for each
    country with a shut delivery window when it opens next for the first of its recipients.
    ``last_leaves`` is when the limits and windows would let the last message go; None if none does.
    """

    recipients: int
    segments: int
    price: Micros
    outcomes: tuple[Outcome, ...]
    openings: Mapping[str, Instant]
    last_leaves: Instant | None


def preview_request(
    unit: Unit, caller: Caller, given: Mapping[str, object], sources: Sources
) -> Preview:
    """Look at a request without making it; only recipients that are given with it count.

    Raises:
        InvalidField: it could not be made.
    """
    values = codec.read(MessageRequest, given, lenient=caller.lenient)
    codec.mandatory(MessageRequest, values, Writer.CUSTOMER)
    check_new(values, unit.now, sources.settings)
    values = with_defaults(values, unit.now, sources.settings)
    request = build_request(unit, caller, values, sources)
    drawn = outline(unit, request, sources)
    leaving = [one for one in drawn.messages if _leaves(one)]
    openings: dict[str, Instant] = {}
    for one in leaving:
        country = one.recipient.country or ""
        if one.fate.due > unit.now:
            openings[country] = min(openings.get(country, one.fate.due), one.fate.due)
    counted = Counter(_outcome(one) for one in drawn.messages)
    return Preview(
        recipients=len(drawn.messages),
        segments=request.segments,
        price=Micros(sum(one.price or 0 for one in leaving)),
        outcomes=tuple(
            Outcome(state, reason, count)
            for (state, reason), count in sorted(counted.items(), key=lambda item: -item[1])
        ),
        openings=openings,
        last_leaves=_last_leaves(unit, request, leaving, sources),
    )


def _leaves(one: Sketch) -> bool:
    return one.verdict is not None and one.verdict.decision in (Decision.SEND, Decision.DEFER)


def _outcome(one: Sketch) -> tuple[MessageState, str | None]:
    if one.verdict is None:
        return one.fate.state, one.fate.details
    match one.verdict.decision:
        case Decision.FAIL:
            return MessageState.FAILED, one.verdict.reason
        case Decision.EXPIRE:
            return MessageState.EXPIRED, one.verdict.reason
        case Decision.WAIT:
            return one.fate.state, one.verdict.reason
    return one.fate.state, one.fate.details


def _last_leaves(
    unit: Unit, request: MessageRequest, leaving: list[Sketch], sources: Sources
) -> Instant | None:
    """When the last message leaves its lane: each lane by itself, its queues in order of due."""
    lanes: dict[tuple[str, str | None], list[Sketch]] = {}
    for one in leaving:
        if one.fate.sender is not None:
            lanes.setdefault((one.fate.sender.id, one.recipient.country), []).append(one)
    ends = [
        _lane_ends(unit, request, country, members, sources)
        for (_, country), members in lanes.items()
    ]
    return max((end for end in ends if end is not None), default=None)


def _lane_ends(
    unit: Unit,
    request: MessageRequest,
    country: str | None,
    members: list[Sketch],
    sources: Sources,
) -> Instant | None:
    sender = members[0].fate.sender
    if sender is None:
        return None
    klass = classes(unit).get(sender.class_id or "")
    limits = limits_of(klass, request.company_id, sender.root_id, country or "", unit.now)
    columns = ("id", "arrival", "day", "used")
    query = Query(LimitState, [among("id", [one.key for one in limits])])
    used: Mapping[str, Used] = {
        key: Used(*rest) for key, *rest in unit.session.rows(query, columns)
    }
    queues = Counter((one.fate.due, one.recipient.zones) for one in members)
    at, last = unit.now, None
    for (due, zones), count in sorted(queues.items()):
        left, at = count, Instant(max(at, due))
        while left:
            opens = _opens(unit, sender, country, zones, at, sources)
            if opens is None:
                return last
            shuts = _shuts(unit, sender, country, zones, opens, sources)
            went = course(limits, used, request.segments, left, opens, shuts)
            if went.left < left:
                at = last = went.at
            left, used = went.left, went.used
            if left and shuts is not None:
                at = shuts
    return last


def _opens(
    unit: Unit, sender: SenderId, country: str | None, zones: tuple[str, ...], at: Instant,
    sources: Sources,
) -> Instant | None:  # fmt: skip
    rules = rules_for(unit, sender, country)
    return next_opening(rules, zones, at, sources.places.holidays(country))


def _shuts(
    unit: Unit, sender: SenderId, country: str | None, zones: tuple[str, ...], at: Instant,
    sources: Sources,
) -> Instant | None:  # fmt: skip
    rules = rules_for(unit, sender, country)
    return closes_at(rules, zones, at, sources.places.holidays(country))

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
from scg_core.messaging.rules.gate import Decision, expired
from scg_core.messaging.rules.request import check_new, with_defaults
from scg_core.messaging.steps.building import build_request
from scg_core.messaging.steps.outline import Sketch, outline
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.windows import rules_for
from scg_core.senders.model import LimitState, SenderId
from scg_core.senders.rules.limits import limits_of
from scg_core.senders.rules.throughput import Limit, Used, course
from scg_core.senders.rules.window import closes_at, next_opening
from scg_core.senders.steps.finding import classes
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_LATE = (MessageState.EXPIRED, expired("throttled or outside the delivery window").reason)


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
    course_of = _Course(unit, request, sources)
    late = course_of.run([one for one in drawn.messages if _leaves(one)])
    leaving = [one for one in drawn.messages if _leaves(one) and id(one) not in late]
    openings: dict[str, Instant] = {}
    for one in leaving:
        country = one.recipient.country or ""
        if one.fate.due > unit.now:
            openings[country] = min(openings.get(country, one.fate.due), one.fate.due)
    counted = Counter(_LATE if id(one) in late else _outcome(one) for one in drawn.messages)
    return Preview(
        recipients=len(drawn.messages),
        segments=request.segments,
        price=Micros(sum(one.price or 0 for one in leaving)),
        outcomes=tuple(
            Outcome(state, reason, count)
            for (state, reason), count in sorted(counted.items(), key=lambda item: -item[1])
        ),
        openings=openings,
        last_leaves=course_of.last,
    )


def _leaves(one: Sketch) -> bool:
    """Whether it is handed to a transport some day; a test never is, and costs nothing."""
    if one.verdict is None or one.fate.state is MessageState.TEST:
        return False
    return one.verdict.decision in (Decision.SEND, Decision.DEFER)


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


class _Course:
    """How the messages leave: each lane by itself, its queues in order of due.

    Lanes that share a limit leave one after another. ``last`` is when the last
    message leaves.
    """

    def __init__(self, unit: Unit, request: MessageRequest, sources: Sources) -> None:
        self._unit = unit
        self._request = request
        self._sources = sources
        self._used: dict[str, Used] = {}
        self._until: dict[str, Instant] = {}
        self.last: Instant | None = None

    def run(self, leaving: list[Sketch]) -> set[int]:
        """Let all leave; told are those (by identity) that expire before they can."""
        lanes: dict[tuple[str, str | None], list[Sketch]] = {}
        for one in leaving:
            if one.fate.sender is not None:
                lanes.setdefault((one.fate.sender.id, one.recipient.country), []).append(one)
        late: set[int] = set()
        for (_, country), members in lanes.items():
            sender = members[0].fate.sender
            if sender is not None:
                late |= self._lane(sender, country, members)
        return late

    def _lane(self, sender: SenderId, country: str | None, members: list[Sketch]) -> set[int]:
        limits = self._limits(sender, country)
        queues: dict[tuple[Instant, tuple[str, ...]], list[Sketch]] = {}
        for one in members:
            queues.setdefault((one.fate.due, one.recipient.zones), []).append(one)
        earlier = [self._until[one.key] for one in limits if one.key in self._until]
        at, late = max([self._unit.now, *earlier]), set[int]()
        for (due, zones), queue in sorted(queues.items()):
            left, at = self._queue(sender, country, zones, limits, len(queue), max(at, due))
            late |= {id(one) for one in queue[len(queue) - left :]}
        self._until.update((one.key, at) for one in limits)
        return late

    def _queue(
        self,
        sender: SenderId,
        country: str | None,
        zones: tuple[str, ...],
        limits: tuple[Limit, ...],
        count: int,
        start: Instant,
    ) -> tuple[int, Instant]:
        """How many of a queue are left when it can go no further, and when that is."""
        left, at, ends = count, start, self._request.expiry_time
        while left:
            opens = _opens(self._unit, sender, country, zones, at, self._sources)
            if opens is None or (ends is not None and opens >= ends):
                return left, at
            shuts = _shuts(self._unit, sender, country, zones, opens, self._sources)
            until = min((one for one in (shuts, ends) if one is not None), default=None)
            went = course(limits, self._used, self._request.segments, left, opens, until)
            if went.left < left:
                at = went.at
                self.last = at if self.last is None else max(self.last, at)
            left = went.left
            self._used.update(went.used)
            if left and until is not None:
                at = until
        return 0, at

    def _limits(self, sender: SenderId, country: str | None) -> tuple[Limit, ...]:
        """The limits of a lane; what they remember is read the first time they are met."""
        klass = classes(self._unit).get(sender.class_id or "")
        company, root = self._request.company_id, sender.root_id
        limits = limits_of(klass, company, root, country or "", self._unit.now)
        fresh = [one.key for one in limits if one.key not in self._used]
        query = Query(LimitState, [among("id", fresh)])
        columns = ("id", "arrival", "day", "used")
        for key, *rest in self._unit.session.rows(query, columns) if fresh else ():
            self._used[key] = Used(*rest)
        return limits


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

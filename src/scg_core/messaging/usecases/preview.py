"""What would become of a request: who hears when, who never and why, and what it would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from itertools import groupby

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
from scg_core.senders.rules.throughput import Limit, Used, course, grant
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


@frozen
class _Group:
    """Neighbours in a lane that are due at once and live in the same zones."""

    due: Instant
    first: int
    zones: tuple[str, ...]
    members: tuple[Sketch, ...]

    def __lt__(self, other: _Group) -> bool:
        return (self.due, self.first) < (other.due, other.first)

    def after(self, gone: int, due: Instant) -> _Group:
        """What is left of it, due at another time."""
        return _Group(due, self.first + gone, self.zones, self.members[gone:])


class _Course:
    """How the messages leave: each lane by itself, the longest due first, as the pump takes them.

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
        earlier = [self._until[one.key] for one in limits if one.key in self._until]
        at, late = max([self._unit.now, *earlier]), set[int]()
        waiting = _groups(members)
        ends = self._request.expiry_time
        while waiting:
            group = heappop(waiting)
            at = self._awake(limits, max(at, group.due), 1)
            opens = _opens(self._unit, sender, country, group.zones, at, self._sources)
            if opens is None or (ends is not None and max(at, opens) >= ends):
                late |= {id(one) for one in group.members}
            elif opens > at:
                heappush(waiting, group.after(0, opens))
            else:
                shuts = _shuts(self._unit, sender, country, group.zones, at, self._sources)
                until = min((one for one in (shuts, ends) if one is not None), default=None)
                gone, at = self._let_go(limits, len(group.members), at, until)
                if gone < len(group.members):
                    heappush(waiting, group.after(gone, group.due))
        self._until.update((one.key, at) for one in limits)
        return late

    def _let_go(
        self, limits: tuple[Limit, ...], count: int, at: Instant, until: Instant | None
    ) -> tuple[int, Instant]:
        """How many go before an instant, and when the lane is looked at again."""
        size = self._request.segments
        went = course(limits, self._used, size, count, at, until)
        self._used.update(went.used)
        if went.left < count:
            at = went.at
            self.last = at if self.last is None else max(self.last, at)
        if went.left and until is not None:
            at = max(until, self._awake(limits, at, size))
        return count - went.left, at

    def _awake(self, limits: tuple[Limit, ...], at: Instant, size: int) -> Instant:
        """When a lane that the limits let rest is looked at again."""
        given = grant(limits, self._used, [size], at)
        return at if given.next_at is None else max(at, given.next_at)

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


def _groups(members: list[Sketch]) -> list[_Group]:
    """The messages of a lane in the order they are queued, neighbours that are alike together."""
    order = sorted(range(len(members)), key=lambda at: (members[at].fate.due, at))
    alike = groupby(order, lambda at: (members[at].fate.due, members[at].recipient.zones))
    found = []
    for (due, zones), places in alike:
        group = list(places)
        found.append(_Group(due, group[0], zones, tuple(members[at] for at in group)))
    heapify(found)
    return found


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

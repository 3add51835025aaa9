"""Asking the gate about the messages of one lane: once for all that share the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from scg_core.consent.lifecycle import ConsentStatus
from scg_core.consent.steps.standing import Standing, note_first_contact, standing
from scg_core.kernel.instant import later
from scg_core.kernel.resource import Micros
from scg_core.messaging.model import FailureCode, Lane
from scg_core.messaging.rules.gate import Decision, Facts, Order, Verdict, gate
from scg_core.messaging.rules.status import ANY_PRICE
from scg_core.messaging.steps.carrying import GONE, files_for
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.windows import rules_for, window_facts
from scg_core.ports.message_transport import Capabilities
from scg_core.senders.model import SenderId
from scg_core.senders.rules.eligibility import SENDER
from scg_core.senders.rules.limits import limits_of
from scg_core.senders.rules.prices import PriceKey
from scg_core.senders.rules.throughput import Limit
from scg_core.senders.steps.finding import classes, own_sender
from scg_core.senders.steps.pricing import segment_price
from scg_core.unit import Unit


@frozen
class Counter:
    """What is the same for a whole lane: its sender id, and the limits it is under."""

    lane: Lane
    sender: SenderId | None
    limits: tuple[Limit, ...]


def counter_of(unit: Unit, lane: Lane, sources: Sources) -> Counter:
    """The counter of a lane, as its sender id and its class are now."""
    key = lane.key
    sender = own_sender(unit, key.sender_id, key.company_id)
    named = sender.class_id if sender is not None else None
    klass = classes(unit).get(named) if named is not None else None
    limits = limits_of(klass, key.company_id, key.sender_id, key.country, unit.now)
    return Counter(lane, sender, limits)


class Judge:
    """The gate's verdicts on the messages of one lane, asked once for all that share the facts."""

    def __init__(
        self,
        unit: Unit,
        lane: Lane,
        sender: SenderId | None,
        capabilities: Capabilities,
        sources: Sources,
    ) -> None:
        self._unit = unit
        self._lane = lane
        self._sender = sender
        self._kinds = capabilities.kinds
        self._sources = sources
        self._rules = None if sender is None else rules_for(unit, sender, lane.key.country or None)
        self._waited = lane.waited_for(later(unit.now, -sources.settings.retry_longest))
        self._known: dict[tuple[object, ...], Verdict] = {}
        self._standing = Standing({}, {})
        self._by_size: dict[tuple[str, int], Micros | None] = {}

    def look_up(self, rows: Sequence[Sequence[Any]]) -> None:
        """Ask how the recipients of some messages stand, all at once, before they are judged."""
        if self._sender is not None:
            company = self._lane.key.company_id
            addresses = [(row[10], row[5]) for row in rows]
            self._standing = standing(self._unit, company, self._sender, addresses)

    def note_first_contact(
        self, rows: Sequence[Sequence[Any]], orders: Mapping[str, Order]
    ) -> None:
        """Messages that leave make the records of recipients nothing was known of."""
        unknown = dict(self._standing.unknown)
        if self._sender is None or not unknown:
            return
        groups: dict[int, dict[tuple[str, str], str]] = {}
        for row in rows:
            id = unknown.pop((row[10], row[5]), None)
            if id is not None:
                groups.setdefault(orders[row[2]].application_id, {})[row[10], row[5]] = id
        company = self._lane.key.company_id
        for application, addresses in groups.items():
            note_first_contact(self._unit, company, self._sender, application, addresses)

    def verdict(self, order: Order, row: Sequence[Any]) -> Verdict:
        """The verdict on one message."""
        kind, segments = row[10], row[7]
        zones = self._zones(row[5]) if self._rules is not None else ()
        consent = self._standing.of(kind, row[5])
        if row[9] & ANY_PRICE:
            order = evolve(order, price_threshold=None)
        key = (row[2], kind, segments, zones, consent, order.price_threshold)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._ask(order, kind, segments, zones, consent)
        return known

    def price(self, kind: str, segments: int) -> Micros | None:
        """What a message of this kind and size costs."""
        if (kind, segments) not in self._by_size:
            of = self._lane.key
            key = PriceKey(of.company_id, of.sender_id, of.country, kind)
            one = segment_price(self._unit, self._sources.prices, key)
            price = None if one is None else Micros(one * segments)
            self._by_size[kind, segments] = price
        return self._by_size[kind, segments]

    def _ask(
        self,
        order: Order,
        kind: str,
        segments: int,
        zones: tuple[str, ...],
        consent: ConsentStatus,
    ) -> Verdict:
        if files_for(self._unit, order.attachments) is None:
            return Verdict(Decision.FAIL, FailureCode.OTHER, GONE)
        if self._sender is None or kind in self._kinds:
            facts = evolve(
                self._facts(zones),
                price=self.price(kind, segments),
                waited=self._waited,
                consent=consent,
                blacklist_binds=self._sources.settings.blacklist_overrides_none,
            )
            return gate(order, self._sender, facts)
        reason = f"{SENDER} the transport carries no {kind}"
        return Verdict(Decision.FAIL, FailureCode.OTHER, reason)

    def _facts(self, zones: tuple[str, ...]) -> Facts:
        if self._rules is None or self._sender is None:
            return Facts(self._unit.now)
        country = self._lane.key.country or None
        return window_facts(self._unit, self._sources, self._sender, country, zones, self._unit.now)

    def _zones(self, address: str) -> tuple[str, ...]:
        place = self._sources.places.locate([address])[0] if address[:1] == "+" else None
        return place.zones if place is not None else ()

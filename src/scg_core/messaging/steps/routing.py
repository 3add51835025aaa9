"""From where a message goes out: the sender id of its request, or one that its channel chooses."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen, mutable

from scg_core.consent.lifecycle import ConsentStatus
from scg_core.consent.rules.verdict import may_send
from scg_core.consent.steps.standing import standing
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, among, at_least, at_most
from scg_core.kernel.resource import Micros
from scg_core.kernel.resource import evolve as evolve_request
from scg_core.messaging.model import Exempt, MessageRequest
from scg_core.messaging.records import StickyChoice
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.model import (
    Channel,
    ChannelMember,
    ChannelPriority,
    Priority,
    SenderId,
    SenderIdClass,
)
from scg_core.senders.rules.eligibility import (
    CARRIES,
    SENDER,
    Candidate,
    may_be_chosen,
    rank,
    unfit,
)
from scg_core.senders.rules.limits import limits_of
from scg_core.senders.rules.prices import PriceKey
from scg_core.senders.steps.finding import (
    SPOKEN,
    classes,
    classes_for,
    connector_of,
    members_of,
    type_of,
)
from scg_core.senders.steps.pricing import segment_price
from scg_core.unit import Unit

PRIORITIES: Mapping[ChannelPriority, Priority] = {
    ChannelPriority.HIGH: Priority.HIGH,
    ChannelPriority.NORMAL: Priority.NORMAL,
    ChannelPriority.LOW: Priority.LOW,
}
_PUSH = "PSH"
_PEEK = 100
_STALE = 500
_TRIES = 3


@frozen
class Chosen:
    """A sender id for a message, and the transport it goes out by; or why there is none."""

    sender: SenderId | None
    connector: str = ""
    reason: str | None = None


@mutable
class _Field:
    """The candidates for one kind of message to one country, in the order they are tried."""

    candidates: list[Candidate]
    reason: str
    connectors: dict[str, str] = field(factory=dict)


class Router:
    """Chooses the sender ids of one request's messages within one unit.

    A request from a sender id always gets that one, or the reason why it does not fit. A channel
    gives each recipient the one it last heard from if that still fits, else the best by the
    request's criteria; equals share the work by what their limits let go and by turns. A ``dry``
    router remembers nothing of what it chose.
    """

    def __init__(
        self,
        unit: Unit,
        request: MessageRequest,
        sources: Sources,
        avoid: Collection[str] = (),
        *,
        dry: bool = False,
    ) -> None:
        self._unit = unit
        self._request = request
        self._sources = sources
        self._avoid = frozenset(avoid)
        self._dry = dry
        self._fields: dict[tuple[str, str | None, str], _Field] = {}
        self._served: dict[str, int] = {}
        self._members: list[tuple[ChannelMember, SenderId]] = []
        self.channel: Channel | None = None
        self.sender: SenderId | None = None
        if request.channel_id is not None:
            self.channel = unit.session.get(Channel, request.channel_id)
            if self.channel is not None:
                self._members = members_of(unit, request.channel_id, request.company_id)
        else:
            self.sender = unit.session.get(SenderId, request.sender_id)

    @property
    def gone(self) -> bool:
        """Whether what the request names is no longer there."""
        return self.sender is None and self.channel is None

    @property
    def priority(self) -> Priority:
        """The priority of the request's messages; those of a sender id are normal."""
        return Priority.NORMAL if self.channel is None else PRIORITIES[self.channel.priority]

    @property
    def country(self) -> str | None:
        """The country whose dialling its numbers are read by, if all its senders agree."""
        if self.sender is not None:
            return self.sender.country
        found = {sender.country for _, sender in self._members}
        return found.pop() if len(found) == 1 else None

    def at_any_price(self) -> Router:
        """The same without the request's price threshold."""
        if self._request.price_threshold is None:
            return self
        free = evolve_request(self._request, price_threshold=None)
        return Router(self._unit, free, self._sources, self._avoid, dry=self._dry)

    @property
    def validates(self) -> bool:
        """Whether any of its sender ids compares texts with templates."""
        return any(sender.message_templates for sender in self._senders())

    def has(self, kind: str) -> bool:
        """Whether any of its sender ids, and the transport it goes out by, carries this kind."""
        return any(self._carries(sender, kind) for sender in self._senders())

    def addresses(self, kind: str) -> tuple[str, ...]:
        """The addresses of its sender ids that carry this kind."""
        return tuple({one.address for one in self._senders() if self._carries(one, kind)})

    def price(self, kind: str, country: str | None) -> int | None:
        """What the best sender id for this kind to this country costs a segment, None if there
        is none."""
        candidates = self._field(kind, country).candidates
        return candidates[0].price if candidates else None

    def _senders(self) -> list[SenderId]:
        direct = [self.sender] if self.sender is not None else []
        return [*direct, *(sender for _, sender in self._members)]

    def _carries(self, sender: SenderId, kind: str) -> bool:
        if CARRIES[kind].isdisjoint(sender.capabilities):
            return False
        connector = self._connector(sender, kind)
        return kind in self._sources.connectors.get(connector or "", frozenset())

    def _connector(self, sender: SenderId, kind: str) -> str | None:
        """The transport by which a sender id's messages of this kind go out."""
        known = self._request.connector
        if known and (kind not in SPOKEN or kind in self._sources.connectors.get(known, ())):
            return known
        return connector_of(self._unit, sender, self._sources.connectors, kind)

    def choose(
        self,
        recipients: Sequence[tuple[str, str | None, str]],
        numbers: Sequence[int],
    ) -> list[Chosen]:
        """A sender id for each recipient, given as (kind, country, address).

        ``numbers`` are the numbers of their messages: of two equal sender ids the one that was
        chosen for the earlier number is next.
        """
        fields = [self._field(*self._key(*one)) for one in recipients]
        several = [
            address
            for (_, _, address), one in zip(recipients, fields, strict=True)
            if self.channel is not None and len(one.candidates) > 1
        ]
        last = self._last_heard(several)
        chosen = [
            self._pick(one, last.get(address), number)
            for (_, _, address), one, number in zip(recipients, fields, numbers, strict=True)
        ]
        if several:
            self._ask_consent(recipients, fields, chosen)
        if several and not self._dry:
            self._remember(
                {
                    address: one.sender.id
                    for (_, _, address), one in zip(recipients, chosen, strict=True)
                    if one.sender is not None
                },
                last,
            )
        return chosen

    def _ask_consent(
        self,
        recipients: Sequence[tuple[str, str | None, str]],
        fields: Sequence[_Field],
        chosen: list[Chosen],
    ) -> None:
        """Who wants nothing from the sender id that was chosen hears from the next that may write.

        A few are tried; the gate asks again in any case.
        """
        asked = [at for at, one in enumerate(fields) if len(one.candidates) > 1]
        tried: dict[int, set[str]] = {at: set() for at in asked}
        for _ in range(_TRIES):
            asked = self._unwelcome(recipients, chosen, asked)
            for at in asked:
                sender = chosen[at].sender
                tried[at].add("" if sender is None else sender.id)
                rest = [one for one in fields[at].candidates if one.sender.id not in tried[at]]
                if rest:
                    best = rest[0].sender
                    chosen[at] = Chosen(best, fields[at].connectors[best.id])
            asked = [at for at in asked if len(tried[at]) < len(fields[at].candidates)]
            if not asked:
                return

    def _unwelcome(
        self,
        recipients: Sequence[tuple[str, str | None, str]],
        chosen: Sequence[Chosen],
        places: Sequence[int],
    ) -> list[int]:
        by_sender: dict[str, list[int]] = {}
        for at in places:
            sender = chosen[at].sender
            if sender is not None:
                by_sender.setdefault(sender.id, []).append(at)
        found: list[int] = []
        for members in by_sender.values():
            sender = chosen[members[0]].sender
            if sender is None or self._request.exempt is not Exempt.NOTHING:
                continue
            addresses = [(recipients[at][0], recipients[at][2]) for at in members]
            held = standing(self._unit, self._request.company_id, sender, addresses)
            found += [
                at
                for at in members
                if not self._welcome(sender, held.of(recipients[at][0], recipients[at][2]))
            ]
        return found

    def _welcome(self, sender: SenderId, status: ConsentStatus) -> bool:
        return may_send(
            status,
            requirement=self._request.consent_requirement.value,
            managed_by=sender.consent_managed_by.value,
            check_white_list=sender.check_white_list,
            blacklist_binds=self._sources.settings.blacklist_overrides_none,
        )

    def _key(self, kind: str, country: str | None, address: str) -> tuple[str, str | None, str]:
        """What recipients have in common that are sent to alike: a push address is of one
        application."""
        if self.channel is None or kind != _PUSH:
            return kind, country, ""
        of = address.split("@")[1] if address.count("@") > 1 else ""
        return kind, country, of if of in self.addresses(kind) else ""

    def _field(self, kind: str, country: str | None, of: str = "") -> _Field:
        known = self._fields.get((kind, country, of))
        if known is None:
            known = self._fields[kind, country, of] = self._survey(kind, country, of)
        return known

    def _survey(self, kind: str, country: str | None, of: str) -> _Field:
        usable = classes_for(self._unit, country)
        found = _Field([], f"{SENDER} the channel has no sender id that can send")
        direct = self.channel is None
        senders = [(0, self.sender)] if direct and self.sender else []
        senders += [(member.served, sender) for member, sender in self._members]
        for served, sender in senders:
            if of and sender.address != of:
                continue
            problem = unfit(sender, kind, country, usable)
            if problem is None and not direct:
                problem = self._unavailable(sender, kind, country)
            connector = self._connector(sender, kind)
            if problem is None and connector is None:
                problem = f"{SENDER} no transport delivers for the sender id's type"
            if problem is None and not _answerable(self._unit, sender):
                problem = f"{SENDER} nobody can answer the sender id's type"
            kinds = self._sources.connectors.get(connector or "")
            if problem is None and kinds is not None and kind not in kinds:
                problem = f"{SENDER} the transport carries no {kind}"
            if problem is not None:
                found.reason = problem
                continue
            found.connectors[sender.id] = connector or ""
            found.candidates.append(
                Candidate(
                    sender=sender,
                    price=self._price(sender, kind, country) or 0,
                    free=0 if direct else self._free(sender, country),
                    served=self._served.get(sender.id, served),
                )
            )
        found.candidates.sort(key=self._rank)
        return found

    def _unavailable(self, sender: SenderId, kind: str, country: str | None) -> str | None:
        """Why a channel passes a sender id by at present."""
        if sender.id in self._avoid:
            return f"{SENDER} every sender id of the channel was tried"
        if not may_be_chosen(sender):
            return f"{SENDER} the sender id is {sender.state.value}"
        most, price = self._request.price_threshold, self._price(sender, kind, country)
        if most is not None and price and price * self._request.segments > round(most * 1_000_000):
            return f"{SENDER} price: every sender id is dearer than the threshold {most:g}"
        return None

    def _price(self, sender: SenderId, kind: str, country: str | None) -> Micros | None:
        key = PriceKey(self._request.company_id, sender.root_id, country or "", kind)
        return segment_price(self._unit, self._sources.prices, key)

    def _free(self, sender: SenderId, country: str | None) -> int:
        """How many messages its limits would let go now."""
        limits = limits_of(
            self._class(sender), self._request.company_id, sender.root_id, country or "",
            self._unit.now,
        )  # fmt: skip
        if not limits:
            return _PEEK
        units = [max(self._request.segments, 1)] * _PEEK
        session, now = self._unit.session, self._unit.now
        return self._sources.limits.ask(session, limits, units, now, spend=False).count

    def _class(self, sender: SenderId) -> SenderIdClass | None:
        return classes(self._unit).get(sender.class_id or "")

    def _pick(self, of: _Field, last: str | None, number: int) -> Chosen:
        if not of.candidates:
            return Chosen(None, "", of.reason)
        at = 0
        if last is not None:
            known = [i for i, one in enumerate(of.candidates) if one.sender.id == last]
            at = known[0] if known else 0
        best = of.candidates[at]
        if len(of.candidates) > 1:
            self._served[best.sender.id] = number
            del of.candidates[at]
            used = evolve(best, free=max(best.free - 1, 0), served=number)
            insort(of.candidates, used, key=self._rank)
        return Chosen(best.sender, of.connectors[best.sender.id])

    def _rank(self, candidate: Candidate) -> Any:
        return rank(candidate, self._request.sender_id_sort_criteria)

    def _last_heard(self, addresses: Sequence[str]) -> dict[str, str]:
        if not addresses:
            return {}
        ids = [self._sticky(address) for address in dict.fromkeys(addresses)]
        since = later(self._unit.now, -self._sources.settings.sticky)
        where = [among("id", ids), at_least("chosen_date", since)]
        rows = self._unit.session.rows(Query(StickyChoice, where), ("id", "sender_id"))
        return {id.partition("/")[2]: sender for id, sender in rows}

    def _remember(self, chosen: Mapping[str, str], last: Mapping[str, str]) -> None:
        session, now = self._unit.session, self._unit.now
        since = later(now, -self._sources.settings.sticky)
        stale = Query(StickyChoice, [at_most("chosen_date", since)], limit=_STALE)
        for one in session.find(stale):
            session.remove(one)
        rows = [(self._sticky(address), sender, now) for address, sender in chosen.items()]
        ids = [row[0] for row in rows]
        held = {row[0] for row in session.rows(Query(StickyChoice, [among("id", ids)]), ("id",))}
        fresh = [row for row in rows if row[0] not in held]
        session.insert(StickyChoice, ("id", "sender_id", "chosen_date"), fresh)
        old = [(sender, at, id) for id, sender, at in rows if id in held]
        session.update(StickyChoice, ("sender_id", "chosen_date"), ("id",), old)
        served = [
            (self._served[sender.id], member.id)
            for member, sender in self._members
            if sender.id in self._served
        ]
        session.update(ChannelMember, ("served",), ("id",), served)

    def _sticky(self, address: str) -> str:
        return f"{self._request.channel_id}/{address}"


def _answerable(unit: Unit, sender: SenderId) -> bool:
    """Whether replies are possible where a sender id requires them (semantics 4)."""
    kind = type_of(unit, sender.type_id)
    return sender.two_way_required != "YES" or kind is None or kind.two_way

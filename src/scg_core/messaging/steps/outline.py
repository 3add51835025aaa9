"""A request that is not made: what would become of its recipients, and what they would cost."""

from __future__ import annotations

from attrs import frozen

from scg_core.kernel.resource import Micros
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import MessageRequest
from scg_core.messaging.rules.gate import Facts, Order, Verdict, gate
from scg_core.messaging.rules.recipients import Recipient
from scg_core.messaging.steps.expanding import Source
from scg_core.messaging.steps.fates import Fate, Plan, decide_fates, planned
from scg_core.messaging.steps.reaching import Reacher
from scg_core.messaging.steps.routing import Router
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.rules.prices import PriceKey
from scg_core.senders.steps.pricing import segment_price
from scg_core.unit import Unit


@frozen
class Sketch:
    """One message that would be made; ``verdict`` is what the gate would say when it is due."""

    recipient: Recipient
    fate: Fate
    verdict: Verdict | None
    price: Micros | None


@frozen
class Outline:
    """All messages that would be made, duplicates dropped, and by what priority they would go."""

    messages: tuple[Sketch, ...]
    priority: int


def outline(unit: Unit, request: MessageRequest, sources: Sources) -> Outline:
    """What would become of the recipients that a request names; nothing is stored."""
    router = Router(unit, request, sources, dry=True)
    plan = planned(unit, request, router, sources, dry=True)
    by_key: dict[int, Recipient] = {}
    reacher = Reacher(unit, request, router, sources.places, plan.speech.values)
    for recipient in Source(unit, request, reacher, sources.settings.page).named():
        by_key.setdefault(recipient.key, recipient)
    recipients = list(by_key.values())
    fates = decide_fates(unit, plan, recipients, 1)
    messages = [
        _sketch(unit, plan, recipient, fate)
        for recipient, fate in zip(recipients, fates, strict=True)
    ]
    return Outline(tuple(messages), router.priority.value)


def _sketch(unit: Unit, plan: Plan, recipient: Recipient, fate: Fate) -> Sketch:
    if fate.failed or fate.sender is None:
        return Sketch(recipient, fate, None, None)
    request = plan.request
    key = PriceKey(
        request.company_id, fate.sender.root_id, recipient.country or "", recipient.kind.value
    )
    of_one = segment_price(unit, plan.sources.prices, key)
    price = None if of_one is None else Micros(of_one * fate.wording.segments)
    order = Order(
        RequestState.TRANSMITTING,
        request.expiry_time,
        request.consent_requirement,
        None if recipient.at_any_price else request.price_threshold,
    )
    binds = plan.sources.settings.blacklist_overrides_none
    facts = Facts(fate.due, fate.consent, price=price, blacklist_binds=binds)
    return Sketch(recipient, fate, gate(order, fate.sender, facts), price)

"""Subscriptions: making and changing them, and the secret their deliveries are signed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.events.lifecycle import MOVES_TO, SUBSCRIPTION, SubscriptionState
from scg_core.events.model import TOPIC_OF, EventType, Subscription, Topic
from scg_core.events.outbox import DELIVER, wake
from scg_core.events.records import Outlet
from scg_core.events.rules.addresses import read_url
from scg_core.events.settings import EventSettings
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import Writer
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

DROP_ENVELOPES: Final = "drop envelopes"
"""The due work of dropping a deleted subscription's envelopes; the key is the subscription."""

MOST_SECRETS: Final = 5
"""So many previous secrets sign besides the present one."""

_FRESH: Final = ("failures", "failing_since", "rest_until")
_MOST_A_MINUTE: Final = 1_000_000
_TOPICS: Final = tuple(one.value for one in Topic)
_TYPES: Final = tuple(one.value for one in EventType)


@frozen
class Outside:
    """What subscriptions need to know of elsewhere.

    ``refusal`` is what the adapter says of a URL, ``sees`` whether the company sees a channel.
    """

    refusal: Callable[[str | None], str | None]
    sees: Callable[[str], bool]


def create_subscription(
    unit: Unit,
    caller: Caller,
    given: Mapping[str, object],
    secret: str,
    outside: Outside,
    settings: EventSettings,
) -> Subscription:
    """Let a company be told of events from now on.

    Raises:
        InvalidField: it names the field and the rule; or the company has too many.
    """
    values = codec.read(Subscription, given, lenient=caller.lenient)
    codec.mandatory(Subscription, values, Writer.CUSTOMER)
    values = {name: value for name, value in values.items() if value is not None}
    values = _checked(values | {"url": values.get("url")}, outside)
    _check_types(values["topics"], values.get("event_types", ()))
    held = Query(Subscription, [eq("company_id", caller.company_id)])
    if unit.session.count(held, at_most=settings.most) >= settings.most:
        raise InvalidField("topics", f"a company has at most {settings.most} subscriptions")
    made = unit.add(
        Subscription(
            id=unit.new_id(),
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            secret=secret,
            **values,
        )
    )
    unit.add(Outlet(id=made.id, company_id=made.company_id))
    return made


def update_subscription(
    unit: Unit,
    caller: Caller,
    subscription_id: str,
    given: Mapping[str, object],
    outside: Outside,
    *,
    whole: bool = False,
) -> Subscription:
    """Change a subscription; ``whole`` replaces it. What waits is delivered as it says then.

    Raises:
        NotFound: the company has no such subscription.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field and the rule.
    """
    held = unit.get(Subscription, caller.company_id, subscription_id)
    unit.check_version(held, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = codec.read(Subscription, asked, lenient=caller.lenient)
    changes = _checked(codec.changes(held, values, whole=whole), outside)
    _check_types(changes.get("topics", held.topics), changes.get("event_types", held.event_types))
    if "state" in changes:
        changes["state"] = SUBSCRIPTION.step(held.state, MOVES_TO[changes["state"]])
    if not changes:
        return held
    after = unit.save(held, **changes)
    if after.state is SubscriptionState.ACTIVE and changes.keys() & {"state", "url", "throttle"}:
        _rouse(unit, after.id)
    return after


def rotate_secret(
    unit: Unit,
    caller: Caller,
    subscription_id: str,
    secret: str,
    settings: EventSettings,
    seen: object = None,
) -> Subscription:
    """Sign with a new secret; the one before signs too until its grace is over.

    Raises:
        NotFound: the company has no such subscription.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(Subscription, caller.company_id, subscription_id)
    unit.check_version(held, seen)
    until = later(unit.now, settings.grace)
    kept = [one for one in held.previous_secrets if int(one.partition(":")[0]) > unit.now]
    before = (f"{until}:{held.secret}", *kept)[:MOST_SECRETS]
    return unit.save(held, secret=secret, previous_secrets=before, previous_until=until)


def delete_subscription(
    unit: Unit, caller: Caller, subscription_id: str, seen: object = None
) -> None:
    """Delete a subscription; what waits for it is not delivered any more.

    Raises:
        NotFound: the company has no such subscription.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(Subscription, caller.company_id, subscription_id)
    unit.check_version(held, seen)
    unit.session.remove(held)
    outlet = unit.session.get(Outlet, held.id)
    if outlet is not None:
        unit.session.remove(outlet)
    unit.session.withdraw(DELIVER, held.id)
    unit.later(DROP_ENVELOPES, held.id, unit.now)


def _rouse(unit: Unit, id: str) -> None:
    """Have it looked at at once: a receiver that was changed is not the one that failed."""
    unit.session.update(Outlet, _FRESH, ("id",), [(0, None, 0, id)])
    wake(unit.session, id, unit.now)


def _check_types(topics: Sequence[str], types: Sequence[str]) -> None:
    """Refuse a type that is told under none of the topics: nothing of it would ever be heard."""
    for at, one in enumerate(types):
        topic = TOPIC_OF[EventType(one)]
        if topic not in topics:
            raise InvalidField(f"event_types[{at}]", f"is of the topic {topic}, which is not asked")


def _checked(given: Mapping[str, Any], outside: Outside) -> dict[str, Any]:
    """What is given, each word once, checked beyond its type.

    Raises:
        InvalidField: it names the field and the rule.
    """
    values = dict(given)
    for name, known in (("topics", _TOPICS), ("event_types", _TYPES)):
        if name in values:
            values[name] = tuple(dict.fromkeys(values[name]))
        for at, one in enumerate(values.get(name, ())):
            if one not in known:
                raise InvalidField(f"{name}[{at}]", f"must be one of {', '.join(known)}")
    if values.get("throttle") is not None:
        codec.read_integer("throttle", values["throttle"], 1, _MOST_A_MINUTE)
    if values.get("only_application_id") is not None:
        codec.read_integer("only_application_id", values["only_application_id"], 1)
    if "url" in values:
        url = values["url"]
        refused = outside.refusal(url if url is None else read_url("url", url))
        if refused is not None:
            raise InvalidField("url", refused)
    channel = values.get("channel_id")
    if channel is not None and not outside.sees(channel):
        raise InvalidField("channel_id", "is no channel of the company")
    return values

"""A company's subscriptions to events, and the envelopes that were written for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import evolve

from scg_core.engine.collection import NONE, Collection, Host
from scg_core.events.model import Envelope, Subscription
from scg_core.events.usecases import envelopes, subscriptions
from scg_core.events.usecases.subscriptions import Outside
from scg_core.kernel.errors import NotFound
from scg_core.kernel.query import DEFAULT_LIMIT, Page, above, eq, filtered, listing, meets
from scg_core.senders.model import Channel
from scg_core.senders.steps.finding import seen_channels
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_PAGE = 1_000


class Subscriptions(Collection[Subscription]):
    """What a company wants to be told of, and where."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Subscription)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Subscription:
        """Be told of events of some ``topics`` from now on, at a ``url`` if the adapter needs one.

        The ``secret`` of what is returned is what deliveries are signed with.

        Raises:
            InvalidField: it names the field and the rule; or the company has too many, or the
                engine has nothing to deliver events with.
        """
        given, secret = {**fields, **named}, self._new_secret()
        adapter = self._engine.events
        with self._engine.transaction("create_subscription") as unit:
            return subscriptions.create_subscription(
                unit, self._caller, given, secret, self._outside(unit, adapter.refusal),
                self._engine.event_settings,
            )  # fmt: skip

    def create_for_channel(
        self, channel_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Subscription:
        """Establish an event handler on a channel, for this application if no other is named.

        Raises:
            NotFound: the company sees no such channel.
            InvalidField: it names the field and the rule.
        """
        with self._engine.reading() as unit:
            scope = seen_channels(self._caller.company_id)
            unit.get(Channel, self._caller.company_id, channel_id, scope=scope)
        usual = {
            "topics": ["SCG-Message"],
            "only_application_id": self._caller.application_id,
        }
        return self.create({**usual, **fields, **named, "channel_id": channel_id})

    def page_of_channel(
        self,
        channel_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[Subscription]:
        """A page of the event handlers of a channel.

        Raises:
            NotFound: the company sees no such channel.
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        with self._engine.reading() as unit:
            scope = seen_channels(self._caller.company_id)
            unit.get(Channel, self._caller.company_id, channel_id, scope=scope)
            query = self._listing({**filters, **named}, sort, limit, offset)
            return unit.page(query.also(eq("channel_id", channel_id)))

    def update(
        self, subscription_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Subscription:
        """Change what is given of a subscription.

        Raises:
            NotFound: the company has no such subscription.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field and the rule.
        """
        return self._changed(subscription_id, {**fields, **named}, whole=False)

    def replace(
        self, subscription_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Subscription:
        """The same, but what is not given takes its default."""
        return self._changed(subscription_id, {**fields, **named}, whole=True)

    def rotate_secret(
        self, subscription_id: str, fields: Mapping[str, object] = NONE, /
    ) -> Subscription:
        """Sign with a new secret; for a day the one before signs too.

        Raises:
            NotFound: the company has no such subscription.
            StaleData: ``version_number`` is given and is not the present one.
        """
        secret = self._new_secret()
        with self._engine.transaction("rotate_secret") as unit:
            return subscriptions.rotate_secret(
                unit, self._caller, subscription_id, secret, self._engine.event_settings,
                fields.get("version_number"),
            )  # fmt: skip

    def replay_failed(
        self, subscription_id: str, fields: Mapping[str, object] = NONE, /
    ) -> Subscription:
        """Deliver once more, in the background, all envelopes that have FAILED by now.

        Raises:
            NotFound: the company has no such subscription.
        """
        with self._engine.transaction("replay_failed") as unit:
            return envelopes.replay_failed(unit, self._caller, subscription_id)

    def delete(self, subscription_id: str, /, *, version_number: object = None) -> None:
        """Delete a subscription; what waits for it is not delivered any more.

        Raises:
            NotFound: the company has no such subscription.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_subscription") as unit:
            subscriptions.delete_subscription(unit, self._caller, subscription_id, version_number)

    def _changed(
        self, subscription_id: str, given: Mapping[str, object], *, whole: bool
    ) -> Subscription:
        with self._engine.transaction("update_subscription") as unit:
            outside = self._outside(unit, lambda url: self._engine.events.refusal(url))
            return subscriptions.update_subscription(
                unit, self._caller, subscription_id, given, outside, whole=whole
            )

    def _outside(self, unit: Unit, refusal: Callable[[str | None], str | None]) -> Outside:
        def sees(channel: str) -> bool:
            found = unit.session.get(Channel, channel)
            return found is not None and meets(found, seen_channels(self._caller.company_id))

        return Outside(refusal, sees)

    def _new_secret(self) -> str:
        return self._engine.new_credential() + self._engine.new_credential()


class Envelopes:
    """The envelopes of a subscription: what was told, or is to be, and how far it is."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def get(
        self,
        subscription_id: str,
        envelope_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> Envelope:
        """An envelope as it is now.

        Raises:
            NotFound: there is none, or it does not meet the filters.
            InvalidField: an unknown filter.
        """
        conditions = filtered(Envelope, {**filters, **named})
        with self._engine.reading() as unit:
            held = envelopes.envelope_of(unit, self._caller, subscription_id, envelope_id)
        if not all(meets(held, one) for one in conditions):
            raise NotFound(Envelope.__declaration__.title, envelope_id)
        return held

    def page(
        self,
        subscription_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[Envelope]:
        """A page of a subscription's envelopes, the oldest first.

        Raises:
            NotFound: the company has no such subscription.
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        scope = eq("subscription_id", subscription_id)
        query = listing(
            Envelope, self._caller.company_id, {**filters, **named}, sort=sort, limit=limit,
            offset=offset, scope=scope,
        )  # fmt: skip
        if sort is None:
            query = evolve(query, sort=(("created_date", False),))
        with self._engine.reading() as unit:
            unit.get(Subscription, self._caller.company_id, subscription_id)
            return unit.page(query)

    def all(
        self, subscription_id: str, filters: Mapping[str, object] = NONE, /, **named: object
    ) -> Iterator[Envelope]:
        """Every one that meets the filters, in the order of their ids, read page by page.

        Raises:
            NotFound: the company has no such subscription.
            InvalidField: an unknown filter.
        """
        query = listing(
            Envelope, self._caller.company_id, {**filters, **named}, limit=_PAGE,
            scope=eq("subscription_id", subscription_id), sort="id",
        )  # fmt: skip
        after = ""
        while True:
            with self._engine.reading() as unit:
                unit.get(Subscription, self._caller.company_id, subscription_id)
                some = unit.session.find(query.also(above("id", after)))
            yield from some
            if len(some) < _PAGE:
                return
            after = some[-1].id

    def update(
        self,
        subscription_id: str,
        envelope_id: str,
        fields: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> Envelope:
        """Deliver an envelope once more: its ``state`` is set to PENDING.

        Raises:
            NotFound: there is none.
            InvalidField: another state is asked for, or anything else.
        """
        with self._engine.transaction("replay_envelope") as unit:
            return envelopes.replay_envelope(
                unit, self._caller, subscription_id, envelope_id, {**fields, **named}
            )

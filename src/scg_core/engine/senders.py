"""A company's sender ids and channels, and the classes and types there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel.members import Added
from scg_core.kernel.query import DEFAULT_LIMIT, Page, at_least
from scg_core.senders.model import Channel, SenderId, SenderIdClass, SenderIdType
from scg_core.senders.steps.finding import seen_channels, seen_senders
from scg_core.senders.usecases import channels, senders
from scg_core.tenancy.model import Caller


class SenderIds(Collection[SenderId]):
    """The sender ids a company sees: its own, shared ones, and those it may purchase."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, SenderId, seen_senders(caller.company_id))

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> SenderId:
        """Ask for a sender id; with ``parent_id`` for a copy of a shared one.

        Raises:
            InvalidField: it names the field.
            Forbidden: another ownership than PRIVATE.
            Duplicate: the address is taken, or the company has its copy already.
        """
        with self._engine.transaction("create_sender_id") as unit:
            return senders.create_sender_id(unit, self._caller, {**fields, **named})

    def purchase(self, parent_id: object) -> SenderId:
        """Take an operator's sender id; exactly one of many who purchase it succeeds.

        Raises:
            InvalidField: it is unknown or not for sale.
            Duplicate: it is taken.
        """
        with self._engine.transaction("purchase_sender_id") as unit:
            return senders.purchase_sender_id(unit, self._caller, parent_id)

    def update(
        self, sender_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> SenderId:
        """Change a sender id; ``state`` may be set to ACTIVE or INACTIVE.

        Raises:
            NotFound: the company sees no such sender id.
            Forbidden: it is the operator's, or the field is.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
            IllegalTransition: it cannot be activated or deactivated now.
        """
        with self._engine.transaction("update_sender_id") as unit:
            return senders.update_sender_id(unit, self._caller, sender_id, {**fields, **named})

    def delete(self, sender_id: str, /, *, version_number: object = None) -> None:
        """Give a sender id up: it is removed once nothing waits for it any more.

        Raises:
            NotFound: the company sees no such sender id.
            Forbidden: it is the operator's.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_sender_id") as unit:
            senders.delete_sender_id(unit, self._caller, sender_id, version_number)


class Channels(Collection[Channel]):
    """The channels a company sees: its own and those made for all."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Channel, seen_channels(caller.company_id))

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Channel:
        """Make a channel.

        Raises:
            InvalidField: it names the field.
            Forbidden: another ownership than PRIVATE.
            Duplicate: the company has a channel of this name.
        """
        with self._engine.transaction("create_channel") as unit:
            return channels.create_channel(unit, self._caller, {**fields, **named})

    def update(
        self, channel_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Channel:
        """Change what is given of a channel.

        Raises:
            NotFound: the company sees no such channel.
            Forbidden: it is the operator's.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
            Duplicate: the company has a channel of this name.
        """
        with self._engine.transaction("update_channel") as unit:
            return channels.update_channel(unit, self._caller, channel_id, {**fields, **named})

    def replace(
        self, channel_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Channel:
        """The same, but what is not given takes its default."""
        with self._engine.transaction("replace_channel") as unit:
            given = {**fields, **named}
            return channels.update_channel(unit, self._caller, channel_id, given, whole=True)

    def delete(self, channel_id: str, /, *, version_number: object = None) -> None:
        """Delete a channel; its sender ids stay.

        Raises:
            NotFound: the company sees no such channel.
            Forbidden: it is the operator's.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_channel") as unit:
            channels.delete_channel(unit, self._caller, channel_id, version_number)

    def add_sender_ids(self, channel_id: str, sender_ids: Sequence[str]) -> Added[Channel]:
        """Add sender ids of the company; the errors name those that it has not.

        Raises:
            NotFound: the company sees no such channel.
            Forbidden: it is the operator's.
            InvalidField: there are none, or too many.
        """
        with self._engine.transaction("add_sender_ids") as unit:
            return channels.add_members(unit, self._caller, channel_id, sender_ids)

    def remove_sender_ids(self, channel_id: str, sender_ids: Sequence[str]) -> Added[Channel]:
        """Take sender ids out; the errors name those that were not in it.

        Raises:
            NotFound: the company sees no such channel.
            Forbidden: it is the operator's.
        """
        with self._engine.transaction("remove_sender_ids") as unit:
            return channels.remove_members(unit, self._caller, channel_id, sender_ids)

    def sender_ids(
        self,
        channel_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[SenderId]:
        """A page of the channel's sender ids.

        Raises:
            NotFound: the company sees no such channel.
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        given = {**filters, **named}
        with self._engine.reading() as unit:
            return channels.senders_of_channel(
                unit, self._caller, channel_id, given, sort, limit, offset
            )


class SenderIdClasses(Collection[SenderIdClass]):
    """The sender classes there are; they belong to nobody and only the operator loads them."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, SenderIdClass, at_least("version_number", 1))


class SenderIdTypes(Collection[SenderIdType]):
    """The sender types there are; they belong to nobody and only the operator loads them."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, SenderIdType, at_least("version_number", 1))

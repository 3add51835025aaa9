"""Where a company's calls hear each other: bridges and conferences."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.calling.steps.finding import held, member_in, seen
from scg_core.calling.usecases import bridges, conferences, playing
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel.query import DEFAULT_LIMIT, Page, eq, filtered, listing
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


class Bridges(Collection[Bridge]):
    """A company's bridges between two calls."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Bridge, seen(caller.company_id))

    def _told(self, unit: Unit, items: list[Bridge]) -> list[Bridge]:
        return bridges.with_calls(unit, items)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Bridge:
        """Make a bridge, with up to two ``call_ids``; a call that still rings joins when answered.

        Raises:
            InvalidField: it names the field; more than two calls, or one that is unknown.
            IllegalTransition: a call is over, or in a bridge or conference already.
        """
        with self._engine.transaction("create_bridge") as unit:
            given = {**fields, **named}
            made = bridges.create_bridge(unit, self._caller, given, self._engine.exchange)
            return self._told(unit, [made])[0]

    def update(
        self, bridge_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Bridge:
        """Change what is given: ``call_ids`` is the whole set, ``bridge_audio`` holds and releases.

        Raises:
            NotFound: the company has no such bridge.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field; more than two calls, or one that is unknown.
            IllegalTransition: the bridge is over, or a call is over or elsewhere; or calls would
                be exchanged on a connected bridge, which ends when one leaves.
        """
        with self._engine.transaction("update_bridge") as unit:
            given = {**fields, **named}
            after = bridges.update_bridge(
                unit, self._caller, bridge_id, given, self._engine.exchange
            )
            return self._told(unit, [after])[0]

    def hold(self, bridge_id: str) -> Bridge:
        """Let the calls of a bridge hear each other no more; the same as ``bridge_audio`` false."""
        return self.update(bridge_id, bridge_audio=False)

    def release(self, bridge_id: str) -> Bridge:
        """Let the calls of a bridge hear each other again."""
        return self.update(bridge_id, bridge_audio=True)

    def delete(self, bridge_id: str, /, *, version_number: object = None) -> None:
        """End a bridge and delete it; its calls stay up.

        Raises:
            NotFound: the company has no such bridge.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_bridge") as unit:
            exchange = self._engine.exchange
            bridges.delete_bridge(unit, self._caller, bridge_id, version_number, exchange)

    def calls(
        self,
        bridge_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[Call]:
        """A page of the calls that are on a bridge, or were on it last.

        Raises:
            NotFound: the company has no such bridge.
            InvalidField: an unknown filter.
        """
        with self._engine.reading() as unit:
            given = {**filters, **named}
            return bridges.calls_of(unit, self._caller, bridge_id, given, sort, limit, offset)

    def play_tts(
        self, bridge_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Bridge:
        """Speak to both calls of an ACTIVE bridge; fields and errors as on calls."""
        with self._engine.transaction("play_tts") as unit:
            speech = playing.speech({**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_on_bridge(unit, self._caller, bridge_id, speech, exchange)

    def play_audio(
        self, bridge_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Bridge:
        """Play a sound to both calls of an ACTIVE bridge; fields and errors as on calls."""
        with self._engine.transaction("play_audio") as unit:
            sound = playing.sound(unit, {**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_on_bridge(unit, self._caller, bridge_id, sound, exchange)


class Conferences(Collection[Conference]):
    """A company's conferences."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Conference, seen(caller.company_id))

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Conference:
        """Make a conference without members.

        Raises:
            InvalidField: it names the field.
        """
        with self._engine.transaction("create_conference") as unit:
            return conferences.create_conference(unit, self._caller, {**fields, **named})

    def update(
        self, conference_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Conference:
        """Change what is given: ``hold`` and ``mute`` apply to everybody in it.

        Raises:
            NotFound: the company has no such conference.
            InvalidField: it names the field.
            IllegalTransition: hold or mute of one that is completed.
        """
        with self._engine.transaction("update_conference") as unit:
            given = {**fields, **named}
            return conferences.update_conference(unit, self._caller, conference_id, given)

    def delete(self, conference_id: str, /, *, version_number: object = None) -> None:
        """End a conference for all its members and delete it; their calls stay up.

        Conferences show no version, so ``version_number`` is of no account.

        Raises:
            NotFound: the company has no such conference.
        """
        with self._engine.transaction("delete_conference") as unit:
            exchange = self._engine.exchange
            conferences.delete_conference(unit, self._caller, conference_id, exchange)

    def play_tts(
        self, conference_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Conference:
        """Speak to everybody in an active conference; fields and errors as on calls."""
        with self._engine.transaction("play_tts") as unit:
            speech = playing.speech({**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_in_conference(unit, self._caller, conference_id, speech, exchange)

    def play_audio(
        self, conference_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Conference:
        """Play a sound to everybody in an active conference; fields and errors as on calls."""
        with self._engine.transaction("play_audio") as unit:
            sound = playing.sound(unit, {**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_in_conference(unit, self._caller, conference_id, sound, exchange)


class ConferenceMembers:
    """The members of a company's conferences; each verb names the conference first."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def create(
        self, conference_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> ConferenceMember:
        """Give the call ``call_id`` a place in a conference; it joins now, or when answered.

        Raises:
            NotFound: the company has no such conference.
            InvalidField: it names the field; there is no such call; the conference is full.
            IllegalTransition: the conference or the call is over, or the call is in a bridge or
                conference already.
        """
        with self._engine.transaction("add_member") as unit:
            given, exchange = {**fields, **named}, self._engine.exchange
            return conferences.add_member(unit, self._caller, conference_id, given, exchange)

    def get(
        self,
        conference_id: str,
        member_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> ConferenceMember:
        """A member of a conference.

        Raises:
            NotFound: there is none.
            InvalidField: an unknown filter.
        """
        with self._engine.reading() as unit:
            where = filtered(ConferenceMember, {**filters, **named})
            company = self._caller.company_id
            return member_in(unit, company, conference_id, member_id, where)[1]

    def page(
        self,
        conference_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[ConferenceMember]:
        """A page of a conference's members, those that have left too.

        Raises:
            NotFound: the company has no such conference.
            InvalidField: an unknown filter.
        """
        with self._engine.reading() as unit:
            company = self._caller.company_id
            conference = held(unit, Conference, company, conference_id)
            query = listing(
                ConferenceMember, company, {**filters, **named}, sort=sort, limit=limit,
                offset=offset, scope=seen(company),
            )  # fmt: skip
            return unit.page(query.also(eq("conference_id", conference.id)))

    def update(
        self,
        conference_id: str,
        member_id: str,
        fields: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> ConferenceMember:
        """Change what is given: ``hold`` and ``mute`` apply to this member alone.

        Raises:
            NotFound: there is no such member.
            InvalidField: it names the field; the call never changes.
            IllegalTransition: hold or mute of one that has left.
        """
        with self._engine.transaction("update_member") as unit:
            given = {**fields, **named}
            return conferences.update_member(unit, self._caller, conference_id, member_id, given)

    def delete(
        self, conference_id: str, member_id: str, /, *, version_number: object = None
    ) -> None:
        """Take a member out of a conference; its call stays up.

        Members show no version, so ``version_number`` is of no account.

        Raises:
            NotFound: there is no such member.
        """
        with self._engine.transaction("remove_member") as unit:
            exchange = self._engine.exchange
            conferences.remove_member(unit, self._caller, conference_id, member_id, exchange)

    def play_tts(
        self,
        conference_id: str,
        member_id: str,
        fields: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> ConferenceMember:
        """Speak to one member alone; fields and errors as on calls."""
        with self._engine.transaction("play_tts") as unit:
            speech = playing.speech({**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_to_member(
                unit, self._caller, conference_id, member_id, speech, exchange
            )

    def play_audio(
        self,
        conference_id: str,
        member_id: str,
        fields: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> ConferenceMember:
        """Play a sound to one member alone; fields and errors as on calls."""
        with self._engine.transaction("play_audio") as unit:
            sound = playing.sound(unit, {**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_to_member(
                unit, self._caller, conference_id, member_id, sound, exchange
            )

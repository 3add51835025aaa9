"""A company's calls."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.calling.model import Call, CallMoment
from scg_core.calling.steps.finding import held, seen
from scg_core.calling.usecases import calls, playing
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel.query import DEFAULT_LIMIT, Page, eq, listing
from scg_core.tenancy.model import Caller


class Calls(Collection[Call]):
    """A company's calls."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Call, seen(caller.company_id))

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Call:
        """Dial a phone; with ``bridge_id`` the call has its place on that bridge at once.

        Raises:
            InvalidField: it names the field; the sender id carries no VOICE (1003).
            IllegalTransition: the bridge is over.
            InsufficientCredit: the company's credit does not cover the first unit.
        """
        with self._engine.transaction("create_call") as unit:
            given = {**fields, **named}
            return calls.create_call(unit, self._caller, given, self._engine.exchange)

    def update(self, call_id: str, fields: Mapping[str, object] = NONE, /, **named: object) -> Call:
        """Change what is given of a call: ``state`` COMPLETED hangs it up, ACTIVE answers it.

        Raises:
            NotFound: the company has no such call.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field; some never change.
            IllegalTransition: the call is in no state for it.
        """
        with self._engine.transaction("update_call") as unit:
            given = {**fields, **named}
            return calls.update_call(unit, self._caller, call_id, given, self._engine.exchange)

    def answer(self, call_id: str) -> Call:
        """Take an incoming call.

        Raises:
            NotFound: the company has no such call.
            IllegalTransition: it is over, or it is an outgoing one that still rings.
        """
        return self.update(call_id, state="ACTIVE")

    def hang_up(self, call_id: str) -> Call:
        """End a call; one that is COMPLETED stays so.

        Raises:
            NotFound: the company has no such call.
            IllegalTransition: it was REJECTED.
        """
        return self.update(call_id, state="COMPLETED")

    def delete(self, call_id: str, /, *, version_number: object = None) -> None:
        """Delete a call, hanging it up first if it is not over.

        Raises:
            NotFound: the company has no such call.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_call") as unit:
            exchange = self._engine.exchange
            calls.delete_call(unit, self._caller, call_id, version_number, exchange)

    def play_tts(
        self, call_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Call:
        """Speak ``text`` (1 to 4096 characters) on a call, in a ``language``, as a ``gender``.

        A ``voice`` by name overrides both.

        Raises:
            NotFound: the company has no such call.
            IllegalTransition: it is not ACTIVE.
            InvalidField: it names the field.
        """
        with self._engine.transaction("play_tts") as unit:
            speech = playing.speech({**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_on_call(unit, self._caller, call_id, speech, exchange)

    def play_audio(
        self, call_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Call:
        """Play a sound on a call: ``source`` is an address, or with ``source_type`` ATTACHMENT
        the id of an attachment.

        Raises:
            NotFound: the company has no such call.
            IllegalTransition: it is not ACTIVE.
            InvalidField: it names the field; the attachment is no uploaded audio (1019).
        """
        with self._engine.transaction("play_audio") as unit:
            sound = playing.sound(unit, {**fields, **named}, self._caller)
            exchange = self._engine.exchange
            return playing.play_on_call(unit, self._caller, call_id, sound, exchange)

    def play_dtmf(
        self, call_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Call:
        """Send ``dtmf_digits`` on a call: 1 to 64 of 0-9, A-D, * and #; w and , wait.

        Raises:
            NotFound: the company has no such call.
            IllegalTransition: it is not ACTIVE.
            InvalidField: it names the field.
        """
        with self._engine.transaction("play_dtmf") as unit:
            given = {**fields, **named}
            return playing.press_on_call(unit, self._caller, call_id, given, self._engine.exchange)

    def timeline(
        self,
        call_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[CallMoment]:
        """A page of what happened on a call: its states, digits pressed, sounds that ended.

        Raises:
            NotFound: the company has no such call.
            InvalidField: an unknown filter.
        """
        with self._engine.reading() as unit:
            company = self._caller.company_id
            call = held(unit, Call, company, call_id)
            query = listing(
                CallMoment, company, {**filters, **named}, sort=sort, limit=limit, offset=offset
            )
            return unit.page(query.also(eq("call_id", call.id)))

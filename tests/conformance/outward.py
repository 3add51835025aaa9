"""Wrong adapters of the ports that reach the world: carriers, receivers of events, switches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attrs import evolve

from scg_adapters.events.callback import CallbackEvents
from scg_adapters.transport.loopback import Behaviour
from scg_adapters.voice.simulator import VoiceSimulator
from scg_core.conformance import Network
from scg_core.conformance.samples import NOW
from scg_core.kernel.errors import VoiceRefused
from scg_core.kernel.instant import DAY, Instant, later
from scg_core.ports.events import EventsCapabilities, Reception, Reply
from scg_core.ports.message_transport import Answer, Outcome, ReceiptKind
from scg_core.ports.voice_transport import (
    Answered,
    Arrived,
    Audio,
    Cause,
    Ended,
    Played,
    Presence,
    Pressed,
    Recording,
    RoomFailed,
)
from tests.adapters.test_events import _Called as Called
from tests.adapters.test_loopback import BAD, SILENT, SLOW, MoodyCarrier
from tests.adapters.test_voice_simulator import Simulated
from tests.conformance.others import Table, like

GOOD = ("+14152000001", "+14152000002", "+14152000003")


class Filter:
    """An inbox that lets through what it likes."""

    def __init__(self, inbox: Any, **changes: Callable[[list[Any]], list[Any]]) -> None:
        self._inbox, self._changes = inbox, changes

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._inbox, name)
        change = self._changes.get(name)
        if change is None:
            return verb
        return lambda connector, some: verb(connector, change(list(some)))


# -- carriers --------------------------------------------------------------------------------


class Wires(Network):
    """A network behind a wrong carrier."""

    good, bad, slow, silent = GOOD, BAD, SLOW, SILENT

    def __init__(self, transport: Any) -> None:
        self.transport, self.now = transport, NOW

    def instant(self) -> Instant:
        return self.now

    def pass_time(self, milliseconds: int) -> None:
        self.now = later(self.now, milliseconds)

    def reached(self, attempt_id: str) -> int:
        return sum(one.attempt_id == attempt_id for one in self.transport.taken())

    def shown(self, attempt_id: str) -> tuple[str, str, str] | None:
        return self.transport.shown.get(attempt_id)  # type: ignore[no-any-return]

    def says(self, handset: str, text: str) -> bool:
        self.transport.handset_sends(handset, self.sender, text, self.now)
        return True


def carrier(
    told: dict[str, Callable[[list[Any]], list[Any]]] | None = None,
    options: dict[str, Any] | None = None,
    declares: dict[str, Any] | None = None,
    **verbs: Callable[..., Any],
) -> Callable[[], Any]:
    """A network whose carrier has these verbs, tells things so, or declares what is not so."""
    if told:
        verbs["connect"] = lambda inner, name, inbox: inner.connect(name, Filter(inbox, **told))

    def make() -> Network:
        wrong = like(lambda: MoodyCarrier(**(options or {})), **verbs)()
        if declares:
            wrong.capabilities = evolve(wrong.inner.capabilities, **declares)
        return Wires(wrong)

    return make


def _answers(change: Callable[[list[Answer]], list[Answer]]) -> Callable[..., Any]:
    return lambda inner, attempts, now: change(inner.submit(attempts, now))


def _twice(inner: Any, attempts: Any, now: Any) -> Any:
    inner.submit(attempts, now)
    return inner.submit(attempts, now)


def _drops_the_last(inner: Any, attempts: Any, now: Any) -> Any:
    if len(attempts) < 2:
        return inner.submit(attempts, now)
    return [*inner.submit(attempts[:-1], now), Answer(Outcome.ACCEPTED, ("made up",))]


def _sends_the_refused(inner: Any, attempts: Any, now: Any) -> Any:
    inner.submit([evolve(one, to_address=GOOD[0]) for one in attempts], now)
    return [Answer(Outcome.REFUSED, (), "1", "no")] * len(attempts)


def _takes_fewer(inner: Any, attempts: Any, now: Any) -> Any:
    some = inner.submit(attempts[:10], now)
    return [*some, *[Answer(Outcome.THROTTLED)] * (len(attempts) - len(some))]


def _forgets_what_it_brought(inner: Any, name: str, inbox: Any) -> None:
    class Once(Filter):
        def __init__(self) -> None:
            super().__init__(inbox)

        def receipts_arrived(self, connector: str, receipts: Any) -> None:
            with suppress(Exception):
                inbox.receipts_arrived(connector, receipts)

    inner.connect(name, Once())


def _brings_again(inner: Any, name: str, inbox: Any) -> None:
    class Again(Filter):
        def __init__(self) -> None:
            super().__init__(inbox)
            self.last: list[Any] = []

        def receipts_arrived(self, connector: str, receipts: Any) -> None:
            self.last = list(receipts)
            inbox.receipts_arrived(connector, receipts)

    inner.again = Again()
    inner.connect(name, inner.again)


def _polls_again(inner: Any, now: Any) -> Any:
    due = inner.poll(now)
    if inner.again.last:
        inner.again.receipts_arrived("carrier", inner.again.last)
    return due


def _in_reverse(some: list[Any]) -> list[Any]:
    return list(reversed(some))


def _told_as(kind: ReceiptKind) -> Callable[[], Any]:
    return carrier(told={"receipts_arrived": lambda some: [evolve(one, kind=kind) for one in some]})


def _changed(**fields: str) -> Callable[[], Any]:
    return carrier(
        submit=lambda inner, attempts, now: inner.submit(
            [evolve(one, **fields) for one in attempts], now
        )
    )


def _said(change: Callable[[list[Any]], list[Any]]) -> Callable[[], Any]:
    return carrier(told={"inbound_arrived": change})


def _says_accepted(inner: Any, asked: Any, now: Any) -> Any:
    return [Answer(Outcome.ACCEPTED, (one,)) for one in asked]


TRANSPORTS: Table = {
    "every_attempt_is_answered_in_order": [
        carrier(submit=_answers(_in_reverse)),
        carrier(submit=_answers(lambda some: some[:-1])),
        carrier(submit=_answers(lambda some: [evolve(one, transport_ids=("x",)) for one in some])),
    ],
    "what_is_accepted_reaches_the_network_once": [
        carrier(submit=_drops_the_last), carrier(submit=_twice),
        carrier(submit=lambda inner, attempts, now: [Answer(Outcome.ACCEPTED, (one.id,))
                                                     for one in attempts]),
    ],
    "a_handset_shows_what_was_asked": [
        _changed(body=""), _changed(from_address="another"), _changed(to_address=GOOD[0]),
    ],
    "what_was_delivered_is_said_to_be": [
        _told_as(ReceiptKind.UNDELIVERED), _told_as(ReceiptKind.INTERMEDIATE),
    ],
    "a_receipt_is_about_the_message_it_came_for": [
        carrier(submit=_answers(lambda some: [some[1], some[0], *some[2:]]),
                options={"addresses": False}),
    ],
    "what_a_handset_says_is_brought": [
        _said(lambda some: []), _said(lambda some: some * 2),
        _said(lambda some: [evolve(one, body=one.body[:3]) for one in some]),
    ],
    "what_is_refused_does_not_reach_the_network": [carrier(submit=_sends_the_refused)],
    "an_attempt_repeated_is_sent_once_where_deduplication_is_declared": [
        carrier(declares={"deduplicates": True}),
    ],
    "a_window_of_the_declared_size_is_taken": [
        carrier(submit=_takes_fewer), carrier(declares={"window": 0}),
    ],
    "asked_attempts_are_answered_as_they_went_where_queries_are_declared": [
        carrier(query=_says_accepted),
        carrier(query=lambda inner, asked, now: _in_reverse(inner.query(asked, now))),
        carrier(query=lambda inner, asked, now: [Answer(Outcome.UNKNOWN) for _ in asked]),
    ],
    "a_receipt_comes_for_what_was_accepted_where_receipts_are_declared": [
        carrier(told={"receipts_arrived": lambda some: []}),
        carrier(options={"behaviour": Behaviour(lose=1)}),
        carrier(told={"receipts_arrived": lambda some: [
            evolve(one, transport_id="another") for one in some]}),
    ],
    "receipts_carry_addresses_where_that_is_declared": [
        carrier(options={"addresses": False}, declares={"addresses": True}),
    ],
    "a_pending_attempt_is_answered_within_its_limit": [
        carrier(told={"answers_arrived": lambda some: []}),
        carrier(told={"answers_arrived": lambda some: some * 2}),
        carrier(declares={"pending_limit": 2}),
    ],
    "what_was_brought_once_is_not_brought_again": [
        carrier(connect=_brings_again, poll=_polls_again),
        carrier(options={"behaviour": Behaviour(double=1)}),
    ],
    "what_the_inbox_did_not_take_is_brought_again": [carrier(connect=_forgets_what_it_brought)],
}  # fmt: skip


# -- receivers of events ---------------------------------------------------------------------

MADE: list[Called] = []


def events(
    declares: EventsCapabilities | None = None, **verbs: Callable[..., Any]
) -> Callable[[], Any]:
    """An adapter of events with these verbs; ``MADE`` has its receiver, the last one made."""

    def make() -> Any:
        MADE[:] = [Called()]
        wrong = like(lambda: CallbackEvents(MADE[0].take), **verbs)()
        if declares is not None:
            wrong.capabilities = declares
        return wrong

    return make


def called() -> Called:
    """The receiver of the adapter that was made last."""
    return MADE[0]


def _replies(change: Callable[[list[Reply]], list[Reply]]) -> Callable[..., Any]:
    return lambda inner, parcels, now: change(inner.deliver(parcels, now))


def _says_taken(inner: Any, parcels: Any, now: Any) -> Any:
    return [Reply(Reception.TAKEN) for _ in parcels]


def _stops_at_the_first(inner: Any, parcels: Any, now: Any) -> Any:
    replies: list[Reply] = []
    for one in parcels:
        replies += inner.deliver([one], now)
        if replies[-1].reception is not Reception.TAKEN:
            break
    return replies + [Reply(Reception.UNTRIED)] * (len(parcels) - len(replies))


def _words_changed(inner: Any, parcels: Any, now: Any) -> Any:
    return inner.deliver([evolve(one, body=one.body.replace("ö", "o")) for one in parcels], now)


def _once_for_ever(inner: Any, parcels: Any, now: Any) -> Any:
    inner.known = getattr(inner, "known", set())
    new = [one for one in parcels if one.event_id not in inner.known]
    inner.known |= {one.event_id for one in parcels}
    replies = iter(inner.deliver(new, now))
    return [next(replies) if one in new else Reply(Reception.TAKEN) for one in parcels]


def _by_event(inner: Any, parcels: Any, now: Any) -> Any:
    replies = dict(
        zip(
            [one.event_id for one in parcels],
            inner.deliver(list({one.event_id: one for one in parcels}.values()), now),
            strict=False,
        )
    )
    return [replies[one.event_id] for one in parcels]


def _tells_secrets(inner: Any, parcels: Any, now: Any) -> Any:
    return [
        evolve(reply, reason=f"signed with {one.secrets}")
        for one, reply in zip(parcels, inner.deliver(parcels, now), strict=True)
    ]


def _ten_of_them(inner: Any, parcels: Any, now: Any) -> Any:
    return [*inner.deliver(parcels[:10], now), *[Reply(Reception.TAKEN)] * len(parcels[10:])]


def _delivers_twice(inner: Any, parcels: Any, now: Any) -> Any:
    inner.deliver(parcels, now)
    return inner.deliver(parcels, now)


def _gives_up(some: list[Reply]) -> list[Reply]:
    return [evolve(one, reception=Reception.REFUSED)
            if one.reception is Reception.LATER else one for one in some]  # fmt: skip


EVENTS: Table = {
    "every_parcel_is_answered_in_order": [
        events(deliver=_replies(_in_reverse)), events(deliver=_replies(lambda some: some[:-1])),
        events(deliver=_says_taken),
    ],
    "what_is_taken_has_arrived_as_it_was_given": [
        events(deliver=_says_taken), events(deliver=_words_changed),
        events(deliver=_delivers_twice),
    ],
    "a_receiver_that_fails_is_to_be_tried_again": [events(deliver=_replies(_gives_up))],
    "one_bad_receiver_spoils_no_other_parcel": [events(deliver=_stops_at_the_first)],
    "what_was_delivered_before_is_delivered_again": [events(deliver=_once_for_ever)],
    "an_event_goes_to_each_subscription": [events(deliver=_by_event)],
    "replies_can_be_written_down": [
        events(deliver=_replies(lambda some: [evolve(one, code="x" * 500) for one in some])),
        events(deliver=_replies(lambda some: [evolve(one, retry_after=-1) for one in some])),
        events(deliver=_tells_secrets),
    ],
    "nothing_is_delivered_to_what_is_refused": [
        events(refusal=lambda inner, url: "inside", deliver=_says_taken),
    ],
    "a_batch_of_the_declared_size_is_taken": [
        events(EventsCapabilities(batch=0)), events(deliver=_ten_of_them),
        events(deliver=_replies(lambda some: some[:9] + [Reply(Reception.LATER)] * len(some[9:]))),
    ],
}  # fmt: skip


# -- switches --------------------------------------------------------------------------------


def switch(
    told: Callable[[list[Any]], list[Any]] | None = None, **verbs: Callable[..., Any]
) -> Callable[[], Any]:
    """A line whose switch has these verbs, or tells what happened so."""
    if told is not None:
        verbs["connect"] = lambda inner, name, inbox: inner.connect(
            name, Filter(inbox, calls_heard=told)
        )
    make = like(VoiceSimulator, **verbs)

    return lambda: Simulated(make())


def _without(kind: type) -> Callable[[list[Any]], list[Any]]:
    return lambda some: [one for one in some if not isinstance(one, kind)]


def _changed_in(kind: type, change: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda some: [change(one) if isinstance(one, kind) else one for one in some]


def _at(kind: type, ahead: int) -> Callable[[list[Any]], list[Any]]:
    return _changed_in(kind, lambda one: evolve(one, at=later(one.at, ahead)))


def _only_what_is_up(inner: Any, leg: str, now: Any) -> None:
    [seen] = inner.look([leg], now)
    if seen.presence is Presence.UP:
        inner.hang_up(leg, now)


def _dials_what_is_over(inner: Any, leg: Any, now: Any) -> None:
    [seen] = inner.look([leg.id], now)
    if seen.presence in (Presence.UNKNOWN, Presence.ENDED):
        inner._asked.discard(leg.id)
    inner.originate(leg, now)


def _in_the_closed_too(inner: Any, playback: Any, now: Any) -> None:
    if playback.room is None:
        inner.play(playback, now)


def _lost_with_its_leg() -> Any:
    gone: set[str] = set()

    def hang_up(inner: Any, leg: str, now: Any) -> None:
        gone.add(leg)
        inner.hang_up(leg, now)

    told = lambda some: [one for one in some if getattr(one, "playback", None) is None  # noqa: E731
                         or one.leg not in gone]  # fmt: skip
    return switch(told, hang_up=hang_up)()


def _in_seconds(inner: Any, leg: Any, now: Any) -> None:
    inner.originate(evolve(leg, timeout=leg.timeout // 1_000), now)


def _one_room() -> Any:
    rooms: dict[str, str] = {}

    def place(inner: Any, room: str, kind: Any, leg: str, *rest: Any) -> None:
        inner.place("all", kind, leg, *rest)
        rooms[leg] = room

    def remove(inner: Any, room: str, leg: str, now: Any) -> None:
        if rooms.get(leg) == room:
            del rooms[leg]

    def close(inner: Any, room: str, now: Any) -> None:
        for leg in [leg for leg, held in rooms.items() if held == room]:
            del rooms[leg]

    return switch(place=place, remove=remove, close=close)()


def _deaf_to_phones() -> Any:
    asked: set[str] = set()

    def hang_up(inner: Any, leg: str, now: Any) -> None:
        asked.add(leg)
        inner.hang_up(leg, now)

    told = lambda some: [one for one in some if not isinstance(one, Ended)  # noqa: E731
                         or one.cause is not Cause.HUNG_UP or one.leg in asked]  # fmt: skip
    return switch(told, hang_up=hang_up)()


def _to_the_first(inner: Any, playback: Any, now: Any) -> None:
    inner.play(evolve(playback, leg=next(iter(inner._legs))), now)


def _no_files(inner: Any, playback: Any, now: Any) -> None:
    if isinstance(playback.sound, Recording):
        raise VoiceRefused("it plays no files")
    inner.play(playback, now)


def _all_failed(some: list[Any]) -> list[Any]:
    return [evolve(one, cause=Cause.FAILED) if isinstance(one, Ended) else one for one in some]


def _rings_again(inner: Any, leg: Any, now: Any) -> None:
    inner._asked.discard(leg.id)
    inner.originate(leg, now)


def _patient(inner: Any, leg: Any, now: Any) -> None:
    inner.originate(evolve(leg, timeout=leg.timeout * 1_000), now)


def _quiet(verb: str) -> Callable[..., Any]:
    def wrong(inner: Any, *args: Any) -> None:
        with suppress(VoiceRefused):
            getattr(inner, verb)(*args)

    return wrong


def _nothing(inner: Any, *args: Any, **more: Any) -> None:
    return None


def _minds(inner: Any, leg: str, now: Any) -> None:
    [seen] = inner.look([leg], now)
    if seen.presence.name in ("UNKNOWN", "ENDED"):
        raise VoiceRefused("it is not there")
    inner.hang_up(leg, now)


def _everybody_speaks(inner: Any, room: Any, kind: Any, leg: Any, *rest: Any) -> None:
    inner.place(room, kind, leg, True, True, rest[-1])


def _stays(inner: Any, room: Any, kind: Any, leg: Any, *rest: Any) -> None:
    [seen] = inner.look([leg], rest[-1])
    inner.place(seen.room or room, kind, leg, *rest)


def _removes_from_any(inner: Any, room: str, leg: str, now: Any) -> None:
    [seen] = inner.look([leg], now)
    inner.remove(seen.room or room, leg, now)


def _hangs_up(inner: Any, room: str, leg: str, now: Any) -> None:
    inner.hang_up(leg, now)


def _ends_legs(inner: Any, room: str, now: Any) -> None:
    for leg in list(inner._legs):
        [seen] = inner.look([leg], now)
        if seen.room == room:
            inner.hang_up(leg, now)
    inner.close(room, now)


def _plays_again(inner: Any, playback: Any, now: Any) -> None:
    inner._playbacks.pop(playback.id, None)
    inner.play(playback, now)


def _presses_again(inner: Any, leg: Any, digits: Any, name: Any, now: Any) -> None:
    inner._playbacks.pop(name, None)
    inner.press(leg, digits, name, now)


def _no_urls(inner: Any, playback: Any, now: Any) -> None:
    if not isinstance(playback.sound, Audio):
        inner.play(playback, now)


def _seen(change: Callable[[list[Any]], list[Any]]) -> Callable[..., Any]:
    return lambda inner, legs, now: change(list(inner.look(legs, now)))


def _keeps_telling(inner: Any, name: str, inbox: Any) -> None:
    class Keeps(Filter):
        def __init__(self) -> None:
            super().__init__(inbox)
            self.told: list[Any] = []

        def calls_heard(self, connector: str, some: Any) -> None:
            self.told = [*self.told, *some]
            inbox.calls_heard(connector, some)

    inner.keeps = Keeps()
    inner.connect(name, inner.keeps)


def _tells_again(inner: Any, now: Any) -> Any:
    due = inner.poll(now)
    inner.keeps._inbox.calls_heard("switch", inner.keeps.told)
    return due


SWITCHES: Table = {
    "a_phone_that_answers_is_heard_to": [switch(_without(Answered)), switch(_at(Answered, DAY))],
    "a_phone_that_is_busy_or_declines_is_heard_to": [switch(_all_failed), switch(_without(Ended))],
    "a_leg_asked_for_twice_rings_once_where_deduplication_is_declared": [
        switch(originate=_rings_again),
    ],
    "a_phone_that_nobody_answers_is_given_up": [switch(originate=_patient)],
    "an_incoming_leg_is_brought_and_can_be_answered": [
        switch(_without(Arrived)), switch(answer=_nothing),
    ],
    "a_leg_that_is_hung_up_is_over": [switch(hang_up=_nothing), switch(_without(Ended))],
    "hanging_up_what_is_not_there_changes_nothing": [switch(hang_up=_minds)],
    "a_leg_is_in_the_room_it_was_placed_in": [
        switch(place=_nothing), switch(look=_seen(lambda some: [evolve(s, room=None)
                                                                for s in some])),
    ],
    "a_leg_hears_and_is_heard_as_it_was_placed": [switch(place=_everybody_speaks)],
    "a_room_that_fails_is_told": [switch(_without(RoomFailed))],
    "a_leg_that_is_placed_elsewhere_is_moved": [switch(place=_stays)],
    "a_leg_that_is_not_up_cannot_be_placed": [switch(place=_quiet("place"))],
    "a_leg_that_is_removed_stays_up": [switch(remove=_hangs_up), switch(remove=_nothing)],
    "removing_from_another_room_changes_nothing": [switch(remove=_removes_from_any)],
    "the_legs_of_a_closed_room_stay_up": [switch(close=_ends_legs), switch(close=_nothing)],
    "the_end_of_a_sound_is_heard": [switch(_without(Played))],
    "sounds_are_played_one_after_the_other": [switch(_in_reverse)],
    "a_sound_asked_for_twice_is_played_once": [switch(play=_plays_again)],
    "a_sound_on_a_leg_that_is_not_up_is_refused": [switch(play=_quiet("play"))],
    "digits_can_be_sent_where_that_is_declared": [
        switch(press=_presses_again), switch(press=_quiet("press")),
    ],
    "a_leg_is_seen_ringing_up_and_gone": [
        switch(look=_seen(_in_reverse)), switch(look=_seen(lambda some: some[1:])),
    ],
    "what_was_brought_once_is_not_brought_again": [
        switch(connect=_keeps_telling, poll=_tells_again),
    ],
    "a_declared_sound_is_taken": [switch(play=_no_urls), switch(play=_no_files)],
    "a_switch_tells_under_the_name_it_was_given": [
        switch(connect=lambda inner, name, inbox: inner.connect("another", inbox)),
    ],
    "a_leg_that_rings_can_be_hung_up": [switch(hang_up=_only_what_is_up)],
    "an_end_has_its_cause_and_its_instant": [
        switch(_all_failed), switch(_at(Ended, -DAY)),
        switch(_changed_in(Ended, lambda one: evolve(one, leg="ghost"))),
    ],
    "a_leg_that_is_over_is_not_dialled_again": [switch(originate=_dials_what_is_over)],
    "a_leg_that_is_over_takes_nothing": [
        switch(place=_quiet("place")), switch(play=_quiet("play")), switch(press=_quiet("press")),
    ],
    "a_closed_room_plays_nothing": [switch(play=_in_the_closed_too)],
    "a_sound_ends_with_its_leg": [
        _lost_with_its_leg, switch(_changed_in(Played, lambda one: evolve(one, leg="another"))),
    ],
    "a_phone_rings_as_long_as_it_may": [switch(originate=_in_seconds)],
    "rooms_are_apart": [_one_room],
    "digits_that_a_phone_presses_are_told": [
        switch(_without(Pressed)), switch(_at(Pressed, DAY)),
        switch(_changed_in(Pressed, lambda one: evolve(one, digits=one.digits[:1]))),
    ],
    "a_phone_that_hangs_up_is_heard_to": [_deaf_to_phones],
    "a_sound_is_heard_where_it_was_asked_for": [switch(play=_to_the_first)],
}  # fmt: skip

"""Random calls, bridges and conferences beside a model that was written from semantics 3 alone."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import field, mutable
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from scg_adapters.voice.simulator import Does, Faults, Phone, VoiceSimulator
from scg_core import IllegalTransition, InvalidField, NotFound, ScgError
from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.calling.records import VoiceCommand
from tests.stories.calls import OURS, VoiceWorld

OVER = ("COMPLETED", "ERROR", "completed")
PHONES = st.sampled_from([Does.ANSWERS] * 3 + [Does.RINGS] * 2 + [Does.IS_BUSY])
SELDOM = st.sampled_from([False, False, False, True])


@mutable
class MCall:
    """A call as the specification sees it."""

    party: str
    incoming: bool
    state: str = "STARTED"
    room: Any = None
    member: Any = None
    deleted: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing happens on it any more."""
        return self.state in ("REJECTED", "COMPLETED")


@mutable
class MBridge:
    """A bridge: its calls, and whether they hear each other."""

    audio: bool
    state: str = "CREATED"
    calls: list[MCall] = field(factory=list)
    deleted: bool = False

    @property
    def over(self) -> bool:
        """Whether it ended."""
        return self.state in ("COMPLETED", "ERROR")


@mutable
class MMember:
    """A place in a conference."""

    call: MCall
    conference: Any
    hold: bool
    mute: bool
    state: str = "active"
    joined: bool = False
    deleted: bool = False


@mutable
class MConference:
    """A conference and everybody who was ever in it."""

    hold: bool
    mute: bool
    state: str = "created"
    members: list[MMember] = field(factory=list)
    deleted: bool = False

    def there(self) -> list[MMember]:
        """Those that have not left."""
        return [one for one in self.members if one.state == "active"]


def end(call: MCall, state: str) -> None:
    """A call is over: it leaves where it was."""
    call.state = state
    leave(call)


def leave(call: MCall) -> None:
    """A call leaves its bridge or conference."""
    room, call.room = call.room, None
    if isinstance(room, MBridge):
        room.calls.remove(call)
        if room.state in ("ACTIVE", "HOLD"):
            finish(room, "COMPLETED")
    elif isinstance(room, MConference):
        call.member.state, call.member = "completed", None
        if room.state == "active" and not room.there():
            room.state = "completed"


def finish(bridge: MBridge, state: str) -> None:
    """A bridge is over: its calls stay up and are free."""
    bridge.state = state
    for one in bridge.calls:
        one.room = None
    bridge.calls = []


def come_up(call: MCall) -> None:
    """A call is answered: it joins where it has a place."""
    call.state = "ACTIVE"
    if isinstance(call.room, MBridge):
        connect(call.room)
    elif isinstance(call.room, MConference):
        call.member.joined, call.room.state = True, "active"


def connect(bridge: MBridge) -> None:
    """With its second ACTIVE call a bridge is ACTIVE, or HOLD without audio."""
    if bridge.state == "CREATED" and [one.state for one in bridge.calls] == ["ACTIVE"] * 2:
        bridge.state = "ACTIVE" if bridge.audio else "HOLD"


def seat_problem(call: MCall) -> type[ScgError] | None:
    """Why a call cannot take a place."""
    if call.deleted:
        return InvalidField
    return IllegalTransition if call.over or call.room is not None else None


class Calling(RuleBasedStateMachine):
    """The engine with a simulated switch, and the model; they may never disagree."""

    calls: Bundle[str] = Bundle("calls")
    bridges: Bundle[str] = Bundle("bridges")
    conferences: Bundle[str] = Bundle("conferences")
    members: Bundle[tuple[str, str]] = Bundle("members")
    faults = Faults()

    def __init__(self) -> None:
        super().__init__()
        self.world = VoiceWorld(switch=VoiceSimulator(faults=self.faults))
        self.m: dict[Any, Any] = {}
        self.numbers = 0
        self.filled: list[tuple[str, str]] = []

    def party(self) -> str:
        """A phone that nobody has called yet."""
        self.numbers += 1
        return f"+1415555{1000 + self.numbers}"

    def same(self, expected: type[ScgError] | None, call: Any, *args: Any, **named: Any) -> Any:
        """The engine does it, or refuses it as the model does."""
        if expected is None:
            found = call(*args, **named)
            self.world.settle()
            return found
        try:
            call(*args, **named)
        except ScgError as refused:
            assert type(refused) is expected, f"{refused!r}, not {expected.__name__}"
        else:
            raise AssertionError(f"{expected.__name__} was expected")
        return None

    # -- calls -------------------------------------------------------------------------------

    @rule(
        target=calls, does=st.sampled_from([Does.ANSWERS] * 3 + [Does.RINGS] * 2 + [Does.IS_BUSY])
    )
    def dial(self, does: Does) -> Any:
        """A phone answers at once, is busy, or rings."""
        party = self.party()
        self.world.switch.phones[party] = Phone(does)
        made = self.same(None, self.world.call, party)
        call = self.m[made.id] = MCall(party, incoming=False)
        if does is Does.ANSWERS:
            come_up(call)
        elif does is Does.IS_BUSY:
            end(call, "REJECTED")
        return made.id

    @rule(target=calls)
    def arrive(self) -> Any:
        """A phone calls our number."""
        party = self.party()
        self.world.switch.call_in(party, OURS, self.world.clock.now())
        self.world.settle()
        [made] = self.world.app.calls.find(from_address=party)
        self.m[made.id] = MCall(party, incoming=True)
        return made.id

    @rule(target=calls, bridge=bridges)
    def dial_into_a_bridge(self, bridge: str) -> Any:
        """The bridge was made first."""
        held, party = self.m[bridge], self.party()
        expected: type[ScgError] | None = None
        if held.deleted:
            expected = InvalidField
        elif held.over:
            expected = IllegalTransition
        elif len(held.calls) == 2:
            expected = InvalidField
        made = self.same(expected, self.world.call, party, bridge_id=bridge)
        if expected is not None:
            assert not self.world.app.calls.find(to=party)
            return multiple()
        call = self.m[made.id] = MCall(party, incoming=False, room=held)
        held.calls.append(call)
        come_up(call)
        return made.id

    @rule(id=calls)
    def pick_up(self, id: str) -> None:
        """A phone that rings is answered."""
        call = self.m[id]
        if call.state == "STARTED" and not call.incoming:
            self.world.switch.picks_up(call.party, self.world.clock.now())
            self.world.settle()
            come_up(call)

    @rule(id=calls, really=st.booleans())
    def far_end_hangs_up(self, id: str, really: bool) -> None:
        """Before it was answered that is a rejection."""
        call = self.m[id]
        if really and not call.over:
            self.world.switch.hangs_up(call.party, self.world.clock.now())
            self.world.settle()
            end(call, "REJECTED" if call.state == "STARTED" else "COMPLETED")

    @rule(id=calls, state=st.sampled_from(["ACTIVE", "COMPLETED"]))
    def ask_for_a_state(self, id: str, state: str) -> None:
        """The customer answers or hangs up."""
        call = self.m[id]
        legal = {
            ("STARTED", "COMPLETED"), ("ACTIVE", "ACTIVE"), ("ACTIVE", "COMPLETED"),
            ("COMPLETED", "COMPLETED"),
        } | ({("STARTED", "ACTIVE")} if call.incoming else set())  # fmt: skip
        expected = None if (call.state, state) in legal else IllegalTransition
        expected = NotFound if call.deleted else expected
        self.same(expected, self.world.app.calls.update, id, state=state)
        if expected is not None or call.state == state:
            return
        if state == "ACTIVE":
            come_up(call)
        else:
            end(call, "COMPLETED")

    @rule(id=calls, really=SELDOM)
    def delete_call(self, id: str, really: bool) -> None:
        """Hung up first, then gone."""
        call = self.m[id]
        if not really:
            return
        self.same(NotFound if call.deleted else None, self.world.app.calls.delete, id)
        if not call.over:
            end(call, "COMPLETED")
        call.deleted = True

    @rule(id=calls)
    def speak_on_a_call(self, id: str) -> None:
        """Only while it is ACTIVE."""
        call = self.m[id]
        expected = None if call.state == "ACTIVE" else IllegalTransition
        expected = NotFound if call.deleted else expected
        self.same(expected, self.world.app.calls.play_tts, id, text="hello")

    # -- bridges -----------------------------------------------------------------------------

    @rule(target=bridges, ids=st.lists(calls, max_size=3, unique=True), audio=st.booleans())
    def make_a_bridge(self, ids: list[str], audio: bool) -> Any:
        """With up to two calls that are free."""
        held = [self.m[id] for id in ids]
        expected: type[ScgError] | None = InvalidField if len(ids) > 2 else None
        for call in held if expected is None else ():
            expected = expected or seat_problem(call)
        create = self.world.app.bridges.create
        made = self.same(expected, create, call_ids=ids, bridge_audio=audio)
        if expected is not None:
            return multiple()
        bridge = self.m[made.id] = MBridge(audio)
        self.seat(bridge, held)
        return made.id

    @rule(id=bridges, ids=st.lists(calls, max_size=3, unique=True))
    def replace_the_calls(self, id: str, ids: list[str]) -> None:
        """``call_ids`` is the whole set; a connected bridge ends when one is taken out."""
        bridge, wanted = self.m[id], [self.m[one] for one in ids]
        fresh = [one for one in wanted if one not in bridge.calls]
        gone = [one for one in bridge.calls if one not in wanted]
        expected: type[ScgError] | None = None
        if bridge.deleted:
            expected = NotFound
        elif len(ids) > 2:
            expected = InvalidField
        elif fresh and bridge.state != "CREATED":
            expected = IllegalTransition
        else:
            for call in fresh:
                expected = expected or seat_problem(call)
        self.same(expected, self.world.app.bridges.update, id, call_ids=ids)
        if expected is None:
            for call in gone:
                if call.room is bridge:
                    leave(call)
            self.seat(bridge, fresh)

    def seat(self, bridge: MBridge, calls: list[MCall]) -> None:
        """Calls take their places."""
        for call in calls:
            call.room = bridge
            bridge.calls.append(call)
        connect(bridge)

    @rule(id=bridges, audio=st.booleans())
    def set_the_audio(self, id: str, audio: bool) -> None:
        """Hold and release; what is over takes no other wish."""
        bridge = self.m[id]
        expected: type[ScgError] | None = None
        if bridge.deleted:
            expected = NotFound
        elif bridge.over:
            expected = IllegalTransition
        self.same(expected, self.world.app.bridges.update, id, bridge_audio=audio)
        if expected is None:
            bridge.audio = audio
            if bridge.state in ("ACTIVE", "HOLD"):
                bridge.state = "ACTIVE" if audio else "HOLD"

    @rule(id=bridges, really=SELDOM)
    def delete_bridge(self, id: str, really: bool) -> None:
        """Over for both, then gone."""
        bridge = self.m[id]
        if not really:
            return
        self.same(NotFound if bridge.deleted else None, self.world.app.bridges.delete, id)
        if not bridge.over:
            finish(bridge, "COMPLETED")
        bridge.deleted = True

    @rule(id=bridges, really=SELDOM)
    def the_switch_loses_a_bridge(self, id: str, really: bool) -> None:
        """ERROR, unless it was over."""
        bridge = self.m[id]
        if not really:
            return
        self.world.switch.loses_room(id, self.world.clock.now())
        self.world.settle()
        with self.world.storage.snapshot() as session:
            known = session.get(Bridge, id)
        if known is not None and known.connector and not bridge.over:
            finish(bridge, "ERROR")

    # -- conferences -------------------------------------------------------------------------

    @rule(target=conferences, hold=st.booleans(), mute=st.booleans())
    def make_a_conference(self, hold: bool, mute: bool) -> Any:
        """Without members."""
        made = self.same(None, self.world.app.conferences.create, hold=hold, mute=mute)
        self.m[made.id] = MConference(hold, mute)
        return made.id

    @rule(
        target=members, id=conferences, call=calls, hold=st.booleans(), mute=st.booleans(),
        tone=st.booleans(),
    )  # fmt: skip
    def add_a_member(self, id: str, call: str, hold: bool, mute: bool, tone: bool) -> Any:
        """A call takes a place; it joins if it is ACTIVE."""
        conference, held = self.m[id], self.m[call]
        expected: type[ScgError] | None = seat_problem(held)
        if conference.deleted:
            expected = NotFound
        elif conference.state == "completed" and not held.deleted:
            expected = IllegalTransition
        create = self.world.app.conference_members.create
        made = self.same(
            expected, create, id, call_id=call, hold=hold, mute=mute, join_tone=tone,
            leaving_tone=tone,
        )  # fmt: skip
        if expected is not None:
            return multiple()
        member = self.m[id, made.id] = MMember(held, conference, hold, mute)
        conference.members.append(member)
        held.room, held.member = conference, member
        if held.state == "ACTIVE":
            come_up(held)
        return (id, made.id)

    @rule(key=members)
    def remove_a_member(self, key: tuple[str, str]) -> None:
        """Its call stays up."""
        member = self.m[key]
        gone = member.deleted or member.conference.deleted
        remove = self.world.app.conference_members.delete
        self.same(NotFound if gone else None, remove, *key)
        if not gone:
            if member.state == "active":
                leave(member.call)
            member.deleted = True

    @rule(key=members, what=st.sampled_from(["hold", "mute"]), on=st.booleans())
    def hold_or_mute_a_member(self, key: tuple[str, str], what: str, on: bool) -> None:
        """That member only."""
        member = self.m[key]
        expected: type[ScgError] | None = None
        if member.deleted or member.conference.deleted:
            expected = NotFound
        elif member.state == "completed":
            expected = IllegalTransition
        self.same(expected, self.world.app.conference_members.update, *key, {what: on})
        if expected is None:
            setattr(member, what, on)

    @rule(target=calls, id=conferences, count=st.integers(1, 3), hold=st.booleans())
    def dial_members(self, id: str, count: int, hold: bool) -> Any:
        """Several at once: a conference fills."""
        found = []
        for _ in range(count if self.m[id].state != "completed" else 0):
            found.append(self.dial(Does.ANSWERS))
            key = self.add_a_member(id, found[-1], hold and count == 1, count == 2, False)
            self.filled.append(key)
        return multiple(*found)

    @rule(at=st.integers(0, 99), what=st.sampled_from(["hold", "mute"]), on=st.booleans())
    def hold_or_mute_one_of_many(self, at: int, what: str, on: bool) -> None:
        """Of those that came in numbers."""
        if self.filled:
            self.hold_or_mute_a_member(self.filled[at % len(self.filled)], what, on)

    @rule(at=st.integers(0, 99))
    def remove_one_of_many(self, at: int) -> None:
        """The last one ends the conference."""
        if self.filled:
            self.remove_a_member(self.filled.pop(at % len(self.filled)))

    @rule(target=bridges, audio=st.booleans())
    def bridge_two_phones(self, audio: bool) -> Any:
        """Connected at once."""
        ids = [self.dial(Does.ANSWERS) for _ in range(2)]
        return self.make_a_bridge(ids, audio)

    @rule(id=conferences, what=st.sampled_from(["hold", "mute"]), on=st.booleans())
    def hold_or_mute_everybody(self, id: str, what: str, on: bool) -> None:
        """All its members."""
        conference = self.m[id]
        expected: type[ScgError] | None = None
        if conference.deleted:
            expected = NotFound
        elif conference.state == "completed":
            expected = IllegalTransition
        self.same(expected, self.world.app.conferences.update, id, {what: on})
        if expected is None:
            setattr(conference, what, on)

    @rule(id=conferences, really=SELDOM)
    def delete_conference(self, id: str, really: bool) -> None:
        """Over for everybody, then gone."""
        conference = self.m[id]
        if not really:
            return
        gone = conference.deleted
        self.same(NotFound if gone else None, self.world.app.conferences.delete, id)
        for member in [] if gone else conference.there():
            member.state, member.call.room, member.call.member = "completed", None, None
        conference.state, conference.deleted = "completed", True

    # -- what is always true -----------------------------------------------------------------

    @invariant()
    def states_are_the_models(self) -> None:
        """Of everything that was ever made; counters equal a recount; nothing waits."""
        for kind in (Call, Bridge, Conference):
            for held in self.world.all(kind):
                model = self.m[held.id]
                assert (held.state, held.deleted) == (model.state, model.deleted)  # type: ignore[attr-defined]
                if isinstance(held, Conference):
                    joined = [one for one in model.there() if one.joined]
                    assert held.active_members == len(joined)
        for member in self.world.all(ConferenceMember):
            model = self.m[member.conference_id, member.id]
            assert (member.state, member.deleted) == (model.state, model.deleted)
            assert member.is_in == (model.state == "active" and model.joined)
        assert self.world.all(VoiceCommand) == []

    @invariant()
    def everybody_hears_whom_they_should(self) -> None:
        """The switch's ears against the model's."""
        ids = {id(model): key for key, model in self.m.items()}
        wanted, rooms = {}, {}
        for model in self.m.values():
            if isinstance(model, MCall) and model.state == "ACTIVE":
                wanted[model.party] = tuple(sorted(voices(model)))
                rooms[model.party] = None if model.room is None else ids[id(model.room)]
        kept = {
            ids[id(one)] for one in self.m.values()
            if isinstance(one, MBridge | MConference) and one.state not in OVER
        }  # fmt: skip
        assert self.world.switch.rooms() <= kept
        assert self.world.switch.listening() == wanted
        assert self.world.switch.up() == rooms


def voices(call: MCall) -> list[str]:
    """Whom a call that is up hears."""
    room = call.room
    if isinstance(room, MBridge):
        others = [one for one in room.calls if one is not call and one.state == "ACTIVE"]
        return [one.party for one in others] if room.audio else []
    if not isinstance(room, MConference) or room.hold or call.member.hold:
        return []
    speaking = [
        one for one in room.there()
        if one.joined and one.call is not call and not (one.hold or one.mute or room.mute)
    ]  # fmt: skip
    return [one.call.party for one in speaking]


class CallingThroughADoublingSwitch(Calling):
    """The same with a switch that tells everything twice, and before its commands return."""

    faults = Faults(doubled=1.0, early=True)


_SHORT = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestCalling = Calling.TestCase
TestCalling.settings = _SHORT
TestCallingThroughADoublingSwitch = CallingThroughADoublingSwitch.TestCase
TestCallingThroughADoublingSwitch.settings = _SHORT


@pytest.mark.long
@pytest.mark.parametrize("machine", [Calling, CallingThroughADoublingSwitch])
def test_long_histories_agree_with_the_model(machine: type[Calling]) -> None:
    """Three thousand with each switch."""
    run_state_machine_as_test(
        machine, settings=settings(max_examples=3_000, stateful_step_count=60, deadline=None)
    )

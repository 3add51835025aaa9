"""What cannot be asked of calls: the specification's error, nothing changed, nothing played."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scg_adapters.voice.simulator import VoiceSimulator
from scg_core import (
    CallSettings,
    Engine,
    IllegalTransition,
    InvalidField,
    NotFound,
    ScgError,
    TransportUnavailable,
    VoiceRefused,
)
from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.calling.records import VoiceCommand
from scg_core.kernel.instant import Instant
from scg_core.ports.voice_transport import (
    Answered,
    Arrived,
    Cause,
    Ended,
    Played,
    Presence,
    Pressed,
    Sighting,
    VoiceCapabilities,
)
from tests.stories.calls import ANN, BOB, CID, OURS, VoiceWorld


class Busy(VoiceWorld):
    """A world with a bridge of two, a conference of one, a free call and one that rings."""

    def __init__(self) -> None:
        super().__init__()
        self.phone("+14155550777", does="rings")
        self.pair = [self.connected(ANN), self.connected(BOB)]
        self.bridge = self.app.bridges.create(call_ids=[one.id for one in self.pair])
        self.conference = self.app.conferences.create()
        self.member = self.app.conference_members.create(
            self.conference.id, call_id=self.connected(CID).id
        )
        self.free = self.connected("+14155550106")
        self.ringing = self.connected("+14155550777")
        self.over = self.connected("+14155550108")
        self.app.calls.hang_up(self.over.id)
        rival = self.engine.application("rival", 1)
        theirs = self.voice_number("rival", "+14155559999")
        self.foreign = rival.calls.create({"from": theirs.id, "to": "+14155550107"})
        self.settle()

    def file(self, content: bytes | None, **fields: Any) -> str:
        """An attachment, uploaded if there is content."""
        made = self.app.attachments.create(**fields)
        if content is not None:
            self.app.attachments.upload(made.id, content)
        return made.id


Do = Callable[[Busy], object]
PNG = b"\x89PNG\r\n\x1a\n"
TOO_LONG = "x" * 4_097
CASES: list[tuple[str, type[ScgError], int, Do]] = [
    ("a third call on a bridge", InvalidField, 400,
     lambda w: w.app.bridges.update(w.bridge.id, call_ids=[w.pair[0].id, w.pair[1].id, w.free.id])),
    ("a third call by bridge_id", InvalidField, 400,
     lambda w: w.call("+14155550109", bridge_id=w.bridge.id)),
    ("a third call by update", InvalidField, 400,
     lambda w: w.app.calls.update(w.free.id, bridge_id=w.bridge.id)),
    ("another call on a connected bridge", IllegalTransition, 409,
     lambda w: w.app.bridges.update(w.bridge.id, call_ids=[w.pair[0].id, w.free.id])),
    ("a call in two bridges", IllegalTransition, 409,
     lambda w: w.app.bridges.create(call_ids=[w.pair[0].id, w.free.id])),
    ("a call of a conference in a bridge", IllegalTransition, 409,
     lambda w: w.app.bridges.create(call_ids=[w.free.id, w.member.call_id])),
    ("a call of a bridge in a conference", IllegalTransition, 409,
     lambda w: w.app.conference_members.create(w.conference.id, call_id=w.pair[1].id)),
    ("a call twice in a conference", IllegalTransition, 409,
     lambda w: w.app.conference_members.create(w.conference.id, call_id=w.member.call_id)),
    ("a call that is over on a bridge", IllegalTransition, 409,
     lambda w: w.app.bridges.create(call_ids=[w.over.id])),
    ("a call that is over in a conference", IllegalTransition, 409,
     lambda w: w.app.conference_members.create(w.conference.id, call_id=w.over.id)),
    ("another company's call on a bridge", InvalidField, 400,
     lambda w: w.app.bridges.create(call_ids=[w.foreign.id])),
    ("another company's call in a conference", InvalidField, 400,
     lambda w: w.app.conference_members.create(w.conference.id, call_id=w.foreign.id)),
    ("another company's call", NotFound, 404, lambda w: w.app.calls.hang_up(w.foreign.id)),
    ("a member without a call", InvalidField, 400,
     lambda w: w.app.conference_members.create(w.conference.id)),
    ("speech on a ringing call", IllegalTransition, 409,
     lambda w: w.app.calls.play_tts(w.ringing.id, text="hello")),
    ("speech on a call that is over", IllegalTransition, 409,
     lambda w: w.app.calls.play_tts(w.over.id, text="hello")),
    ("digits on a ringing call", IllegalTransition, 409,
     lambda w: w.app.calls.play_dtmf(w.ringing.id, dtmf_digits="1")),
    ("digits outside the alphabet", InvalidField, 400,
     lambda w: w.app.calls.play_dtmf(w.free.id, dtmf_digits="12E")),
    ("too many digits", InvalidField, 400,
     lambda w: w.app.calls.play_dtmf(w.free.id, dtmf_digits="1" * 65)),
    ("no digits", InvalidField, 400, lambda w: w.app.calls.play_dtmf(w.free.id, dtmf_digits="")),
    ("no text", InvalidField, 400, lambda w: w.app.calls.play_tts(w.free.id, text=" ")),
    ("a text over the limit", InvalidField, 400,
     lambda w: w.app.calls.play_tts(w.free.id, text=TOO_LONG)),
    ("a text over the limit on a bridge", InvalidField, 400,
     lambda w: w.app.bridges.play_tts(w.bridge.id, text=TOO_LONG)),
    ("an unknown gender", InvalidField, 400,
     lambda w: w.app.conferences.play_tts(w.conference.id, text="hello", gender="tenor")),
    ("an unknown source type", InvalidField, 400,
     lambda w: w.app.calls.play_audio(w.free.id, source_type="FILE", source="x")),
    ("an address that is none", InvalidField, 400,
     lambda w: w.app.calls.play_audio(w.free.id, source_type="URL", source="file:///etc/passwd")),
    ("an attachment that is no audio", InvalidField, 1019,
     lambda w: w.app.calls.play_audio(
         w.free.id, source_type="ATTACHMENT", source=w.file(PNG, type="audio/wav"))),
    ("an attachment that is not UPLOADED", InvalidField, 1019,
     lambda w: w.app.bridges.play_audio(
         w.bridge.id, source_type="ATTACHMENT", source=w.file(None, type="audio/wav"))),
    ("an attachment that is not there", InvalidField, 1019,
     lambda w: w.app.conference_members.play_audio(
         w.conference.id, w.member.id, source_type="ATTACHMENT", source="nothing")),
    ("an unknown field", InvalidField, 400,
     lambda w: w.app.calls.play_tts(w.free.id, text="hello", speed=2)),
    ("a channel as caller", InvalidField, 400,
     lambda w: w.call(ANN, **{"from": f"channel:{w.app.channels.create(name='c').id}"})),
    ("a sender id without VOICE", InvalidField, 1003,
     lambda w: w.call(ANN, **{"from": w.sender.id})),
    ("somebody else's sender id", InvalidField, 400,
     lambda w: w.app.calls.create({"from": w.foreign.sender_id, "to": ANN})),
    ("an address that is not the sender id's", InvalidField, 400,
     lambda w: w.call(ANN, from_address="+14155550000")),
    ("no recipient", InvalidField, 400, lambda w: w.call("")),
    ("a ring that is too short", InvalidField, 400, lambda w: w.call(ANN, answer_timeout=999)),
    ("a ring that is too long", InvalidField, 400, lambda w: w.call(ANN, answer_timeout=300_001)),
    ("a bridge that is not there", InvalidField, 400, lambda w: w.call(ANN, bridge_id="nothing")),
    ("a recipient that changes", InvalidField, 400,
     lambda w: w.app.calls.update(w.free.id, to=BOB)),
    ("a ring that changes too late", IllegalTransition, 409,
     lambda w: w.app.calls.update(w.free.id, answer_timeout=5_000)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "error", "code", "do"), CASES, ids=[case[0] for case in CASES])
def test_it_is_refused_and_nothing_changes(
    what: str, error: type[ScgError], code: int, do: Do
) -> None:
    """Neither what is stored nor what anybody hears."""
    world = Busy()
    before = everything(world)
    with pytest.raises(error) as refused:
        do(world)
    world.settle()

    assert getattr(refused.value, "error_code", refused.value.code) == code, what
    assert everything(world) == before


def everything(world: VoiceWorld) -> list[Any]:
    """All of calling, what waits for the switch, and what was heard."""
    kinds = (Call, Bridge, Conference, ConferenceMember, VoiceCommand)
    return [*(world.all(kind) for kind in kinds), world.switch.timeline()]


@pytest.mark.parametrize(
    ("able", "ask"),
    [
        ("speech", lambda w, call: w.app.calls.play_tts(call, text="hello")),
        (
            "urls",
            lambda w, call: w.app.calls.play_audio(call, source_type="URL", source="http://a.b/"),
        ),
        ("digits", lambda w, call: w.app.calls.play_dtmf(call, dtmf_digits="1")),
    ],
)
def test_what_a_switch_does_not_declare_is_refused_at_once(able: str, ask: Any) -> None:
    """It is not tried and found out later."""
    capabilities = VoiceCapabilities(**{able: False})
    world = VoiceWorld(switch=VoiceSimulator(capabilities=capabilities))
    call = world.connected(ANN)

    with pytest.raises(InvalidField):
        ask(world, call.id)
    assert world.all(VoiceCommand) == []


@pytest.mark.parametrize(
    "event",
    [
        None, "Answered", Answered("", 0), Answered("leg", -1),  # type: ignore[arg-type]
        Answered(7, 0), Ended("leg", 0, "HUNG_UP"), Ended("leg", 0, details=5),  # type: ignore[arg-type]
        Pressed("leg", "1" * 65, 0), Arrived("leg", None, OURS, 0),  # type: ignore[arg-type]
        Arrived("l" * 129, ANN, OURS, 0),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_with_all_that_came_with_it(event: Any) -> None:
    """A switch's mistake is told to the switch; nothing of the batch is taken."""
    world = VoiceWorld()
    fine = Arrived("in-7", ANN, OURS, world.start)

    with pytest.raises(InvalidField):
        world.engine.calls_heard("switch", [fine, event])
    with pytest.raises(InvalidField):
        world.engine.calls_heard("carrier", [fine])
    assert world.all(Call) == []


def test_an_engine_needs_something_to_send_with_and_names_of_their_own() -> None:
    """A switch alone will do; one name for two things will not."""
    world = VoiceWorld()
    ports = {
        "storage": world.storage, "clock": world.clock, "ids": world.ids,
        "places": world.engine.sources.places,
    }  # fmt: skip
    Engine(**ports, voice={"switch": world.switch})
    for wrong in (
        {},
        {"transports": {"one": world.carrier}, "voice": {"one": world.switch}},
        {"voice": {"": world.switch}},
        {"voice": {"one": VoiceSimulator(capabilities=VoiceCapabilities(window=0))}},
    ):
        with pytest.raises(InvalidField):
            Engine(**ports, **wrong)


@pytest.mark.parametrize("said", ["a\ud800b", "a\x00b", "x" * 5_000])
def test_what_a_switch_says_badly_is_kept_as_well_as_it_can_be(url: str, said: str) -> None:
    """Of an end and of a refusal; the call goes on from there."""

    class Odd(VoiceSimulator):
        def press(self, leg: str, digits: str, id: str, now: Instant) -> None:
            raise VoiceRefused(said)

    world = VoiceWorld(url, switch=Odd())
    call = world.connected(ANN)
    world.app.calls.play_dtmf(call.id, dtmf_digits="1")
    world.settle()
    ended = Ended(call.leg, world.clock.now(), Cause.FAILED, said)
    world.engine.calls_heard("switch", [ended])

    call = world.app.calls.get(call.id)
    assert (call.state, call.failure_code) == ("COMPLETED", "FAILED")
    assert call.failure_details and "\x00" not in call.failure_details
    moments = world.app.calls.timeline(call.id, what="FAILED").items
    assert len(moments) == 1 and world.all(VoiceCommand) == []


def test_a_switch_that_answers_nonsense_is_not_believed() -> None:
    """What it sees and when it wants to be asked again."""

    class Odd(VoiceSimulator):
        def look(self, legs: Any, now: Instant) -> Any:
            return [Sighting(Presence.ENDED, at="yesterday")] * len(legs)  # type: ignore[arg-type]

        def press(self, leg: str, digits: str, id: str, now: Instant) -> None:
            raise TransportUnavailable("switch", "soon")  # type: ignore[arg-type]

    world = VoiceWorld(switch=Odd())
    call = world.connected(ANN)
    world.app.calls.play_dtmf(call.id, dtmf_digits="1")
    world.wait(60_000)

    assert world.app.calls.get(call.id).state == "ACTIVE"


def test_a_sound_that_ends_means_nothing_to_a_call_that_speaks_no_message() -> None:
    """Whatever a switch calls it."""
    world = VoiceWorld()
    ann = world.connected(ANN)
    world.switch.call_in(BOB, OURS, world.clock.now())
    world.settle()
    [bob] = world.app.calls.find(direction="IN")
    now = world.clock.now()
    for call in (ann, bob):
        world.engine.calls_heard("switch", [Played(f"{call.id}.speech", call.leg, now)])

    assert [one.state for one in world.app.calls.find()] == ["ACTIVE", "STARTED"]


@pytest.mark.parametrize(
    "wrong", [{"look": 0}, {"answer_timeout": "x"}, {"tries": 0}, {"members": None}]
)
def test_settings_of_calls_are_numbers_that_make_sense(wrong: dict[str, Any]) -> None:
    """They are refused where they are made, not where they are used."""
    with pytest.raises(InvalidField):
        CallSettings(**wrong)


@pytest.mark.parametrize("content", [b"hello, I am a text", b"<html></html>", b""])
def test_a_file_that_is_no_sound_is_not_played(content: bytes) -> None:
    """Whatever it is said to be."""
    world = VoiceWorld()
    call = world.connected(ANN)
    made = world.app.attachments.create(type="audio/wav")
    world.app.attachments.upload(made.id, content)

    with pytest.raises(InvalidField) as refused:
        world.app.calls.play_audio(call.id, source_type="ATTACHMENT", source=made.id)
    assert refused.value.error_code == 1019

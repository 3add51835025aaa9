"""Single calls: how they come about, how they end, what they cost, what is heard on them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scg_adapters.voice.simulator import Does, Faults, VoiceSimulator
from scg_core import CallSettings, IllegalTransition, InvalidField, NotFound, VoiceRefused
from scg_core.events.model import Envelope
from scg_core.kernel.errors import InsufficientCredit
from scg_core.kernel.instant import MINUTE, SECOND, Instant
from scg_core.ports.voice_transport import Cause, Ended, Leg, Playback, Presence, Sighting, Speech
from tests.stories.calls import ANN, BOB, CID, OURS, VoiceWorld


def test_a_phone_that_answers_makes_a_call_active_until_it_hangs_up() -> None:
    """Times are the network's; seconds that have begun count."""
    world = VoiceWorld()
    world.phone(ANN, after=3_000, talks=61_200)
    call = world.call(ANN, external_id="mine")
    assert (call.state, call.direction, call.answer_time) == ("STARTED", "OUT", None)
    assert (call.from_address, call.to_address) == (OURS, ANN)

    world.wait(3_000)
    assert world.app.calls.get(call.id).state == "ACTIVE"
    world.wait(70_000)

    call = world.app.calls.get(call.id, state="COMPLETED", external_id="mine")
    assert (call.start_time, call.answer_time) == (world.start, world.start + 3_000)
    assert (call.end_time, call.chargeable_duration) == (world.start + 64_200, 62)
    assert (call.failure_code, call.price) == (None, None)


@pytest.mark.parametrize(
    ("does", "code"),
    [
        (Does.IS_BUSY, "BUSY"), (Does.DECLINES, "REFUSED"), (Does.IS_UNREACHABLE, "UNREACHABLE"),
        (Does.RINGS, "NO_ANSWER"),
    ],
)  # fmt: skip
def test_a_call_that_does_not_come_about_is_rejected_with_the_cause(does: Does, code: str) -> None:
    """REJECTED, a failure code, no seconds to pay for."""
    world = VoiceWorld()
    world.phone(ANN, does=does)
    call = world.call(ANN, answer_timeout=5_000)
    world.wait(5_000)

    call = world.app.calls.get(call.id)
    assert (call.state, call.failure_code) == ("REJECTED", code)
    assert (call.chargeable_duration, call.answer_time) == (0, None)
    assert call.failure_details and call.end_time is not None
    assert world.switch.up() == {}


@pytest.mark.parametrize(
    ("cause", "code", "says"),
    [
        (Cause.BUSY, "BUSY", "the called party was busy"),
        (Cause.NO_ANSWER, "NO_ANSWER", "nobody answered in time"),
        (Cause.REFUSED, "REFUSED", "it was declined, or ended before it was answered"),
        (Cause.HUNG_UP, "REFUSED", "it was declined, or ended before it was answered"),
        (Cause.UNREACHABLE, "UNREACHABLE", "the number cannot be reached"),
        (Cause.FAILED, "FAILED", "the network failed"),
    ],
)
@pytest.mark.parametrize("said", [None, "", "\0", "Q.850 cause 17"])
def test_a_call_that_does_not_come_about_says_why(
    cause: Cause, code: str, says: str, said: str | None
) -> None:
    """In the words of the switch, or in ours if it has none that can be shown."""
    world = VoiceWorld()
    world.phone(ANN, does=Does.RINGS)
    call = world.call(ANN)
    world.settle()
    leg = world.app.calls.get(call.id).leg
    world.engine.calls_heard("switch", [Ended(leg, world.clock.now(), cause, said)])

    call = world.app.calls.get(call.id)
    words = said if said and said.isprintable() else says
    assert (call.failure_code, call.failure_details) == (code, words)


def test_hanging_up_before_the_answer_completes_a_call_that_lasted_nothing() -> None:
    """COMPLETED with no seconds; the phone stops ringing; a late answer changes nothing."""
    world = VoiceWorld()
    world.phone(ANN, does=Does.RINGS)
    call = world.call(ANN)
    world.wait(1_000)
    call = world.app.calls.hang_up(call.id)
    world.wait(MINUTE)

    assert (call.state, call.chargeable_duration) == ("COMPLETED", 0)
    assert world.heard(ANN) == [(0, "rings", ""), (1_000, "ends", "HUNG_UP")]
    assert world.app.calls.hang_up(call.id).version_number == call.version_number


def test_a_call_that_is_hung_up_before_it_was_dialled_never_rings() -> None:
    """What was not said to the switch yet is not said at all."""
    world = VoiceWorld()
    call = world.call(ANN)
    world.app.calls.delete(call.id)
    world.settle()

    assert world.heard(ANN) == []
    with pytest.raises(NotFound):
        world.app.calls.get(call.id)
    assert world.app.calls.find() == []


def test_the_states_that_a_customer_may_ask_for() -> None:
    """An outgoing call cannot be answered from here; what is over cannot come back."""
    world = VoiceWorld()
    world.phone(BOB, does=Does.IS_BUSY)
    ann, bob = world.call(ANN), world.call(BOB)
    with pytest.raises(IllegalTransition):
        world.app.calls.answer(ann.id)
    world.settle()

    assert world.app.calls.answer(ann.id).state == "ACTIVE"  # no change
    for _ in range(2):
        assert world.app.calls.hang_up(ann.id).state == "COMPLETED"
    for over, state in ((ann, "ACTIVE"), (bob, "ACTIVE"), (bob, "COMPLETED")):
        with pytest.raises(IllegalTransition):
            world.app.calls.update(over.id, state=state)
    with pytest.raises(InvalidField):
        world.app.calls.update(ann.id, state="STARTED")


def test_an_incoming_call_is_answered_and_hung_up_by_the_customer() -> None:
    """It rings for the company whose number was dialled; the caller hears it picked up."""
    world = VoiceWorld()
    world.switch.call_in(ANN, OURS, world.clock.now())
    world.settle()
    [call] = world.app.calls.find(state="STARTED")
    assert (call.direction, call.from_address, call.to_address) == ("IN", ANN, OURS)

    world.wait(2_000)
    assert world.app.calls.answer(call.id).state == "ACTIVE"
    world.wait(5_000)
    world.app.calls.hang_up(call.id)
    world.settle()

    call = world.app.calls.get(call.id)
    assert (call.state, call.chargeable_duration) == ("COMPLETED", 5)
    assert world.heard(ANN) == [
        (0, "calls", OURS), (2_000, "answers", ""), (7_000, "ends", "HUNG_UP"),
    ]  # fmt: skip


def test_an_incoming_call_that_nobody_takes_is_rejected() -> None:
    """By the caller who gives up, or after a minute; COMPLETED if the customer declines it."""
    world = VoiceWorld()
    for caller in (ANN, BOB, "+14155550177"):
        world.switch.call_in(caller, OURS, world.clock.now())
    world.settle()
    _, bob, _ = world.app.calls.find()
    world.switch.hangs_up(ANN, world.clock.now())
    assert world.app.calls.hang_up(bob.id).state == "COMPLETED"
    world.wait(2 * MINUTE)

    found = [(one.state, one.failure_code) for one in world.app.calls.find()]
    assert found == [("REJECTED", "REFUSED"), ("COMPLETED", None), ("REJECTED", "NO_ANSWER")]
    assert world.switch.up() == {}


def test_a_call_to_a_number_that_nobody_has_is_declined() -> None:
    """Also one to a number that carries no voice, and to one that two companies share."""
    world = VoiceWorld()
    shared = "+14155559111"
    world.voice_number("acme", shared)
    world.voice_number("rival", shared, country="CAN")
    for number in ("+14155550999", "55512", shared):
        world.switch.call_in(ANN, number, world.clock.now())
        world.settle()

    assert world.app.calls.find() == []
    assert [what for _, what, _ in world.heard(ANN)] == ["calls", "ends"] * 3


def test_digits_that_a_phone_presses_are_events_and_on_the_timeline() -> None:
    """In order, once each although the switch tells everything twice."""
    world = VoiceWorld(switch=VoiceSimulator(faults=Faults(doubled=1.0)))
    _listen(world)
    world.phone(ANN, presses=((1_000, "4"), (2_000, "2"), (2_000, "2"), (3_000, "#")))
    call = world.connected(ANN)
    world.wait(5_000)
    world.app.calls.play_tts(call.id, text="Thank you")
    world.wait(5_000)

    moments = world.app.calls.timeline(call.id)
    seen = [(one.at - world.start, one.what, one.details) for one in moments.items]
    assert seen == [
        (0, "STATE", "STARTED"), (0, "STATE", "ACTIVE"), (1_000, "DIGITS", "4"),
        (2_000, "DIGITS", "2"), (2_000, "DIGITS", "2"), (3_000, "DIGITS", "#"),
        (5_000, "PLAYS", "Thank you"), (5_540, "PLAYED", "Thank you"),
    ]  # fmt: skip
    told = _told(world, "dtmf_received")
    assert "".join(one["digits"] for one in told) == "422#"
    assert {one["call_id"] for one in told} == {call.id}


def test_every_change_of_state_is_told() -> None:
    """Of calls, bridges, conferences and members, with the state before."""
    world = VoiceWorld()
    _listen(world)
    ann, bob = world.call(ANN), world.call(BOB)
    world.app.bridges.create(call_ids=[ann.id, bob.id])
    world.settle()
    world.app.calls.hang_up(ann.id)
    conference = world.app.conferences.create()
    world.app.conference_members.create(conference.id, call_id=bob.id)
    world.app.conferences.delete(conference.id)
    world.settle()

    def moves(kind: str) -> list[tuple[str | None, str]]:
        return [(one.get("previous_state"), one["new_state"]) for one in _told(world, kind)]

    assert moves("call_state_change") == [
        (None, "STARTED"), (None, "STARTED"), ("STARTED", "ACTIVE"), ("STARTED", "ACTIVE"),
        ("ACTIVE", "COMPLETED"),
    ]  # fmt: skip
    assert moves("bridge_state_change") == [
        (None, "CREATED"), ("CREATED", "ACTIVE"), ("ACTIVE", "COMPLETED"),
    ]  # fmt: skip
    assert moves("conference_state_change") == [
        (None, "created"), ("created", "active"), ("active", "completed"),
    ]  # fmt: skip
    assert moves("conference_member_state_change") == [
        (None, "active"), ("active", "active"), ("active", "completed"),
    ]  # fmt: skip


def test_speech_digits_and_audio_are_heard_on_a_call_in_the_order_asked() -> None:
    """One after the other; an attachment's bytes are the switch's to fetch."""
    world = VoiceWorld()
    call = world.connected(ANN)
    sound = world.app.attachments.create(name="jingle", type="audio/wav", filename="jingle.wav")
    world.app.attachments.upload(sound.id, b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(64))
    world.app.calls.play_tts(call.id, text="Hello", gender="FEMALE", language="en-GB")
    world.app.calls.play_audio(call.id, source_type="URL", source="https://example.com/a.mp3")
    world.app.calls.play_audio(call.id, source_type="ATTACHMENT", source=sound.id)
    world.app.calls.play_dtmf(call.id, dtmf_digits="1w2#")
    world.wait(10_000)

    assert world.heard(ANN)[2:] == [
        (0, "plays", "speech Hello"), (0, "plays", "digits 1w2#"),
        (300, "plays", "audio https://example.com/a.mp3"), (2_300, "plays", "file jingle.wav"),
    ]  # fmt: skip


def test_a_call_costs_its_tariff_for_each_begun_unit() -> None:
    """What was set aside and not needed is given back; an unanswered call costs nothing."""
    world = VoiceWorld()
    operator = world.engine.operator()
    operator.add_credit("acme", 1)
    operator.add_tariff(kind="CALL", price=0.05)
    world.phone(ANN, talks=150_000)
    world.phone(BOB, does=Does.IS_BUSY)
    ann, bob = world.call(ANN), world.call(BOB)
    assert operator.credit("acme").reserved == 100_000
    world.wait(200_000)

    ann, bob = world.app.calls.get(ann.id), world.app.calls.get(bob.id)
    assert (ann.chargeable_duration, ann.price, bob.price) == (150, 150_000, 0)
    credit = operator.credit("acme")
    assert (credit.reserved, credit.confirmed) == (0, 150_000)


def test_a_call_ends_when_the_credit_runs_out() -> None:
    """Its next unit cannot be covered: COMPLETED with NO_CREDIT; the next call is refused."""
    world = VoiceWorld()
    operator = world.engine.operator()
    operator.add_credit("acme", 0.11)
    operator.add_tariff(kind="CALL", price=0.05)
    call = world.connected(ANN)
    world.wait(5 * MINUTE)

    call = world.app.calls.get(call.id)
    assert (call.state, call.failure_code, call.chargeable_duration) == (
        "COMPLETED", "NO_CREDIT", 120,
    )  # fmt: skip
    assert call.failure_details == "the credit ran out"
    assert (call.price, world.switch.up()) == (100_000, {})
    with pytest.raises(InsufficientCredit):
        world.call(BOB)
    assert len(world.app.calls.find()) == 1


def test_a_contact_is_called_at_its_number() -> None:
    """``to`` stays as given, ``to_address`` is the number."""
    world = VoiceWorld()
    contact = world.app.contacts.create(primary_mdn="(415) 555-0101")
    nobody = world.app.contacts.create(external_id="x")
    call = world.call(f"contact:{contact.id}")

    assert (call.to, call.to_address) == (f"contact:{contact.id}", ANN)
    for wrong in (f"contact:{nobody.id}", "contact:nobody", "someone", "a@b.cd", "voice:12"):
        with pytest.raises(InvalidField) as refused:
            world.call(wrong)
        assert refused.value.field == "to"


def test_a_switch_that_is_away_is_told_later_and_in_order() -> None:
    """The call is dialled when it is back; one that was hung up meanwhile is not."""
    world = VoiceWorld()
    world.switch.reachable = False
    ann, bob = world.call(ANN), world.call(BOB)
    world.wait(20 * SECOND)
    world.app.calls.hang_up(bob.id)
    world.switch.reachable = True
    world.wait(30 * SECOND)

    assert world.app.calls.get(ann.id).state == "ACTIVE"
    assert world.switch.dialled == [ANN]


def test_a_switch_that_stays_away_lets_a_call_ring_out() -> None:
    """It is rejected when its time is over, and not dialled afterwards."""
    world = VoiceWorld()
    world.switch.reachable = False
    call = world.call(ANN)
    world.wait(2 * MINUTE)
    world.switch.reachable = True
    world.wait(5 * MINUTE)

    assert world.app.calls.get(call.id).failure_code == "NO_ANSWER"
    assert world.switch.dialled == []


def test_what_was_never_heard_of_is_found_out() -> None:
    """All events lost: the answer and the end are seen when the switch is asked, with its times."""
    world = VoiceWorld(switch=VoiceSimulator(faults=Faults(lost=1.0)))
    world.phone(ANN, after=10 * SECOND, talks=3 * MINUTE)
    call = world.call(ANN, answer_timeout=5 * MINUTE)
    world.wait(1 * MINUTE)
    call = world.app.calls.get(call.id)
    assert (call.state, call.answer_time) == ("ACTIVE", world.start + 10 * SECOND)
    world.wait(4 * MINUTE)

    call = world.app.calls.get(call.id)
    assert (call.state, call.chargeable_duration) == ("COMPLETED", 180)


def test_a_switch_that_forgot_everything_loses_its_calls() -> None:
    """They end with LOST; a restored connection asks at once."""
    world = VoiceWorld()
    call = world.connected(ANN)
    world.wait(5 * SECOND)
    world.switch.restarts(world.clock.now())
    world.engine.switch_restored("switch")
    world.settle()

    call = world.app.calls.get(call.id)
    assert (call.state, call.failure_code, call.chargeable_duration) == ("COMPLETED", "LOST", 5)
    assert call.failure_details == "the switch does not know it any more"


def test_a_leg_that_nobody_asked_for_is_hung_up() -> None:
    """A switch that answers for a call that was never stored is not left alone with it."""
    world = VoiceWorld()
    world.switch.originate(Leg("stray", OURS, ANN, 1_000), world.clock.now())
    world.settle()

    assert world.heard(ANN)[-1] == (0, "ends", "HUNG_UP")


def test_a_switch_that_breaks_on_every_command_does_no_harm_to_others() -> None:
    """Half of its answers get lost: every phone rings once, every call gets where it should."""
    switch = VoiceSimulator(faults=Faults(breaks=0.5, seed=3))
    world = VoiceWorld(switch=switch, ports={"call_settings": CallSettings(tries=20)})
    calls = [world.call(f"+141555520{number:02}") for number in range(20)]
    world.wait(30 * SECOND)
    for call in calls:
        world.app.calls.hang_up(call.id)
    world.wait(30 * SECOND)

    assert sorted(switch.dialled) == sorted(call.to_address or "" for call in calls)
    assert switch.up() == {}
    assert {one.state for one in world.app.calls.find()} == {"COMPLETED"}


def test_a_call_that_goes_on_does_not_keep_a_script_busy() -> None:
    """``run_until_idle`` comes back: looks and charges recur for as long as anybody speaks."""
    world = VoiceWorld()
    world.engine.operator().add_tariff(kind="CALL", price=0.05)
    world.phone(ANN, after=5_000)
    call = world.call(ANN)
    world.engine.run_until_idle()

    assert world.app.calls.get(call.id).state == "ACTIVE"
    assert world.clock.now() <= world.start + MINUTE
    assert world.engine.run_due() is not None


def test_a_look_that_ends_with_a_full_page_goes_on() -> None:
    """A hundred and fifty calls that the switch forgot are all found out."""
    world = VoiceWorld()
    for number in range(150):
        world.call(f"+1415552{number:04}")
    world.settle()
    world.wait(5 * SECOND)
    world.switch.restarts(world.clock.now())
    world.engine.switch_restored("switch")
    world.wait(5 * MINUTE)

    assert {one.failure_code for one in world.app.calls.find(limit=200)} == {"LOST"}


def test_a_switch_that_breaks_for_ever_leaves_nobody_on_the_line() -> None:
    """It did what it broke on; the phone that answers late is let go."""
    for seed in range(5):
        world = VoiceWorld(switch=VoiceSimulator(faults=Faults(breaks=1.0, seed=seed)))
        world.phone(ANN, after=40 * SECOND)
        call = world.call(ANN)
        world.switch.call_in(BOB, OURS, world.clock.now())
        world.settle()
        [incoming] = world.app.calls.find(direction="IN")
        world.app.calls.answer(incoming.id)
        world.wait(10 * MINUTE)
        assert world.app.calls.get(call.id).failure_code == "FAILED"
        assert world.switch.up() == {}


def test_a_command_is_given_up_for_its_own_failures_only() -> None:
    """What waits behind one that breaks is tried as often as that was."""
    order: list[str] = []

    class Broken(VoiceSimulator):
        def play(self, playback: Playback, now: Instant) -> None:
            assert isinstance(playback.sound, Speech)
            order.append(playback.sound.text)
            raise ConnectionResetError

    world = VoiceWorld(switch=Broken())
    call = world.connected(ANN)
    for text in ("one", "two"):
        world.app.calls.play_tts(call.id, text=text)
    world.wait(5 * MINUTE)

    assert order == ["one"] * 5 + ["two"] * 5


def test_a_process_that_dies_before_it_dials_is_followed_by_one_that_does() -> None:
    """The lease on commands is short: the phone rings a quarter of a minute later."""
    world = VoiceWorld()
    call = world.call(ANN)
    held = world.engine.pump.round(world.engine.pump.capabilities)
    for pause in held:
        if pause == "command":
            break
    held.close()  # as SIGKILL would
    world.wait(20 * SECOND)

    assert world.app.calls.get(call.id).state == "ACTIVE"
    assert world.heard(ANN)[0] == (15_000, "rings", "")


def test_two_workers_and_a_slow_switch_get_on() -> None:
    """Each gives what its lease has time for; nothing is given again and again."""
    placed: list[str] = []

    class Slow(VoiceSimulator):
        def place(self, *args: Any) -> None:
            world.clock.advance(3_500)
            placed.append(args[2])
            super().place(*args)

    world = VoiceWorld(switch=Slow())
    calls = [world.connected(f"+1415552{number:04}") for number in range(20)]
    conference = world.app.conferences.create()
    for call in calls:
        world.app.conference_members.create(conference.id, call_id=call.id)
    workers = [world.engine, world.another_engine(world.carrier)]
    for _ in range(60):
        for worker in workers:
            worker.run_due(1)

    assert set(world.switch.up().values()) == {conference.id}
    assert len(placed) == 20


def test_declined_calls_of_two_switches_do_not_wait_for_each_other() -> None:
    """A leg's name is one within its switch only."""
    away, near = VoiceSimulator(), VoiceSimulator()
    world = VoiceWorld(switch=away, ports={"voice": {"switch": away, "other": near}})
    away.call_in(ANN, "+14155550999", world.clock.now())
    near.call_in(BOB, "+14155550999", world.clock.now())
    away.poll(world.clock.now())
    away.reachable = False
    world.wait(MINUTE)

    assert [one.what for one in near.timeline(BOB)] == ["calls", "ends"]
    assert [one.what for one in away.timeline(ANN)] == ["calls"]


def test_a_caller_who_withholds_the_number_is_anonymous() -> None:
    """It is an ordinary call."""
    world = VoiceWorld()
    world.switch.call_in("", OURS, world.clock.now())
    world.settle()

    [call] = world.app.calls.find()
    assert (call.from_address, call.state) == ("anonymous", "STARTED")


def test_a_full_timeline_keeps_the_states() -> None:
    """Digits beyond it are of no account, so that none is told twice."""
    world = VoiceWorld(
        switch=VoiceSimulator(faults=Faults(doubled=1.0)),
        ports={"call_settings": CallSettings(moments=3)},
    )
    _listen(world)
    world.phone(ANN, presses=((1_000, "1"), (2_000, "2"), (3_000, "3")), talks=9_000)
    call = world.connected(ANN)
    world.wait(10_000)

    seen = [one.details for one in world.app.calls.timeline(call.id).items]
    assert seen == ["STARTED", "ACTIVE", "1", "COMPLETED"]
    assert [one["digits"] for one in _told(world, "dtmf_received")] == ["1"]


def test_no_more_sounds_wait_for_a_switch_than_it_is_worth() -> None:
    """One that is away does not fill the storage."""
    world = VoiceWorld(ports={"call_settings": CallSettings(waiting=5)})
    call = world.connected(ANN)
    world.switch.reachable = False
    for _ in range(5):
        world.app.calls.play_tts(call.id, text="hello")
    with pytest.raises(IllegalTransition):
        world.app.calls.play_tts(call.id, text="hello")
    with pytest.raises(IllegalTransition):
        world.app.calls.play_dtmf(call.id, dtmf_digits="1")


def test_a_call_that_rings_may_ring_for_a_shorter_time_only() -> None:
    """The switch was told already how long."""
    world = VoiceWorld()
    world.phone(ANN, does=Does.RINGS)
    call = world.call(ANN, answer_timeout=20_000)
    world.wait(1_000)
    with pytest.raises(InvalidField):
        world.app.calls.update(call.id, answer_timeout=30_000)
    world.app.calls.update(call.id, answer_timeout=5_000)
    world.wait(4_000)

    assert world.app.calls.get(call.id).failure_code == "NO_ANSWER"
    assert world.heard(ANN)[-1][:2] == (5_000, "ends")


def test_a_worker_that_stalls_gives_nothing_after_its_lease() -> None:
    """What another worker has said meanwhile is not said again, nor taken back."""
    world = VoiceWorld()
    conference = world.app.conferences.create()
    members = [
        world.app.conference_members.create(conference.id, call_id=world.connected(party).id)
        for party in (ANN, BOB)
    ]
    world.settle()
    world.app.conference_members.update(conference.id, members[0].id, mute=False, external_id="x")
    world.app.conference_members.update(conference.id, members[0].id, mute=True)
    world.app.conference_members.update(conference.id, members[0].id, mute=False)
    stalled = world.engine.pump.round(world.engine.pump.capabilities)
    while next(stalled) != "command":
        pass
    world.clock.advance(16_000)
    world.app.conference_members.update(conference.id, members[0].id, mute=True)
    other = world.another_engine(world.carrier)
    other.run_until_idle(world.clock.now())
    assert world.switch.listening()[BOB] == ()
    for _ in stalled:
        pass

    assert world.switch.listening()[BOB] == ()


def test_a_leg_that_cannot_be_hung_up_holds_up_nobody_else() -> None:
    """Its conference goes on, and so do the looks for the others."""

    class Stuck(VoiceSimulator):
        def hang_up(self, leg: str, now: Instant) -> None:
            if leg == stuck:
                raise ConnectionResetError
            super().hang_up(leg, now)

    world = VoiceWorld(switch=Stuck())
    conference = world.app.conferences.create()
    calls = [world.connected(party) for party in (ANN, BOB, CID)]
    stuck = calls[0].id
    for call in calls[:2]:
        world.app.conference_members.create(conference.id, call_id=call.id)
    world.settle()
    world.app.conferences.update(conference.id, mute=True)
    world.app.calls.hang_up(stuck)
    world.settle()
    world.app.conference_members.create(conference.id, call_id=calls[2].id)
    world.app.conferences.play_tts(conference.id, text="hello")
    world.wait(MINUTE)
    assert (0, "plays", "speech hello") in world.heard(BOB)
    assert world.switch.up()[CID] == conference.id
    began = world.clock.now()
    world.engine.run_until_idle()  # it comes back

    assert world.clock.now() <= began + MINUTE


def test_an_answer_that_the_switch_refuses_is_no_call() -> None:
    """The caller does not ring on for ever."""

    class Full(VoiceSimulator):
        def answer(self, leg: str, now: Instant) -> None:
            raise VoiceRefused("no free channel")

    world = VoiceWorld(switch=Full())
    world.switch.call_in(ANN, OURS, world.clock.now())
    world.settle()
    [call] = world.app.calls.find()
    world.app.calls.answer(call.id)
    world.settle()

    call = world.app.calls.get(call.id)
    assert (call.state, call.failure_code) == ("COMPLETED", "FAILED")
    assert world.heard(ANN)[-1] == (0, "ends", "HUNG_UP")


def test_a_call_that_a_switch_overlooked_once_is_let_go() -> None:
    """LOST is final; the leg, if it is there after all, is hung up."""

    class Blind(VoiceSimulator):
        def look(self, legs: Any, now: Instant) -> Any:
            return [Sighting(Presence.UNKNOWN)] * len(legs)

    world = VoiceWorld(switch=Blind())
    call = world.connected(ANN)
    world.wait(MINUTE)

    assert world.app.calls.get(call.id).failure_code == "LOST"
    assert world.switch.up() == {}


def _listen(world: VoiceWorld) -> None:
    world.app.subscriptions.create(topics=["SCG-Voice-Call"])


def _told(world: VoiceWorld, kind: str) -> list[dict[str, str]]:
    found = sorted(world.all(Envelope), key=lambda one: one.id)
    return [json.loads(one.facts) for one in found if one.type == kind]

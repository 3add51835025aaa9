"""Bridges and conferences: who joins when, who leaves, what is heard where."""

from __future__ import annotations

import pytest

from scg_adapters.voice.simulator import Does, VoiceSimulator
from scg_core import IllegalTransition, InvalidField, NotFound
from tests.stories.calls import ANN, BOB, CID, DAN, OURS, VoiceWorld


def test_a_call_made_with_a_bridge_joins_when_it_is_answered() -> None:
    """As clients do it: the bridge first, each call with ``bridge_id``."""
    world = VoiceWorld()
    world.phone(BOB, after=5_000)
    bridge = world.app.bridges.create()
    ann, bob = (world.call(party, bridge_id=bridge.id) for party in (ANN, BOB))
    world.wait(1_000)
    assert world.app.bridges.get(bridge.id).state == "CREATED"
    world.wait(10_000)

    bridge = world.app.bridges.get(bridge.id)
    assert (bridge.state, bridge.activated_time) == ("ACTIVE", world.start + 5_000)
    assert world.heard(ANN)[-1] == (5_000, "hears", BOB)
    page = world.app.bridges.calls(bridge.id)
    assert {one.id for one in page.items} == {ann.id, bob.id}
    assert [one.bridge_id for one in page.items] == [bridge.id] * 2


def test_a_bridge_without_audio_begins_on_hold() -> None:
    """HOLD once both are there; released they hear each other."""
    world = VoiceWorld()
    bridge = world.app.bridges.create(bridge_audio=False)
    for party in (ANN, BOB):
        world.call(party, bridge_id=bridge.id)
    world.settle()
    assert world.app.bridges.get(bridge.id).state == "HOLD"
    assert world.heard(ANN)[2:] == []
    world.wait(1_000)
    world.app.bridges.update(bridge.id, bridge_audio=True)
    world.settle()

    assert world.heard(ANN)[2:] == [(1_000, "hears", BOB)]


def test_a_leg_that_is_never_answered_leaves_its_bridge_created() -> None:
    """Its place is free for another."""
    world = VoiceWorld()
    world.phone(BOB, does=Does.IS_BUSY)
    bridge = world.app.bridges.create(call_ids=[world.call(ANN).id, world.call(BOB).id])
    world.settle()
    assert world.app.bridges.get(bridge.id).state == "CREATED"
    world.call(CID, bridge_id=bridge.id)
    world.settle()

    assert world.app.bridges.get(bridge.id).state == "ACTIVE"
    assert world.heard(ANN)[-1] == (0, "hears", CID)


def test_call_ids_replace_the_whole_set() -> None:
    """Before it is connected; a call taken out is free, and no longer the bridge's."""
    world = VoiceWorld()
    world.phone(DAN, does=Does.RINGS)
    ann, bob, dan = world.connected(ANN), world.connected(BOB), world.connected(DAN)
    bridge = world.app.bridges.create(call_ids=[dan.id, ann.id])
    world.app.bridges.update(bridge.id, call_ids=[ann.id, bob.id])
    world.settle()

    assert world.app.bridges.get(bridge.id).state == "ACTIVE"
    assert world.app.calls.get(dan.id).bridge_id is None
    world.app.bridges.update(bridge.id, call_ids=[ann.id])
    world.settle()
    assert world.app.bridges.get(bridge.id).state == "COMPLETED"
    assert set(world.switch.up().values()) == {None}
    world.app.bridges.create(call_ids=[ann.id, bob.id])  # both are free


def test_a_bridge_that_the_switch_cannot_make_is_in_error() -> None:
    """ERROR, the calls stay up and are free; so is one that the switch loses."""
    world = VoiceWorld()
    world.switch.makes_rooms = False
    ann, bob = world.connected(ANN), world.connected(BOB)
    failed = world.app.bridges.create(call_ids=[ann.id, bob.id])
    world.settle()
    assert world.app.bridges.get(failed.id).state == "ERROR"
    world.switch.makes_rooms = True
    bridge = world.app.bridges.create(call_ids=[ann.id, bob.id])
    world.settle()
    world.switch.loses_room(bridge.id, world.clock.now())
    world.settle()

    bridge = world.app.bridges.get(bridge.id)
    assert (bridge.state, bridge.completed_time) == ("ERROR", world.clock.now())
    assert [one.state for one in world.app.calls.find()] == ["ACTIVE", "ACTIVE"]


def test_a_deleted_bridge_is_over_and_gone() -> None:
    """Its calls hear each other no more and stay up."""
    world = VoiceWorld()
    ann, bob = world.connected(ANN), world.connected(BOB)
    bridge = world.app.bridges.create(call_ids=[ann.id, bob.id])
    world.settle()
    world.app.bridges.delete(bridge.id)
    world.settle()

    for ask in (world.app.bridges.get, world.app.bridges.delete, world.app.bridges.calls):
        with pytest.raises(NotFound):
            ask(bridge.id)
    assert world.heard(ANN)[-1] == (0, "hears", "")
    assert world.switch.up() == {ANN: None, BOB: None}


def test_sounds_on_a_bridge_are_heard_by_both() -> None:
    """Only while it is ACTIVE."""
    world = VoiceWorld()
    ann, bob = world.connected(ANN), world.connected(BOB)
    bridge = world.app.bridges.create(call_ids=[ann.id])
    with pytest.raises(IllegalTransition):
        world.app.bridges.play_tts(bridge.id, text="hello")
    world.app.bridges.update(bridge.id, call_ids=[ann.id, bob.id])
    world.app.bridges.play_tts(bridge.id, text="hello")
    world.app.bridges.play_audio(bridge.id, source_type="url", source="http://a.b/c.wav")
    world.wait(5_000)
    world.app.bridges.hold(bridge.id)
    with pytest.raises(IllegalTransition):
        world.app.bridges.play_audio(bridge.id, source_type="URL", source="http://a.b/c.wav")

    played = [about for _, what, about in world.heard(ANN) if what == "plays"]
    assert played == ["speech hello", "audio http://a.b/c.wav"]
    assert [about for _, what, about in world.heard(BOB) if what == "plays"] == played


def test_an_incoming_call_with_a_place_joins_when_the_customer_answers_it() -> None:
    """It is up before it is put there, whichever of the two the switch is told first."""
    world = VoiceWorld()
    conference = world.app.conferences.create()
    for caller in (ANN, BOB, CID, DAN):
        world.switch.call_in(caller, OURS, world.clock.now())
        world.settle()
        [call] = world.app.calls.find(from_address=caller)
        world.app.conference_members.create(conference.id, call_id=call.id, join_tone=True)
        world.app.calls.answer(call.id)
        world.settle()

    assert world.switch.up() == dict.fromkeys((ANN, BOB, CID, DAN), conference.id)
    world.wait(5_000)
    assert [about for _, what, about in world.heard(ANN) if what == "plays"] == ["chime JOIN"] * 4


def test_members_join_with_a_tone_and_leave_with_one() -> None:
    """Everybody who is there hears it; who leaves does not hear the leaving tone."""
    world = VoiceWorld()
    conference = world.app.conferences.create()
    add = world.app.conference_members.create
    add(conference.id, call_id=world.connected(ANN).id)
    bob = add(conference.id, call_id=world.connected(BOB).id, join_tone=True, leaving_tone=True)
    world.wait(1_000)
    world.app.conference_members.delete(conference.id, bob.id)
    world.wait(1_000)

    assert world.heard(ANN)[2:] == [
        (0, "hears", BOB), (0, "plays", "chime JOIN"), (1_000, "hears", ""),
        (1_000, "plays", "chime LEAVE"),
    ]  # fmt: skip
    assert world.heard(BOB)[2:] == [
        (0, "hears", ANN), (0, "plays", "chime JOIN"), (1_000, "hears", ""),
    ]  # fmt: skip


def test_a_conference_is_over_when_its_last_member_leaves() -> None:
    """A member whose call still rings is one of those who remain."""
    world = VoiceWorld()
    world.phone(BOB, after=10_000, talks=5_000)
    conference = world.app.conferences.create()
    add = world.app.conference_members.create
    ann = add(conference.id, call_id=world.connected(ANN).id)
    bob = add(conference.id, call_id=world.call(BOB).id)
    assert (bob.state, bob.joined_time) == ("active", None)
    world.wait(1_000)
    assert world.app.conferences.get(conference.id).active_members == 1
    world.app.conference_members.delete(conference.id, ann.id)
    held = world.app.conferences.get(conference.id)
    assert (held.state, held.active_members) == ("active", 0)
    world.wait(11_000)
    assert world.app.conferences.get(conference.id).active_members == 1
    world.wait(5_000)

    held = world.app.conferences.get(conference.id)
    assert (held.state, held.active_members) == ("completed", 0)
    assert held.completed_time == world.start + 15_000
    bob = world.app.conference_members.get(conference.id, bob.id)
    assert (bob.state, bob.removed_time) == ("completed", held.completed_time)


def test_nobody_who_joined_leaves_a_conference_created() -> None:
    """A call that is rejected completes its membership, not the conference."""
    world = VoiceWorld()
    world.phone(ANN, does=Does.DECLINES)
    conference = world.app.conferences.create()
    member = world.app.conference_members.create(conference.id, call_id=world.call(ANN).id)
    world.settle()

    assert world.app.conferences.get(conference.id).state == "created"
    assert world.app.conference_members.get(conference.id, member.id).state == "completed"


def test_hold_and_mute_of_a_conference_and_of_a_member_add_up() -> None:
    """On hold if either is: nobody heard; muted if either is: heard by nobody."""
    world = VoiceWorld()
    conference = world.app.conferences.create(hold=True)
    add = world.app.conference_members.create
    members = {party: add(conference.id, call_id=world.connected(party).id) for party in (ANN, BOB)}
    world.settle()
    assert world.heard(ANN)[2:] == world.heard(BOB)[2:] == []

    def change(seconds: int, member: str | None, **what: bool) -> None:
        world.wait(world.start + seconds * 1_000 - world.clock.now())
        if member is None:
            world.app.conferences.update(conference.id, what)
        else:
            world.app.conference_members.update(conference.id, members[member].id, what)
        world.settle()

    change(1, None, hold=False)  # both hear each other
    change(2, BOB, hold=True)  # Bob hears nobody and is not heard
    change(3, None, mute=True)
    change(4, BOB, hold=False)  # still nobody may speak
    change(5, ANN, mute=True)
    change(6, None, mute=False)  # Ann stays muted
    change(7, ANN, mute=False)

    assert world.heard(ANN)[2:] == [
        (1_000, "hears", BOB), (2_000, "hears", ""), (6_000, "hears", BOB),
    ]  # fmt: skip
    assert world.heard(BOB)[2:] == [
        (1_000, "hears", ANN), (2_000, "hears", ""), (7_000, "hears", ANN),
    ]  # fmt: skip


def test_an_announcement_is_not_heard_by_who_is_on_hold() -> None:
    """A whisper to that member alone is."""
    world = VoiceWorld()
    conference = world.app.conferences.create()
    add = world.app.conference_members.create
    add(conference.id, call_id=world.connected(ANN).id)
    bob = add(conference.id, call_id=world.connected(BOB).id, hold=True)
    world.app.conferences.play_tts(conference.id, text="all")
    world.app.conference_members.play_tts(conference.id, bob.id, text="one")
    world.wait(5_000)

    assert [about for _, what, about in world.heard(ANN) if what == "plays"] == ["speech all"]
    assert [about for _, what, about in world.heard(BOB) if what == "plays"] == ["speech one"]


def test_a_deleted_member_and_conference_are_gone() -> None:
    """404 next; the list of members holds those that have left, not those deleted."""
    world = VoiceWorld()
    conference = world.app.conferences.create(external_id="c")
    add = world.app.conference_members.create
    members = [add(conference.id, call_id=world.connected(one).id) for one in (ANN, BOB, CID)]
    assert {one.conference_external_id for one in members} == {"c"}
    world.app.conference_members.delete(conference.id, members[0].id)
    world.switch.hangs_up(BOB, world.clock.now())
    world.settle()

    page = world.app.conference_members.page(conference.id)
    assert [(one.id, one.state) for one in page.items] == [
        (members[1].id, "completed"), (members[2].id, "active"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        world.app.conference_members.get(conference.id, members[0].id)
    world.app.conferences.delete(conference.id)
    for ask in (world.app.conferences.get, world.app.conferences.delete):
        with pytest.raises(NotFound):
            ask(conference.id)


def test_a_place_that_the_switch_did_not_take_is_taken_when_it_is_asked() -> None:
    """A switch that lost a room without a word has its legs put back."""
    world = VoiceWorld()
    ann, bob = world.connected(ANN), world.connected(BOB)
    bridge = world.app.bridges.create(call_ids=[ann.id, bob.id])
    world.settle()
    world.switch.close(bridge.id, world.clock.now())
    assert set(world.switch.up().values()) == {None}
    world.engine.switch_restored("switch")
    world.settle()

    assert set(world.switch.up().values()) == {bridge.id}
    assert world.app.bridges.get(bridge.id).state == "ACTIVE"


def test_a_call_that_moved_on_is_not_put_back(url: str) -> None:
    """From a bridge to a conference before the switch was told of either."""
    world = VoiceWorld(url)
    conference = world.app.conferences.create()
    bridge = world.app.bridges.create()
    ann = world.connected(ANN)
    world.app.bridges.update(bridge.id, call_ids=[ann.id])
    world.app.bridges.update(bridge.id, call_ids=[])
    world.app.conference_members.create(conference.id, call_id=ann.id)
    world.settle()

    assert world.switch.up() == {ANN: conference.id}


def test_a_bridge_that_is_empty_again_takes_calls_of_another_switch() -> None:
    """Calls of two switches cannot hear each other; an empty bridge has none."""
    other = VoiceSimulator()
    world = VoiceWorld(ports={"voice": {"near": VoiceSimulator(), "far": other}})
    world.engine.operator().put_sender_id_type(id="FAR", gateway_id="far", capabilities=["VOICE"])
    world.engine.operator().put_sender_id_type(id="NEAR", gateway_id="near", capabilities=["VOICE"])
    far = world.voice_number("acme", "+14155559888", type_id="FAR")
    near = world.voice_number("acme", "+14155559777", type_id="NEAR")
    ann = world.app.calls.create({"from": far.id, "to": ANN})
    bob = world.app.calls.create({"from": near.id, "to": BOB})
    world.settle()
    assert list(other.up()) == [ANN]
    bridge = world.app.bridges.create(call_ids=[ann.id])
    with pytest.raises(InvalidField):
        world.app.bridges.update(bridge.id, call_ids=[ann.id, bob.id])
    world.app.bridges.update(bridge.id, call_ids=[])
    world.app.bridges.update(bridge.id, call_ids=[bob.id])
    cid = world.app.calls.create({"from": near.id, "to": CID, "bridge_id": bridge.id})
    world.settle()

    assert world.app.bridges.get(bridge.id).state == "ACTIVE"
    assert world.app.calls.get(cid.id).state == "ACTIVE"

"""Calls, bridges and conferences through the public API: who hears whom, and when."""

from __future__ import annotations

from tests.stories.calls import ANN, BOB, CID, DAN, EVE, VoiceWorld


def test_two_calls_are_bridged_held_released_and_one_hangs_up() -> None:
    """Both hear each other, nobody while on hold, and again; the one left over stays up."""
    world = VoiceWorld()
    ann, bob = world.call(ANN), world.call(BOB)
    bridge = world.app.bridges.create(call_ids=[ann.id, bob.id])
    assert (bridge.state, bridge.activated_time) == ("CREATED", None)

    world.settle()
    bridge = world.app.bridges.get(bridge.id)
    assert (bridge.state, bridge.activated_time) == ("ACTIVE", world.start)
    world.wait(5_000)
    assert world.app.bridges.hold(bridge.id).state == "HOLD"
    world.wait(3_000)
    assert world.app.bridges.release(bridge.id).state == "ACTIVE"
    world.wait(2_000)
    world.switch.hangs_up(BOB, world.clock.now())
    world.settle()

    assert world.heard(ANN) == [
        (0, "rings", ""), (0, "answers", ""), (0, "hears", BOB), (5_000, "hears", ""),
        (8_000, "hears", BOB), (10_000, "hears", ""),
    ]  # fmt: skip
    assert world.heard(BOB) == [
        (0, "rings", ""), (0, "answers", ""), (0, "hears", ANN), (5_000, "hears", ""),
        (8_000, "hears", ANN), (10_000, "hears", ""), (10_000, "ends", "HUNG_UP"),
    ]  # fmt: skip
    bridge = world.app.bridges.get(bridge.id)
    assert (bridge.state, bridge.completed_time) == ("COMPLETED", world.clock.now())
    assert [world.app.calls.get(one.id).state for one in (ann, bob)] == ["ACTIVE", "COMPLETED"]
    assert world.switch.up() == {ANN: None}


def test_a_conference_of_five_with_one_muted_one_kicked_an_announcement_and_a_whisper() -> None:
    """The timeline shows exactly who heard what, until the conference is deleted."""
    world = VoiceWorld()
    calls = {party: world.connected(party) for party in (ANN, BOB, CID, DAN, EVE)}
    conference = world.app.conferences.create(external_id="standup")
    members = {
        party: world.app.conference_members.create(conference.id, call_id=call.id)
        for party, call in calls.items()
    }
    world.settle()
    assert world.app.conferences.get(conference.id).active_members == 5

    world.wait(1_000)
    world.app.conference_members.update(conference.id, members[BOB].id, mute=True)
    world.wait(1_000)
    world.app.conference_members.delete(conference.id, members[EVE].id)
    world.wait(1_000)
    world.app.conferences.play_tts(conference.id, text="Welcome")
    world.wait(1_000)
    world.app.conference_members.play_tts(conference.id, members[CID].id, text="psst")
    world.wait(1_000)
    world.app.conferences.delete(conference.id)
    world.settle()

    everybody = (ANN, BOB, CID, DAN, EVE)

    def others(party: str, *without: str) -> str:
        return ",".join(one for one in everybody if one not in (party, *without))

    def joined(party: str) -> list[tuple[int, str, str]]:
        """They joined in order, all at once; each hears those who came before, then the others."""
        at = everybody.index(party)
        there = [",".join(one for one in everybody[: n + 1] if one != party) for n in range(at, 5)]
        said = [(0, "hears", one) for one in there if one]
        return [(0, "rings", ""), (0, "answers", ""), *said]

    assert world.heard(ANN) == [
        *joined(ANN), (1_000, "hears", others(ANN, BOB)), (2_000, "hears", others(ANN, BOB, EVE)),
        (3_000, "plays", "speech Welcome"), (5_000, "hears", ""),
    ]  # fmt: skip
    assert world.heard(BOB) == [
        *joined(BOB), (2_000, "hears", others(BOB, EVE)), (3_000, "plays", "speech Welcome"),
        (5_000, "hears", ""),
    ]  # fmt: skip
    assert world.heard(CID) == [
        *joined(CID), (1_000, "hears", others(CID, BOB)), (2_000, "hears", others(CID, BOB, EVE)),
        (3_000, "plays", "speech Welcome"), (4_000, "plays", "speech psst"), (5_000, "hears", ""),
    ]  # fmt: skip
    assert world.heard(DAN) == [
        *joined(DAN), (1_000, "hears", others(DAN, BOB)), (2_000, "hears", others(DAN, BOB, EVE)),
        (3_000, "plays", "speech Welcome"), (5_000, "hears", ""),
    ]  # fmt: skip
    assert world.heard(EVE) == [
        *joined(EVE), (1_000, "hears", others(EVE, BOB)), (2_000, "hears", ""),
    ]  # fmt: skip
    assert set(world.switch.up().values()) == {None} and len(world.switch.up()) == 5
    gone = [one for one in world.all(type(members[ANN])) if one.state == "completed"]
    assert len(gone) == 5 and all(one.removed_time is not None for one in gone)

"""Messages that are spoken: a call says the words, and its end settles the message."""

from __future__ import annotations

import pytest

from scg_adapters.voice.simulator import Does, Faults, VoiceSimulator
from scg_core import Call, CallSettings, VoiceRefused
from scg_core.kernel.instant import MINUTE, SECOND, Instant
from scg_core.ports.voice_transport import Playback, VoiceCapabilities
from tests.stories.calls import ANN, BOB, OURS, VoiceWorld
from tests.world import numbers


def test_a_spoken_message_is_delivered_once_it_was_said() -> None:
    """The phone hears the words in their language, and the call ends by itself."""
    world = VoiceWorld()
    world.phone(ANN, after=5_000)
    request = world.send(f"voice:{ANN}", from_=world.number.id, body="Ciao", src_language="it")
    world.wait(MINUTE)

    [message] = world.messages(request.id)
    assert (message.state, message.type, message.to_address) == ("DELIVERED", "VOICE", ANN)
    assert message.from_address == OURS
    request = world.request(request.id)
    assert (request.state, request.sent_count, request.delivered_count) == ("COMPLETED", 1, 1)
    assert world.heard(ANN) == [
        (0, "rings", ""), (5_000, "answers", ""), (5_000, "plays", "speech Ciao"),
        (5_300, "ends", "HUNG_UP"),
    ]  # fmt: skip
    [call] = world.app.calls.find()
    assert (call.state, call.chargeable_duration, call.price) == ("COMPLETED", 1, None)
    world.recount()


@pytest.mark.parametrize("does", [Does.IS_BUSY, Does.DECLINES, Does.RINGS, Does.IS_UNREACHABLE])
def test_a_spoken_message_that_nobody_takes_fails(does: Does) -> None:
    """FAILED, the books balanced, the request COMPLETED."""
    world = VoiceWorld()
    world.phone(ANN, does=does)
    request = world.send(f"voice:{ANN}", from_=world.number.id)
    world.wait(2 * MINUTE)

    assert world.states(request.id) == ["FAILED"]
    request = world.request(request.id)
    assert (request.state, request.sent_count, request.failed_count) == ("COMPLETED", 1, 1)
    world.recount()


def test_somebody_who_hangs_up_while_it_is_said_has_been_reached() -> None:
    """DELIVERED: it was answered."""
    world = VoiceWorld()
    world.phone(ANN, talks=1_000)
    request = world.send(f"voice:{ANN}", from_=world.number.id, body="a long story " * 20)
    world.wait(MINUTE)

    assert world.states(request.id) == ["DELIVERED"]


def test_a_message_that_is_spoken_for_ever_ends() -> None:
    """The switch never tells that it is said: the call is ended, the message DELIVERED."""
    limit = CallSettings(spoken=2 * MINUTE)
    world = VoiceWorld(switch=VoiceSimulator(faults=Faults(lost=1.0)), ports={
        "call_settings": limit,
    })  # fmt: skip
    request = world.send(f"voice:{ANN}", from_=world.number.id)
    world.wait(10 * MINUTE)

    assert world.states(request.id) == ["DELIVERED"]
    assert world.switch.up() == {}


def test_no_more_messages_are_spoken_at_once_than_the_window_allows() -> None:
    """The rest waits its turn; everybody is called once."""
    switch = VoiceSimulator(capabilities=VoiceCapabilities(window=5))
    world = VoiceWorld(switch=switch)
    wanted = numbers(23)
    request = world.send(*(f"voice:{one}" for one in wanted), from_=world.number.id)
    most = 0
    for _ in range(120):
        world.wait(SECOND // 2)
        most = max(most, len(switch.up()))

    assert most <= 5
    assert sorted(switch.dialled) == sorted(wanted)
    assert world.request(request.id).delivered_count == 23
    world.recount()


def test_one_sender_id_texts_and_speaks_through_two_transports() -> None:
    """SMS goes to the carrier, ``voice:`` to the switch, of one request."""
    world = VoiceWorld()
    both = world.voice_number("acme", "+14155559222", capabilities=["SMS", "VOICE"])
    request = world.send(BOB, f"voice:{ANN}", from_=both.id)
    world.wait(MINUTE)

    assert world.states(request.id) == ["DELIVERED", "DELIVERED"]
    assert [one.type for one in world.messages(request.id)] == ["SMS", "VOICE"]
    assert world.switch.dialled == [ANN]


def test_a_contact_who_wants_voice_is_called() -> None:
    """REQUIRE_VOICE waited for a switch."""
    world = VoiceWorld()
    both = world.voice_number("acme", "+14155559222", capabilities=["SMS", "VOICE"])
    contact = world.app.contacts.create(primary_mdn=ANN, voice_preference="REQUIRE_VOICE")
    request = world.send(f"contact:{contact.id}", from_=both.id)
    world.wait(MINUTE)

    assert world.states(request.id) == ["DELIVERED"]
    assert world.switch.dialled == [ANN]


def test_a_switch_without_a_voice_fails_spoken_messages() -> None:
    """It says so at once; nobody is called."""
    world = VoiceWorld(switch=VoiceSimulator(capabilities=VoiceCapabilities(speech=False)))
    request = world.send(f"voice:{ANN}", from_=world.number.id)
    world.wait(MINUTE)

    [message] = world.messages(request.id)
    assert message.state == "FAILED" and "no voice" in (message.failure_details or "")
    assert world.all(Call) == []


def test_a_message_that_cannot_be_spoken_leaves_nobody_on_the_line() -> None:
    """The switch refuses the words: FAILED, and the phone is hung up."""

    class Mute(VoiceSimulator):
        def play(self, playback: Playback, now: Instant) -> None:
            raise VoiceRefused("there is no such voice")

    world = VoiceWorld(switch=Mute())
    request = world.send(f"voice:{ANN}", from_=world.number.id)
    world.wait(MINUTE)

    assert world.states(request.id) == ["FAILED"]
    assert world.switch.up() == {}
    world.recount()

"""The pure rules of calling: what may be asked, what ends mean, who hears, what it costs."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core import InvalidField
from scg_core.calling.lifecycle import ConferenceState, MemberState
from scg_core.calling.model import CallFailure, Conference, ConferenceMember
from scg_core.calling.records import Verb, VoiceCommand
from scg_core.calling.rules.asking import (
    read_call_ids,
    read_digits,
    read_source,
    read_words,
)
from scg_core.calling.rules.charging import price_of, seconds_of, units_of
from scg_core.calling.rules.ending import AFTERWARDS, SAYS, WHILE_RINGING
from scg_core.calling.rules.hearing import seat_of
from scg_core.calling.rules.lines import sift
from scg_core.kernel.instant import MINUTE, Instant
from scg_core.kernel.resource import Micros
from scg_core.ports.voice_transport import Cause, Speech
from tests.stories.calls import ANN, VoiceWorld

NOW = Instant(1_767_225_600_000)


def test_a_voice_overrides_language_and_gender() -> None:
    """Without one they count, the gender in any case."""
    said = {"text": "hi", "language": "en-GB", "gender": "FeMale"}
    plain, named = read_words(said, False), read_words({**said, "voice": "Amy"}, False)

    assert (plain.language, plain.gender, plain.voice) == ("en-GB", "female", None)
    assert (named.language, named.gender, named.voice) == (None, None, "Amy")


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (read_words, {"text": "hi"}),
        (read_source, {"source_type": "URL", "source": "https://x.example/a.wav"}),
        (read_digits, {"dtmf_digits": "1"}),
    ],
)
def test_what_cannot_be_played_is_no_argument(read: Any, given: dict[str, str]) -> None:
    """It is refused by its name; whoever is lenient passes it over."""
    with pytest.raises(InvalidField) as refused:
        read({**given, "volume": "11"}, False)

    assert refused.value.field == "volume"
    assert read({**given, "volume": "11"}, True) == read(given, False)


def test_the_switch_is_told_how_to_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Language and gender, or the voice, travel to it as they were asked for."""
    world = VoiceWorld()
    heard: list[Any] = []
    monkeypatch.setattr(world.switch, "play", lambda playback, now: heard.append(playback.sound))
    call = world.connected(ANN)
    world.app.calls.play_tts(call.id, text="a", language="it", gender="male")
    world.app.calls.play_tts(call.id, text="b", gender="male", voice="Amy")
    world.settle()

    assert heard == [Speech("a", "it", "male"), Speech("b", voice="Amy")]


@given(st.text(alphabet="0189ABCDEabd*#w, +\u0663", max_size=70))
def test_digits_are_those_of_the_specification(text: str) -> None:
    """1 to 64 of 0-9, A-D, *, #, w and the comma, nothing else."""
    good = re.fullmatch(r"[0-9A-D*#w,]{1,64}", text, re.ASCII) is not None
    try:
        assert read_digits({"dtmf_digits": text}, False) == text and good
    except InvalidField:
        assert not good


@pytest.mark.parametrize("name", ["dtmf_digits", "dtmfText"])
@pytest.mark.parametrize("number", [0, 1, 42, int("9" * 64)])
def test_digits_may_be_a_number_where_one_is_lenient(name: str, number: int) -> None:
    """As clients of the old API send them; zero is a key, too."""
    assert read_digits({name: number}, True) == str(number)
    with pytest.raises(InvalidField) as refused:
        read_digits({name: number}, False)

    assert refused.value.field == name


@pytest.mark.parametrize("given", [True, False, 1.0, -1, int("1" * 65), [1], {"1": 1}])
@pytest.mark.parametrize("lenient", [False, True])
def test_no_other_value_is_digits(given: object, lenient: bool) -> None:
    """True is no 1."""
    for name in ("dtmf_digits", "dtmfText"):
        with pytest.raises(InvalidField) as refused:
            read_digits({name: given}, lenient)
        assert refused.value.field == name


@pytest.mark.parametrize("given", [{}, {"dtmfText": ""}, {"dtmf_digits": None, "dtmfText": None}])
@pytest.mark.parametrize("lenient", [False, True])
def test_no_digits_at_all_are_refused(given: dict[str, object], lenient: bool) -> None:
    """By the name that is documented."""
    with pytest.raises(InvalidField, match="dtmf_digits: is empty"):
        read_digits(given, lenient)


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_its_meaning_before_and_after_the_answer(cause: Cause) -> None:
    """Before it the call is rejected with a failure; after it only a failed network is one."""
    event, failure = WHILE_RINGING[cause.value]
    assert (failure is not None) and failure in SAYS
    assert event == {"HUNG_UP": "HUNG_UP", "FAILED": "FAILED"}.get(cause, "UNANSWERED")

    later, failure = AFTERWARDS[cause.value]
    failed = cause is Cause.FAILED
    assert (later, failure) == (("FAILED", CallFailure.FAILED) if failed else ("HUNG_UP", None))
    assert set(SAYS) == set(CallFailure)


@pytest.mark.parametrize(
    ("all_held", "all_muted", "held", "muted"), list(product([False, True], repeat=4))
)
def test_hold_and_mute_of_everybody_and_of_one_add_up(
    all_held: bool, all_muted: bool, held: bool, muted: bool
) -> None:
    """Effective hold is either hold; who is on hold neither hears nor speaks."""
    facts: dict[str, Any] = {"id": "x", "company_id": "acme", "last_updated_date": NOW}
    conference = Conference(
        state=ConferenceState.ACTIVE, created_time=NOW, application_id=1, hold=all_held,
        mute=all_muted, **facts,
    )  # fmt: skip
    member = ConferenceMember(
        state=MemberState.ACTIVE, added_time=NOW, conference_id="x", call_id="c", hold=held,
        mute=muted, **facts,
    )  # fmt: skip
    seat = seat_of(conference, member)

    assert seat.hears == (not (all_held or held))
    assert seat.speaks == (not (all_held or held or all_muted or muted))


@pytest.mark.parametrize(
    ("lasted", "seconds", "units"),
    [(0, 0, 1), (1, 1, 1), (999, 1, 1), (1_000, 1, 1), (1_001, 2, 1), (60_000, 60, 1),
     (60_001, 61, 2), (120_000, 120, 2)],
)  # fmt: skip
def test_begun_seconds_and_begun_units_count(lasted: int, seconds: int, units: int) -> None:
    """ceil(end - answer); an answered call has at least one unit."""
    counted = seconds_of(NOW, Instant(NOW + lasted))

    assert (counted, units_of(counted, MINUTE)) == (seconds, units)
    assert price_of(Micros(7), counted, MINUTE, answered=True) == 7 * units


def test_a_call_that_was_not_answered_costs_nothing() -> None:
    """With a tariff 0, without one no price at all."""
    assert seconds_of(None, NOW) == 0
    assert price_of(Micros(7), 0, MINUTE, answered=False) == 0
    assert price_of(None, 90, MINUTE, answered=True) is None


def test_what_comes_before_an_end_is_not_given_any_more() -> None:
    """A leg that was never dialled has no end either; one that was tried has."""

    def line(*verbs: Verb, tried: int = 0) -> list[VoiceCommand]:
        return [
            VoiceCommand(id=str(at), seq=at, company_id="acme", line="x", verb=verb, facts="{}",
                         tried=tried, created_date=NOW)
            for at, verb in enumerate(verbs)
        ]  # fmt: skip

    def given_of(*verbs: Verb, tried: int = 0) -> list[Verb]:
        return [one.verb for one in sift(line(*verbs, tried=tried)).give]

    assert given_of(Verb.PLAY, Verb.PRESS) == [Verb.PLAY, Verb.PRESS]
    assert given_of(Verb.PLAY, Verb.HANG_UP) == [Verb.HANG_UP]
    assert given_of(Verb.ORIGINATE, Verb.HANG_UP) == []
    assert given_of(Verb.ORIGINATE, Verb.HANG_UP, tried=1) == [Verb.HANG_UP]
    assert given_of(Verb.PLACE, Verb.CLOSE, Verb.CLOSE) == [Verb.CLOSE]
    assert given_of(Verb.PLAY, Verb.HANG_UP, Verb.PLACE) == [Verb.HANG_UP, Verb.PLACE]
    assert given_of(Verb.ORIGINATE, Verb.HANG_UP, Verb.PLACE) == [Verb.PLACE]


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (None, ()), ("", ()), (" ", ()), (",; ,", ()), ([], ()),
        ("a", ("a",)), ("a,b", ("a", "b")), (" b ;, a ", ("b", "a")), ("a,a,b", ("a", "b")),
        (["a", " a "], ("a",)), (("a", "b"), ("a", "b")), (["a,b"], ("a,b",)),
        (["a"] * 99 + ["b"], ("a", "b")), (["x" * 128], ("x" * 128,)),
    ],
)  # fmt: skip
def test_the_calls_of_a_bridge_are_a_list_or_a_text_with_commas(
    given: object, ids: tuple[str, ...]
) -> None:
    """In their order, each once; none is none."""
    assert read_call_ids(given) == ids


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (5, "call_ids"), (True, "call_ids"), ({"a": "b"}, "call_ids"), (["a", 5], "call_ids[1]"),
        (["a", None], "call_ids[1]"), (["a", ""], "call_ids[1]"), (["x" * 129], "call_ids[0]"),
        ("a,b,c", "call_ids"), (["a", "b", "c"], "call_ids"), (["a"] * 100 + [5], "call_ids"),
    ],
)  # fmt: skip
def test_what_names_no_calls_of_a_bridge_is_refused(given: object, field: str) -> None:
    """By the place in the list, where there is one."""
    with pytest.raises(InvalidField) as refused:
        read_call_ids(given)

    assert refused.value.field == field


def test_the_calls_of_a_bridge_are_named_up_to_a_hundred_times() -> None:
    """The same one again is no other; a longer list is refused unread."""
    assert read_call_ids(["a", "b"] * 50) == ("a", "b")
    for given_as in (["a"] * 101, ["a", "b", "c"]):
        with pytest.raises(InvalidField) as refused:
            read_call_ids(given_as)
        assert refused.value.field == "call_ids"

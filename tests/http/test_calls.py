"""Calls over HTTP as the specification's clients make them: at once, and what they see next."""

from __future__ import annotations

from typing import Any

from tests.http.server import Served
from tests.stories.calls import ANN, BOB, CID, OURS, VoiceWorld

CALLS, BRIDGES, CONFERENCES = "/calling/calls", "/calling/bridges", "/calling/conferences"


def world_of(served: Served) -> VoiceWorld:
    """The world behind a server."""
    world = served.world
    assert isinstance(world, VoiceWorld)
    return world


def made(served: Served, path: str, body: dict[str, Any]) -> str:
    """The id of what was made."""
    answer = served.call("POST", path, body)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


def call(served: Served, to: str, **fields: Any) -> str:
    """A call to a phone."""
    return made(served, CALLS, {"from": world_of(served).number.id, "to": to, **fields})


def test_the_next_request_sees_what_a_quick_switch_did(served: Served) -> None:
    """Create, play, bridge and hang up without ever waiting."""
    ann, bob = call(served, ANN), call(served, BOB)
    assert served.call("GET", f"{CALLS}/{ann}").json["state"] == "ACTIVE"
    assert served.call("POST", f"{CALLS}/{ann}/play_tts", {"text": "Hi"}).json == {"id": ann}
    bridge = made(served, BRIDGES, {"call_ids": [ann, bob], "bridge_audio": True})
    assert served.call("GET", f"{BRIDGES}/{bridge}").json["state"] == "ACTIVE"
    assert world_of(served).switch.listening()[ANN] == (BOB,)

    assert served.call("POST", f"{CALLS}/{ann}", {"state": "COMPLETED"}).status == 200
    held = served.call("GET", f"{CALLS}/{ann}").json
    assert (held["state"], held["chargeable_duration"]) == ("COMPLETED", 0)
    assert served.call("GET", f"{BRIDGES}/{bridge}").json["state"] == "COMPLETED"
    assert served.call("POST", f"{CALLS}/{ann}", {"state": "ACTIVE"}).code == "409"
    listed = served.call("GET", f"{BRIDGES}/{bridge}/calls").json
    assert {one["id"] for one in listed["list"]} == {ann, bob}
    assert served.call("DELETE", f"{CALLS}/{bob}", {}).status == 204
    assert served.call("GET", f"{CALLS}/{bob}").status == 404


def test_clients_fill_a_bridge_in_each_of_their_ways(served: Served) -> None:
    """Empty with audio, empty with a list, by text, by ``bridge_id`` of a call."""
    empty = made(served, BRIDGES, {"bridge_audio": "true"})
    bare = made(served, BRIDGES, {"call_ids": []})
    first, second = call(served, "+14155550301", bridge_id=empty), call(served, "+14155550302")
    text = f"{first},{second}"
    body = {"call_ids": text, "bridge_audio": True}
    assert served.call("POST", f"{BRIDGES}/{empty}/", body).status == 200

    assert served.call("GET", f"{BRIDGES}/{empty}").json["state"] == "ACTIVE"
    assert served.call("GET", f"{CALLS}/{second}").json["bridge_id"] == empty
    assert served.call("GET", f"{BRIDGES}/{bare}").json["state"] == "CREATED"
    third = call(served, "+14155550303")
    three = served.call("POST", f"{BRIDGES}/{bare}", {"call_ids": [first, second, third]})
    assert (three.status, three.code) == (400, "400")
    taken = served.call("POST", f"{BRIDGES}/{bare}", {"call_ids": [first]})
    assert (taken.status, taken.code) == (409, "409")


def test_a_whole_call_that_comes_back_changes_nothing(served: Served) -> None:
    """Python and JavaScript read, change and post the whole object."""
    id = call(served, "+14155550304", external_id="mine", answer_timeout="30000")
    path = f"{CALLS}/{id}"
    held = served.call("GET", path).json
    assert (held["direction"], held["answer_timeout"]) == ("OUT", 30_000)
    again = {**held, "failure_details": 0, "end_time": [], "unknown": {"x": 1}, "price": None}
    assert served.call("POST", path, again).status == 200
    assert served.call("GET", path).json == held

    bridge = made(served, BRIDGES, {})
    held = served.call("GET", f"{BRIDGES}/{bridge}").json
    spelled = {"completed_time - date": None, "activated_time   - date": ""}
    assert served.call("POST", f"{BRIDGES}/{bridge}", {**held, **spelled}).status == 200
    assert served.call("GET", f"{BRIDGES}/{bridge}").json == held


def test_members_are_added_under_either_name(served: Served) -> None:
    """``callId`` and ``call_id``; an announcement and a whisper; the end by DELETE."""
    conference = made(served, CONFERENCES, {"external_id": "c", "from": OURS, "state": "active"})
    path = f"{CONFERENCES}/{conference}"
    assert served.call("GET", path).json["state"] == "created"
    assert served.call("POST", f"{path}/play_tts", {"text": "early"}).code == "409"
    members = [
        made(served, f"{path}/members", {"callId": call(served, "+14155550305")}),
        made(served, f"{path}/members", {"call_id": call(served, "+14155550306"), "mute": True}),
    ]
    held = served.call("GET", path).json
    assert (held["state"], held["active_members"]) == ("active", 2)
    sound = {"source_type": "URL", "source": "https://example.com/hello.mp3"}
    for place in (path, f"{path}/members/{members[0]}"):
        assert served.call("POST", f"{place}/play_audio", sound).status == 200
        assert served.call("POST", f"{place}/play_tts", {"text": "Hi"}).status == 200
    assert served.call("DELETE", f"{path}/members/{members[0]}").status == 204
    page = served.call("GET", f"{path}/members?state=active").json
    assert [one["id"] for one in page["list"]] == members[1:]

    assert served.call("DELETE", path).status == 204
    for verb in ("GET", "DELETE"):
        assert served.call(verb, path).status == 404


def test_digits_are_sent_under_either_name_and_read_from_the_timeline(served: Served) -> None:
    """``dtmf_digits`` and ``dtmfText``; what the phone presses can be asked for."""
    world = world_of(served)
    world.phone(CID, presses=((0, "7"),))
    id = call(served, CID)
    for body in ({"dtmf_digits": "12#"}, {"dtmfText": "34"}):
        assert served.call("POST", f"{CALLS}/{id}/play_dtmf", body).status == 200
    wrong = served.call("POST", f"{CALLS}/{id}/play_dtmf", {"dtmf_digits": "hello"})
    assert (wrong.status, wrong.code) == (400, "400")

    page = served.call("GET", f"{CALLS}/{id}/timeline?what=DIGITS").json
    assert [one["details"] for one in page["list"]] == ["7"]
    assert [about for _, what, about in world.heard(CID) if what == "plays"] == [
        "digits 12#", "digits 34",
    ]  # fmt: skip


def test_an_incoming_call_is_answered_by_its_state(served: Served) -> None:
    """As the sample does it."""
    world = world_of(served)
    world.switch.call_in("+14155550307", OURS, world.clock.now())
    world.settle()
    page = served.call("GET", f"{CALLS}?direction=IN&state=STARTED").json
    [held] = page["list"]
    assert served.call("POST", f"{CALLS}/{held['id']}", {"state": "ACTIVE"}).status == 200

    assert "+14155550307" in world.switch.up()


def test_a_switch_that_is_away_keeps_nobody_waiting(served: Served) -> None:
    """The answer comes all the same; the call is dialled later."""
    world = world_of(served)
    world.switch.reachable = False
    id = call(served, "+14155550308")
    assert served.call("GET", f"{CALLS}/{id}").json["state"] == "STARTED"
    world.switch.reachable = True
    world.wait(10_000)

    assert served.call("GET", f"{CALLS}/{id}").json["state"] == "ACTIVE"


def test_one_modification_is_one_version(served: Served) -> None:
    """Clients count by themselves, whatever hangs on what they change."""
    ann, bob = (call(served, f"+1415555031{number}") for number in (1, 2))
    world_of(served).phone("+14155550313", does="rings")
    ringing = call(served, "+14155550313")
    assert served.call("GET", f"{CALLS}/{ringing}").json["version_number"] == 1
    bridge = made(served, BRIDGES, {"call_ids": [ann, bob]})
    path = f"{BRIDGES}/{bridge}"
    assert served.call("GET", path).json["version_number"] == 1
    for version, change in enumerate(
        ({"bridge_audio": False, "external_id": "e"}, {"bridge_audio": True}, {"call_ids": [ann]}),
        start=1,
    ):
        answer = served.call("POST", path, {**change, "version_number": version})
        assert answer.status == 200, answer.body
    held = served.call("GET", path).json
    assert (held["version_number"], held["state"]) == (4, "COMPLETED")

    before = served.call("GET", f"{CALLS}/{ann}").json["version_number"]
    body = {"state": "COMPLETED", "external_id": "e", "version_number": str(before)}
    assert served.call("POST", f"{CALLS}/{ann}", body).status == 200
    assert served.call("GET", f"{CALLS}/{ann}").json["version_number"] == before + 1


def test_nulls_and_empty_texts_do_not_stand_in_the_way(served: Served) -> None:
    """What a call or bridge always has is not cleared by them."""
    id = call(served, "+14155550314", answer_timeout=5_000, bridge_id="", version_number="")
    nulls = dict.fromkeys(("from", "to", "from_address", "answer_timeout", "external_id"))
    bridge = made(served, BRIDGES, {"call_ids": [id], "bridge_audio": False})
    for audio in (None, ""):
        body = {"external_id": "e", "bridge_audio": audio, "version_number": ""}
        assert served.call("POST", f"{BRIDGES}/{bridge}", body).status == 200
    assert served.call("GET", f"{BRIDGES}/{bridge}").json["bridge_audio"] is False

    body = {**nulls, "state": "COMPLETED", "answer_timeout": ""}
    assert served.call("POST", f"{CALLS}/{id}", body).status == 200
    assert served.call("GET", f"{CALLS}/{id}").json["state"] == "COMPLETED"
    for verb in ("GET", "DELETE", "POST"):
        assert served.call(verb, f"{CALLS}/%20", {}).status == 404

"""The routes of calls, bridges and conferences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scg_adapters.http.route import Does, Route, row
from scg_core.calling.model import Bridge, Call, CallMoment, Conference, ConferenceMember
from scg_core.kernel.resource import Resource

_SPEECH: Final = ("text", "language", "gender", "voice")
_SOUND: Final = ("source", "source_type")


def calls() -> Iterator[Route]:
    """Of calls."""
    path, of, kind = "/calling/calls", "calls", Call
    call = f"{path}/{{Call_ID}}"
    yield row(path, Does.LIST, kind, of, "List calls.")
    yield row(path, Does.CREATE, kind, of, "Dial a phone.", attended=True)
    yield row(call, Does.READ, kind, of, "Read a call.")
    yield row(
        call, Does.UPDATE, kind, of,
        "Change what is given of a call; `state` COMPLETED hangs it up, ACTIVE answers it.",
        attended=True,
    )  # fmt: skip
    yield row(
        call, Does.DELETE, kind, of, "Delete a call, hanging it up first if it is not over.",
        attended=True,
    )  # fmt: skip
    yield row(
        f"{call}/timeline", Does.LIST, CallMoment, of,
        "List what happened on a call: its states, digits pressed, sounds that ended.",
        call="timeline",
    )  # fmt: skip
    yield row(
        f"{call}/play_dtmf", Does.PLAY, kind, of, "Send digits on a call.", call="play_dtmf",
        plays=("dtmf_digits",), attended=True,
    )  # fmt: skip
    yield from _sounds(call, kind, of, "on a call")


def bridges() -> Iterator[Route]:
    """Of bridges."""
    path, of, kind = "/calling/bridges", "bridges", Bridge
    bridge = f"{path}/{{Bridge_ID}}"
    yield row(path, Does.LIST, kind, of, "List bridges.")
    yield row(path, Does.CREATE, kind, of, "Make a bridge, with up to two calls.", attended=True)
    yield row(bridge, Does.READ, kind, of, "Read a bridge.")
    yield row(
        bridge, Does.UPDATE, kind, of,
        "Change what is given of a bridge: `call_ids` is the whole set, `bridge_audio` holds and "
        "releases.",
        attended=True,
    )  # fmt: skip
    yield row(
        bridge, Does.DELETE, kind, of, "End a bridge and delete it; its calls stay up.",
        attended=True,
    )  # fmt: skip
    yield row(
        f"{bridge}/calls", Does.LIST, Call, of,
        "List the calls that are on a bridge, or were on it last.", call="calls",
    )  # fmt: skip
    yield from _sounds(bridge, kind, of, "to both calls of a bridge")


def conferences() -> Iterator[Route]:
    """Of conferences and their members."""
    path, of, kind = "/calling/conferences", "conferences", Conference
    conference = f"{path}/{{Conference_ID}}"
    yield row(path, Does.LIST, kind, of, "List conferences.")
    yield row(path, Does.CREATE, kind, of, "Make a conference.")
    yield row(conference, Does.READ, kind, of, "Read a conference.")
    yield row(
        conference, Does.DELETE, kind, of,
        "End a conference for all its members and delete it; their calls stay up.", attended=True,
    )  # fmt: skip
    yield from _sounds(conference, kind, of, "to everybody in a conference")
    members, of = f"{conference}/members", "conference_members"
    member = f"{members}/{{Member_ID}}"
    yield row(members, Does.LIST, ConferenceMember, of, "List the members of a conference.")
    yield row(
        members, Does.CREATE, ConferenceMember, of, "Give a call a place in a conference.",
        attended=True,
    )  # fmt: skip
    yield row(member, Does.READ, ConferenceMember, of, "Read a member of a conference.")
    yield row(
        member, Does.DELETE, ConferenceMember, of,
        "Take a member out of a conference; its call stays up.", attended=True,
    )  # fmt: skip
    yield from _sounds(member, ConferenceMember, of, "to one member alone")


def _sounds(path: str, kind: type[Resource], of: str, where: str) -> Iterator[Route]:
    for call, plays, what in (
        ("play_tts", _SPEECH, "Speak a text"),
        ("play_audio", _SOUND, "Play a sound"),
    ):
        summary = f"{what} {where}."
        yield row(
            f"{path}/{call}", Does.PLAY, kind, of, summary, call=call, plays=plays, attended=True
        )

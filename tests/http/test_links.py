"""Who follows a tracked link is sent on and counted; who only looks is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from scg_adapters.http.links import location, only_looks
from scg_core import InvalidField, Settings
from scg_core.messaging.records import TrackedLink
from tests.http.server import Answer, Served
from tests.stories.calls import VoiceWorld

SHOP = "https://shop.example/sale?x=1&y=%20"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"


@pytest.fixture
def linked() -> Iterator[Served]:
    world = VoiceWorld(settings=Settings(link_base="https://go.example/l/"))
    with Served(world) as served:
        yield served


def sent(served: Served, body: str = f'#track("{SHOP}")') -> str:
    """The token of a link in a message that was sent."""
    served.world.send("+14155550100", body=body)
    served.settle()
    found = re.search(
        r"https://go\.example/l/([0-9A-Za-z]{22})", str(served.world.messages()[-1].body)
    )
    assert found is not None
    return found[1]


def follow(served: Served, token: str, verb: str = "GET", **headers: str) -> Answer:
    given = {"user-agent": PHONE, **{name.replace("_", "-"): one for name, one in headers.items()}}
    return served.call(verb, f"/l/{token}", headers=given, token=None, base="")


def clicks(served: Served) -> int:
    from scg_core.kernel.query import Query

    with served.world.storage.snapshot() as session:
        return sum(one.clicks for one in session.find(Query(TrackedLink)))


def test_a_tap_leads_to_the_stored_address(linked: Served) -> None:
    """By 302, kept by nobody; the message is CONVERTED by SCG/URL."""
    token = sent(linked)

    answer = follow(linked, token)

    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers["location"] == SHOP
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    [message] = linked.world.messages()
    assert (message.state, message.conversion_info_source) == ("CONVERTED", "SCG/URL")
    assert clicks(linked) == 1


def test_a_look_leads_there_too_and_counts_nothing(linked: Served) -> None:
    """HEAD, previews of messengers, pages fetched ahead."""
    token = sent(linked)

    answers = [
        follow(linked, token, "HEAD"),
        follow(linked, token, user_agent="WhatsApp/2.23.20.0"),
        follow(linked, token, user_agent="facebookexternalhit/1.1 Facebot Twitterbot/1.0"),
        follow(linked, token, sec_purpose="prefetch;prerender"),
        follow(linked, token, purpose="prefetch"),
        follow(linked, token, x_moz="prefetch"),
        follow(linked, token, x_purpose="preview"),
    ]

    assert {(one.status, one.headers["location"]) for one in answers} == {(302, SHOP)}
    assert clicks(linked) == 0 and linked.world.messages()[0].state == "DELIVERED"


@pytest.mark.parametrize(
    "token", ["0" * 22, "0" * 21, "0" * 23, "", "x", "%00", "a/b", "..%2f..%2fetc", "é" * 22]
)
def test_an_unknown_token_leads_nowhere(linked: Served, token: str) -> None:
    """404, whatever it looks like."""
    from urllib.parse import quote

    assert follow(linked, quote(token, safe="%/")).status == 404


def test_nothing_in_a_request_changes_where_a_link_leads(linked: Served) -> None:
    """No query, no header, no host."""
    token = sent(linked)

    wanted = f"{token}?url=https://evil.example/&location=//evil.example"
    evil = "evil.example"
    answer = follow(linked, wanted, host=evil, x_forwarded_host=evil, referer="https://e.vil/")

    assert answer.headers["location"] == SHOP


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "PATCH"])
def test_links_are_only_followed(linked: Served, verb: str) -> None:
    """Other verbs are not served and count nothing."""
    token = sent(linked)
    answer = follow(linked, token, verb)

    assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert clicks(linked) == 0


@pytest.mark.parametrize(
    ("base", "path"),
    [("https://go.example/", "/{}"), ("https://go.example/a/b/", "/a/b/{}"),
     ("https://go.example/l-", "/l-{}")],
)  # fmt: skip
def test_links_are_served_where_their_base_says(base: str, path: str) -> None:
    """Beside everything else that the server serves."""
    world = VoiceWorld(settings=Settings(link_base=base))
    with Served(world) as served:
        world.send("+14155550100", body=f'#track("{SHOP}")')
        served.settle()
        token = str(world.messages()[0].body)[-22:]
        assert str(world.messages()[0].body) == f"https://go.example{path.format(token)}"
        assert (
            served.call("GET", path.format(token), token=None, base="").headers["location"] == SHOP
        )
        assert served.call("GET", "/docs", token=None, base="").status == 200
        assert served.call("GET", "/health/live", token=None, base="").status == 200


@pytest.mark.parametrize("base", ["https://go.example", "go.example/", "ftp://a/", "", "http://["])
def test_a_base_that_no_link_could_begin_with_is_refused(base: str) -> None:
    """A token must not become part of a host."""
    with pytest.raises(InvalidField):
        Settings(link_base=base)


def test_without_a_base_there_are_no_links() -> None:
    """A path that looks like one is unknown."""
    with Served() as served:
        assert served.call("GET", "/" + "0" * 22, token=None, base="").status == 404


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (SHOP, SHOP),
        ("https://shop.example/größe", "https://shop.example/gr%C3%B6%C3%9Fe"),
        ("https://münchen.example:8080/a", "https://xn--mnchen-3ya.example:8080/a"),
        ("https://a.example/'\"<>", "https://a.example/'%22%3C%3E"),
        ("https://[::1]/x", "https://[::1]/x"),
    ],
)
def test_an_address_is_written_as_a_header_may_carry_it(url: str, wanted: str) -> None:
    """What is ASCII stays as it was stored; nothing can end the line."""
    assert location(url) == wanted.encode()
    assert b"\n" not in location("https://a.example/\r\nset-cookie: x")


def test_a_program_that_taps_is_sent_on_and_not_counted(linked: Served) -> None:
    """Sixty taps a minute of one link count; each leads there."""
    token = sent(linked, f'#trackurl("{SHOP}", "button")')
    answers = [follow(linked, token) for _ in range(70)]

    assert {one.headers["location"] for one in answers} == {SHOP}
    assert clicks(linked) == 60


def test_in_app_browsers_are_people() -> None:
    """They name their app, as fetchers do in other words."""
    assert not only_looks({b"user-agent": PHONE.encode() + b" Snapchat/12.0 (like Safari)"})
    assert not only_looks({b"user-agent": PHONE.encode() + b" Viber/20.0"})


def test_a_phone_is_no_preview() -> None:
    """Nor is a client that says nothing of itself."""
    assert not only_looks({b"user-agent": PHONE.encode()})
    assert not only_looks({})
    assert only_looks({b"user-agent": b"Slackbot-LinkExpanding 1.0"})

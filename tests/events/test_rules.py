"""The rules of events: what an answer means, when again, how many, who is told, what signs."""

from __future__ import annotations

import hashlib
import hmac
import json
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core import InvalidField
from scg_core.events.lifecycle import (
    ENVELOPE,
    MOVES_TO,
    OPEN,
    SUBSCRIPTION,
    EnvelopeEvent,
    EnvelopeState,
    SubscriptionEvent,
    SubscriptionState,
)
from scg_core.events.model import Envelope, Event, EventType, Subscription, Topic
from scg_core.events.rules.addresses import is_inside, is_public, read_address, read_url
from scg_core.events.rules.choosing import wants
from scg_core.events.rules.outcomes import Reception, fitting, of_status, rest, retry_at
from scg_core.events.rules.signing import TOLERANCE, sign, verify
from scg_core.events.rules.wording import body_of, facts_of
from scg_core.events.settings import EventSettings
from scg_core.kernel.errors import IllegalTransition
from scg_core.kernel.instant import HOUR, MINUTE, SECOND, Instant, later

NOW = Instant(1_767_225_600_000)
SETTINGS = EventSettings()

_CELLS = {
    ("PENDING", "TAKEN"): "SUCCESS", ("PENDING", "PUT_OFF"): "RETRY",
    ("PENDING", "GIVEN_UP"): "FAILED", ("PENDING", "REPLAY"): "PENDING",
    ("RETRY", "TAKEN"): "SUCCESS", ("RETRY", "PUT_OFF"): "RETRY", ("RETRY", "GIVEN_UP"): "FAILED",
    ("RETRY", "REPLAY"): "PENDING", ("SUCCESS", "REPLAY"): "PENDING",
    ("FAILED", "REPLAY"): "PENDING",
}  # fmt: skip


@pytest.mark.parametrize("state", list(EnvelopeState))
@pytest.mark.parametrize("event", list(EnvelopeEvent))
def test_every_cell_of_an_envelopes_life(state: EnvelopeState, event: EnvelopeEvent) -> None:
    """What was settled hears nothing but that it is to be delivered once more."""
    wanted = _CELLS.get((state.value, event.value))
    if wanted is None:
        with pytest.raises(IllegalTransition):
            ENVELOPE.step(state, event)
    else:
        assert ENVELOPE.step(state, event) == wanted
    assert (state in OPEN) == ENVELOPE.hears(state, EnvelopeEvent.TAKEN)


@pytest.mark.parametrize("state", list(SubscriptionState))
@pytest.mark.parametrize("wanted", list(SubscriptionState))
def test_a_subscription_goes_where_it_is_told(
    state: SubscriptionState, wanted: SubscriptionState
) -> None:
    """Every state may follow every other, itself too."""
    assert SUBSCRIPTION.step(state, MOVES_TO[wanted]) is wanted
    assert set(SUBSCRIPTION.rows[state]) == set(SubscriptionEvent)


def test_a_subscription_begins_in_any_state_and_an_envelope_pending() -> None:
    """What is to be delivered was not tried before."""
    assert SUBSCRIPTION.start == set(SubscriptionState)
    assert ENVELOPE.start == {EnvelopeState.PENDING}


@pytest.mark.parametrize(
    "names", [SubscriptionState, SubscriptionEvent, EnvelopeState, EnvelopeEvent]
)
def test_deliveries_have_the_states_and_events_that_are_published(names: type[StrEnum]) -> None:
    """Errors and the reference call them as the tables do."""
    assert {one.value for one in names} == set(names.__members__)


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_means_something(status: int) -> None:
    """2xx is taken; 408, 425, 429 and 5xx are tried again; all else is final (semantics 16)."""
    if 200 <= status < 300:
        wanted = Reception.TAKEN
    elif status in (408, 425, 429) or status >= 500:
        wanted = Reception.LATER
    else:
        wanted = Reception.REFUSED
    assert of_status(status) is wanted


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(1, 5), (2, 10), (3, 20), (7, 320), (10, 2_560), (11, 3_600), (99, 3_600)],
)
def test_an_envelope_comes_back_twice_as_late_each_time(attempt: int, seconds: int) -> None:
    """5 s x 2^n up to an hour, a fifth more or less, the same for the same attempt."""
    found = [retry_at(NOW, attempt, f"e{n}", None, SETTINGS) - NOW for n in range(400)]

    assert seconds * 800 <= min(found) < seconds * 850
    assert seconds * 1_150 < max(found) <= seconds * 1_200
    assert retry_at(NOW, attempt, "e7", None, SETTINGS) == NOW + found[7]


@given(st.integers(1, 50), st.one_of(st.none(), st.integers(0, 10**10)))
def test_what_a_receiver_wishes_is_never_fallen_short_of(attempt: int, wish: int | None) -> None:
    """A wish may only make it later."""
    due = retry_at(NOW, attempt, "e", wish, SETTINGS)

    assert due >= retry_at(NOW, attempt, "e", None, SETTINGS)
    assert wish is None or due >= later(NOW, wish)


def test_a_silent_receiver_rests_longer_each_time() -> None:
    """Two probes at once, then 5 seconds doubled up to a minute."""
    found = [rest(failures, SETTINGS) // SECOND for failures in range(9)]

    assert found == [0, 0, 0, 5, 10, 20, 40, 60, 60]


@given(
    st.integers(1, 100_000),
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 200)), min_size=1, max_size=80),
)
def test_no_minute_has_more_than_the_throttle(per_minute: int, asks: list[tuple[int, int]]) -> None:
    """However irregularly a worker comes, and whatever it asks for."""
    arrival, now = 0, NOW
    granted: list[tuple[int, int]] = []
    for pause, wanted in asks:
        now = later(now, pause)
        many, arrival, free_at = fitting(arrival, now, wanted, per_minute)
        assert 0 <= many <= wanted
        if many < wanted:
            assert free_at > now
            again, _, _ = fitting(arrival, free_at, 1, per_minute)
            assert again == 1
        granted.append((now, many))
    for begin, _ in granted:
        inside = sum(many for at, many in granted if begin <= at < begin + MINUTE)
        assert inside <= per_minute


def test_a_throttle_lets_through_what_it_says() -> None:
    """A worker that comes often gets nearly all of it; without a throttle all fits."""
    arrival = done = 0
    for step in range(600):
        many, arrival, _ = fitting(arrival, later(NOW, step * 100), 100, 600)
        done += many

    assert 580 <= done <= 600
    assert fitting(5, NOW, 77, None) == (77, 5, NOW)


# -- signatures ----------------------------------------------------------------------------------


def test_a_signature_is_hmac_sha256_over_time_and_body() -> None:
    """Anybody can compute it with an ordinary library."""
    body = '{"a": "ü"}'
    digest = hmac.new(b"secret", b"1767225600." + body.encode(), hashlib.sha256).hexdigest()

    assert sign(["secret"], NOW, body) == f"t=1767225600,v1={digest}"


@given(st.text(min_size=1), st.text(), st.integers(-TOLERANCE, TOLERANCE))
def test_what_was_signed_is_verified(secret: str, body: str, drift: int) -> None:
    """Within the tolerance, with either secret while one is being replaced."""
    header = sign([secret, "old"], NOW, body)

    assert verify(secret, header, body.encode(), later(NOW, drift))
    assert verify("old", header, body, later(NOW, drift))


@given(st.binary(), st.binary())
def test_another_body_is_not_verified(body: bytes, other: bytes) -> None:
    """Nor another secret, nor another time."""
    header = sign(["secret"], NOW, body)

    assert verify("secret", header, other, NOW) == (body == other)
    assert not verify("secre", header, body, NOW)
    assert not verify("secret", header.replace("t=1767225600", "t=1767225601"), body, NOW)


@pytest.mark.parametrize("drift", [-302_000, 302_000, 2 * TOLERANCE, 400_000_000_000])
def test_an_old_delivery_is_not_verified(drift: int) -> None:
    """Who recorded one cannot send it again after five minutes, nor tomorrow."""
    assert not verify("secret", sign(["secret"], NOW, b"x"), b"x", Instant(NOW + drift))


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [(0, True), (253_402_300_799, True), (999_999_999_999, True), (1_000_000_000_000, False)],
)
def test_a_time_has_up_to_twelve_digits(seconds: int, counts: bool) -> None:
    """Any date has no more, the last second of the year 9999 included."""
    at = Instant(seconds * 1000)

    assert verify("secret", sign(["secret"], at, b"x"), b"x", at) is counts


@given(st.text(alphabet=st.sampled_from("tv1=,0123456789abcdef -é\x00\ud800"), max_size=120))
def test_anything_else_is_no_signature(header: str) -> None:
    """No text raises anything."""
    assert not verify("secret", header, b"body", NOW)


# -- addresses -----------------------------------------------------------------------------------

_PRIVATE = [
    "127.0.0.1", "127.255.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "0.0.0.0", "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.7", "203.0.113.9", "::1", "::",
    "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2001::1",
    "::7f00:1", "fe80::1%eth0", "64:ff9b:1:a00:0:100:808:808", "3fff::1", "168.63.129.16",
    "2606:4700::200:5efe:a9fe:a9fe", "2606:4700::5efe:a00:1",
]  # fmt: skip
_PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", _PRIVATE)
def test_what_is_inside_is_not_public(text: str) -> None:
    """However it is wrapped."""
    assert not is_public(read_address(text))


@pytest.mark.parametrize("text", _PUBLIC)
def test_what_is_outside_is_public(text: str) -> None:
    """Of both versions."""
    assert is_public(read_address(text))


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "printer", "db.internal", "nas.local", "127.0.0.1",
     "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "017700000001", "10.1",
     "169.254.169.254", "[::1]", "::ffff:7f00:1", "0", "0.0.0.0.", "router.lan", "x.home.arpa"],
)  # fmt: skip
def test_hosts_that_are_inside_by_name(host: str) -> None:
    """In every spelling that a resolver would understand."""
    assert is_inside(host)


@pytest.mark.parametrize(
    "host",
    ["example.com", "8.8.8.8", "134744072", "a-b.example.co.uk.", "1e100.net", "0x8.0x8.8.8"],
)
def test_hosts_that_are_outside(host: str) -> None:
    """Names are checked again when they are resolved."""
    assert not is_inside(host)


@pytest.mark.parametrize(
    ("host", "last"),
    [
        ("127.0.0.255", "127.0.0.256"),
        ("127.0.65535", "127.0.65536"),
        ("127.16777215", "127.16777216"),
        ("2130706433", "4294967296"),
        ("0x7f.0.0.0xff", "0x7f.0.0.0x100"),
    ],
)
def test_the_last_part_of_an_address_fills_what_the_others_leave(host: str, last: str) -> None:
    """A number too large for its place makes it no address; resolvers are asked what it is."""
    assert is_inside(host)
    assert is_inside(last) is ("." not in last)


def test_what_the_host_allows_is_not_inside() -> None:
    """By network or by name, and nothing beside it."""
    from ipaddress import ip_network

    allowed = [ip_network("10.0.0.0/8")]
    assert not is_inside("10.2.3.4", allowed) and not is_inside("::ffff:10.2.3.4", allowed)
    assert is_inside("192.168.0.1", allowed)
    assert not is_inside("Hooks", names=["hooks"]) and is_inside("other", names=["hooks"])


@pytest.mark.parametrize(
    "url",
    ["https://example.com", "http://example.com:8080/a/b?c=d&e=%20", "https://[2606:2800::1]/x",
     "https://a_b.example/"],
)  # fmt: skip
def test_urls_that_may_be_delivered_to(url: str) -> None:
    """Absolute, http or https."""
    assert read_url("url", url) == url


@pytest.mark.parametrize(
    "url",
    ["", "example.com", "/path", "ftp://example.com/", "file:///etc/passwd", "https://",
     "https:///x", "https://user@example.com/", "https://u:p@example.com/", "https://example.com/#a",
     "https://exa mple.com/", "https://example.com/ä", "https://münchen.example/",
     "https://example.com\\@evil.example/", "https://example.com:99999/", "https://example.com:0/",
     "https://example.com:x/", "javascript:alert(1)", "https://a..b/", "https://-/", "http://[::1",
     "https://example.com/\r\nX: y", "https://example.com/" + "a" * 2_048, "https://%31/",
     "https://999.1.1.1/", "https://1.2.3.04/", "https://[v1.a]/", "https://[2606:4700::1]x/",
     "https://8.8.8.8%zz/", "https://[fe80::1%eth0]/", "https://1.2.3/"],
)  # fmt: skip
def test_urls_that_may_not(url: str) -> None:
    """Each with the field and the rule."""
    with pytest.raises(InvalidField) as refused:
        read_url("url", url)
    assert refused.value.field == "url"


# -- who is told what ----------------------------------------------------------------------------


def a_subscription(**fields: object) -> Subscription:
    values: dict[str, object] = {"id": "s", "company_id": "acme", "topics": ("SCG-Message",)}
    values |= {"created_date": NOW, "last_updated_date": NOW}
    return Subscription(**(values | fields))  # type: ignore[arg-type]


EVENT = Event(
    Topic.MESSAGE, EventType.MESSAGE_STATE_CHANGE, "acme", "m1",
    {"message_id": "m1", "application_id": 7, "nothing": None}, frozenset({"c1"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, True),
        ({"topics": ("SCG-Keyword",)}, False),
        ({"topics": ("SCG-Keyword", "SCG-Message")}, True),
        ({"event_types": ("message_state_change",)}, True),
        ({"event_types": ("click", "mo_message_received")}, False),
        ({"channel_id": "c1"}, True),
        ({"channel_id": "c2"}, False),
        ({"only_application_id": 7}, True),
        ({"only_application_id": 8}, False),
        ({"only_application_id": 7, "channel_id": "c2"}, False),
    ],
)
def test_a_subscription_wants_what_it_says(fields: dict[str, object], wanted: bool) -> None:
    """All of its conditions must hold."""
    assert wants(a_subscription(**fields), EVENT) is wanted


def test_an_event_that_concerns_nobody_in_particular_is_not_told_to_the_particular() -> None:
    """One that is kept to a channel hears of no event without one."""
    event = Event(Topic.CONSENT, EventType.CONSENT_CHANGE, "acme", "x", {})
    wide = a_subscription(topics=("SCG-Consent",))

    assert wants(wide, event)
    assert not wants(a_subscription(topics=("SCG-Consent",), channel_id="c1"), event)
    assert not wants(a_subscription(topics=("SCG-Consent",), only_application_id=1), event)


def test_an_envelope_has_the_shape_of_the_field() -> None:
    """Topic, attempt, event id, and the event with its named values; nulls are left out."""
    envelope = Envelope(
        id="e", event_id="ev", subscription_id="s", topic=EVENT.topic, type=EVENT.type,
        subject="m1", sequence=3, facts=facts_of(EVENT), created_date=NOW, company_id="acme",
    )  # type: ignore[arg-type]  # fmt: skip

    assert json.loads(body_of(envelope, 2)) == {
        "topic": "SCG-Message",
        "attempt": 2,
        "event_id": "ev",
        "subject": "m1",
        "sequence": 3,
        "subscription_id": "s",
        "event": {
            "evt-tp": "message_state_change",
            "timestamp": NOW,
            "fld-val-list": {
                "message_id": "m1",
                "application_id": 7,
                "company_id": "acme",
                "company-id": "acme",
            },
        },
    }
    assert SETTINGS.give_up == 72 * HOUR

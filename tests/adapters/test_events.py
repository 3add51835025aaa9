"""Both adapters of events keep the published contract; webhooks keep what they promise besides."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from scg_adapters.events.callback import CallbackEvents, Refused
from scg_adapters.events.webhooks import WebhookEvents
from scg_core import InvalidField, TransportUnavailable
from scg_core.conformance.events import EventsContract, Receiver, a_parcel
from scg_core.conformance.samples import NOW
from scg_core.events.rules.signing import verify
from scg_core.ports.events import Events, Parcel, Reception
from tests.events.receiver import Receiver as HttpReceiver


class _Called:
    """Receives by being called."""

    url = None

    def __init__(self) -> None:
        self._bodies: list[str] = []
        self._answers: dict[str, Reception] = {}

    def arrived(self) -> list[str]:
        return self._bodies

    def answer(self, event_id: str, reception: Reception) -> None:
        self._answers[event_id] = reception

    def take(self, parcel: Parcel) -> None:
        reception = self._answers.get(parcel.event_id, Reception.TAKEN)
        if reception is Reception.REFUSED:
            raise Refused("never")
        if reception is Reception.LATER:
            raise ConnectionError
        self._bodies.append(parcel.body)


class TestCallback(EventsContract):
    @pytest.fixture(autouse=True)
    def _begin(self) -> None:
        self.called = _Called()

    def adapter(self) -> Events:
        return CallbackEvents(self.called.take)

    def receiver(self) -> Receiver:
        return self.called


class TestWebhooks(EventsContract):
    @pytest.fixture(autouse=True)
    def _begin(self) -> Iterator[None]:
        self.server = HttpReceiver()
        yield
        self.server.close()

    def adapter(self) -> Events:
        return WebhookEvents(allow=["127.0.0.0/8"])

    def receiver(self) -> Receiver:
        return self.server


@pytest.fixture
def events() -> Iterator[WebhookEvents]:
    made = WebhookEvents(allow=["127.0.0.1"], timeout=0.3, patience=2)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[HttpReceiver]:
    made = HttpReceiver()
    yield made
    made.close()


def test_a_delivery_is_signed_and_names_its_event(
    events: WebhookEvents, server: HttpReceiver
) -> None:
    """Its receiver can tell who sent it, when, and whether it has it already."""
    events.deliver([a_parcel(1, server.url, secrets=("secret",))], NOW)

    [(path, headers, body)] = server.requests
    assert path == "/events"
    assert verify("secret", headers["scg-signature"], body, NOW)
    assert not verify("another", headers["scg-signature"], body, NOW)
    assert (headers["scg-event-id"], headers["scg-attempt"]) == ("event-1", "1")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(200, "TAKEN"), (204, "TAKEN"), (301, "REFUSED"), (307, "REFUSED"), (400, "REFUSED"),
     (404, "REFUSED"), (408, "LATER"), (410, "REFUSED"), (425, "LATER"), (429, "LATER"),
     (500, "LATER"), (503, "LATER"), (599, "LATER")],
)  # fmt: skip
def test_an_answer_means_what_its_status_says(
    events: WebhookEvents, status: int, wanted: str
) -> None:
    """A redirect is not followed, wherever it leads."""
    other = HttpReceiver()
    server = HttpReceiver(lambda _: (status, {"location": other.url}))

    [reply] = events.deliver([a_parcel(1, server.url)], NOW)

    assert (reply.reception, reply.code) == (wanted, str(status))
    assert not other.requests
    server.close()
    other.close()


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [("7", 7_000), ("Thu, 01 Jan 2026 00:01:00 GMT", 60_000), ("soon", None), ("-5", None),
     ("Wed, 31 Dec 2025 00:00:00 GMT", 0), ("9" * 40, None), ("", None)],
)  # fmt: skip
def test_a_receiver_says_when_it_wants_to_be_asked_again(
    events: WebhookEvents, wish: str, wanted: int | None
) -> None:
    """Seconds or a date; anything else is no wish."""
    server = HttpReceiver(lambda _: (429, {"retry-after": wish}))

    [reply] = events.deliver([a_parcel(1, server.url)], NOW)

    assert (reply.reception, reply.retry_after) == (Reception.LATER, wanted)
    server.close()


def _raw(answer: list[bytes], pause: float = 0.0) -> tuple[str, socket.socket]:
    """Somebody who answers every connection with these bytes, slowly."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                held, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(held,), daemon=True).start()

    def talk(held: socket.socket) -> None:
        try:
            with held:
                held.recv(65_536)
                for part in answer:
                    held.sendall(part)
                    time.sleep(pause)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}/", listening


_OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "pause", "wanted"),
    [
        ([b""], 1.0, "LATER"),  # nothing for too long
        ([b"H", b"T", b"T", b"P"] * 9, 0.1, "LATER"),  # a byte now and then
        ([_OK, *[b"x: y\r\n"] * 50], 0.02, "LATER"),  # a head without end
        ([_OK + b"x: " + b"y" * 2_000_000 + b"\r\n\r\n"], 0.0, "LATER"),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], 0.0, "LATER"),
        ([b""], 0.0, "LATER"),  # it hangs up at once
        ([_OK + b"content-length: 99\r\n\r\nhello"], 0.0, "TAKEN"),  # it has answered
        ([_OK + b"content-length: 99999999\r\n\r\n", *[b"z" * 65_536] * 50], 0.0, "TAKEN"),
        ([_OK + b"content-length: 10\r\n\r\n", b"0"], 1.0, "TAKEN"),
        ([_OK + b"transfer-encoding: chunked\r\n\r\nnonsense\r\n"], 0.0, "TAKEN"),
        ([_OK + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nhaha"], 0.0, "TAKEN"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" * 40], 1.0, "LATER"),
    ],
)  # fmt: skip
def test_a_hostile_receiver_holds_nothing_up(
    events: WebhookEvents, answer: list[bytes], pause: float, wanted: str
) -> None:
    """Within the time limit there is a reply; what was answered counts, the rest is not read."""
    url, listening = _raw(answer, pause)
    began = time.monotonic()

    [reply] = events.deliver([a_parcel(1, url)], NOW)

    assert reply.reception == wanted
    assert time.monotonic() - began < 1.5
    listening.close()


def test_a_receiver_that_is_silent_is_left_alone(server: HttpReceiver) -> None:
    """After three times nobody waits for it again in this batch; the rest was not tried."""
    events = WebhookEvents(allow=["127.0.0.1"], timeout=0.2, patience=9, concurrency=1)
    url, listening = _raw([b""], 5)
    parcels = [a_parcel(n, url) for n in range(9)] + [a_parcel(9, server.url)]

    replies = [one.reception for one in events.deliver(parcels, NOW)]

    assert replies == ["LATER"] * 3 + ["UNTRIED"] * 6 + ["TAKEN"]
    listening.close()
    events.close()


def test_a_batch_has_its_time(server: HttpReceiver) -> None:
    """What cannot be begun within the patience declared is left untried."""
    slow = HttpReceiver(lambda _: (time.sleep(0.15), (200, {}))[1])
    events = WebhookEvents(allow=["127.0.0.1"], timeout=0.3, patience=0.6, concurrency=1)
    began = time.monotonic()

    parcels = [a_parcel(number, slow.url) for number in range(20)]
    replies = [one.reception for one in events.deliver(parcels, NOW)]

    assert time.monotonic() - began < 1.2
    assert replies[0] == "TAKEN" and replies[-1] == "UNTRIED"
    slow.close()
    events.close()


def test_no_cookie_is_kept(events: WebhookEvents) -> None:
    """What one receiver sets is sent to nobody, not even to itself."""
    server = HttpReceiver(lambda _: (200, {"set-cookie": "a=b; Path=/"}))
    events.deliver([a_parcel(1, server.url)], NOW)
    events.deliver([a_parcel(2, server.url)], NOW)

    assert not any("cookie" in map(str.lower, headers) for _, headers, _ in server.requests)
    server.close()


def test_a_name_that_resolves_inside_is_refused_when_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, server: HttpReceiver
) -> None:
    """What counts is the address, not the name; if one of several is inside, none is tried."""
    seen: list[str] = []
    answers = {"inside.example": ["127.0.0.1"], "both.example": ["93.184.215.14", "127.0.0.1"],
               "mapped.example": ["::ffff:127.0.0.1"], "hooks.example": ["127.0.0.1"]}  # fmt: skip
    real = socket.getaddrinfo

    def resolve(host: object, port: object, *rest: object, **more: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host)
        seen.append(name)
        if name not in answers:
            return real(host, port, *rest, **more)  # type: ignore[arg-type]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answers[name]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    events = WebhookEvents(allow=["hooks.example"])
    urls = [f"http://{name}:{server.port}/" for name in answers]

    replies = events.deliver([a_parcel(n, url) for n, url in enumerate(urls)], NOW)

    assert [one.reception for one in replies] == ["REFUSED"] * 3 + ["TAKEN"]
    assert "public Internet" in str(replies[0].reason)
    assert len(server.requests) == 1 and server.requests[0][1]["host"].startswith("hooks.example")
    events.close()


def test_a_name_that_does_not_resolve_is_tried_again(events: WebhookEvents) -> None:
    """It may be there in an hour."""
    [reply] = events.deliver([a_parcel(1, "http://nobody.invalid/")], NOW)

    assert reply.reception is Reception.LATER


def test_what_is_closed_delivers_no_more(events: WebhookEvents, server: HttpReceiver) -> None:
    """All parcels wait; closing twice is no error."""
    events.deliver([a_parcel(1, server.url)], NOW)
    events.close()
    events.close()
    with pytest.raises(TransportUnavailable):
        events.deliver([a_parcel(2, server.url)], NOW)
    assert len(server.requests) == 1


def test_an_address_that_swallows_packets_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch, server: HttpReceiver
) -> None:
    """A name of two addresses is delivered to by the one that answers."""
    silent = socket.socket()
    silent.bind(("127.0.0.2", server.port))  # bound and not listening, behind a full queue
    silent.listen(0)
    held = [socket.socket() for _ in range(3)]
    for one in held:
        one.setblocking(False)
        one.connect_ex(("127.0.0.2", server.port))
    both = [(2, 1, 6, "", (ip, server.port)) for ip in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    events = WebhookEvents(allow=["hooks.example"], timeout=1.0, patience=2)

    [reply] = events.deliver([a_parcel(1, f"http://hooks.example:{server.port}/")], NOW)

    assert reply.reception is Reception.TAKEN
    for one in (silent, *held):
        one.close()
    events.close()


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"timeout": 40}, {"concurrency": 0}])
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    """A delivery without a time limit would wait for ever."""
    with pytest.raises(InvalidField):
        WebhookEvents(**wrong)  # type: ignore[arg-type]


# -- what a hunt for hostile inputs found --------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    ["http://xn--a/", "http://[::1", "http://999.1.1.1/", "\x01", "http://a/" + "b" * 70_000, "é"],
)
def test_where_a_redirect_leads_is_nobodys_business(
    events: WebhookEvents, server: HttpReceiver, location: str
) -> None:
    """It is not looked at, however it is written; others of the batch are delivered."""
    url, listening = _raw([b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: "
                           + location.encode("utf-8") + b"\r\n\r\n"])  # fmt: skip

    replies = events.deliver([a_parcel(1, url), a_parcel(2, server.url)], NOW)

    assert replies[1].reception is Reception.TAKEN
    assert replies[0].reception in (Reception.REFUSED, Reception.LATER)
    if len(location) < 1_000 and location.isprintable() and location.isascii():
        assert (replies[0].reception, replies[0].code) == (Reception.REFUSED, "302")
    listening.close()


@pytest.mark.parametrize(
    "url", ["http://xn--a/", "http://xn--a.example.com/", "http://[v1.a]/", "http://999.1.1.1/"]
)
def test_a_url_that_nobody_can_connect_to_is_refused(events: WebhookEvents, url: str) -> None:
    """When it is subscribed with, and without harm when it is delivered to."""
    assert events.refusal(url) is not None
    [reply] = events.deliver([a_parcel(1, url)], NOW)
    assert reply.reception is Reception.REFUSED


def test_slow_look_ups_of_one_name_leave_others_room(
    monkeypatch: pytest.MonkeyPatch, server: HttpReceiver
) -> None:
    """A look-up cannot be hurried; an address needs none, a name is asked for once at a time."""
    release, asked = threading.Event(), []
    real = socket.getaddrinfo

    def resolve(host: object, *rest: object, **more: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith(".example"):
            asked.append(name)
            release.wait(20)
            raise socket.gaierror
        return real(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    events = WebhookEvents(allow=["127.0.0.1"], timeout=0.4, patience=2, concurrency=64)
    slow = [a_parcel(n, f"http://{'one' if n < 20 else f'n{n}'}.example/") for n in range(40)]

    replies = events.deliver([*slow, a_parcel(99, server.url)], NOW)

    assert [one.reception for one in replies] == [Reception.LATER] * 40 + [Reception.TAKEN]
    assert asked.count("one.example") == 1
    began = time.monotonic()
    events.close()
    assert time.monotonic() - began < 1
    release.set()


def test_closing_during_a_delivery_ends_it() -> None:
    """Whoever delivers has replies, or hears that nothing can be delivered."""
    slow = HttpReceiver(lambda _: (time.sleep(0.2), (200, {}))[1])
    for pause in (0.0, 0.05, 0.25):
        events = WebhookEvents(allow=["127.0.0.1"], timeout=0.5, patience=1, concurrency=2)
        ended: list[object] = []

        def deliver(events: WebhookEvents = events, ended: list[object] = ended) -> None:
            try:
                replies = events.deliver([a_parcel(n, slow.url) for n in range(6)], NOW)
                ended.append(len(replies))
            except TransportUnavailable as away:
                ended.append(away)

        thread = threading.Thread(target=deliver)
        thread.start()
        time.sleep(pause)
        events.close()
        thread.join(5)
        assert len(ended) == 1 and (ended[0] == 6 or isinstance(ended[0], TransportUnavailable))
        events.close()
    slow.close()


def test_a_url_is_not_logged(
    events: WebhookEvents, server: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """It may hold what only the receiver should know."""
    with caplog.at_level("INFO"):
        events.deliver([a_parcel(1, server.url + "?key=secret")], NOW)

    assert "secret" not in caplog.text


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "http://a.internal/", "a.internal:80", "*.x", ""])
def test_what_is_allowed_is_a_network_or_a_name(wrong: str) -> None:
    """A slip of the pen would allow nothing, silently."""
    with pytest.raises(InvalidField):
        WebhookEvents(allow=[wrong])


def test_a_slow_callback_leaves_the_rest_for_later() -> None:
    """Past its patience nothing is begun, so that the lease holds."""
    taken: list[str] = []

    def take(parcel: Parcel) -> None:
        time.sleep(0.06)
        taken.append(parcel.event_id)

    events = CallbackEvents(take, patience=100)
    replies = [one.reception for one in events.deliver([a_parcel(n, None) for n in range(9)], NOW)]

    assert replies == ["TAKEN"] * len(taken) + ["UNTRIED"] * (9 - len(taken))
    assert 1 <= len(taken) <= 3

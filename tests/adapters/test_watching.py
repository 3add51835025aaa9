"""What a host may watch: metrics tell what a recount would, traces what happened and no secret."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from scg_adapters.transport.loopback import Behaviour
from scg_adapters.watching import Together
from scg_adapters.watching.metrics import Metrics
from scg_adapters.watching.traces import Traces
from scg_core import StorageUnavailable
from scg_core.kernel.instant import MINUTE, SECOND, later
from scg_core.ports.message_transport import Receipt, ReceiptKind
from scg_core.ports.watch import UNWATCHED
from tests.http.server import Served
from tests.stories.calls import VoiceWorld
from tests.world import World, numbers

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(metrics: Metrics) -> Samples:
    """Each sample of the text, by its name and labels."""
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for one in family.samples
    }


@pytest.fixture
def measured(url: str) -> Iterator[tuple[World, Metrics]]:
    metrics = Metrics()
    world = World(url, Behaviour(delay=1_000, spread=0), ports={"watch": metrics})
    metrics.watch(world.engine)
    yield world, metrics


def test_messages_by_state_are_what_a_recount_says(measured: tuple[World, Metrics]) -> None:
    """And what waits: kinds of work, lanes, and for how long."""
    world, metrics = measured
    world.send(*numbers(7))
    world.engine.run_until_idle()
    world.send(*numbers(3, start=100), pause_before_transmit=True)
    world.engine.run_until_idle(later(world.clock.now(), SECOND))
    world.engine.operator().update_sender_id(world.sender.id, name="x")
    queued = world.send(*numbers(5, start=200))
    while world.request(queued.id).state != "TRANSMITTING":
        world.engine.run_due(1, connectors=[])
    world.clock.advance(MINUTE)

    found = samples(metrics)
    by_state = {dict(labels)["state"]: value for (name, labels), value in found.items()
                if name == "scg_messages"}  # fmt: skip
    assert by_state == {"DELIVERED": 7, "PAUSED": 3, "CREATED": 5}
    lane = (("company", "acme"), ("connector", "carrier"), ("country", "USA"), ("priority", "1"),
            ("sender_id", world.sender.id))  # fmt: skip
    assert found["scg_lane_due_messages", lane] == 5
    assert 60 <= found["scg_lane_age_seconds", lane] < 62
    assert found["scg_work", (("kind", "pause_expiry"),)] == 1
    assert found["scg_due_work", (("kind", "pause_expiry"),)] == 0
    assert found["scg_storage_up", ()] == 1
    assert found["scg_handed_over_total", (("connector", "carrier"),)] == 7
    assert found["scg_hand_off_seconds_count", (("connector", "carrier"),)] >= 1
    assert found["scg_transaction_seconds_count", (("of", "settle"),)] >= 1


def test_what_happens_is_counted_once_it_is_durable(measured: tuple[World, Metrics]) -> None:
    """Late and parked receipts, deliveries of events; a transaction that fails counts nothing."""
    world, metrics = measured
    world.app.subscriptions.create(topics=["SCG-Message"])
    world.send("+14155550100")
    world.engine.run_until_idle()
    [message] = world.messages()
    name = str(message.external_transaction_ids)
    for id in (name, name, "unknown"):
        late = Receipt(id, ReceiptKind.DELIVERED, world.clock.now(), "+14155550100")
        world.engine.receipts_arrived("carrier", [late])
    with pytest.raises(ZeroDivisionError), world.engine.transaction("broken") as unit:
        unit.note("parked_receipts", amount=99)
        raise ZeroDivisionError
    world.engine.run_until_idle()

    found = samples(metrics)
    assert found["scg_late_receipts_total", (("kind", "DELIVERED"),)] == 2
    assert found["scg_parked_receipts_total", ()] == 1
    told = len(world.told)
    assert told and found["scg_event_deliveries_total", (("state", "SUCCESS"),)] == told
    assert found["scg_event_delivery_seconds_count", ()] >= 1


def test_waits_for_a_limit_are_counted(measured: tuple[World, Metrics]) -> None:
    """By connector."""
    world, metrics = measured
    operator = world.engine.operator()
    operator.put_sender_id_class(id="slow", name="slow", country_peak_throughput=1)
    operator.update_sender_id(world.sender.id, class_id="slow")
    world.send(*numbers(4))
    world.engine.run_until_idle()

    assert samples(metrics)["scg_limiter_waits_total", (("connector", "carrier"),)] >= 2


def test_a_curious_scraper_costs_little(measured: tuple[World, Metrics]) -> None:
    """What is asked of the storage is asked again only after a while."""
    world, metrics = measured
    asked: list[str] = []
    original = world.engine.messages_by_state
    world.engine.messages_by_state = lambda: asked.append("") or original()  # type: ignore[method-assign, func-returns-value]
    for _ in range(50):
        metrics.text()

    assert len(asked) == 1


def test_a_storage_that_is_down_is_said_so(measured: tuple[World, Metrics]) -> None:
    """The rest is told all the same."""
    world, metrics = measured

    def down() -> dict[str, int]:
        raise StorageUnavailable("away")

    world.engine.messages_by_state = down  # type: ignore[method-assign]

    found = samples(metrics)
    assert found["scg_storage_up", ()] == 0
    assert found["scg_parked_receipts_total", ()] == 0


def test_metrics_are_served_to_the_operator() -> None:
    """To nobody else: companies are named in them. Requests are measured by the path's pattern."""
    metrics = Metrics()
    world = VoiceWorld(ports={"watch": metrics})
    metrics.watch(world.engine)
    with Served(world, metrics=metrics) as served:
        served.call("GET", f"/messaging/messages/{'0' * 22}")
        served.call("PROPFIND", "/messaging/messages")
        assert served.call("GET", "/metrics", token=None, base="").status == 401
        assert served.call("GET", "/metrics", base="").status == 403
        answer = served.call("GET", "/metrics", token="operator", base="")
        assert served.notes

    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain")
    text = answer.body.decode()
    wanted = 'method="GET",path="/messaging/messages/{Message_ID}",status="404"'
    assert f"scg_http_request_seconds_count{{{wanted}}} 1.0" in text
    assert 'method="OTHER",path="/messaging/messages",status="405"' in text
    assert "0" * 22 not in text


def test_without_metrics_there_is_no_such_path() -> None:
    """It is the host's choice."""
    with Served() as served:
        assert served.call("GET", "/metrics", token="operator", base="").status == 404


def test_spans_tell_what_happened_and_no_secret(url: str) -> None:
    """Transactions, hand-offs and deliveries, with names and numbers of the engine alone."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    metrics = Metrics()
    watch = Together(metrics, Traces(provider.get_tracer("test")))
    world = World(url, ports={"watch": watch})
    world.app.subscriptions.create(topics=["SCG-Message"])
    world.send("+14155550199", body="a secret")
    world.engine.run_until_idle()

    spans = kept.get_finished_spans()
    assert {one.name for one in spans} == {"scg.transaction", "scg.submit", "scg.deliver"}
    [handed] = [one for one in spans if one.name == "scg.submit"]
    assert dict(handed.attributes or {}) == {"scg.connector": "carrier", "scg.messages": 1}
    said = "".join(one.to_json() for one in spans)
    assert "secret" not in said and "4155550199" not in said
    assert samples(metrics)["scg_handed_over_total", (("connector", "carrier"),)] == 1


def test_nobody_watching_costs_nothing() -> None:
    """The same empty span every time."""
    with UNWATCHED.span("transaction", of="x") as nothing:
        UNWATCHED.count("x", (), 1)
    assert nothing is None
    assert UNWATCHED.span("a") is UNWATCHED.span("b")

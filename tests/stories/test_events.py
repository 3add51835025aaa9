"""Stories of events: who is told of what, in which order, and what becomes of a bad receiver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from scg_adapters.transport.loopback import Behaviour
from scg_core import Engine, InvalidField, NotFound, StaleData
from scg_core.events.lifecycle import EnvelopeState
from scg_core.events.model import Envelope, EventType, Subscription, Topic
from scg_core.events.outbox import GIVE_UP
from scg_core.events.records import EventSequence, Outlet
from scg_core.events.settings import EventSettings
from scg_core.kernel.instant import HOUR, MINUTE, SECOND, Instant, later
from scg_core.kernel.query import Query
from scg_core.ports.events import EventsCapabilities, Parcel, Reception, Reply
from tests.world import World, numbers

ALL = ["SCG-Message", "SCG-Keyword", "SCG-Voice-Call", "SCG-Consent"]
INSIDE = "must be on the public Internet"


class Postbox:
    """Delivers to a list; ``answer`` says what becomes of each parcel."""

    def __init__(self, batch: int = 100) -> None:
        self.capabilities = EventsCapabilities(batch=batch)
        self.arrived: list[tuple[Instant, Parcel]] = []
        self.answer: Callable[[Parcel], Reply] = lambda _: Reply(Reception.TAKEN)

    def refusal(self, url: str | None) -> str | None:
        return INSIDE if url is not None and "10.0.0.1" in url else None

    def deliver(self, parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        assert len({(one.subscription_id, one.subject) for one in parcels}) == len(parcels)
        self.arrived += [(now, one) for one in parcels]
        return [self.answer(one) for one in parcels]

    def close(self) -> None:
        """Nothing to close."""

    @property
    def parcels(self) -> list[Parcel]:
        return [one for _, one in self.arrived]


class EventWorld(World):
    """A world whose events come into a postbox."""

    def __init__(self, url: str, batch: int = 100, **options: Any) -> None:
        self.box = Postbox(batch)
        ports = {"events": self.box, **options.pop("ports", {})}
        super().__init__(url, Behaviour(delay=1_000, spread=0), ports=ports, **options)

    def all(self, kind: type[Any]) -> list[Any]:
        with self.storage.snapshot() as session:
            return session.find(Query(kind))

    def run(self, milliseconds: int = 0) -> None:
        until = later(self.clock.now(), milliseconds)
        self.engine.run_until_idle(until)
        self.clock.wait(until)

    def moves(self) -> list[tuple[str, str, str]]:
        """What was told of messages: whose, from where to where."""
        return [
            (one.subject, one.facts["previous_state"], one.facts["new_state"])
            for one in self.box.parcels
            if one.type == "message_state_change"
        ]


@pytest.fixture
def told(url: str) -> EventWorld:
    return EventWorld(url)


def never(code: str = "500") -> Callable[[Parcel], Reply]:
    return lambda _: Reply(Reception.LATER, code, f"it answered {code}")


# -- what is told --------------------------------------------------------------------------------


def test_each_state_of_a_message_is_told_once_and_in_order(told: EventWorld) -> None:
    """With a number of its own, and what an application needs to know of it."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"], name="receipts")
    request = told.send("+14155550100", external_id="mine")
    told.run(MINUTE)

    [message] = told.messages()
    mine = [one for one in told.box.parcels if one.subject == message.id]
    assert [(one.sequence, one.facts["new_state"]) for one in mine] == [
        (1, "SENT"), (2, "DELIVERED"),
    ]  # fmt: skip
    assert mine[0].facts == {
        "message_id": message.id, "message_request_id": request.id,
        "external_message_request_id": "mine", "from_address": "55512",
        "to_address": "+14155550100", "sender_id_id": told.sender.id, "fragments_count": 1,
        "application_id": 1, "type": "SMS", "previous_state": "CREATED", "new_state": "SENT",
        "reason_code": "200", "company_id": "acme", "company-id": "acme",
    }  # fmt: skip
    assert len({one.event_id for one in told.box.parcels}) == len(told.box.parcels)
    envelopes = list(told.app.envelopes.all(subscription.id))
    assert {one.state for one in envelopes} == {"SUCCESS"}
    assert [one.attempt for one in envelopes] == [1] * len(envelopes)


def test_without_a_subscription_nothing_is_written(told: EventWorld) -> None:
    """Nor for a company of whose topics nobody heard."""
    told.engine.application("other", 1).subscriptions.create(topics=ALL)
    told.app.subscriptions.create(topics=["SCG-Voice-Call"])
    told.app.subscriptions.create(topics=["SCG-Message"], state="INACTIVE")
    told.send(*numbers(5))
    told.run(MINUTE)

    assert told.all(Envelope) == [] and told.all(EventSequence) == [] and not told.box.arrived


def test_a_failure_is_told_with_its_reason(url: str) -> None:
    """The numeric code, and the words."""
    world = EventWorld(url)
    world.app.subscriptions.create(topics=["SCG-Message"])
    world.app.contact_address_statuses.create(
        address_type="MDN", address="+14155550100", sender_id=world.sender.id,
        consent_status="OPTOUT",
    )  # fmt: skip
    world.send("+14155550100")
    world.run(MINUTE)

    [failed] = [one for one in world.box.parcels if one.facts.get("new_state") == "FAILED"]
    assert failed.facts["reason_code"] == "1005" and failed.facts["failure_code"] == "NO_CONSENT"
    assert failed.facts["reason_description"].startswith("1005 ")


def test_two_subscriptions_hear_of_one_event(told: EventWorld) -> None:
    """Each has an envelope of its own; the event's id and number are the same."""
    first = told.app.subscriptions.create(topics=["SCG-Message"])
    second = told.app.subscriptions.create(topics=ALL, event_types=["message_state_change"])
    told.send("+14155550100")
    told.run(MINUTE)

    ones = {one.event_id: one for one in told.box.parcels if one.subscription_id == first.id}
    others = {one.event_id: one for one in told.box.parcels if one.subscription_id == second.id}
    assert set(others) == {id for id, one in ones.items() if one.type == "message_state_change"}
    assert all(others[id].sequence == ones[id].sequence for id in others)
    assert len({one.id for one in told.box.parcels}) == len(told.box.parcels)


def test_an_event_handler_of_a_channel_hears_of_its_messages(told: EventWorld) -> None:
    """Of what this application sent from it and what came in there, and of nothing else."""
    channel = told.app.channels.create(name="news")
    told.app.channels.add_sender_ids(channel.id, [told.sender.id])
    handler = told.app.subscriptions.create_for_channel(channel.id)
    assert (handler.topics, handler.only_application_id) == (("SCG-Message",), 1)
    through = told.send("+14155550100", from_=f"channel:{channel.id}")
    told.send("+14155550101")
    told.engine.application("acme", 2).message_requests.create(
        from_=f"channel:{channel.id}", body="x", to=["+14155550102"]
    )
    told.run(MINUTE)

    assert told.box.parcels
    assert {one.facts["message_request_id"] for one in told.box.parcels} == {through.id}
    assert told.app.subscriptions.page_of_channel(channel.id).items == [handler]
    other = told.app.channels.create(name="other")
    assert told.app.subscriptions.page_of_channel(other.id).total == 0


def test_a_click_is_told_with_its_change(url: str) -> None:
    """The change to CONVERTED carries CLICKTHRU as its reason; a second click changes nothing."""
    from scg_core import Settings

    world = EventWorld(url, settings=Settings(link_base="https://go.example/"))
    world.send("+14155550100", body='#track("https://shop.example/")')
    world.run(MINUTE)
    world.app.subscriptions.create(topics=["SCG-Message"])
    [message] = world.messages()
    token = str(message.body).rpartition("/")[2]
    world.engine.link_followed(token)
    world.engine.link_followed(token)
    world.run()

    told = [(one.type, one.facts.get("new_state"), one.facts["reason_description"])
            for one in world.box.parcels]  # fmt: skip
    assert told == [
        ("message_state_change", "CONVERTED", "CLICKTHRU"),
        ("click", None, "CLICKTHRU"),
    ]


def test_messages_that_never_leave_are_told_of_too(told: EventWorld) -> None:
    """One that is no address, and those of a test: as if they had been CREATED for a moment."""
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["message_state_change"])
    told.send("nonsense", "+14155550100")
    told.send("+14155550101", test_message_flag=True)
    told.run(MINUTE)

    news = [(one.facts.get("previous_state"), one.facts["new_state"], one.facts["reason_code"])
            for one in told.box.parcels]  # fmt: skip
    assert sorted(news) == [
        ("CREATED", "FAILED", "1002"), ("CREATED", "SENT", "200"), ("CREATED", "TEST", "200"),
        ("SENT", "DELIVERED", "200"),
    ]  # fmt: skip


# -- order, retries, failure ---------------------------------------------------------------------


def test_an_event_waits_for_the_one_before_it(told: EventWorld) -> None:
    """While the first is tried again, the second of its message is not delivered; others are."""
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["message_state_change"])
    told.box.answer = lambda one: (
        Reply(Reception.LATER, "503")
        if one.facts["to_address"] == "+14155550100" and one.attempt < 3
        else Reply(Reception.TAKEN)
    )
    told.send("+14155550100", "+14155550101")
    told.run(10 * MINUTE)

    slow, quick = (
        [(one.sequence, one.attempt) for one in told.box.parcels if one.facts["to_address"] == to]
        for to in ("+14155550100", "+14155550101")
    )
    assert slow == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert quick == [(1, 1), (2, 1)]


def test_what_is_not_taken_comes_back_later_and_later(told: EventWorld) -> None:
    """For 72 hours; then it has FAILED and is kept."""
    subscription = told.app.subscriptions.create(
        topics=["SCG-Message"], event_types=["mo_message_received"]
    )
    told.box.answer = never()
    receive(told, "hello")
    told.run(100 * HOUR)

    times = [at for at, _ in told.box.arrived]
    wanted = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, *[3_600] * 99]
    for (before, after), seconds in zip(pairwise(times), wanted, strict=False):
        gap = (after - before) / SECOND
        assert 0.8 * seconds <= gap <= 1.2 * seconds + 60
    assert 71 * HOUR < times[-1] - times[0] <= 72 * HOUR
    [envelope] = told.app.envelopes.page(subscription.id).items
    assert (envelope.state, envelope.reason_code, envelope.due) == ("FAILED", "500", None)
    assert envelope.attempt == len(times)
    assert {one.event_id for one in told.box.parcels} == {envelope.event_id}
    assert [one.attempt for one in told.box.parcels] == list(range(1, len(times) + 1))


def test_a_refusal_is_final_and_lets_the_next_go(told: EventWorld) -> None:
    """It was heard, after all; it can be asked for again."""
    subscription = told.app.subscriptions.create(
        topics=["SCG-Message"], event_types=["message_state_change"]
    )
    told.box.answer = lambda one: Reply(
        Reception.REFUSED if one.facts["new_state"] == "SENT" else Reception.TAKEN, "410"
    )
    told.send("+14155550100")
    told.run(MINUTE)

    first, second = told.app.envelopes.page(subscription.id).items
    assert (first.state, first.attempt, second.state) == ("FAILED", 1, "SUCCESS")
    told.box.answer = lambda _: Reply(Reception.TAKEN, "200")
    again = told.app.envelopes.update(subscription.id, first.id, state="PENDING")
    assert (again.state, again.attempt) == ("PENDING", 0)
    told.run()
    after = told.app.envelopes.get(subscription.id, first.id)
    assert (after.state, after.attempt, after.event_id) == ("SUCCESS", 1, first.event_id)
    assert after.delivered_date == told.clock.now()


def test_all_that_failed_is_replayed_in_order(told: EventWorld) -> None:
    """Once, even if it fails again; what fails later is not part of it."""
    subscription = told.app.subscriptions.create(
        topics=["SCG-Message"], event_types=["message_state_change"]
    )
    told.box.answer = lambda _: Reply(Reception.REFUSED, "404", "it answered 404")
    told.send(*numbers(130))
    told.run(MINUTE)
    assert told.app.envelopes.page(subscription.id, state="FAILED").total == 260
    told.box.arrived.clear()

    told.app.subscriptions.replay_failed(subscription.id)
    told.run()
    assert len(told.box.arrived) == 260
    by_subject: dict[str, list[int]] = {}
    for one in told.box.parcels:
        by_subject.setdefault(one.subject, []).append(one.sequence)
    assert all(numbers == sorted(numbers) for numbers in by_subject.values())
    assert told.app.envelopes.page(subscription.id, state="FAILED").total == 260

    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.app.subscriptions.replay_failed(subscription.id)
    told.run()
    assert told.app.envelopes.page(subscription.id, state="SUCCESS").total == 260


def test_a_dead_receiver_is_probed_and_then_left_alone(told: EventWorld) -> None:
    """It costs one delivery at a time, and what waits is not tried one by one in vain."""
    told.app.subscriptions.create(topics=["SCG-Message"])
    told.box.answer = lambda _: Reply(Reception.LATER, None, "it did not answer in time")
    told.send(*numbers(250))
    told.run(10 * MINUTE)
    assert len(told.box.arrived) < 100 + 30

    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.run(2 * HOUR)
    assert {one.state.value for one in told.all(Envelope)} == {"SUCCESS"}


def test_a_receivers_wish_is_granted(told: EventWorld) -> None:
    """Nothing is delivered to it before the time it named; a wish of years is one of a day."""
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["mo_message_received"])
    told.box.answer = lambda _: Reply(Reception.LATER, "429", None, 10 * MINUTE)
    receive(told, "one")
    told.run(MINUTE)
    receive(told, "two")
    told.run(8 * MINUTE)
    assert len(told.box.arrived) == 1

    told.box.answer = lambda _: Reply(Reception.LATER, "429", None, 10**12)
    told.run(2 * MINUTE)
    asked = len(told.box.arrived)
    told.run(20 * HOUR)
    assert len(told.box.arrived) == asked
    told.run(5 * HOUR)
    assert len(told.box.arrived) > asked


def test_a_throttle_spreads_deliveries(told: EventWorld) -> None:
    """So many a minute, in order, and nothing is lost."""
    told.app.subscriptions.create(
        topics=["SCG-Message"], event_types=["message_state_change"], throttle=60
    )
    told.send(*numbers(100))
    told.run(20 * MINUTE)

    times = [at for at, _ in told.box.arrived]
    assert len(times) == 200
    assert max(sum(a <= b < a + MINUTE for b in times) for a in times) <= 60
    assert times[-1] - times[0] < 4 * MINUTE


# -- pausing, changing, deleting -----------------------------------------------------------------


def test_what_is_told_to_a_paused_subscription_waits(told: EventWorld) -> None:
    """And is delivered once it is ACTIVE again; INACTIVE ones are told nothing."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"], state="PAUSED")
    receive(told, "one")
    told.run(HOUR)
    assert not told.box.arrived and len(told.all(Envelope)) == 1

    told.app.subscriptions.update(subscription.id, state="INACTIVE")
    receive(told, "two")
    told.app.subscriptions.update(subscription.id, state="ACTIVE")
    told.run()
    assert [one.facts["message_body"] for one in told.box.parcels] == ["one"]


def test_a_changed_receiver_is_tried_at_once(told: EventWorld) -> None:
    """Who repairs it need not wait for the rest to end."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"], url="https://a.example/")
    told.box.answer = lambda _: Reply(Reception.LATER)
    for number in range(5):
        receive(told, str(number))
    told.run(30 * MINUTE)
    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.app.subscriptions.update(subscription.id, url="https://b.example/")
    receive(told, "new")
    told.run()

    assert told.box.parcels[-1].facts["message_body"] == "new"
    assert told.box.parcels[-1].url == "https://b.example/"


def test_a_deleted_subscription_leaves_nothing(told: EventWorld) -> None:
    """Not even what was on its way when it was deleted."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"])
    other = told.app.subscriptions.create(topics=["SCG-Keyword"])
    told.send(*numbers(300))

    def delete(_: Parcel) -> Reply:
        if told.all(Subscription) != [other]:
            told.app.subscriptions.delete(subscription.id)
        return Reply(Reception.TAKEN)

    told.box.answer = delete
    told.run(MINUTE)

    assert told.all(Envelope) == [] and [one.id for one in told.all(Outlet)] == [other.id]
    with pytest.raises(NotFound):
        told.app.envelopes.page(subscription.id)


def test_a_secret_is_replaced_while_both_sign(told: EventWorld) -> None:
    """For a day receivers may know either."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"])
    after = told.app.subscriptions.rotate_secret(subscription.id)
    receive(told, "one")
    told.run(23 * HOUR)
    receive(told, "two")
    told.run(2 * HOUR)
    receive(told, "three")
    told.run()

    assert len(subscription.secret) == 44 and after.secret != subscription.secret
    both = (after.secret, subscription.secret)
    assert [one.secrets for one in told.box.parcels] == [both, both, (after.secret,)]
    assert "secret" not in repr(told.box.parcels[0]).replace("secrets", "")


# -- crashes -------------------------------------------------------------------------------------


class _Crash(BaseException):
    """The process is gone."""


def test_what_was_being_delivered_in_a_crash_is_delivered_again(told: EventWorld) -> None:
    """After the lease, with the same event id; nobody else has delivered it meanwhile."""
    told.app.subscriptions.create(topics=["SCG-Message"])
    receive(told, "one")

    def crash(_: Parcel) -> Reply:
        raise _Crash

    told.box.answer = crash
    with pytest.raises(_Crash):
        told.engine.run_due()
    told.box.answer = lambda _: Reply(Reception.TAKEN)
    receive(told, "two")
    told.run(20 * SECOND)
    assert len(told.box.arrived) == 1
    told.run(2 * MINUTE)

    ids = [one.event_id for one in told.box.parcels]
    assert ids[0] in ids[1:] and len(set(ids)) == 2 and len(ids) == 3


def test_a_worker_that_took_too_long_writes_nothing(told: EventWorld) -> None:
    """Another has delivered again by then; its word counts."""
    told.app.subscriptions.create(topics=["SCG-Message"])
    receive(told, "one")
    second = told.another_engine(told.carrier)

    def slow(one: Parcel) -> Reply:
        told.box.answer = lambda _: Reply(Reception.TAKEN)
        told.clock.advance(10 * MINUTE)
        second.run_due()
        return Reply(Reception.REFUSED)

    told.box.answer = slow
    told.run()

    assert [one.state.value for one in told.all(Envelope)] == ["SUCCESS"]
    assert len(told.box.arrived) == 2


@pytest.mark.parametrize("answers", [[], [Reply(Reception.TAKEN)] * 2, ["ok"], [None]])
def test_an_adapter_that_gives_no_answer_loses_nothing(
    told: EventWorld, answers: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Too few, too many, or something else: it is tried again."""
    told.app.subscriptions.create(topics=["SCG-Message"])
    receive(told, "one")
    broken = told.box.deliver
    told.box.deliver = lambda parcels, now: answers  # type: ignore[method-assign]
    told.run()
    told.box.deliver = broken  # type: ignore[method-assign]
    assert told.all(Envelope)[0].state == "RETRY"
    told.run(MINUTE)

    assert told.all(Envelope)[0].state == "SUCCESS"


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "topics"),
        ({"topics": []}, "topics"),
        ({"topics": ["SCG-Nothing"]}, "topics[0]"),
        ({"topics": ["SCG-Message", "x" * 99]}, "topics[1]"),
        ({"topics": ["SCG-Message"], "event_types": ["x"]}, "event_types[0]"),
        ({"topics": ["SCG-Message"], "url": "nowhere"}, "url"),
        ({"topics": ["SCG-Message"], "url": "https://10.0.0.1/"}, "url"),
        ({"topics": ["SCG-Message"], "throttle": 0}, "throttle"),
        ({"topics": ["SCG-Message"], "throttle": 10**9}, "throttle"),
        ({"topics": ["SCG-Message"], "only_application_id": -1}, "only_application_id"),
        ({"topics": ["SCG-Message"], "channel_id": "unknown"}, "channel_id"),
        ({"topics": ["SCG-Message"], "state": "GONE"}, "state"),
        ({"topics": ["SCG-Message"], "secret": "mine"}, "secret"),
        ({"topics": ["SCG-Message"], "name": "x" * 129}, "name"),
    ],
)
def test_a_bad_subscription_is_refused(
    told: EventWorld, fields: dict[str, Any], field: str
) -> None:
    """With the field's name; nothing is stored."""
    with pytest.raises(InvalidField) as refused:
        told.app.subscriptions.create(fields)

    assert refused.value.field == field
    assert told.all(Subscription) == [] and told.all(Outlet) == []


def test_changes_are_held_to_the_same_rules(told: EventWorld) -> None:
    """And to versions."""
    held = told.app.subscriptions.create(topics=["SCG-Message"], url="https://a.example/")
    for wrong in ({"url": "https://10.0.0.1/"}, {"topics": []}, {"throttle": -1}):
        with pytest.raises(InvalidField):
            told.app.subscriptions.update(held.id, wrong)
    with pytest.raises(StaleData):
        told.app.subscriptions.update(held.id, name="x", version_number=7)
    after = told.app.subscriptions.replace(held.id, topics=["SCG-Keyword"])
    assert (after.url, after.topics, after.version_number) == (None, ("SCG-Keyword",), 2)
    assert told.app.subscriptions.update(held.id, topics=["SCG-Keyword"]) == after


def test_a_company_has_so_many_subscriptions_and_sees_its_own(told: EventWorld) -> None:
    """Another company's is nobody's business."""
    made = [told.app.subscriptions.create(topics=["SCG-Message"]) for _ in range(20)]
    with pytest.raises(InvalidField):
        told.app.subscriptions.create(topics=["SCG-Message"])
    other = told.engine.application("other", 1)
    for call in (other.subscriptions.get, other.subscriptions.delete, other.envelopes.page,
                 other.subscriptions.rotate_secret, other.subscriptions.replay_failed):  # fmt: skip
        with pytest.raises(NotFound):
            call(made[0].id)
    assert other.subscriptions.page().total == 0


def test_without_an_adapter_nobody_subscribes(url: str) -> None:
    """What would never be delivered is not promised."""
    world = World(url, ports={"events": None})
    with pytest.raises(InvalidField):
        world.app.subscriptions.create(topics=["SCG-Message"])
    with pytest.raises(InvalidField):
        world.engine.run_due(connectors=["events"])


def test_only_pending_may_be_asked_of_an_envelope(told: EventWorld) -> None:
    """Its other states are the receiver's to make."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"])
    receive(told, "one")
    told.run()
    [envelope] = told.app.envelopes.page(subscription.id).items
    for wrong in ({"state": "RETRY"}, {"state": "FAILED"}, {"topic": "SCG-Keyword"},
                  {"state": "PENDING", "facts": {}}):  # fmt: skip
        with pytest.raises(InvalidField):
            told.app.envelopes.update(subscription.id, envelope.id, wrong)
    for nothing in ({}, {"state": "SUCCESS"}):
        assert told.app.envelopes.update(subscription.id, envelope.id, nothing) == envelope
    with pytest.raises(NotFound):
        told.app.envelopes.get(subscription.id, envelope.id, topic="SCG-Keyword")


def test_events_are_served_by_a_worker_of_their_own(told: EventWorld) -> None:
    """A transport's worker delivers none, and theirs hands no message over."""
    told.app.subscriptions.create(topics=["SCG-Message"])
    receive(told, "one")
    told.engine.run_due(connectors=["carrier"])
    told.engine.run_due(connectors=[])
    assert not told.box.arrived
    told.engine.run_due(connectors=["events"])
    assert len(told.box.arrived) == 1


def test_a_transport_may_not_take_the_name_of_events(told: EventWorld) -> None:
    """By that name workers know the delivery of events."""
    with pytest.raises(InvalidField):
        Engine(
            storage=told.storage, transports={"events": told.carrier}, clock=told.clock,
            ids=told.ids, places=told.engine.sources.places, events=told.box,
        )  # fmt: skip


def test_limits_of_events_are_the_hosts_to_choose(url: str) -> None:
    """Shorter retries, fewer subscriptions, an earlier end."""
    settings = EventSettings(give_up=MINUTE, most=1)
    world = EventWorld(url, ports={"event_settings": settings})
    world.app.subscriptions.create(topics=["SCG-Message"])
    with pytest.raises(InvalidField):
        world.app.subscriptions.create(topics=["SCG-Message"])
    world.box.answer = never()
    receive(world, "one")
    world.run(2 * MINUTE)
    assert world.all(Envelope)[0].state == "FAILED"


def receive(world: World, text: str, sender: str = "+14155550177") -> None:
    """A person sends a text."""
    from scg_core.ports.message_transport import Inbound

    world.engine.inbound_arrived("carrier", [Inbound(sender, "55512", text, world.clock.now())])


def test_sequences_count_every_event_of_a_subject(told: EventWorld) -> None:
    """Also those that a subscription did not want, so a gap shows that there were others."""
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["click"])
    told.app.subscriptions.create(topics=["SCG-Message"])
    told.send("+14155550100")
    told.run(MINUTE)
    [message] = told.messages()

    held = {one.id: one.last for one in told.all(EventSequence)}
    assert held[message.id] == 2


# -- what bad receivers must not do --------------------------------------------------------------


def test_events_that_always_fail_hold_up_no_others(told: EventWorld) -> None:
    """A receiver that answers is there, whatever it answers; each event has its own retries."""
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["mo_message_received"])
    told.box.answer = lambda one: Reply(
        Reception.LATER if "bad" in one.facts["message_body"] else Reception.TAKEN, "500"
    )
    for number in range(60):
        receive(told, f"bad {number}", f"+1415555{1000 + number}")
    told.run(HOUR)
    told.box.arrived.clear()
    receive(told, "good")
    told.run()

    assert "good" in [one.facts["message_body"] for one in told.box.parcels]


def test_an_event_that_could_not_be_tried_has_its_72_hours_still(told: EventWorld) -> None:
    """They count from the first attempt, not from the event."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"], state="PAUSED")
    receive(told, "one")
    told.run(80 * HOUR)
    told.box.answer = never()
    told.app.subscriptions.update(subscription.id, state="ACTIVE")
    told.run(HOUR)
    assert told.all(Envelope)[0].state == "RETRY"
    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.run(2 * HOUR)
    assert told.all(Envelope)[0].state == "SUCCESS"


def test_a_wish_for_one_event_is_for_that_event(told: EventWorld) -> None:
    """A receiver that takes the others need not be left alone; 429 is for all."""
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["mo_message_received"])
    told.box.answer = lambda one: (
        Reply(Reception.LATER, "503", None, 24 * HOUR)
        if one.facts["message_body"] == "n3" and one.attempt == 1
        else Reply(Reception.TAKEN, "200")
    )
    for number in range(9):
        receive(told, f"n{number}")
    told.run()
    receive(told, "after")
    told.run()
    assert told.box.parcels[-1].facts["message_body"] == "after"
    told.run(25 * HOUR)
    assert {one.state.value for one in told.all(Envelope)} == {"SUCCESS"}


def test_what_waits_for_a_dead_receiver_is_given_up(url: str) -> None:
    """Though it is tried but once a minute: after the time to give up, here two hours, all that is
    as old has FAILED, and can be replayed."""
    told = EventWorld(url, ports={"event_settings": EventSettings(give_up=2 * HOUR)})
    subscription = told.app.subscriptions.create(
        topics=["SCG-Message"], event_types=["message_state_change"]
    )
    told.box.answer = lambda _: Reply(Reception.LATER, None, "it did not answer in time")
    told.send(*numbers(300))
    told.run(3 * HOUR)
    assert {one.state.value for one in told.all(Envelope)} == {"FAILED"}
    assert len(told.box.arrived) < 100 + 150

    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.app.subscriptions.replay_failed(subscription.id)
    told.run(2 * MINUTE)
    assert told.app.envelopes.page(subscription.id, state="SUCCESS").total == 600


def test_a_company_does_not_take_all_workers(told: EventWorld) -> None:
    """Of its subscriptions two are in hand at a time; the third waits, another company's not."""
    mine = [told.app.subscriptions.create(topics=["SCG-Message"]) for _ in range(4)]
    other = told.engine.application("other", 1)
    theirs = other.subscriptions.create(topics=["SCG-Consent"])
    receive(told, "one")
    other.contact_address_statuses.create(
        address_type="MDN", address="+14155550100", consent_status="OPTOUT",
        sender_id=told.engine.operator().add_sender_id("other", address="55599").id,
    )  # fmt: skip
    order: list[str] = []

    def nested(one: Parcel) -> Reply:
        order.append(one.subscription_id)
        if len(order) < 4:
            told.engine.run_due(6)  # another worker, while this one waits for its receiver
        return Reply(Reception.TAKEN)

    told.box.answer = nested
    told.engine.run_due(1)
    assert theirs.id in order[:3]
    told.run(MINUTE)
    assert set(order) == {theirs.id, *(one.id for one in mine)}


@pytest.mark.parametrize("reason", ["bad \ud800", "a\x00b"])
def test_a_reason_that_cannot_be_stored_stops_nothing(told: EventWorld, reason: str) -> None:
    """It is an answer that nobody understands."""
    told.app.subscriptions.create(topics=["SCG-Message"])
    told.box.answer = lambda _: Reply(Reception.REFUSED, None, reason)
    receive(told, "one")
    told.run()
    held = told.all(Envelope)[0]
    assert (held.state, held.attempt, held.reason_code) == ("RETRY", 1, "adapter")


def test_what_is_asked_for_again_begins_anew(told: EventWorld) -> None:
    """Also while it is in RETRY: it is PENDING, with all of its time."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"])
    told.box.answer = never()
    receive(told, "one")
    told.run(70 * HOUR)
    [held] = told.app.envelopes.page(subscription.id).items
    assert held.state == "RETRY"

    again = told.app.envelopes.update(subscription.id, held.id, state="PENDING")
    assert (again.state, again.attempt, again.due) == ("PENDING", 0, told.clock.now())
    told.run(10 * HOUR)
    assert told.app.envelopes.get(subscription.id, held.id).state == "RETRY"


def test_a_late_receipt_is_told_after_what_it_is_late_for(told: EventWorld) -> None:
    """In the order that a consumer sees by the numbers."""
    from scg_core.ports.message_transport import Receipt, ReceiptKind

    told.send("+14155550100")
    told.engine.run_due()
    told.app.subscriptions.create(topics=["SCG-Message"])
    [message] = told.messages()
    name = str(message.external_transaction_ids)
    read = Receipt(name, ReceiptKind.READ, told.clock.now(), message.to_address)
    told.engine.receipts_arrived("carrier", [read, read])
    told.run()

    mine = [(one.sequence, one.type.value) for one in told.box.parcels if one.subject == message.id]
    assert sorted(mine) == [(1, "message_state_change"), (2, "late_receipt")]


def test_a_status_that_is_forgotten_is_told(told: EventWorld) -> None:
    """The address may be written to again: that is a change."""
    told.app.subscriptions.create(topics=["SCG-Consent"])
    status = told.app.contact_address_statuses.create(
        address_type="MDN", address="+14155550100", sender_id=told.sender.id,
        consent_status="BLACKLIST",
    )  # fmt: skip
    told.app.contact_address_statuses.delete(status.id)
    told.run()

    changes = [(one.facts["previous_status"], one.facts["new_status"]) for one in told.box.parcels]
    assert changes == [("NONE", "BLACKLIST"), ("BLACKLIST", "NONE")]


def test_a_subscription_is_paused_where_nothing_delivers(told: EventWorld) -> None:
    """An engine without an adapter may change what has nothing to do with the receiver."""
    held = told.app.subscriptions.create(topics=["SCG-Message"], url="https://a.example/")
    told.ports = {"events": None}
    app = told.another_engine(told.carrier).application("acme", 1)

    assert app.subscriptions.update(held.id, state="PAUSED").state == "PAUSED"
    with pytest.raises(InvalidField):
        app.subscriptions.update(held.id, url="https://b.example/")


# -- that each part of it matters ----------------------------------------------------------------


def test_a_company_with_two_slow_receivers_hears_the_third(told: EventWorld) -> None:
    """Who waits for its company's places gets the next that comes free, however much is left."""
    slow = [told.app.subscriptions.create(topics=["SCG-Message"]).id for _ in range(2)]
    for number in range(300):
        receive(told, f"n{number}", f"+1415555{1000 + number}")
    third = told.app.subscriptions.create(topics=["SCG-Message"])
    order: list[str] = []

    def nested(one: Parcel) -> Reply:
        if one.subscription_id not in order[-1:]:
            order.append(one.subscription_id)
            if len(order) < 4:
                told.engine.run_due(3)  # other workers, while this one waits
        return Reply(Reception.TAKEN)

    told.box.answer = nested
    told.engine.run_due(1)
    receive(told, "new")
    told.run(3 * SECOND)
    assert third.id in order and set(slow) <= set(order)
    told.run(5 * MINUTE)
    assert {one.state.value for one in told.all(Envelope)} == {"SUCCESS"}


def test_what_was_replayed_is_not_given_up_at_once(url: str) -> None:
    """Though its receiver is silent still: its time counts from the replay."""
    told = EventWorld(url, ports={"event_settings": EventSettings(give_up=2 * HOUR)})
    subscription = told.app.subscriptions.create(topics=["SCG-Message"])
    told.box.answer = lambda _: Reply(Reception.LATER)
    for number in range(20):
        receive(told, f"n{number}", f"+1415555{1000 + number}")
    told.run(3 * HOUR)
    assert {one.state.value for one in told.all(Envelope)} == {"FAILED"}
    told.app.subscriptions.replay_failed(subscription.id)
    told.run(HOUR)
    assert {one.state.value for one in told.all(Envelope)} <= {"PENDING", "RETRY"}
    told.run(3 * HOUR)
    assert {one.state.value for one in told.all(Envelope)} == {"FAILED"}


def test_what_is_young_is_not_given_up_with_the_old(url: str) -> None:
    """And what waited behind the old of its subject is on its way then."""
    told = EventWorld(url, ports={"event_settings": EventSettings(give_up=2 * HOUR)})
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["message_state_change"])
    told.box.answer = lambda _: Reply(Reception.LATER)
    told.send("+14155550100")
    told.run(MINUTE + HOUR)
    [message] = told.messages()
    told.app.messages.delete(message.id)
    told.run(HOUR + 30 * MINUTE)
    states = [one.state.value for one in sorted(told.all(Envelope), key=lambda one: one.sequence)]
    assert states[:2] == ["FAILED", "FAILED"] and states[2] in ("PENDING", "RETRY")
    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.run(5 * MINUTE)
    assert told.box.parcels[-1].facts["new_state"] == "DELETED"


def test_a_receiver_that_is_back_ends_the_giving_up(url: str) -> None:
    """Pages that are left are not failed once somebody has answered or the URL was changed."""
    told = EventWorld(url, ports={"event_settings": EventSettings(give_up=2 * HOUR)})
    subscription = told.app.subscriptions.create(topics=["SCG-Message"])
    told.box.answer = lambda _: Reply(Reception.LATER)
    told.send(*numbers(150))
    told.run(HOUR)
    with told.engine.transaction("as if it was due") as unit:
        unit.later(GIVE_UP, subscription.id, unit.now)
    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.clock.advance(2 * HOUR)
    told.app.subscriptions.update(subscription.id, url="https://new.example/")
    told.run(2 * HOUR)
    assert {one.state.value for one in told.all(Envelope)} == {"SUCCESS"}


def test_a_replay_leaves_nothing_out(told: EventWorld) -> None:
    """However many more of its subjects have failed than fit a page."""
    subscription = told.app.subscriptions.create(
        topics=["SCG-Message"], event_types=["message_state_change"]
    )
    told.box.answer = lambda one: Reply(
        Reception.TAKEN if one.facts["new_state"] == "SENT" else Reception.REFUSED, "410"
    )
    told.send("+14155550100")
    told.run(MINUTE)
    told.box.answer = lambda _: Reply(Reception.REFUSED, "410")
    told.send(*numbers(230))
    told.run(MINUTE)
    told.box.answer = lambda _: Reply(Reception.TAKEN)
    told.app.subscriptions.replay_failed(subscription.id)
    told.run(MINUTE)
    assert {one.state.value for one in told.all(Envelope)} == {"SUCCESS"}


def test_an_adapter_that_is_down_gives_nothing_up(url: str) -> None:
    """Nobody was asked, so nobody was silent: all waits."""
    from scg_core import TransportUnavailable

    told = EventWorld(url, ports={"event_settings": EventSettings(give_up=HOUR)})
    told.app.subscriptions.create(topics=["SCG-Message"])
    deliver = told.box.deliver

    def down(parcels: Sequence[Parcel], now: Instant) -> Sequence[Reply]:
        raise TransportUnavailable("broker")

    told.box.deliver = down  # type: ignore[method-assign]
    receive(told, "one")
    told.run(5 * HOUR)
    assert [(one.state.value, one.attempt) for one in told.all(Envelope)] == [("PENDING", 0)]
    told.box.deliver = deliver  # type: ignore[method-assign]
    told.run(2 * MINUTE)
    assert told.all(Envelope)[0].state == "SUCCESS"


def test_a_callback_that_raises_holds_up_no_other_event(url: str) -> None:
    """Somebody was there: its own events come back, the others are taken."""
    heard: list[str] = []

    def take(parcel: Parcel) -> None:
        if "bad" in parcel.facts["message_body"]:
            raise ValueError
        heard.append(parcel.facts["message_body"])

    from scg_adapters.events.callback import CallbackEvents

    told = EventWorld(url, ports={"events": CallbackEvents(take)})
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["mo_message_received"])
    for number in range(30):
        receive(told, f"bad {number}", f"+1415555{1000 + number}")
    told.run(HOUR)
    receive(told, "good")
    told.run()
    assert heard == ["good"]


def test_too_many_requests_are_too_many_for_all(told: EventWorld) -> None:
    """A 429 rests the subscription, though others of the batch were taken."""
    told.app.subscriptions.create(topics=["SCG-Message"], event_types=["mo_message_received"])
    told.box.answer = lambda one: (
        Reply(Reception.LATER, "429", None, 10 * MINUTE)
        if one.facts["message_body"] == "n3" and one.attempt == 1
        else Reply(Reception.TAKEN, "200")
    )
    for number in range(9):
        receive(told, f"n{number}")
    told.run()
    receive(told, "after")
    told.run(9 * MINUTE)
    assert "after" not in [one.facts["message_body"] for one in told.box.parcels]
    told.run(2 * MINUTE)
    assert "after" in [one.facts["message_body"] for one in told.box.parcels]


def test_a_renamed_subscription_rests_on(told: EventWorld) -> None:
    """A name is no receiver; another URL is."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"], url="https://a.example/")
    told.box.answer = lambda _: Reply(Reception.LATER, "429", None, HOUR)
    receive(told, "one")
    told.run(MINUTE)
    told.app.subscriptions.update(subscription.id, name="other")
    told.run(MINUTE)
    assert len(told.box.arrived) == 1


def test_failed_events_of_one_subject_are_replayed_in_their_order(told: EventWorld) -> None:
    """Whatever their ids are: those of two processes are no order."""
    subscription = told.app.subscriptions.create(topics=["SCG-Message"], state="PAUSED")
    with told.engine.transaction("made up") as unit:
        for id, sequence in (("a", 2), ("b", 1)):
            unit.add(
                Envelope(
                    id=id, event_id=id, subscription_id=subscription.id, topic=Topic.MESSAGE,
                    type=EventType.CLICK, subject="m", sequence=sequence, facts="{}",
                    state=EnvelopeState.FAILED, created_date=unit.now, company_id="acme",
                    settled_date=unit.now,
                )
            )  # type: ignore[arg-type]  # fmt: skip
    told.app.subscriptions.update(subscription.id, state="ACTIVE")
    told.app.subscriptions.replay_failed(subscription.id)
    told.run()
    assert [one.sequence for one in told.box.parcels] == [1, 2]


def test_secrets_that_were_replaced_sign_until_their_day_is_over(told: EventWorld) -> None:
    """Also if it is replaced twice: a receiver may know any of them. None is printed."""
    first = told.app.subscriptions.create(topics=["SCG-Message"])
    second = told.app.subscriptions.rotate_secret(first.id)
    told.run(HOUR)
    third = told.app.subscriptions.rotate_secret(first.id)
    receive(told, "one")
    told.run(23 * HOUR + MINUTE)
    receive(told, "two")
    told.run()

    assert told.box.parcels[0].secrets == (third.secret, second.secret, first.secret)
    assert told.box.parcels[1].secrets == (third.secret, second.secret)
    assert first.secret not in repr(third) and third.secret not in repr(third)


def test_a_type_outside_of_its_topics_is_refused(told: EventWorld) -> None:
    """Nothing of it would ever be heard; when it is made and when it is changed."""
    with pytest.raises(InvalidField):
        told.app.subscriptions.create(topics=["SCG-Message"], event_types=["dtmf_received"])
    held = told.app.subscriptions.create(topics=["SCG-Message"], event_types=["click"])
    with pytest.raises(InvalidField):
        told.app.subscriptions.update(held.id, topics=["SCG-Keyword"])


def test_a_script_does_not_wait_for_a_dead_receiver(told: EventWorld) -> None:
    """``run_until_idle`` ends when nothing but another try is left."""
    told.app.subscriptions.create(topics=["SCG-Message"])
    told.box.answer = never()
    told.send("+14155550100")
    told.engine.run_until_idle()
    assert told.messages()[0].state == "DELIVERED"
    assert told.engine.run_due() is not None

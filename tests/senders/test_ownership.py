"""Whose a sender id is and how far it is provisioned: every cell, and every race."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest

from scg_adapters.embedded import open_engine
from scg_adapters.transport.loopback import LoopbackCarrier
from scg_core import Duplicate, Forbidden, IllegalTransition, InvalidField, NotFound, SenderState
from scg_core.kernel.codec import MASK, write
from scg_core.kernel.instant import MINUTE, Instant, later
from scg_core.senders.lifecycle import (
    OWNERSHIP,
    PARENT,
    SENDER,
    CopyState,
    Ownership,
    OwnershipEvent,
    SenderEvent,
)
from scg_core.senders.model import SenderId
from scg_core.senders.rules.eligibility import unfit
from tests.world import World

STATES = {one.value: one for one in SenderState}
# state -> event -> state after; "-" is a move that is refused
CELLS = """
                        IMPLEMENT    FAIL    ACTIVATE  DEACTIVATE  FAULT   REPAIR  DELETE
PENDING_IMPLEMENTATION  IMPLEMENTED  BROKEN  -         -           -       -       PENDING_DELETE
IMPLEMENTED             IMPLEMENTED  -       ACTIVE    -           BROKEN  -       PENDING_DELETE
ACTIVE                  -            -       ACTIVE    INACTIVE    BROKEN  ACTIVE  PENDING_DELETE
INACTIVE                -            -       ACTIVE    INACTIVE    BROKEN  -       PENDING_DELETE
BROKEN                  -            -       -         -           BROKEN  ACTIVE  PENDING_DELETE
PENDING_DELETE          -            -       -         -           -       -       PENDING_DELETE
""".strip().splitlines()
EVENTS = CELLS[0].split()
TABLE = [
    (row.split()[0], event, to)
    for row in CELLS[1:]
    for event, to in zip(EVENTS, row.split()[1:], strict=True)
]


@pytest.mark.parametrize(("state", "event", "to"), TABLE)
def test_each_cell_of_the_provisioning_table(state: str, event: str, to: str) -> None:
    """A legal move, a loop, or an error that names what is allowed."""
    if to == "-":
        with pytest.raises(IllegalTransition):
            SENDER.step(SenderState(state), SenderEvent(event))
    else:
        assert SENDER.step(SenderState(state), SenderEvent(event)) is SenderState(to)


def test_the_table_has_a_row_for_each_state_and_a_column_for_each_event() -> None:
    """Nothing is left out."""
    assert {state for state, _, _ in TABLE} == set(STATES)
    assert {event for _, event, _ in TABLE} == set(SenderEvent)


def test_a_sender_id_begins_unprovisioned_or_active_and_as_nobodys_purchase() -> None:
    """A purchase is made of what is there; it is no beginning."""
    assert SENDER.start == {"PENDING_IMPLEMENTATION", "ACTIVE"}
    assert OWNERSHIP.start == {"PRIVATE", "SHARED", "PREPROVISIONED"}


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [("PREPROVISIONED", "COPY", "PURCHASED"), ("PREPROVISIONED", "RETURN", None),
     ("PURCHASED", "COPY", None), ("PURCHASED", "RETURN", "PREPROVISIONED"),
     ("SHARED", "COPY", "SHARED"), ("SHARED", "RETURN", "SHARED"),
     ("PRIVATE", "COPY", None), ("PRIVATE", "RETURN", None)],
)  # fmt: skip
def test_each_cell_of_the_ownership_table(before: str, event: str, after: str | None) -> None:
    """And what a copy's coming and going makes of its parent agrees with it."""
    held, heard = Ownership(before), OwnershipEvent(event)
    copy = CopyState.MADE if heard is OwnershipEvent.COPY else CopyState.REMOVED
    if after is None:
        assert not OWNERSHIP.hears(held, heard)
        assert PARENT.follow(copy, held) is held
    else:
        assert OWNERSHIP.step(held, heard) is Ownership(after)
        assert PARENT.follow(copy, held) is Ownership(after)


def for_sale(world: World, **fields: Any) -> SenderId:
    """A preprovisioned sender id of the operator."""
    given = {"address": "88800", "country": "USA", "ownership": "PREPROVISIONED", **fields}
    return world.engine.operator().add_sender_id("operator", given)


def ownership(world: World, id: str) -> str:
    """The ownership of a sender id, whoever sees it."""
    with world.storage.snapshot() as session:
        held = session.get(SenderId, id)
    assert held is not None
    return held.ownership.value


def test_a_purchase_gives_a_private_copy_until_it_is_deleted(world: World) -> None:
    """The parent is PURCHASED meanwhile, and nobody else sees it or gets it."""
    parent = for_sale(world)
    rival = world.engine.application("rival", 1)
    assert parent.id in [one.id for one in rival.sender_ids.find()]

    copy = world.app.sender_ids.purchase(parent.id)

    assert (copy.parent_id, copy.ownership.value) == (parent.id, "PRIVATE")
    assert (copy.address, copy.company_id, copy.state.value) == ("88800", "acme", "ACTIVE")
    assert ownership(world, parent.id) == "PURCHASED"
    assert parent.id not in [one.id for one in rival.sender_ids.find()]
    with pytest.raises(NotFound):
        rival.sender_ids.get(parent.id)
    with pytest.raises(Duplicate):
        rival.sender_ids.purchase(parent.id)
    world.app.sender_ids.delete(copy.id)
    assert ownership(world, parent.id) == "PREPROVISIONED"
    assert rival.sender_ids.purchase(parent.id).company_id == "rival"


def test_a_shared_sender_id_has_one_copy_a_company(world: World) -> None:
    """By purchase or by creating one with ``parent_id``; the parent stays SHARED."""
    parent = for_sale(world, ownership="SHARED")
    rival = world.engine.application("rival", 1)
    copy = world.app.sender_ids.create(parent_id=parent.id, name="mine")
    other = rival.sender_ids.purchase(parent.id)

    assert (copy.name, copy.address, other.parent_id) == ("mine", "88800", parent.id)
    assert ownership(world, parent.id) == "SHARED"
    for again in (world.app.sender_ids.purchase, rival.sender_ids.purchase):
        with pytest.raises(Duplicate):
            again(parent.id)


def test_what_is_private_or_unknown_is_not_for_sale(world: World) -> None:
    """400 that names the field."""
    for parent in (world.sender.id, "nobody", "", None, 7):
        with pytest.raises(InvalidField) as refused:
            world.app.sender_ids.purchase(parent)
        assert refused.value.field == "parent_id"


def test_the_copies_of_one_address_share_its_lanes_and_send_for_their_companies(
    world: World,
) -> None:
    """A lane names the root; the sender id of a message is the copy."""
    parent = for_sale(world, ownership="SHARED")
    copy = world.app.sender_ids.purchase(parent.id)
    request = world.send("+14155550100", from_=copy.id)
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert (message.customer_sender_id, message.state.value) == (copy.id, "DELIVERED")
    with world.storage.snapshot() as session:
        [lane] = session.lanes({message.lane or 0})
    assert lane.key.sender_id == parent.id
    with pytest.raises(InvalidField):
        world.send("+14155550100", from_=parent.id)


def test_of_many_threads_that_purchase_one_parent_exactly_one_succeeds(world: World) -> None:
    """The others are told that it is taken."""
    parent = for_sale(world)
    outcomes: list[str] = []
    ready = threading.Barrier(8)

    def buy(number: int) -> None:
        app = world.engine.application(f"company-{number}", 1)
        ready.wait()
        try:
            outcomes.append(app.sender_ids.purchase(parent.id).company_id)
        except Duplicate:
            outcomes.append("taken")

    threads = [threading.Thread(target=buy, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(outcomes)[1:] == ["taken"] * 7
    assert outcomes.count("taken") == 7


def _buy(url: str, parent: str, number: int, ready: Any, answers: Any) -> None:
    engine = open_engine(url, {"carrier": LoopbackCarrier()})
    app = engine.application(f"company-{number}", 1)
    ready.wait()
    try:
        answers.put(app.sender_ids.purchase(parent).company_id)
    except Duplicate:
        answers.put("taken")


def test_of_many_processes_that_purchase_one_parent_exactly_one_succeeds(tmp_path: Path) -> None:
    """On one SQLite file."""
    url = f"sqlite:///{tmp_path}/scg.db"
    parent = for_sale(World(url)).id
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(4), context.Queue()
    processes = [
        context.Process(target=_buy, args=(url, parent, number, ready, answers))
        for number in range(4)
    ]
    for one in processes:
        one.start()
    outcomes = sorted(answers.get(timeout=60) for _ in processes)
    for one in processes:
        one.join(30)

    assert outcomes[1:] == ["taken"] * 3
    assert outcomes[0].startswith("company-")


@pytest.mark.parametrize(
    "fields",
    [{"state": "BROKEN"}, {"ownership": "SHARED"}, {"country": "CAN"}, {"operators": ["1"]},
     {"address": "1"}, {"class_id": "X"}, {"type_id": "X"}, {"parent_id": "X"},
     {"billing": "free"}],
)  # fmt: skip
def test_what_only_the_operator_may_change_is_refused_a_customer(
    world: World, fields: dict[str, Any]
) -> None:
    """403 that names the field; sent back unchanged it is accepted."""
    with pytest.raises(Forbidden) as refused:
        world.app.sender_ids.update(world.sender.id, fields)

    assert refused.value.field == next(iter(fields))
    whole = write(world.app.sender_ids.get(world.sender.id))
    app = world.engine.application("acme", 1, lenient=True)
    assert app.sender_ids.update(world.sender.id, whole).version_number == 1


def test_a_customer_switches_its_sender_id_off_and_on(world: World) -> None:
    """Queued messages wait while it is off; a new request is refused at once."""
    app = world.app
    request = world.send("+14155550100", pause_before_transmit=True)
    world.engine.run_until_idle(later(world.clock.now(), 0))
    assert app.sender_ids.update(world.sender.id, state="INACTIVE").version_number == 2
    with pytest.raises(InvalidField):
        world.send("+14155550100")
    app.message_requests.resume(request.id)
    world.engine.run_until_idle(later(world.clock.now(), MINUTE))
    assert world.states(request.id) == ["CREATED"]
    app.sender_ids.update(world.sender.id, state="ACTIVE")
    world.engine.run_until_idle()
    assert world.states(request.id) == ["DELIVERED"]


def test_a_type_that_needs_provisioning_takes_its_time(world: World) -> None:
    """PENDING_IMPLEMENTATION until the carriers have set it up; gone once they let go of it."""
    operator = world.engine.operator()
    operator.put_sender_id_type(id="CODE", capabilities=["SMS"], needs_provisioning=True)
    sender = world.app.sender_ids.create(address="4711", type_id="CODE")
    assert sender.state is SenderState.PENDING_IMPLEMENTATION
    with pytest.raises(InvalidField):
        world.send("+14155550100", from_=sender.id)
    operator.move_sender_id(sender.id, "IMPLEMENT")
    with pytest.raises(Forbidden):
        world.app.sender_ids.update(sender.id, state="ACTIVE")
    assert operator.move_sender_id(sender.id, "ACTIVATE").state is SenderState.ACTIVE
    world.app.sender_ids.delete(sender.id)
    assert world.app.sender_ids.get(sender.id).state is SenderState.PENDING_DELETE
    operator.deprovisioned(sender.id)
    with pytest.raises(NotFound):
        world.app.sender_ids.get(sender.id)


def test_a_deleted_sender_id_goes_once_its_last_queued_message_is_gone(world: World) -> None:
    """What was queued fails with 1003 instead of waiting for what never comes back."""
    request = world.send("+14155550100", pause_before_transmit=True)
    world.engine.run_until_idle(later(world.clock.now(), 0))
    world.app.sender_ids.delete(world.sender.id)
    assert world.app.sender_ids.get(world.sender.id).state is SenderState.PENDING_DELETE
    world.app.message_requests.resume(request.id)
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert (message.state.value, (message.failure_details or "")[:4]) == ("FAILED", "1003")
    with pytest.raises(NotFound):
        world.app.sender_ids.get(world.sender.id)


def test_credentials_are_checked_against_the_type_and_masked_when_read(world: World) -> None:
    """Asterisks that come back mean unchanged; what is missing is named."""
    operator = world.engine.operator()
    needed = ["provider,certificate,password", "provider,key"]
    operator.put_sender_id_type(id="APP", capabilities=["PUSH"], credential_parameter_list=needed)
    with pytest.raises(InvalidField) as refused:
        world.app.sender_ids.create(address="app", type_id="APP",
                                    credentials=[{"provider": "GCM"}])  # fmt: skip
    assert refused.value.field == "credentials[0].key"
    given = [{"provider": "APN", "certificate": "c", "password": "hunter2"},
             {"provider": "GCM", "key": "secret"}]  # fmt: skip
    sender = world.app.sender_ids.create(address="app", type_id="APP", credentials=given)

    shown = write(sender)["credentials"]
    assert "hunter2" not in shown and "secret" not in shown and MASK in shown
    after = world.app.sender_ids.update(sender.id, credentials=shown, name="x")
    assert after.credentials == sender.credentials
    changed = shown.replace(f'"key": "{MASK}"', '"key": "new"')
    after = world.app.sender_ids.update(sender.id, credentials=changed)
    assert "hunter2" in (after.credentials or "") and '"new"' in (after.credentials or "")


def test_who_wants_answers_gets_no_sender_id_that_cannot_be_answered(world: World) -> None:
    """``two_way_required`` YES on a type without answers is refused, now and later."""
    world.engine.operator().load_defaults()
    create = world.app.sender_ids.create
    with pytest.raises(InvalidField) as refused:
        create(address="Acme", type_id="ALPHANUMERIC", two_way_required="YES")
    assert refused.value.field == "two_way_required"
    sender = create(address="Acme", type_id="ALPHANUMERIC")
    with pytest.raises(InvalidField):
        world.app.sender_ids.update(sender.id, two_way_required="YES")
    assert create(address="1", type_id="SHORTCODE", two_way_required="YES").address == "1"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": "C", "country_peak_throughput": -1}, "country_peak_throughput"),
        ({"id": "C", "burst": 0}, "burst"),
        ({"id": "C", "applicable_countries": ["USA", "XX"]}, "applicable_countries[1]"),
        ({"id": "C", "delivery_window": {"USA": {"MON": ["9-5"]}}}, "delivery_window.USA.MON[0]"),
        ({"id": "C", "delivery_window": "{"}, "delivery_window"),
        ({"id": "C", "day_zone": "Mars/Olympus"}, "day_zone"),
        ({"id": ""}, "id"),
        ({}, "id"),
        ({"id": "C", "colour": 1}, "colour"),
    ],
)
def test_a_class_that_is_wrong_is_refused(world: World, fields: dict[str, Any], field: str) -> None:
    """The path inside the JSON where it is a window."""
    with pytest.raises(InvalidField) as refused:
        world.engine.operator().put_sender_id_class(fields)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"price": -1}, "price"), ({"price": 0.00000001}, "price"), ({}, "price"),
     ({"price": "1"}, "price"), ({"price": 1, "country": "XX"}, "country")],
)  # fmt: skip
def test_a_tariff_that_is_wrong_is_refused(
    world: World, fields: dict[str, Any], field: str
) -> None:
    """Negative, too fine, missing, or for a country that is none."""
    with pytest.raises(InvalidField) as refused:
        world.engine.operator().add_tariff(fields)

    assert refused.value.field == field


def test_the_types_that_come_with_the_engine_carry_what_their_names_say(world: World) -> None:
    """Numbers carry texts, long ones voice too; all but a name in letters can be answered."""
    world.engine.operator().load_defaults()

    wanted = {
        "SHORTCODE": ({"SMS", "MMS"}, True),
        "LONGCODE": ({"SMS", "MMS", "VOICE"}, True),
        "TOLLFREE": ({"SMS", "MMS", "VOICE"}, True),
        "ALPHANUMERIC": ({"SMS"}, False),
        "EMAIL": ({"EMAIL"}, True),
        "PUSH": ({"PUSH"}, True),
        "VOICE": ({"VOICE"}, True),
        "FACEBOOK": ({"FACEBOOK"}, True),
        "WECHAT": ({"WECHAT"}, True),
    }
    types = {one.id: one for one in world.app.sender_id_types.find()}
    assert {name: (set(types[name].capabilities), types[name].two_way) for name in wanted} == wanted


CARRIERS = {
    "SMS": {"SMS"}, "MMS": {"MMS"}, "EMAIL": {"EMAIL"}, "VOICE": {"VOICE"},
    "PSH": {"PUSH", "PSH"}, "FB": {"FACEBOOK", "FB"}, "WE": {"WECHAT", "WE"},
}  # fmt: skip


@pytest.mark.parametrize("capability", sorted(set().union(*CARRIERS.values())))
@pytest.mark.parametrize("kind", CARRIERS)
def test_a_sender_id_carries_the_kinds_it_is_capable_of(kind: str, capability: str) -> None:
    """By either name of a network, and nothing else."""
    sender = SenderId(
        id="s", address="55512", company_id="acme", created_date=Instant(0),
        last_updated_date=Instant(0), capabilities=(capability,),
    )  # fmt: skip

    problem = unfit(sender, kind, None, {})

    assert (problem is None) is (capability in CARRIERS[kind])
    assert problem is None or problem.startswith("1003 ")


def test_a_default_class_is_found_by_its_purpose(world: World) -> None:
    """As the reference names them: commercial, notifications, alerts."""
    world.engine.operator().load_defaults()
    found = {
        purpose: [one.id for one in world.app.sender_id_classes.find(designation=purpose)]
        for purpose in ("commercial", "notifications", "alerts")
    }

    assert found == {
        "commercial": ["COMMERCIAL"], "notifications": ["NOTIFICATION"], "alerts": ["ALERT"],
    }  # fmt: skip


def test_the_defaults_are_loaded_once_and_never_over_the_operators_own(world: World) -> None:
    """COMMERCIAL, NOTIFICATION, ALERT; SHORTCODE, LONGCODE, ..."""
    operator = world.engine.operator()
    operator.put_sender_id_class(id="ALERT", name="ours")
    operator.load_defaults()
    operator.load_defaults()

    held = {one.id: one for one in world.app.sender_id_classes.find()}
    assert set(held) == {"COMMERCIAL", "NOTIFICATION", "ALERT"}
    assert held["ALERT"].name == "ours"
    assert {"SHORTCODE", "EMAIL", "PUSH", "VOICE"} <= {
        one.id for one in world.app.sender_id_types.find()
    }

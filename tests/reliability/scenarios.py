"""Scenarios of ordinary work: each asks, waits and leaves nothing undone."""

from __future__ import annotations

from collections.abc import Callable

from scg_adapters.transport.loopback import Behaviour
from scg_adapters.voice.simulator import Does
from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND, later
from scg_core.ports.message_transport import InboundFile, Part
from tests.reliability.failing import Stage
from tests.stories.calls import ANN, BOB, CID
from tests.world import numbers

Scenario = Callable[[Stage], None]
DAYTIME = {"DEFAULT": {"OTH": ["08:00-21:00"]}}
SCENARIOS: dict[str, tuple[Scenario, Behaviour | None]] = {}


def scenario(behaviour: Behaviour | None = None) -> Callable[[Scenario], Scenario]:
    """One more scenario, with a carrier that does this."""

    def kept(act: Scenario) -> Scenario:
        SCENARIOS[act.__name__] = (act, behaviour)
        return act

    return kept


# -- sending -------------------------------------------------------------------------------------


@scenario()
def many_at_once(stage: Stage) -> None:
    """A request with an impossible number among its recipients."""
    stage.send(*numbers(12), "nobody", idempotency_key="a")
    stage.idle()


@scenario()
def scheduled_and_canceled(stage: Stage) -> None:
    """Half an hour before it would go."""
    due = later(stage.clock.now(), HOUR)
    held = stage.send(*numbers(5), scheduled_delivery_time=due)
    stage.wait(HOUR // 2)
    stage.app.message_requests.cancel(held.id)
    stage.idle()


@scenario()
def appended_in_pages(stage: Stage) -> None:
    """And accepted at last."""
    requests = stage.app.message_requests
    made = requests.create(from_=stage.sender, body="Hello")
    for start in (0, 4):
        requests.append_recipients(made.id, numbers(4, start), start=start)
    requests.accept(made.id)
    stage.idle()


@scenario()
def out_of_credit_and_paid_in(stage: Stage) -> None:
    """What waits for money goes when there is some."""
    stage.operator.add_tariff(price=0.1)
    stage.operator.add_credit("acme", 0.45)
    request = stage.send(*numbers(4))
    stage.operator.add_tariff(price=0.2)
    stage.wait(MINUTE)
    stage.operator.add_credit("acme", 1)
    if stage.app.message_requests.get(request.id).state == "PAUSED":
        stage.app.message_requests.resume(request.id)
    stage.idle()


@scenario()
def a_window_that_opens_later(stage: Stage) -> None:
    """Messages of the night go in the morning."""
    stage.operator.put_sender_id_class(
        id="C", delivery_window={"DEFAULT": {"OTH": ["08:00-21:00"]}}
    )
    stage.operator.update_sender_id(stage.sender, class_id="C")
    stage.clock.advance(8 * HOUR)
    stage.send(*numbers(3))
    stage.idle()


@scenario()
def slower_than_asked(stage: Stage) -> None:
    """Two a second."""
    stage.operator.put_sender_id_class(id="S", country_peak_throughput=2)
    stage.operator.update_sender_id(stage.sender, class_id="S")
    stage.send(*numbers(8))
    stage.idle()


@scenario()
def expired_before_it_could_go(stage: Stage) -> None:
    """Its window never opens."""
    stage.operator.put_sender_id_class(id="N", delivery_window={"DEFAULT": {"OTH": []}})
    stage.operator.update_sender_id(stage.sender, class_id="N")
    stage.send(*numbers(3), expiry_time=later(stage.clock.now(), HOUR))
    stage.idle()


@scenario()
def through_a_channel(stage: Stage) -> None:
    """Three sender ids share the work."""
    channel = stage.app.channels.create(name="c")
    ids = [
        stage.operator.add_sender_id("acme", address=one, country="USA").id
        for one in ("111", "222", "333")
    ]
    stage.app.channels.add_sender_ids(channel.id, ids)
    stage.send(*numbers(6), from_=f"channel:{channel.id}")
    stage.idle()
    stage.app.channels.remove_sender_ids(channel.id, ids[:1])


@scenario()
def translated(stage: Stage) -> None:
    """Once for all."""
    stage.send(*numbers(3), translate=True, dst_language="es")
    stage.idle()


@scenario()
def links_followed(stage: Stage) -> None:
    """A click converts."""
    request = stage.send(*numbers(2), body='#track("https://shop.example/")')
    stage.wait(MINUTE)
    for one in stage.app.messages.find(message_request_id=request.id):
        stage.engine.link_followed((one.body or "").rpartition("/")[2])
    stage.idle()


@scenario()
def rendered_from_a_template(stage: Stage) -> None:
    """With the names of contacts."""
    stage.app.message_templates.create(
        name="hi", designation="TEMPLATE", pattern="Hi ${contact.first_name}!"
    )
    for at in range(3):
        stage.app.contacts.create(
            external_id=f"t{at}", first_name=f"N{at}", primary_mdn=f"+1415555020{at}"
        )
    stage.send(body='#parse("hi")', criteria={"field": "external_id", "op": "prefix", "value": "t"})
    stage.idle()


@scenario()
def to_a_group(stage: Stage) -> None:
    """Of which one is named twice."""
    group = stage.app.contact_groups.create(name="g")
    ids = [
        stage.app.contacts.create(external_id=f"p{at}", primary_mdn=f"+1415555030{at}").id
        for at in range(4)
    ]
    stage.app.contact_groups.add_contacts(group.id, ids)
    stage.send(f"contact:{ids[0]}", f"group:{group.id}")
    stage.idle()
    stage.app.contact_groups.remove_contacts(group.id, ids[:2])


@scenario()
def a_picture(stage: Stage) -> None:
    """Uploaded, carried by a message, and swept when nobody holds it."""
    sender = stage.operator.add_sender_id(
        "acme", {"address": "55513", "country": "USA", "capabilities": ["SMS", "MMS"]}
    )
    made = stage.app.attachments.create(name="a.png", type="image/png")
    stage.app.attachments.upload(made.id, b"\x89PNG\r\n\x1a\n" + b"x" * 500)
    request = stage.send(*numbers(2), from_=sender.id, attachments=[made.id])
    stage.wait(MINUTE)
    stage.app.message_requests.delete(request.id)
    stage.app.attachments.delete(made.id)
    stage.idle()


@scenario()
def deleted_while_it_goes(stage: Stage) -> None:
    """What has left is not called back."""
    due = later(stage.clock.now(), HOUR)
    first, second = stage.send(*numbers(3)), stage.send(*numbers(3), scheduled_delivery_time=due)
    stage.wait(MINUTE)
    for one in (first, second):
        stage.app.message_requests.delete(one.id)
    stage.idle()


# -- carriers of all manners ---------------------------------------------------------------------


@scenario(Behaviour(pending=1))
def answers_come_later(stage: Stage) -> None:
    """The receipt brings them."""
    stage.send(*numbers(4))
    stage.idle()


@scenario(Behaviour(refuse=1))
def all_refused(stage: Stage) -> None:
    """FAILED, each once."""
    stage.send(*numbers(4))
    stage.idle()


@scenario(Behaviour(undelivered=1, double=1))
def receipts_say_no_twice(stage: Stage) -> None:
    """Once counts."""
    stage.send(*numbers(4))
    stage.idle()


@scenario(Behaviour(read=1, early=1))
def receipts_before_answers(stage: Stage) -> None:
    """READ in the end."""
    stage.send(*numbers(4))
    stage.idle()


@scenario(Behaviour(lose=1))
def receipts_never_come(stage: Stage) -> None:
    """SENT is where it ends."""
    stage.send(*numbers(4))
    stage.idle()


@scenario(Behaviour(defer=1))
def never_now(stage: Stage) -> None:
    """Tried as often as may be, then given up."""
    stage.send(*numbers(2), expiry_time=later(stage.clock.now(), HOUR))
    stage.idle()


# -- from handsets -------------------------------------------------------------------------------


@scenario()
def opted_out_and_in(stage: Stage) -> None:
    """Nothing goes in between."""
    stage.says("STOP", external_id="1")
    stage.send("+14155550100", *numbers(2))
    stage.wait(MINUTE)
    stage.says("START", external_id="2")
    stage.send("+14155550100")
    stage.idle()


@scenario()
def a_keyword_answered(stage: Stage) -> None:
    """With its template."""
    stage.app.message_templates.create(name="m", designation="TEMPLATE", pattern="Today: soup")
    stage.app.keywords.create(name="Menu", value="MENU", reply_template="m")
    stage.says("menu", external_id="1")
    stage.idle()


@scenario()
def received_and_processed(stage: Stage) -> None:
    """With a picture, in two parts."""
    stage.says("hello", external_id="1", files=(InboundFile("a.png", "image/png", b"x" * 50),))
    for at in (1, 2):
        stage.says(f"part {at} ", external_id=f"p{at}", part=Part("r", at, 2))
    stage.idle()
    received = stage.app.messages.find(direction="MO", sort="id")
    for one in received:
        stage.app.messages.update(one.id, state="PROCESSED")
    stage.app.messages.delete(received[0].id)
    stage.idle()


# -- telling -------------------------------------------------------------------------------------


@scenario()
def all_is_told(stage: Stage) -> None:
    """Every change of state, in order."""
    stage.app.subscriptions.create(topics=["SCG-Message", "SCG-Consent"])
    stage.send(*numbers(2))
    stage.says("STOP", external_id="1")
    stage.idle()


@scenario()
def refused_and_replayed(stage: Stage) -> None:
    """The receiver was gone for a while."""
    made = stage.app.subscriptions.create(topics=["SCG-Message"])
    stage.box.refuses = True
    stage.send(*numbers(2))
    stage.idle()
    stage.box.refuses = False
    stage.app.subscriptions.replay_failed(made.id)
    stage.idle()


# -- contacts and files --------------------------------------------------------------------------


@scenario()
def imported(stage: Stage) -> None:
    """Three rows, one of them bad; the failures are written."""
    made = stage.app.attachments.create(name="c.csv", type="text/csv")
    rows = b"external_id,first_name,primary_mdn\ne1,Ann,+14155550400\ne2,Bo,no number\ne3,Cy,\n"
    stage.app.attachments.upload(made.id, rows)
    stage.app.contact_imports.create(import_attachment_id=made.id)
    stage.wait(HOUR)


@scenario()
def exported(stage: Stage) -> None:
    """All contacts, into a file."""
    for at in range(3):
        stage.app.contacts.create(external_id=f"x{at}")
    stage.app.contact_exports.create()
    stage.wait(HOUR)


@scenario()
def a_group_found_by_criteria(stage: Stage) -> None:
    """A snapshot, taken in the background."""
    for at, state in enumerate(("TX", "CA", "TX")):
        stage.app.contacts.create(external_id=f"s{at}", primary_addr_state=state)
    stage.app.contact_groups.create(name="texans", criteria={"state": "TX"})
    stage.idle()


@scenario()
def contacts_changed(stage: Stage) -> None:
    """Made, changed, replaced, deleted; what is derived from them follows."""
    stage.app.fast_access.create(
        target_attribute="fast_access_1", value_derivation_script="$..extended_attributes.color"
    )
    made = stage.app.contacts.create(external_id="c1", extended_attributes='{"color": "red"}')
    stage.app.contacts.update(made.id, first_name="Ann")
    other = stage.app.contacts.create(external_id="c2")
    stage.app.contacts.replace(made.id, external_id="c3")
    stage.app.contacts.delete(other.id)
    stage.idle()


@scenario()
def companies_and_numbers(stage: Stage) -> None:
    """A company comes, buys a number, gives it back, changes its secret."""
    stage.operator.add_company(id="beta", name="Beta")
    application = stage.operator.add_application("beta", application_id=7, name="app").application
    stage.operator.issue_token("beta", 7)
    number = stage.operator.add_sender_id("operator", address="888", ownership="PREPROVISIONED")
    bought = stage.app.sender_ids.purchase(number.id)
    stage.app.sender_ids.delete(bought.id)
    stage.operator.applications.delete(application.id)
    stage.idle()


@scenario()
def swept_after_a_year(stage: Stage) -> None:
    """What is kept no longer goes, what is kept stays."""
    stage.send(*numbers(2), idempotency_key="k")
    stage.says("hello", external_id="1")
    stage.idle()
    stage.clock.advance(400 * DAY)
    stage.wait(DAY)


# -- calls ---------------------------------------------------------------------------------------


@scenario()
def a_call_that_is_answered(stage: Stage) -> None:
    """Heard, pressed, hung up by us."""
    stage.phone(ANN, after=3_000)
    call = stage.call(ANN)
    stage.wait(2 * MINUTE)
    stage.app.calls.play_tts(call.id, text="hello")
    stage.app.calls.play_dtmf(call.id, dtmf_digits="12")
    stage.wait(2 * MINUTE)
    stage.app.calls.hang_up(call.id)
    stage.wait(2 * MINUTE)


@scenario()
def calls_that_do_not_come_about(stage: Stage) -> None:
    """Busy, unreachable, not answered."""
    stage.phone(ANN, does=Does.IS_BUSY)
    stage.phone(BOB, does=Does.IS_UNREACHABLE)
    stage.phone(CID, does=Does.RINGS)
    for one in (ANN, BOB, CID):
        stage.call(one, answer_timeout=20 * SECOND)
    stage.wait(2 * MINUTE)


@scenario()
def a_call_from_outside(stage: Stage) -> None:
    """Answered by the customer, ended by the caller."""
    stage.call_in(ANN)
    stage.wait(0)
    [call] = stage.app.calls.find()
    stage.app.calls.answer(call.id)
    stage.wait(2 * MINUTE)
    stage.switch.hangs_up(ANN, stage.clock.now())
    stage.wait(2 * MINUTE)


@scenario()
def two_on_a_bridge(stage: Stage) -> None:
    """Held, released, hung up."""
    bridge = stage.app.bridges.create()
    calls = [stage.call(one, bridge_id=bridge.id) for one in (ANN, BOB)]
    stage.wait(2 * MINUTE)
    stage.app.bridges.hold(bridge.id)
    stage.wait(2 * MINUTE)
    stage.app.bridges.release(bridge.id)
    stage.wait(2 * MINUTE)
    stage.app.calls.hang_up(calls[0].id)
    stage.wait(2 * MINUTE)
    stage.app.calls.hang_up(calls[1].id)
    stage.wait(2 * MINUTE)


@scenario()
def three_in_a_conference(stage: Stage) -> None:
    """One leaves, then it is closed."""
    conference = stage.app.conferences.create()
    calls = [stage.call(one) for one in (ANN, BOB, CID)]
    stage.wait(2 * MINUTE)
    members = [
        stage.app.conference_members.create(conference.id, call_id=call.id, join_tone=True)
        for call in calls
    ]
    stage.wait(2 * MINUTE)
    stage.app.conferences.update(conference.id, mute=True)
    stage.app.conference_members.delete(conference.id, members[0].id)
    stage.wait(2 * MINUTE)
    stage.app.conferences.delete(conference.id)
    stage.wait(2 * MINUTE)
    for call in calls:
        stage.app.calls.hang_up(call.id)
    stage.wait(2 * MINUTE)


@scenario()
def a_message_that_is_spoken(stage: Stage) -> None:
    """One hears it, one is busy."""
    stage.phone(ANN, after=2_000)
    stage.phone(BOB, does=Does.IS_BUSY)
    stage.send(f"voice:{ANN}", f"voice:{BOB}", from_=stage.number)
    stage.wait(10 * MINUTE)
    stage.idle()

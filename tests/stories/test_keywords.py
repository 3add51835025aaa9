"""A company's keywords: made, changed, bound, and what the history and events say of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scg_core import Duplicate, Forbidden, InvalidField, NotFound
from scg_core.events.model import Envelope, Topic
from scg_core.kernel.instant import DAY, HOUR, later
from scg_core.kernel.query import Query
from scg_core.ports.message_transport import Inbound
from tests.world import World

ANN = "+14155550100"


def says(world: World, text: str, engine: Any = None) -> None:
    """A person sends a text."""
    message = Inbound(ANN, "55512", text, world.clock.now())
    (engine or world.engine).inbound_arrived("carrier", [message])


def heard(world: World) -> list[str | None]:
    """The keywords in the history, the latest last."""
    return [one.keyword for one in world.app.contact_address_history.find(sort="id")]


def test_a_keyword_is_heard_from_its_creation_to_its_deletion(world: World) -> None:
    """Each change counts at once."""
    made = world.app.keywords.create(name="win", value="WIN", actions="optin, store")
    assert made.actions == ("OPTIN", "STORE")
    says(world, "win")
    world.app.keywords.update(made.id, value="VICTORY")
    says(world, "win")
    says(world, "victory")
    world.app.keywords.delete(made.id)
    says(world, "victory")

    assert heard(world) == ["WIN", "VICTORY"]


def test_a_change_counts_in_every_process(world: World) -> None:
    """Another engine on the storage has compiled the words already."""
    other = world.another_engine(world.carrier)
    made = world.app.keywords.create(name="win", value="WIN")
    says(world, "win", other)
    other.application("acme", 1).keywords.update(made.id, value="w.n")
    says(world, "won")
    world.app.keywords.delete(made.id)
    says(world, "won", other)

    assert heard(world) == ["WIN", "w.n"]


def test_a_keyword_of_another_company_does_not_count(world: World) -> None:
    """Nor is it seen."""
    other = world.engine.application("other", 1)
    made = other.keywords.create(name="win", value="WIN")
    says(world, "win")

    assert heard(world) == []
    with pytest.raises(NotFound):
        world.app.keywords.get(made.id)


def test_a_keyword_counts_in_its_time(world: World) -> None:
    """Between its dates."""
    world.app.keywords.create(
        name="sale", value="SALE", valid_from=later(world.clock.now(), HOUR),
        valid_to=later(world.clock.now(), DAY),
    )  # fmt: skip
    says(world, "sale")
    world.clock.advance(2 * HOUR)
    says(world, "sale")
    world.clock.advance(DAY)
    says(world, "sale")

    assert heard(world) == ["SALE"]


def test_reserved_words_are_seen_and_are_nobodys(world: World) -> None:
    """Listed once the defaults are loaded; customers can neither change nor take them."""
    world.engine.operator().load_defaults()
    world.engine.operator().load_defaults()
    [stop] = world.app.keywords.find(value="STOP")
    assert (stop.type, stop.actions) == ("RESERVED", ("OPTOUT",))
    with pytest.raises(Forbidden):
        world.app.keywords.update(stop.id, value="HALT")
    with pytest.raises(Forbidden):
        world.app.keywords.delete(stop.id)
    with pytest.raises(Forbidden):
        world.app.keywords.create(name="x", value="HALT", type="RESERVED")
    for word in ("STOP", "stop", "Opt  Out", "Help!", "yes"):
        with pytest.raises(Duplicate):
            world.app.keywords.create(name=word, value=word)
    says(world, "STOP")

    assert heard(world) == ["STOP"]


def test_an_operator_adds_reserved_words(world: World) -> None:
    """They count for every company."""
    operator = world.engine.operator()
    operator.keywords.create(name="PARAR", value="PARAR", type="RESERVED", actions=["OPTOUT"])
    says(world, "Parar!")

    [status] = world.app.contact_address_statuses.find(address=ANN)
    assert status.consent_status == "OPTOUT"


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("value", {"value": "(a)\\1"}),
        ("value", {"value": "\\d"}),
        ("value", {"value": "x" * 257}),
        ("value", {"value": " "}),
        ("value", {"value": None}),
        ("actions", {"actions": "DANCE"}),
        ("actions", {"actions": ["OPTIN", "OPTOUT"]}),
        ("reply_template", {"reply_template": "none"}),
        ("sender_id", {"sender_id": "none"}),
        ("valid_to", {"valid_from": 2, "valid_to": 1}),
        ("case", {"case": "BOTH"}),
        ("name", {"name": None}),
        ("nonsense", {"nonsense": 1}),
    ],
)
def test_a_keyword_that_is_none_is_refused(
    world: World, field: str, fields: dict[str, Any]
) -> None:
    """The error names the field; nothing is stored."""
    with pytest.raises(InvalidField) as refused:
        world.app.keywords.create({"name": "n", "value": "v"} | fields)

    assert refused.value.field == field
    assert world.app.keywords.find() == []


def test_names_and_values_are_unique(world: World) -> None:
    """A value once at each sender id and once for all."""
    world.app.keywords.create(name="a", value="A")
    with pytest.raises(Duplicate):
        world.app.keywords.create(name="a", value="B")
    with pytest.raises(Duplicate):
        world.app.keywords.create(name="b", value="A")
    world.app.keywords.create(name="b", value="A", sender_id=world.sender.id)
    with pytest.raises(Duplicate):
        world.app.keywords.create(name="c", value="A", sender_id=world.sender.id)

    assert len(world.app.keywords.find()) == 2


def test_replacing_a_keyword_sets_the_rest_back(world: World) -> None:
    """A changed field is changed alone by an update, and all by a replacement."""
    made = world.app.keywords.create(
        name="a", value="A", description="d", actions="OPTIN", case="SENSITIVE"
    )
    assert world.app.keywords.update(made.id, value="B").description == "d"
    after = world.app.keywords.replace(made.id, name="a", value="C")

    assert (after.description, after.actions, after.case) == (None, ("STORE",), "INSENSITIVE")
    assert after.version_number == 3
    assert world.app.keywords.replace(made.id, name="a", value="C") == after


def test_a_company_has_a_thousand_keywords_at_most(world: World) -> None:
    """Plain ones and patterns together; and patterns only as complex as can be matched fast."""
    for n in range(1_000):
        world.app.keywords.create(name=f"{n}", value=f"word {n}" + (".*" if n % 2 else ""))
    with pytest.raises(InvalidField):
        world.app.keywords.create(name="x", value="x")
    says(world, "word 7 and more")

    assert heard(world) == ["word 7.*"]


def test_patterns_that_are_too_complex_together_are_refused_and_not_stored(world: World) -> None:
    """The ones before stay and count."""
    made = 0
    with pytest.raises(InvalidField, match="together"):
        for n in range(100):
            world.app.keywords.create(name=f"{n}", value=f"(a|b)*a(a|b){{{100 + n}}}")
            made += 1
    says(world, "a" * 101)

    assert 5 < made < 50
    assert len(world.app.keywords.find()) == made
    assert len(heard(world)) == 1


def test_a_keyword_is_told_of_with_all_that_match(world: World) -> None:
    """What acts first, the customer's own information, and the answer that was made."""
    world.app.subscriptions.create(topics=list(Topic))
    world.app.message_templates.create(name="t", designation="TEMPLATE", pattern="thanks")
    world.app.keywords.create(
        name="win", value="win", associated_info="prize 7", campaign_id="c", reply_template="t",
        actions="OPTIN",
    )  # fmt: skip
    world.app.keywords.create(name="any", value="w.*")
    says(world, "WIN")

    with world.storage.snapshot() as session:
        told = session.find(Query(Envelope, sort=(("id", False),)))
    facts = {one.type.value: json.loads(one.facts) for one in told}
    assert set(facts) == {
        "mo_message_received", "keyword_message_received", "consent_change",
    }  # fmt: skip
    word = facts["keyword_message_received"]
    assert (word["keyword"], word["matched"]) == ("win", ["win", "w.*"])
    assert (word["associated_info"], word["campaign_id"]) == ("prize 7", "c")
    assert word["reply_request_id"] is not None
    assert facts["consent_change"]["new_status"] == "OPTIN"
    assert facts["mo_message_received"]["message_body"] == "WIN"


def test_replacing_leaves_what_never_changes(world: World) -> None:
    """An operator's reserved keyword stays reserved though its type is not given again."""
    keywords = world.engine.operator().keywords
    made = keywords.create(name="a", value="PARAR", type="RESERVED", actions="OPTOUT")
    after = keywords.replace(made.id, name="a", value="PARAR", actions="OPTOUT")

    assert after.type == "RESERVED"

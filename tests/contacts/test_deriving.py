"""What a company's rules make of a contact."""

from __future__ import annotations

from typing import Any

import pytest

from scg_core.contacts.model import SLOTS
from scg_core.contacts.rules import jsonpath
from scg_core.contacts.rules.deriving import Rules, check_slots, named, slots_of
from scg_core.kernel.errors import InvalidField

SLOT, OTHER = SLOTS[:2]
LOOKED_INTO = (
    "id", "external_id", "first_name", "last_name", "birth_date", "first_acquisition_date",
    "last_acquisition_date", "primary_mdn", "primary_addr_line1", "primary_addr_line2",
    "primary_addr_city", "primary_addr_zip", "primary_addr_state", "primary_addr_country",
    "primary_email_addr", "primary_social_handle", "address_list", "customer_account_list",
    "customer_device_list", "interest_list", "demographic_list", "extended_attributes",
    "preferred_language", "voice_preference",
)  # fmt: skip


def derived(script: str, values: dict[str, Any]) -> tuple[str | None, list[str]]:
    """What one rule makes of these values, and what failed."""
    found, failed = slots_of(Rules(paths={SLOT: jsonpath.parse(script)}), values, {})
    return found[SLOT], failed


@pytest.mark.parametrize("attribute", LOOKED_INTO)
def test_a_rule_looks_into_each_attribute_of_a_contact(attribute: str) -> None:
    """All that a contact has is there to be derived from."""
    assert derived(f"$.{attribute}", {attribute: "this"}) == ("this", [])


@pytest.mark.parametrize("attribute", [SLOT, "company_id", "version"])
def test_a_rule_looks_into_nothing_else(attribute: str) -> None:
    """A slot is not derived from a slot, and the engine's own fields are nobody's business."""
    assert derived(f"$.{attribute}", {attribute: "this"}) == (None, [])


@pytest.mark.parametrize(("size", "kept"), [(255, True), (256, False)])
def test_a_slot_holds_255_characters(size: int, kept: bool) -> None:
    """What is longer is not cut; it is no value, and said to have failed."""
    text = "x" * size

    assert derived("$.first_name", {"first_name": text}) == ((text, []) if kept else (None, [SLOT]))


def test_a_slot_written_by_hand_stays_and_one_without_a_rule_is_empty() -> None:
    """Deriving touches only what rules speak of."""
    rules = Rules(by_hand=frozenset({SLOT}))

    found, failed = slots_of(rules, {}, {SLOT: "mine", OTHER: "old"})

    assert (found[SLOT], found[OTHER], failed) == ("mine", None, [])
    assert set(found) == set(SLOTS)


@pytest.mark.parametrize(("slot", "why"), [(SLOT, "is derived"), (OTHER, "no fast-access rule")])
def test_a_slot_that_cannot_be_written_says_why(slot: str, why: str) -> None:
    """One has a rule that derives it, another none at all; sent back as it is it is accepted."""
    rules = Rules(paths={SLOT: jsonpath.parse("$.first_name")})

    check_slots(rules, {slot: "held"}, {slot: "held"})
    with pytest.raises(InvalidField, match=why) as refused:
        check_slots(rules, {slot: "new"}, {slot: "held"})

    assert refused.value.field == slot


def test_slots_have_their_friendly_names_and_empty_ones_none() -> None:
    """In one JSON object, in the alphabet of its author; nothing at all if all are empty."""
    rules = Rules(names={SLOT: "größe", OTHER: "empty"})

    assert named(rules, {SLOT: "ü", OTHER: None}) == '{"größe": "ü"}'
    assert named(rules, {SLOT: None}) is None
    assert rules.slots == {"größe": SLOT, "empty": OTHER}

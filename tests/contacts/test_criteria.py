"""Criteria: the grammar, and that storages agree with what they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scg_adapters.embedded import open_storage
from scg_core.contacts.model import Contact, VoicePreference
from scg_core.contacts.rules.criteria import parse
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Query, meets
from scg_core.ports.storage import Storage

NOW = Instant(1_767_225_600_000)
SLOTS = {"tier": "fast_access_3", "points": "fast_access_4"}


def a_contact(id: str = "c", **changes: Any) -> Contact:
    """A contact of the company acme."""
    values: dict[str, Any] = {
        "id": id, "application_id": 1, "created_date": NOW, "last_updated_date": NOW,
        "company_id": "acme",
    }  # fmt: skip
    return Contact(**(values | changes))


def is_met(criteria: Any, **values: Any) -> bool:
    """Whether a contact with these values meets criteria."""
    return meets(a_contact(**values), parse(json.dumps(criteria), SLOTS))


@pytest.mark.parametrize(
    ("term", "value", "met"),
    [
        ({"op": "eq", "value": "TX"}, "TX", True),
        ({"op": "eq", "value": "TX"}, "tx", False),
        ({"op": "eq", "value": "TX"}, None, False),
        ({"op": "ne", "value": "TX"}, "CA", True),
        ({"op": "ne", "value": "TX"}, None, True),
        ({"op": "ne", "value": "TX"}, "TX", False),
        ({"op": "lt", "value": "M"}, "CA", True),
        ({"op": "lt", "value": "M"}, None, False),
        ({"op": "ge", "value": "TX"}, "TX", True),
        ({"op": "gt", "value": 9}, "10", True),
        ({"op": "gt", "value": 9}, "ten", False),
        ({"op": "gt", "value": 9}, None, False),
        ({"op": "gt", "value": "9"}, "10", False),
        ({"op": "eq", "value": 10}, "10.0", True),
        ({"op": "ne", "value": 10}, "ten", True),
        ({"op": "le", "value": -1.5}, "-2", True),
        ({"op": "in", "value": ["TX", "CA"]}, "CA", True),
        ({"op": "in", "value": ["TX", 7]}, "7.0", True),
        ({"op": "in", "value": ["TX"]}, None, False),
        ({"op": "prefix", "value": "T"}, "TX", True),
        ({"op": "prefix", "value": "T%"}, "TX", False),
        ({"op": "contains", "value": "X"}, "TX", True),
        ({"op": "contains", "value": "X"}, None, False),
        ({"op": "exists", "value": True}, "TX", True),
        ({"op": "exists", "value": True}, None, False),
        ({"op": "exists", "value": False}, None, True),
        ({"value": "TX"}, "TX", True),
    ],
)
def test_each_operator(term: dict[str, Any], value: str | None, met: bool) -> None:
    """A missing value meets nothing but ``ne`` and ``exists`` false; numbers compare as such."""
    assert is_met({"field": "primary_addr_state", **term}, primary_addr_state=value) is met
    slot = {"field": "fast_access.tier", **term}
    assert is_met(slot, fast_access_3=value) is met
    assert is_met({"not": slot}, fast_access_3=value) is not met


@pytest.mark.parametrize(
    ("field", "value", "held", "met"),
    [
        ("created_date", "2025-12-31T00:00:00Z", {}, True),
        ("created_date", 1_767_225_600_001, {}, False),
        ("birth_date", "1984-01-01", {"birth_date": "1984-02-29"}, True),
        ("birth_date", "1985-01-01", {"birth_date": "1984-02-29"}, False),
        ("birth_date", "1985-01-01", {}, False),
        ("application_id", 0, {}, True),
    ],
)
def test_dates_compare_as_dates(field: str, value: Any, held: dict[str, Any], met: bool) -> None:
    """A literal is read as the field's kind of date (semantics 10)."""
    assert is_met({"field": field, "op": "gt", "value": value}, **held) is met


def test_the_short_form_is_all_of_what_equals() -> None:
    """Also by the short names of the primary address."""
    assert is_met({"state": "TX", "first_name": "Ann"}, primary_addr_state="TX", first_name="Ann")
    assert not is_met({"state": "TX", "first_name": "Ann"}, primary_addr_state="TX")
    assert is_met({"country": "us"}, primary_addr_country="USA")
    assert is_met(
        {"voice_preference": "PREFER_VOICE"}, voice_preference=VoicePreference.PREFER_VOICE
    )


@pytest.mark.parametrize(
    "criteria",
    [
        "", "x", "[]", "{}", "null", "1", '{"and": []}', '{"or": {}}', '{"not": []}',
        '{"and": [{}]}', '{"field": "first_name"}', '{"field": 1, "value": "x"}',
        '{"field": "first_name", "op": "like", "value": "x"}',
        '{"field": "first_name", "op": "eq", "value": null}',
        '{"field": "first_name", "op": "eq", "value": true}',
        '{"field": "first_name", "op": "eq", "value": {"a": 1}}',
        '{"field": "first_name", "op": "in", "value": "x"}',
        '{"field": "first_name", "op": "in", "value": []}',
        '{"field": "first_name", "op": "in", "value": [[]]}',
        '{"field": "first_name", "op": "exists", "value": "yes"}',
        '{"field": "first_name", "op": "prefix", "value": 5}',
        '{"field": "first_name", "op": "eq", "value": "x", "case": false}',
        '{"field": "nobody", "value": "x"}', '{"field": "company_id", "value": "acme"}',
        '{"field": "mdn_key", "value": "1"}', '{"field": "fast_access.nobody", "value": "x"}',
        '{"field": "fast_access_21", "value": "x"}', '{"field": "address_list", "value": "x"}',
        '{"field": "extended_attributes", "value": "x"}', '{"field": "fast_access", "value": "x"}',
        '{"field": "birth_date", "value": "yesterday"}', '{"field": "created_date", "value": "x"}',
        '{"field": "voice_preference", "value": "LOUD"}', '{"birth_date": ""}',
        '{"field": "created_date", "op": "ne", "value": ""}',
        '{"field": "first_name", "op": ["eq"], "value": "x"}',
        '{"field": "first_name", "op": {}, "value": "x"}',
        '{"field": "application_id", "value": "x"}',
        '{"field": "first_name", "value": 1e300}', '{"field": "first_name", "value": "a\\u0000"}',
        '{"field": "first_name", "value": "\\ud800"}', '{"state": "TX", "and": []}',
        '{"not": ' * 9 + '{"state": "TX"}' + "}" * 9,
        json.dumps({"or": [{"state": "TX"}] * 101}),
        json.dumps({"field": "first_name", "op": "in", "value": list(range(101))}),
        json.dumps({"or": [{"field": "first_name", "op": "in", "value": [1] * 60}] * 2}),
        json.dumps({"state": "x" * 20_000}),
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_criteria_is_1017(criteria: str) -> None:
    """Too deep, too long, too many terms, unknown fields and operators: all the same error."""
    with pytest.raises(InvalidField) as refused:
        parse(criteria, SLOTS)

    assert (refused.value.field, refused.value.error_code) == ("criteria", 1017)


@pytest.mark.parametrize(("begins", "ends"), [('{"not": ', "}"), ('{"and": [', "]}")])
def test_criteria_are_nested_eight_deep(begins: str, ends: str) -> None:
    """The innermost term counts; a ninth level is refused."""
    term = '{"state": "TX"}'
    assert parse(begins * 7 + term + ends * 7, SLOTS)

    with pytest.raises(InvalidField):
        parse(begins * 8 + term + ends * 8, SLOTS)


@pytest.mark.parametrize("field", ["extended_attributes", "address_list", "customer_device_list"])
def test_a_list_is_no_field_and_the_refusal_says_what_to_do(field: str) -> None:
    """JSON is compared through a fast-access rule only (semantics 10)."""
    with pytest.raises(InvalidField) as refused:
        parse(json.dumps({"field": field, "value": "x"}), SLOTS)

    assert "fast-access rule" in str(refused.value)


TEXTS = st.sampled_from(
    ["", "TX", "tx", "T", "10", "9.50", "-3", "7", "ten", "é", "10 ", "+5", "1e3"]
)
FIELDS = st.sampled_from(["first_name", "primary_addr_state", "fast_access.tier", "fast_access_4"])
LITERALS = TEXTS.filter(bool) | st.integers(-20, 20) | st.sampled_from([9.5, 0.1, -3.0])


def terms() -> st.SearchStrategy[Any]:
    """Single comparisons."""
    compared = st.builds(
        lambda field, op, value: {"field": field, "op": op, "value": value},
        FIELDS, st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), LITERALS,
    )  # fmt: skip
    parts = st.builds(
        lambda field, op, value: {"field": field, "op": op, "value": value},
        FIELDS, st.sampled_from(["prefix", "contains"]), TEXTS,
    )  # fmt: skip
    among = st.builds(
        lambda field, values: {"field": field, "op": "in", "value": values},
        FIELDS, st.lists(LITERALS, min_size=1, max_size=3),
    )  # fmt: skip
    there = st.builds(
        lambda field, value: {"field": field, "op": "exists", "value": value},
        FIELDS, st.booleans(),
    )  # fmt: skip
    dated = st.builds(
        lambda op, day: {"field": "birth_date", "op": op, "value": f"1984-0{day}-01"},
        st.sampled_from(["lt", "ge", "eq", "ne"]), st.integers(1, 4),
    )  # fmt: skip
    return compared | parts | among | there | dated


EXPRESSIONS = st.recursive(
    terms(),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)
ROWS = st.lists(
    st.fixed_dictionaries({
        "first_name": st.none() | TEXTS, "primary_addr_state": st.none() | TEXTS,
        "fast_access_3": st.none() | TEXTS, "fast_access_4": st.none() | TEXTS,
        "birth_date": st.sampled_from([None, "1984-01-01", "1984-02-29", "1984-04-01"]),
    }),
    min_size=1, max_size=6,
)  # fmt: skip


@contextmanager
def rolled_back(storage: Storage) -> Iterator[Any]:
    """A session whose writes are gone afterwards."""
    try:
        with storage.transaction("trial") as session:
            yield session
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass


STORAGES = {name: open_storage(name) for name in ("memory:", "sqlite:///:memory:")}


@pytest.mark.parametrize("name", STORAGES)
@settings(max_examples=150, deadline=None)
@given(rows=ROWS, expression=EXPRESSIONS)
def test_a_storage_agrees_with_the_matcher(name: str, rows: list[Any], expression: Any) -> None:
    """Whoever meets criteria is found, and nobody else: also numbers, nulls and negations."""
    held = [a_contact(f"c{at}", **row) for at, row in enumerate(rows)]
    try:
        condition = parse(json.dumps(expression), SLOTS)
    except InvalidField:  # nested too deep
        return
    with rolled_back(STORAGES[name]) as session:
        for one in held:
            session.add(one)
        found = session.find(Query(Contact, [condition]))
        counted = session.count(Query(Contact, [condition]))
    wanted = [one for one in held if meets(one, condition)]
    assert found == wanted
    assert counted == len(wanted)


@given(st.text(max_size=60))
def test_any_text_is_criteria_or_1017(text: str) -> None:
    """Nothing but the typed error ever comes of it."""
    try:
        parse(text, SLOTS)
    except InvalidField as refused:
        assert refused.error_code == 1017


@given(EXPRESSIONS, st.data())
def test_criteria_with_something_odd_in_them_are_read_or_refused(
    expression: Any, data: st.DataObject
) -> None:
    """Whatever stands where a value, a field or an operator should."""
    odd = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.none())
    text = json.dumps(expression)
    for word in ("field", "op", "value", "and", "or", "not"):
        if data.draw(st.booleans()):
            text = text.replace(f'"{word}"', json.dumps(data.draw(st.text(max_size=6))), 1)
    if data.draw(st.booleans()):
        text = text.replace('"TX"', json.dumps(data.draw(odd)), 1)
    try:
        parse(text, SLOTS)
    except InvalidField as refused:
        assert refused.error_code == 1017

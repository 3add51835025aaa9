"""Paths into contacts: read strictly, followed within bounds."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core.contacts.rules import jsonpath
from scg_core.kernel.errors import InvalidField

DOCUMENT = {
    "first_name": "Ann",
    "extended_attributes": '{"Favorite_Color": "red", "tier": {"name": "gold", "since": 2019}}',
    "address_list": '[{"city": "Tampa", "zip": "33601"}, {"city": "Ocala", "use": null}]',
    "nested": {"text": '{"deep": "[1, 2, 3]"}'},
    "birth_date": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.first_name", "Ann"),
        ("$['first_name']", "Ann"),
        ('$["first_name"]', "Ann"),
        ("$..extended_attributes.Favorite_Color", "red"),
        ("$.extended_attributes.tier.name", "gold"),
        ("$..since", 2019),
        ("$.address_list[0].city", "Tampa"),
        ("$.address_list[-1].city", "Ocala"),
        ("$.address_list[*].city", "Tampa"),
        ("$.address_list.*.zip", "33601"),
        ("$..city", "Tampa"),
        ("$.nested.text.deep[1]", 2),
        ("$..deep..[2]", 3),
        ("$.address_list[7].city", None),
        ("$.address_list[1].use", None),
        ("$.missing", None),
        ("$.first_name.length", None),
        ("$.birth_date", None),
        (" $.first_name ", "Ann"),
    ],
)
def test_the_first_match_counts(path: str, value: Any) -> None:
    """Text that is JSON is entered as such; what leads nowhere is null."""
    assert jsonpath.first(jsonpath.parse(path), DOCUMENT) == value


@pytest.mark.parametrize(
    "path",
    ["", "$", "first_name", "$.", "$..", "$.a[", "$.a[1:2]", "$.a[0,1]", "$[?(@.a)]",
     "$.a.length()",
     "$.a b", "$.a['b", "$.1a", "$a", "$.a[01]", "$['\\u0041']",
     "$.a[1e3]", "$.é\ud800"[:4] + "(", "$..[?@]",
     "$" + ".a" * 33, "$." + "a" * 1100],
)  # fmt: skip
def test_what_is_no_path_of_the_subset_is_refused(path: str) -> None:
    """With the place in it."""
    with pytest.raises(InvalidField) as refused:
        jsonpath.parse(path)

    assert refused.value.field == "value_derivation_script"


def test_a_path_that_explodes_stops() -> None:
    """After ten thousand nodes, however large the contact."""
    wide = {"a": json.dumps([{"b": [{"c": list(range(50))}] * 50}] * 50)}

    with pytest.raises(jsonpath.TooManyNodes):
        jsonpath.first(jsonpath.parse("$..*..*..*..nothing"), wide)


@pytest.mark.parametrize(("members", "stops"), [(9_998, False), (9_999, True)])
def test_ten_thousand_nodes_are_looked_at_and_no_more(members: int, stops: bool) -> None:
    """The document, its list and the members of that."""
    path, document = jsonpath.parse("$..nothing"), {"a": [0] * members}

    if stops:
        with pytest.raises(jsonpath.TooManyNodes):
            jsonpath.first(path, document)
    else:
        assert jsonpath.first(path, document) is None


@pytest.mark.parametrize("text", [True, False])
def test_nothing_is_looked_at_for_free(text: bool) -> None:
    """Neither what a path passes by, nor JSON that is entered again and again."""
    inside = '{"a":' * 28 + json.dumps([0] * 32_000) + "}" * 28
    document = {"e": inside if text else json.loads(inside)}
    began = time.perf_counter()
    with pytest.raises(jsonpath.TooManyNodes):
        jsonpath.first(jsonpath.parse("$..a..a..a..a..x"), document)

    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("depth", [50, 900, 990, 100_000])
def test_a_contact_that_is_nested_very_deep_breaks_nothing(depth: int) -> None:
    """What cannot be followed leads nowhere."""
    deep = {"a": "[" * depth + "]" * depth}
    found = None

    with suppress(jsonpath.TooManyNodes):
        found = jsonpath.first(jsonpath.parse("$..nothing"), deep)

    assert found is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_any_text_is_read_or_refused(text: str, document: dict[str, Any]) -> None:
    """Nothing but a typed error ever comes of it."""
    try:
        path = jsonpath.parse("$" + text)
    except InvalidField:
        return
    jsonpath.first(path, document)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), st.data())
def test_a_written_path_leads_to_what_it_names(document: dict[str, Any], data: st.DataObject
) -> None:  # fmt: skip
    """Every value that names and indexes can reach is reached by them."""
    node: Any = document
    path = "$"
    while True:
        if isinstance(node, dict) and node:
            key = data.draw(st.sampled_from(sorted(node)))
            node = node[key]
            path += "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']"
        elif isinstance(node, list) and node:
            at = data.draw(st.integers(-len(node), len(node) - 1))
            node = node[at]
            path += f"[{at}]"
        else:
            break
        if data.draw(st.booleans()):
            break
    if path != "$":
        assert jsonpath.first(jsonpath.parse(path), document) == node

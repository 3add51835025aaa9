"""Each example of the OpenAPI document is sent to a server, which takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scg_adapters.http.examples import BODIES, IDS
from scg_adapters.http.openapi import document
from scg_adapters.http.routes import BASE, ROUTES, Route
from tests.http import lives
from tests.http.lives import path_of, unknown_path
from tests.http.operator_lives import token_for
from tests.http.server import Served

DOCUMENT = document("test")
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (verb, path, operation)
    for path, verbs in DOCUMENT["paths"].items()
    for verb, operation in verbs.items()
    if "example" in str(operation.get("requestBody"))
]
ROUTE_OF: dict[tuple[str, str], Route] = {
    (one.verb.lower(), BASE + one.path): one for one in ROUTES
}
OTHERS = {
    "For_Sale": lives.for_sale,
    "Voice_Number": lives.voice_number,
    "Second_Call": lives.MAKERS["Call_ID"],
    "Import_File": lives.MAKERS["Attachment_ID"],
}


@pytest.fixture(scope="module")
def alone() -> Iterator[Served]:
    """A server of its own: examples name what other tests name too."""
    with Served() as served:
        yield served


def name(operation: tuple[str, str, dict[str, Any]]) -> str:
    """The operation's id."""
    return str(operation[2]["operationId"])


def with_real_ids(body: Any, served: Served) -> Any:
    """The body with resources that exist in the place of the example's."""
    text = json.dumps(body)
    for parameter, example in IDS.items():
        if len(example) == 22 and example in text:
            make = OTHERS.get(parameter) or lives.MAKERS[parameter]
            text = text.replace(example, make(served))
    return json.loads(text)


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_the_example_is_what_its_schema_says(operation: tuple[str, str, dict[str, Any]]) -> None:
    """A reader who copies it learns nothing that is wrong."""
    content = operation[2]["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": DOCUMENT["components"]}

    Draft202012Validator(schema).validate(content["example"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_the_server_takes_the_example(
    operation: tuple[str, str, dict[str, Any]], alone: Served
) -> None:
    """Once its ids are of resources that there are."""
    verb, path, described = operation
    route = ROUTE_OF[verb, path]
    body = with_real_ids(BODIES[described["operationId"]], alone)
    answer = alone.call(route.verb, path_of(route, alone), body, token=token_for(route))

    assert answer.status == (204 if route.verb == "DELETE" else 200), answer.body


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_every_path_has_example_ids(operation: tuple[str, str, dict[str, Any]]) -> None:
    """So that the page shows a whole request."""
    verb, path, described = operation
    shown = {one["name"]: one["example"] for one in described["parameters"] if one["in"] == "path"}

    assert set(shown) == set(ROUTE_OF[verb, path].parameters)
    assert "{" not in unknown_path(ROUTE_OF[verb, path])


def test_every_operation_that_takes_a_body_has_an_example() -> None:
    """But for contents of files, and what takes no field."""
    bare = {
        operation["operationId"]
        for verbs in DOCUMENT["paths"].values()
        for operation in verbs.values()
        if "requestBody" in operation and operation["operationId"] not in BODIES
    }

    assert bare == {
        "upload_content",
        "operator_applications_renew_secret",
        "subscriptions_rotate_secret",
        "subscriptions_replay_failed",
    }

"""The document says what the server does, and a public tool finds no difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.checks import load_all_checks

from scg_adapters.http.openapi import document
from scg_adapters.http.routes import BASE, ROUTES, Does
from scg_core.kernel.resource import declaration
from tests.http.server import Served
from tests.stories.calls import VoiceWorld

EXAMPLES, LONG_EXAMPLES = 12, 620
HOW: dict[str, Any] = {
    "deadline": None, "derandomize": True, "database": None,
    "phases": [Phase.explicit, Phase.generate], "suppress_health_check": list(HealthCheck),
}  # fmt: skip
DOCUMENT = document("test")
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_schema_conformance")  # fmt: skip


def test_the_document_is_valid_and_served(served: Served) -> None:
    """OpenAPI 3.1, by a public validator; without a token."""
    answer = served.call("GET", "/openapi.json", token=None, base="")

    assert answer.json["openapi"] == "3.1.0"
    validate(answer.json)


def test_every_route_parameter_and_attribute_stands_in_it() -> None:
    """With a meaning in words."""
    for route in ROUTES:
        if route.does is Does.REFUSE:
            continue
        operation = DOCUMENT["paths"][BASE + route.path][route.verb.lower()]
        named = {one["name"] for one in operation["parameters"]}
        assert set(route.parameters) <= named
        assert operation["summary"]
        if not route.writes:
            filters = [a for a in declaration(route.kind).attributes if a.filterable]
            assert {a.wire for a in filters if not a.hidden} <= named
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for attribute, facts in schema["properties"].items():
            wanted = name in ("Error", "Id") or name.endswith("List")
            assert wanted or facts["description"], (name, attribute)


def test_operation_ids_are_unique() -> None:
    """Generators of clients name methods after them."""
    ids = [op["operationId"] for path in DOCUMENT["paths"].values() for op in path.values()]

    assert len(ids) == len(set(ids))


def test_the_documentation_page_needs_nothing_from_outside(served: Served) -> None:
    """Its script and style come from the server itself."""
    page = served.call("GET", "/docs", token=None, base="")
    assert page.headers["content-type"].startswith("text/html")
    for part in (b"docs/assets/swagger-ui.css", b"docs/assets/swagger-ui-bundle.js"):
        assert part in page.body
        assert served.call("GET", f"/{part.decode()}", token=None, base="").status == 200
    assert served.call("GET", "/docs/assets/other.js", token=None, base="").code == "404"
    assert b"http" not in page.body


def test_health_is_told_without_a_token(served: Served) -> None:
    """Alive, and ready."""
    assert served.call("GET", "/health/live", token=None, base="").json["status"] == "ok"
    ready = served.call("GET", "/health/ready", token=None, base="")
    assert (ready.status, ready.json["status"]) == (200, "ok")


def look_at(case: Any, served: Served) -> None:
    """Send a generated call and compare the answer with the document."""
    load_all_checks()
    token = served.tokens["operator" if "/operator/" in case.path else "acme"]
    checks = schemathesis.checks.CHECKS.get_by_names(list(CHECKS))
    response = case.call(
        base_url=f"http://127.0.0.1:{served.port}", headers={"Authorization": f"Bearer {token}"}
    )
    case.validate_response(response, checks=checks)


@pytest.mark.filterwarnings("ignore")
@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, **HOW)
def test_generated_calls_find_no_server_error_and_no_difference(case: Any, served: Served) -> None:
    """A short form; negative-data rejection is off, since the server is tolerant on purpose."""
    look_at(case, served)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Counter[str]]]:
    """A server on a file for the campaign, and how many calls were made."""
    folder = tmp_path_factory.mktemp("generated")
    made: Counter[str] = Counter()
    world = VoiceWorld(f"sqlite:///{folder}/scg.db")
    with Served(world, note=lambda facts: made.update([str(facts["status"])])) as served:
        yield served, made
    told = ", ".join(f"{status} {many}" for status, many in sorted(made.items()))
    print(f"\n{sum(made.values())} generated calls: {told}")


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@SCHEMA.parametrize()
@settings(max_examples=LONG_EXAMPLES, **HOW)
def test_a_hundred_thousand_generated_calls_find_no_difference(
    case: Any, counted: tuple[Served, Counter[str]]
) -> None:
    """The long form of the same, for each operation some hundreds."""
    look_at(case, counted[0])

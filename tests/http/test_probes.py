"""Every route meets everyone who should not get through; a route without a probe fails here."""

from __future__ import annotations

import pytest

from scg_adapters.http.routes import ROUTES, Does, Route
from scg_core.kernel.resource import declaration
from scg_core.tenancy.model import Scope
from tests.http.lives import EVERYBODYS, body_of, path_of, unknown_path
from tests.http.operator_lives import token_for
from tests.http.server import Served

VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH")
SERVED = [route for route in ROUTES if route.does is not Does.REFUSE]
WITH_ID = [
    route
    for route in SERVED
    if route.parameters
    and not set(EVERYBODYS).intersection(route.parameters)
    and route.scope is Scope.CUSTOMER
]
OPERATORS = [route for route in SERVED if route.scope is Scope.OPERATOR]
VERSIONED = [
    route
    for route in (*WITH_ID, *OPERATORS)
    if route.does in (Does.UPDATE, Does.REPLACE) and declaration(route.kind).shows_version
]
DELETED = [
    route
    for route in (*WITH_ID, *OPERATORS)
    if route.does is Does.DELETE and declaration(route.kind).shows_version
]


def name(route: Route) -> str:
    """A route as it is written in HTTP."""
    return f"{route.verb} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=name)
@pytest.mark.parametrize("token", [None, "", "nonsense", "0" * 22])
def test_nobody_gets_through_without_a_good_token(
    served: Served, route: Route, token: str | None
) -> None:
    """No token, an empty one and an unknown one are 401, whatever the path."""
    answer = served.call(route.verb, unknown_path(route), {}, token=token)

    assert answer.status == 401
    assert answer.code == "401"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("route", SERVED, ids=name)
def test_a_good_call_gets_through(served: Served, route: Route) -> None:
    """What the other probes refuse is refused for their own reason."""
    path, token = path_of(route, served), token_for(route)
    if route.of == "credit_accounts" and not route.writes:
        served.call("POST", path, {"amount": 1}, token=token)
    answer = served.call(route.verb, path, body_of(route, served), token=token)

    assert answer.status in (200, 204)


@pytest.mark.parametrize("route", OPERATORS, ids=name)
def test_what_is_the_operators_is_refused_to_customers(served: Served, route: Route) -> None:
    """403 whatever the path and body, so that nobody learns what there is; nothing is changed."""
    for path in (path_of(route, served), unknown_path(route)):
        for body in ({}, {"id": 7}):
            answer = served.call(route.verb, path, body)
            assert (answer.status, answer.code) == (403, "403")


@pytest.mark.parametrize("route", [one for one in OPERATORS if one.parameters], ids=name)
def test_an_unknown_id_of_the_operators_is_404(served: Served, route: Route) -> None:
    """Or it is loaded under that id, which is what PUT of a class or type is for."""
    body = body_of(route, served)
    answer = served.call(route.verb, unknown_path(route), body, token=token_for(route))

    assert answer.status == (200 if route.does is Does.REPLACE else 404)


@pytest.mark.parametrize("route", WITH_ID, ids=name)
def test_another_companys_id_answers_exactly_as_an_unknown_one(
    served: Served, route: Route
) -> None:
    """Nobody learns that the id exists."""
    body = body_of(route, served)
    path = path_of(route, served)
    foreign = served.call(route.verb, path, body, token="rival")
    unknown = served.call(route.verb, unknown_path(route), body, token="rival")

    assert (foreign.status, foreign.code) == (404, "404") == (unknown.status, unknown.code)
    ids = [part for part in path.split("/") if part not in unknown_path(route).split("/")]
    said = foreign.json["error_description"]
    for id in ids:
        said = said.replace(id, "0" * 22)
    assert said == unknown.json["error_description"]


@pytest.mark.parametrize("route", VERSIONED, ids=name)
def test_a_stale_version_is_a_conflict_that_changes_nothing(served: Served, route: Route) -> None:
    """409 and 1001 for the body's version_number, 412 for If-Match; the present one goes."""
    path = path_of(route, served)
    token = token_for(route)
    before = served.call("GET", path, token=token).json
    body = body_of(route, served) or {}
    stale = served.call(route.verb, path, {**body, "version_number": 99}, token=token)
    unmet = served.call(route.verb, path, body, token=token, headers={"If-Match": '"99"'})

    assert (stale.status, stale.code) == (409, "1001")
    assert (unmet.status, unmet.code) == (412, "412")
    assert served.call("GET", path, token=token).json == before
    text = {**body, "version_number": str(before["version_number"])}
    assert served.call(route.verb, path, text, token=token).status == 200


@pytest.mark.parametrize("route", DELETED, ids=name)
def test_a_delete_with_a_stale_version_deletes_nothing(served: Served, route: Route) -> None:
    """If-Match guards a DELETE too, and lets the present version go."""
    path, token = path_of(route, served), token_for(route)
    etag = served.call("GET", path, token=token).headers["etag"]

    stale = served.call("DELETE", path, token=token, headers={"If-Match": '"99"'})
    assert stale.status == 412
    assert served.call("GET", path, token=token).status == 200
    gone = served.call("DELETE", path, token=token, headers={"If-Match": etag})
    assert gone.status == 204
    assert served.call("GET", path, token=token).status == 404


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/health/live", "GET HEAD OPTIONS"), ("/health/ready", "GET HEAD OPTIONS"),
        ("/openapi.json", "GET HEAD OPTIONS"), ("/docs", "GET HEAD OPTIONS"),
        ("/docs/assets/swagger-ui.css", "GET HEAD OPTIONS"),
        ("/saop-rest-data/v1/apptoken-refresh", "GET HEAD OPTIONS"),
        ("/scg-attachment/api/v1/messaging/attachments/none/content", "GET POST HEAD OPTIONS"),
    ],
)  # fmt: skip
def test_what_is_served_besides_knows_its_verbs_too(served: Served, path: str, wanted: str) -> None:
    """Without a token; any other verb is 405 with those that are served."""
    for verb in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = served.call(verb, path, token=None, base="")
        assert answer.status < 500
        if verb not in wanted.split():
            assert (answer.status, answer.code) == (405, "405")
            assert set(answer.headers["allow"].split(", ")) == set(wanted.split())


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_a_verb_that_is_not_served_is_405_with_all_that_are(served: Served, path: str) -> None:
    """Allow names the path's verbs, HEAD and OPTIONS among them."""
    routes = [route for route in ROUTES if route.path == path]
    wanted = {route.verb for route in routes if route.does is not Does.REFUSE} | {"OPTIONS"}
    if "GET" in wanted:
        wanted.add("HEAD")
    for verb in VERBS:
        if verb in wanted:
            continue
        answer = served.call(verb, unknown_path(routes[0]), {}, token=token_for(routes[0]))
        assert answer.status == 405
        assert answer.code == "405"
        assert set(answer.headers["allow"].split(", ")) == wanted
    options = served.call("OPTIONS", unknown_path(routes[0]), token=None)
    assert options.status == 204
    assert set(options.headers["allow"].split(", ")) == wanted

"""One of everything that the operator keeps, for the probes; a route without its entry fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scg_adapters.http.routes import Route
from scg_core.tenancy.model import Scope
from tests.http.server import Served

AS_OPERATOR = "operator"
"""The token, by its name in ``Served``."""


def token_for(route: Route) -> str:
    """Whose token a route takes."""
    return AS_OPERATOR if route.scope is Scope.OPERATOR else "acme"


def _company(served: Served) -> str:
    return served.world.engine.operator().add_company(id=f"c{served.number()}").id


def _application_body(served: Served) -> dict[str, Any]:
    return {"company_id": "acme", "application_id": served.number(), "name": "shop"}


def _application(served: Served) -> str:
    return _made(served, "/applications", _application_body(served))


def _token_body(_: Served) -> dict[str, Any]:
    return {"company_id": "acme", "application_id": 1, "duration": 60}


def _tariff_body(served: Served) -> dict[str, Any]:
    return {"kind": f"K{served.number()}", "price": 0.01}


def _sender_body(served: Served) -> dict[str, Any]:
    return {"company_id": "acme", "address": f"7{served.number()}"}


def _made(served: Served, path: str, body: dict[str, Any]) -> str:
    answer = served.call("POST", f"/operator{path}", body, token=AS_OPERATOR)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


MAKERS: dict[str, Callable[[Served], str]] = {
    "Company_ID": _company,
    "Application_ID": _application,
    "Token_ID": lambda served: _made(served, "/tokens", _token_body(served)),
    "Tariff_ID": lambda served: _made(served, "/tariffs", _tariff_body(served)),
    "Sender_ID": lambda served: _made(served, "/sender_ids", _sender_body(served)),
    "Class_ID": lambda _: "NOTIFICATION",
    "Type_ID": lambda _: "SHORTCODE",
}
"""How the resource behind each path parameter is made."""

BODIES: dict[str, Callable[[Served], dict[str, Any]]] = {
    "companies create": lambda served: {"id": f"c{served.number()}"},
    "companies update": lambda served: {"name": f"name {served.number()}"},
    "credit_accounts pay_in": lambda _: {"amount": 5},
    "applications create": _application_body,
    "applications update": lambda served: {"requests_per_second": served.number()},
    "applications renew_secret": lambda _: {},
    "api_tokens create": _token_body,
    "sender_ids create": _sender_body,
    "sender_ids update": lambda served: {"name": f"name {served.number()}"},
    "sender_ids move": lambda _: {"event": "DEACTIVATE"},
    "sender_id_classes create": lambda served: {"id": f"C{served.number()}"},
    "sender_id_classes replace": lambda served: {"name": f"name {served.number()}"},
    "sender_id_types create": lambda served: {"id": f"T{served.number()}"},
    "sender_id_types replace": lambda served: {"name": f"name {served.number()}"},
    "tariffs create": _tariff_body,
    "suppressions add": lambda served: {"addresses": [f"+1415555{served.number() % 9000 + 1000}"]},
    "suppressions remove": lambda _: {"addresses": ["+14155550199"]},
    "consent_texts create": lambda served: {
        "kind": "HELP", "language": f"x{served.number()}", "text": "x",
    },
    "consent_texts remove": lambda _: {"kind": "HELP", "language": "xx"},
}  # fmt: skip
"""A body that each writing route accepts."""

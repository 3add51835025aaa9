"""One of everything, for the probes and the contract walk: a route without its entry here fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from scg_adapters.http.routes import Does, Route
from scg_adapters.simulated import NEW_YEAR
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Attribute, Micros, Resource, declaration, is_enum
from tests.http.server import Served


def _request(served: Served) -> str:
    return served.request()


def _message(served: Served) -> str:
    request = served.request()
    served.settle()
    return str(
        served.call("GET", f"/messaging/message_requests/{request}/messages").json["list"][0]["id"]
    )


MAKERS: dict[str, Callable[[Served], str]] = {
    "MessageRequest_ID": _request,
    "Message_ID": _message,
    "Sender_ID": lambda served: served.world.sender.id,
}
"""How the resource behind each path parameter is made, for the company acme."""

BODIES: dict[str, Callable[[Served], dict[str, Any]]] = {
    "message_requests create": lambda served: {
        "from": served.world.sender.id, "to": ["+14155550100"], "body": "hello",
    },
    "message_requests update": lambda _: {"state": "CANCELED"},
    "messages update": lambda _: {"state": "CONVERTED"},
}  # fmt: skip
"""A body that each writing route accepts."""


def path_of(route: Route, served: Served) -> str:
    """The route's path with resources that exist."""
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", MAKERS[name](served))
    return path


def unknown_path(route: Route) -> str:
    """The route's path with ids that nobody has."""
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", "0" * 22)
    return path


def body_of(route: Route, served: Served) -> dict[str, Any] | None:
    """A body for the route, if it takes one."""
    if route.does in (Does.LIST, Does.READ, Does.DELETE, Does.REFUSE):
        return None
    return BODIES[f"{route.of} {route.call}"](served)


def sample(kind: type[Resource], variant: int) -> Any:
    """A resource of acme with every attribute set; two variants differ in each."""
    values = {a.name: _value(a, variant) for a in declaration(kind).attributes}
    values["company_id"] = "acme"
    made = kind(**values)
    if "version_number" in declaration(kind).by_name:
        made = evolve(made, version_number=1)
    return made


def _value(attribute: Attribute, variant: int) -> Any:
    kind: Any = attribute.type
    if is_enum(kind):
        members = [one for one in kind if one.value != "DELETED"]
        return members[variant % len(members)]
    if kind == tuple[str, ...]:
        return (f"{attribute.name[:6]}{variant}",)
    if kind is Instant:
        return NEW_YEAR + variant * 60_000
    if kind is bool:
        return variant % 2 == 1
    if kind is Micros:
        return Micros(variant * 1_500_000)
    if kind in (int, float):
        return kind(1_000_000 + variant)
    return f"{variant}-{attribute.name}"[: attribute.length or 64]


def filter_text(attribute: Attribute, resource: Resource) -> str:
    """How a client writes the resource's own value of an attribute in a filter."""
    value = getattr(resource, attribute.name)
    if is_enum(attribute.type):
        return str(value.value)
    if isinstance(value, tuple):
        return str(value[0])
    if attribute.type is Micros:
        return str(value / 1_000_000)
    return str(value).lower() if isinstance(value, bool) else str(value)

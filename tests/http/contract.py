"""The specification as a program reads it, and the walk that compares the server with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import frozen

from scg_adapters.http.routes import ROUTES, Does, Route
from scg_core.kernel.resource import declaration
from tests.http.lives import (
    ELSEWHERE,
    FIELDS,
    body_of,
    filter_text,
    path_of,
    sample,
    within,
)
from tests.http.server import Served

HERE = Path(__file__).parent
CONTRACT: dict[str, Any] = json.loads((HERE / "contract.json").read_text(encoding="utf-8"))
GREEN = HERE / "green.txt"
_DATED = re.compile(r"\s+- date$")  # the specification prints two names with their type


@frozen
class Finding:
    """What the walk found out about one operation: nothing wrong, or what is."""

    name: str
    problems: tuple[str, ...]


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


ROUTE_OF: dict[tuple[str, str], Route] = {(r.verb, _shape(r.path)): r for r in ROUTES}


class Walk:
    """Goes through every operation of the contract on one server."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._samples: dict[type[Any], tuple[Any, Any]] = {}
        self._inside: dict[str, str] = {}

    def findings(self) -> list[Finding]:
        """One finding for each of the contract's operations."""
        return [self.look_at(operation) for operation in CONTRACT["operations"]]

    def look_at(self, operation: dict[str, Any]) -> Finding:
        """What is wrong with one operation."""
        name = f"{operation['method']} {operation['path']}"
        route = ROUTE_OF.get((operation["method"], _shape(operation["path"])))
        if route is None:
            return Finding(name, ("is not served",))
        problems: list[str] = []
        if not operation["allowed"]:
            if route.does is not Does.REFUSE or self._call(route).status != 405:
                problems.append("is allowed")
            return Finding(name, tuple(problems))
        answered = self._call(route)
        wanted = 204 if route.verb == "DELETE" else 200
        if answered.status != wanted:
            problems.append(f"answers {answered.status} {answered.body[:200]!r}")
        if not route.writes:
            problems += self._attributes(route, operation)
            problems += self._filters(route, operation)
        problems += self._body(route, operation)
        return Finding(name, tuple(problems))

    def _call(self, route: Route) -> Any:
        served = self._served
        return served.call(route.verb, path_of(route, served), body_of(route, served))

    def _pair(self, kind: type[Any]) -> tuple[Any, Any]:
        """Two stored resources of a kind that differ in every attribute."""
        if kind not in self._samples:
            pair = (sample(kind, 1), sample(kind, 2))
            with self._served.world.storage.transaction("samples") as session:
                for one in pair:
                    session.add(one)
            self._samples[kind] = pair
        return self._samples[kind]

    def _attributes(self, route: Route, operation: dict[str, Any]) -> list[str]:
        """Each attribute is in what the server answers of a resource that has them all."""
        first, _ = self._pair(route.kind)
        path = route.path
        if route.does is Does.READ:
            path = self._one(route, first.id)
        elif route.parameters:
            path = self._within(route)
        shown = self._served.call("GET", f"{path}?id={quote(first.id)}").json
        if route.does is not Does.READ:
            [shown] = shown["list"]
        named = [_DATED.sub("", name) for name in operation["properties"]]
        return [f"lacks the attribute {name}" for name in named if name not in shown]

    def _filters(self, route: Route, operation: dict[str, Any]) -> list[str]:
        problems = []
        for name in operation["filters"]:
            attribute = declaration(route.kind).by_wire.get(name)
            if attribute is None or not attribute.filterable:
                problems.append(f"does not filter by {name}")
            elif route.does is Does.READ:
                problems += self._filter_one(route, name)
            else:
                problems += self._filter_a_list(route, name)
        return problems

    def _within(self, route: Route) -> str:
        """The path of a sub-collection that holds both samples."""
        path = route.path if route.does is not Does.READ else route.path.rpartition("/")[0]
        if path not in self._inside:
            self._inside[path] = within(path, self._served, self._pair(route.kind))
        return self._inside[path]

    def _one(self, route: Route, id: str) -> str:
        """The path of one resource."""
        if len(route.parameters) == 1:
            return route.path.replace(f"{{{route.parameters[0]}}}", id)
        return f"{self._within(route)}/{id}"

    def _filter_a_list(self, route: Route, name: str) -> list[str]:
        path = self._within(route) if route.parameters else route.path
        first, second = self._pair(route.kind)
        attribute = declaration(route.kind).by_wire[name]
        held = self._stored(first)
        text = quote(filter_text(attribute, held))
        answer = self._served.call("GET", f"{path}?{name}={text}&limit=1000")
        if answer.status != 200:
            return [f"filter {name} answers {answer.status}"]
        found = {one["id"] for one in answer.json["list"]}
        alike = getattr(held, attribute.name) == getattr(self._stored(second), attribute.name)
        if first.id not in found or (second.id in found and not alike):
            return [f"filter {name} does not filter"]
        return []

    def _filter_one(self, route: Route, name: str) -> list[str]:
        pair = [self._stored(one) for one in self._pair(route.kind)]
        attribute = declaration(route.kind).by_wire[name]
        path = self._one(route, pair[0].id)
        statuses = [
            self._served.call("GET", f"{path}?{name}={quote(filter_text(attribute, one))}").status
            for one in pair
        ]
        alike = getattr(pair[0], attribute.name) == getattr(pair[1], attribute.name)
        wanted = [200, 200] if alike else [200, 404]
        return [] if statuses == wanted else [f"filter {name} answers {statuses}"]

    def _stored(self, one: Any) -> Any:
        """A sample as it is stored now."""
        with self._served.world.storage.snapshot() as session:
            return session.get(type(one), one.id)

    def _body(self, route: Route, operation: dict[str, Any]) -> list[str]:
        """Each body field is read back as it was written, or ``lives`` says where it is tested."""
        if route.does in (Does.ADD, Does.PLAY):
            return []  # of ADD the specification lists other attributes; what is played passes
        problems = []
        name = f"{route.of} {route.call}"
        for field in operation["body"]:
            if field.endswith("_count") or f"{name} {field}" in ELSEWHERE:
                continue
            value = FIELDS.get(name, {}).get(field)
            made = value(self._served) if callable(value) else value
            problems += self._field(route, field, made)
        return problems

    def _field(self, route: Route, field: str, value: Any) -> list[str]:
        served = self._served
        path = path_of(route, served)
        if value is None and route.does is Does.UPDATE:  # what cannot be changed, unchanged
            held = served.call("GET", path).json
            if field not in held:
                return []
            body = {field: held[field]}
            value = held[field]
        elif value is None:
            return [f"nobody says what to put into {field}"]
        else:
            base = {} if route.does is Does.UPDATE else body_of(route, served) or {}
            body = {**base, field: value}
        answer = served.call(route.verb, path, body)
        if answer.status != 200:
            return [f"answers {answer.status} to {field}: {answer.body[:100]!r}"]
        one = path if route.does is not Does.CREATE else f"{path}/{answer.json['id']}"
        held = served.call("GET", one).json
        return [] if held.get(field) == value else [f"does not keep {field}: {held.get(field)!r}"]


def report(findings: list[Finding]) -> str:
    """What is green, and what is missing of the rest."""
    green = [one for one in findings if not one.problems]
    lines = [f"{len(green)} of {len(findings)} operations"]
    lines += [f"  {one.name}: {'; '.join(one.problems)}" for one in findings if one.problems]
    return "\n".join(lines)


if __name__ == "__main__":  # python -m tests.http.contract: look, and write down what is green
    with Served() as running:
        seen = Walk(running).findings()
    print(report(seen))
    names = sorted(one.name for one in seen if not one.problems)
    GREEN.write_text("".join(f"{one}\n" for one in names), encoding="utf-8")

"""The specification as a program reads it, and the walk that compares the server with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import frozen

from scg_adapters.http.routes import ROUTES, Does, Route
from scg_core.kernel import codec
from scg_core.kernel.resource import declaration
from tests.http.lives import body_of, filter_text, path_of, sample
from tests.http.server import Served

HERE = Path(__file__).parent
CONTRACT: dict[str, Any] = json.loads((HERE / "contract.json").read_text(encoding="utf-8"))
GREEN = HERE / "green.txt"


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
        wanted = 204 if route.does is Does.DELETE else 200
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
        shown = codec.write(sample(route.kind, 1))
        return [f"lacks the attribute {n}" for n in operation["properties"] if n not in shown]

    def _filters(self, route: Route, operation: dict[str, Any]) -> list[str]:
        problems = []
        for name in operation["filters"]:
            attribute = declaration(route.kind).by_wire.get(name)
            if attribute is None or not attribute.filterable:
                problems.append(f"does not filter by {name}")
            elif len(route.parameters) == 0:
                problems += self._filter_a_list(route, name)
            elif route.does is Does.READ and len(route.parameters) == 1:
                problems += self._filter_one(route, name)
        return problems

    def _filter_a_list(self, route: Route, name: str) -> list[str]:
        first, second = self._pair(route.kind)
        attribute = declaration(route.kind).by_wire[name]
        text = quote(filter_text(attribute, first))
        answer = self._served.call("GET", f"{route.path}?{name}={text}&limit=1000")
        if answer.status != 200:
            return [f"filter {name} answers {answer.status}"]
        found = {one["id"] for one in answer.json["list"]}
        if first.id not in found or second.id in found:
            return [f"filter {name} does not filter"]
        return []

    def _filter_one(self, route: Route, name: str) -> list[str]:
        first, second = self._pair(route.kind)
        attribute = declaration(route.kind).by_wire[name]
        path = route.path.replace(f"{{{route.parameters[0]}}}", first.id)
        statuses = [
            self._served.call("GET", f"{path}?{name}={quote(filter_text(attribute, one))}").status
            for one in (first, second)
        ]
        return [] if statuses == [200, 404] else [f"filter {name} answers {statuses}"]

    def _body(self, route: Route, operation: dict[str, Any]) -> list[str]:
        """Each body field is known to the resource, so it is either written or rightly ignored."""
        known = declaration(route.kind).by_wire
        return [
            f"does not know the field {name}" for name in operation["body"] if name not in known
        ]


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

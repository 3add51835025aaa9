"""Schemas of the OpenAPI document, made from the declarations of resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scg_adapters.http.examples import IDS
from scg_adapters.http.route import Route
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import (
    Attribute,
    Day,
    JsonList,
    JsonObject,
    Micros,
    Resource,
    Writer,
    declaration,
    is_enum,
)
from scg_core.tenancy.model import Scope

Json = dict[str, Any]


def answer(text: str, schema: Json) -> Json:
    """What an operation answers, in words and as JSON."""
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def ref(name: str) -> Json:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def name_of(kind: type[Resource]) -> str:
    """The name of a resource's schema."""
    return declaration(kind).title.replace(" ", "")


def schemas(routes: Sequence[Route]) -> Json:
    """All schemas that the routes refer to, by their names."""
    found: Json = {
        "Error": {
            "type": "object",
            "description": "What went wrong.",
            "properties": {
                "error_code": {
                    "type": "string",
                    "description": "A number, as text.",
                    "examples": ["400"],
                },
                "error_description": {
                    "type": "string",
                    "description": "What to do about it.",
                    "examples": ["name: is needed; give it a value"],
                },
            },
            "required": ["error_code", "error_description"],
        },
        "Id": {
            "type": "object",
            "properties": {
                "id": {
                    "type": "string",
                    "description": "The resource's id.",
                    "examples": [IDS["MessageRequest_ID"]],
                }
            },
            "required": ["id"],
        },
    }
    for kind in dict.fromkeys(route.kind for route in routes):
        name = name_of(kind)
        found[name] = object_of(_about(kind), {a.wire: _read(a) for a in _shown(kind)}, ())
        found[f"{name}List"] = _list(name)
    for kind, scope in dict.fromkeys((route.kind, route.scope) for route in routes):
        found |= _bodies(kind, scope)
    return found


def body_of(route: Route, *, update: bool) -> Json:
    """The schema of what is sent to make or change a resource."""
    return ref(_body_name(route.kind, route.scope, "Update" if update else "New"))


def _body_name(kind: type[Resource], scope: Scope, what: str) -> str:
    return f"{'Operator' if scope is Scope.OPERATOR else ''}{name_of(kind)}{what}"


def _bodies(kind: type[Resource], scope: Scope) -> Json:
    """What customers, or the operator, send of a kind of resource."""
    writers = {Writer.CUSTOMER} | ({Writer.OPERATOR} if scope is Scope.OPERATOR else set())
    written = [a for a in _shown(kind) if a.writer in writers]
    needed = [a.wire for a in written if a.required]
    fields = {a.wire: _write(a) for a in written}
    changes = {a.wire: _write(a) for a in _shown(kind) if a.name == "state" or a in written}
    version: Json = {"type": ["integer", "string"], "description": "The version you read."}
    return {
        _body_name(kind, scope, "New"): object_of(_about(kind), fields, needed),
        _body_name(kind, scope, "Update"): object_of(
            _about(kind), changes | {"version_number": version}, ()
        ),
    }


def _about(kind: type[Resource]) -> str:
    return (kind.__doc__ or "").strip()


def _shown(kind: type[Resource]) -> list[Attribute]:
    return [a for a in declaration(kind).attributes if not a.hidden]


def object_of(about: str, properties: Mapping[str, Json], needed: Iterable[str]) -> Json:
    """The schema of an object with these properties."""
    made: Json = {"type": "object", "description": about, "properties": dict(properties)}
    if list(needed):
        made["required"] = list(needed)
    return made


def _list(name: str) -> Json:
    number: Json = {"type": "integer", "minimum": 0}
    return {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": ref(name)},
            "total": {**number, "description": "How many there are in all."},
            "offset": number,
            "limit": number,
        },
        "required": ["list", "total", "offset", "limit"],
    }


def _read(attribute: Attribute) -> Json:
    made = _type(attribute) | {"description": attribute.doc}
    if attribute.writer is not Writer.CUSTOMER:
        made["readOnly"] = True
    return made


def _write(attribute: Attribute) -> Json:
    made = _type(attribute) | {"description": attribute.doc}
    if attribute.type is Instant:
        made["type"] = ["integer", "string", "null"]
    elif not attribute.required and "enum" not in made and isinstance(made["type"], str):
        made["type"] = [made["type"], "null"]
    return made


def _type(attribute: Attribute) -> Json:
    if is_enum(attribute.type):
        return {"type": "string", "enum": [one.value for one in attribute.type]}  # type: ignore[attr-defined]
    if attribute.type == tuple[str, ...]:
        joined = attribute.joined
        return {"type": "string"} if joined else {"type": "array", "items": {"type": "string"}}
    if attribute.type is Instant:
        return {"type": "integer", "format": "int64"}
    if attribute.type is JsonList:
        return {"type": "array", "items": {"type": "object"}}
    if attribute.type is JsonObject:
        return {"type": "object"}
    if attribute.type is Day:
        return {"type": "string", "format": "date"}
    known = {bool: "boolean", int: "integer", float: "number", Micros: "number"}
    made: Json = {"type": known.get(attribute.type, "string")}  # type: ignore[call-overload]
    if attribute.length and made["type"] == "string":
        made["maxLength"] = attribute.length
    return made

"""The OpenAPI document, made from the routes and the declarations; nothing is written twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from scg_adapters.http.examples import BODIES, IDS
from scg_adapters.http.openapi_schemas import (
    Json,
    answer,
    body_of,
    name_of,
    object_of,
    ref,
    schemas,
)
from scg_adapters.http.routes import BASE, ROUTES, Does, Route
from scg_core.attachments.model import AccessToken
from scg_core.kernel.resource import declaration
from scg_core.tenancy.model import Scope

_PROBLEMS: Final = {
    400: "A value breaks a rule; the description names the field.",
    401: "The token is missing, unknown, revoked or expired.",
    403: "The token does not allow this.",
    404: "There is no such resource in this company.",
    405: "The path does not take this method; Allow says which it takes.",
    408: "The body did not arrive in time.",
    409: "A stale version (1001), a unique value that is taken (1011), or a state that does not "
    "allow this (409).",
    412: "If-Match names another version.",
    413: "The body is too large.",
    415: "The body's content type is not understood.",
    429: "The application asks too often; Retry-After says when to ask again.",
    500: "The server failed.",
    503: "The server cannot answer now; Retry-After says when to try again.",
}
_READING: Final = (400, 401, 403, 404, 429, 500, 503)
_WRITING: Final = (400, 401, 402, 403, 404, 408, 409, 412, 413, 415, 429, 500, 503)
_PAGING: Final = (
    ("limit", "How many to return, at most 1,000.", {"type": "integer", "minimum": 1,
     "maximum": 1000, "default": 100}),
    ("offset", "How many to pass over.", {"type": "integer", "minimum": 0, "default": 0}),
    ("sort", "The field to sort by, with `-` in front for descending.", {"type": "string"}),
)  # fmt: skip


def document(version: str, routes: Sequence[Route] = ROUTES, server: str = ".") -> Json:
    """The whole document, for an API that stands at ``server``: beside it, if nothing is said."""
    paths: dict[str, Json] = {}
    for route in routes:
        if route.does is not Does.REFUSE:
            paths.setdefault(BASE + route.path, {})[route.verb.lower()] = _operation(route)
    paths |= _besides()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "scg-engine",
            "version": version,
            "summary": "Business messaging and calling",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "security": [{"bearer": []}],
        "tags": [{"name": title} for title in dict.fromkeys(_tag(r) for r in routes)],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(routes),
        },
    }


def _besides() -> dict[str, Json]:
    """What is served besides the resources, without a token."""
    texts = ("consumerkey", "consumersecret", "oldtoken")
    named = [
        {"name": one, "in": "query", "required": one != "oldtoken", "schema": {"type": "string"},
         "description": meaning}
        for one, meaning in zip(texts, ("The application's key.", "Its secret.",
                                        "A token to revoke."), strict=True)
    ]  # fmt: skip
    token = {"accessToken": {"type": "string"}, "validityTime": {"type": "integer"}}
    refusal = {"errorCode": {"type": "integer"}, "moreInfo": {"type": "string"},
               "userMsg": {"type": "string"}}  # fmt: skip
    wrong = answer("The key or the secret is missing or wrong.", object_of("", refusal, refusal))
    found: dict[str, Json] = {
        "/saop-rest-data/v1/apptoken-refresh": {
            "get": {
                "operationId": "token_refresh", "summary": "Get a new token.", "security": [],
                "parameters": named, "tags": ["Token"],
                "responses": {"200": answer("The token, and for how many seconds it counts.",
                                             object_of("", token, token)),
                              "400": wrong, "401": wrong, "503": wrong},
            }
        }
    }  # fmt: skip
    found |= _contents()
    for name, text in (("live", "Does the process answer?"), ("ready", "Does the storage?")):
        state = object_of("", {"status": {"type": "string"}}, ["status"])
        found[f"/health/{name}"] = {
            "get": {
                "operationId": f"health_{name}", "summary": text, "security": [],
                "tags": ["Health"],
                "responses": {"200": answer("Yes.", state), "503": answer("No.", state)},
            }
        }  # fmt: skip
    return found


def _contents() -> dict[str, Json]:
    """Where contents of attachments are put and got, opened by an access token in the path."""
    token = {
        "name": "Token", "in": "path", "required": True, "schema": {"type": "string"},
        "description": "The id of an access token of the attachment.",
    }  # fmt: skip
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    form = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    }
    ref = {"$ref": "#/components/schemas/Error"}
    problems = {str(code): answer(_PROBLEMS[code], ref) for code in (400, 404, 408, 409, 503)}
    made = answer("The id of the attachment.", object_of("", {"id": {"type": "string"}}, ["id"]))
    return {
        "/scg-attachment/api/v1/messaging/attachments/{Token}/content": {
            "get": {
                "parameters": [token],
                "operationId": "download_content", "summary": "Get an attachment's content.",
                "security": [], "tags": ["Attachment"],
                "responses": {"200": {"description": "The content.", "content": binary},
                              **{code: problems[code] for code in ("404", "503")}},
            },
            "post": {
                "parameters": [token],
                "operationId": "upload_content", "summary": "Put an attachment's content.",
                "security": [], "tags": ["Attachment"],
                "requestBody": {"required": True, "content": {**binary, **form}},
                "responses": {"200": made, **problems},
            },
        }
    }  # fmt: skip


_ABOUT: Final = (
    "Times are epoch milliseconds; they are also read as ISO 8601. Ids are 22 characters of base "
    "62. Lists come in an envelope of `list`, `total`, `offset` and `limit`. A filter takes "
    "several values, repeated or separated by commas, and means any of them; on text a trailing "
    "`*` means a beginning, on times and numbers `from..to` a range. Unset attributes are left "
    "out. `version_number` in an update, or If-Match, guards against overwriting somebody else's "
    "change."
)


def _tag(route: Route) -> str:
    return "Operator" if route.scope is Scope.OPERATOR else declaration(route.kind).title


def _operation(route: Route) -> Json:
    made: Json = {
        "operationId": _operation_id(route),
        "summary": route.summary.replace("`", ""),
        "tags": [_tag(route)],
        "parameters": [*_path(route), *_query(route), *_headers(route)],
        "responses": _responses(route),
    }  # fmt: skip
    if route.scope is Scope.OPERATOR:
        made["description"] = "Takes a token with the scope of an operator."
    sent = _request(route)
    if sent is not None:
        schema, required = sent
        content = {"schema": schema}
        if made["operationId"] in BODIES:
            content["example"] = BODIES[made["operationId"]]
        made["requestBody"] = {"required": required, "content": {"application/json": content}}
    return made


def _request(route: Route) -> tuple[Json, bool] | None:
    """The schema of an operation's body, and whether there must be one; None if it takes none."""
    if route.kind is AccessToken and route.parameters and route.verb in ("POST", "PUT"):
        return _LIFE, False
    match route.does:
        case Does.CREATE | Does.UPDATE | Does.REPLACE:
            replaces = route.does is Does.REPLACE and route.scope is Scope.OPERATOR
            update = route.does is Does.UPDATE
            return body_of(route, update=update or replaces), not update
        case Does.TELL:
            takes = {name: dict(schema) for name, schema in route.takes.items()}
            needed = [name for name, schema in takes.items() if isinstance(schema["type"], str)]
            return object_of(route.summary, takes, needed), bool(takes)
        case Does.PLAY:
            texts: dict[str, Json] = {name: {"type": "string"} for name in route.plays}
            return object_of(route.summary, texts, [*route.plays[:1]]), True
        case _ if route.field:
            value: Json = {"type": "string"} if route.does is Does.ACT else _MANY
            schema = object_of(route.summary, {route.field: value}, [route.field])
            return schema, route.does is not Does.ACT
        case _:
            return None


def _operation_id(route: Route) -> str:
    """A name for the methods of generated clients; taking one of several by path is singular."""
    name = f"{route.of}_{'list' if route.call == 'page' else route.call}"
    if route.scope is Scope.OPERATOR:
        name = f"operator_{name}"
    return name.removesuffix("s") if route.does is Does.TAKE and not route.field else name


_LIFE: Final[Json] = {
    "type": ["object", "null"],
    "description": "For how long the token counts: 900 seconds, if nothing is said.",
    "properties": {
        "duration": {"type": ["integer", "string"], "description": "Seconds, at most 86,400."},
        "expiry_time": {"type": ["integer", "string"], "description": "Instead of a duration."},
    },
}  # fmt: skip
_MANY: Final[Json] = {"type": "array", "items": {"type": "string"}}


def _path(route: Route) -> Iterable[Json]:
    for name in route.parameters:
        yield {
            "name": name, "in": "path", "required": True, "schema": {"type": "string"},
            "description": f"The id of a {name[:-3].replace('_', ' ').lower()}.",
            "example": IDS[name],
        }  # fmt: skip


def _query(route: Route) -> Iterable[Json]:
    if route.does is Does.ACT:
        yield {
            "name": route.field, "in": "query", "schema": {"type": "string"},
            "description": "The same as in the body.",
        }  # fmt: skip
    if route.writes:
        return
    for attribute in declaration(route.kind).attributes:
        if attribute.filterable and not attribute.hidden:
            yield {
                "name": attribute.wire, "in": "query", "schema": {"type": "string"},
                "description": f"Filter: {attribute.doc}",
            }  # fmt: skip
    if route.does is Does.LIST:
        for name, meaning, schema in _PAGING:
            yield {"name": name, "in": "query", "description": meaning, "schema": schema}


def _headers(route: Route) -> Iterable[Json]:
    if route.keyed:
        yield {
            "name": "Idempotency-Key", "in": "header", "schema": {"type": "string",
            "maxLength": 255}, "description": "Makes the call safe to repeat for 24 hours.",
        }  # fmt: skip
    if route.writes and route.parameters and declaration(route.kind).shows_version:
        yield {
            "name": "If-Match", "in": "header", "schema": {"type": "string"},
            "description": "Do it only at this version.",
        }  # fmt: skip


def _responses(route: Route) -> Json:
    found: Json = {}
    match route.does:
        case Does.LIST:
            found["200"] = answer("A page of the list.", ref(name_of(route.kind) + "List"))
        case Does.READ:
            found["200"] = answer("The resource.", ref(name_of(route.kind)))
        case _ if route.tells is not None:
            fields = {name: dict(schema) for name, schema in route.answers.items()}
            told = object_of("What is to be known of it.", fields, ["id"] if fields else [])
            found["200"] = answer("Done; what is to be known of it.", told)
        case Does.DELETE | Does.TAKE:
            found["204"] = {"description": "It is deleted."}
        case _:
            found["200"] = answer("Done; the id of the resource.", ref("Id"))
    for status in _WRITING if route.writes else _READING:
        text = _PROBLEMS.get(status, "The account's credit is not enough.")
        found[str(status)] = answer(text, ref("Error"))
    return found

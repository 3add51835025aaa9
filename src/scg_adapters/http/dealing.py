"""What a route asks of the library, and the answer to what it returned."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from scg_adapters.http.answers import (
    NOTHING,
    UNKEPT,
    Answer,
    PreconditionFailed,
    encode_resource,
    made,
    page_answer,
    plain,
    resource_answer,
)
from scg_adapters.http.filters import Asked
from scg_adapters.http.route import Does, Route
from scg_core.engine import Application, Operator
from scg_core.kernel.codec import read_text
from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.resource import Writer, declaration
from scg_core.tenancy.model import Scope

_ETAG: Final = re.compile(r'^(?:W/)?"?(\d{1,18})"?$')
_LONGEST_ID: Final = 128
_STEP: Final = 100


def without_shown(route: Route, fields: Mapping[str, object]) -> Mapping[str, object]:
    """Fields without those that only the engine writes, which come along with a whole resource.

    The version is one of them where something new is made, whatever its id.
    """
    known = declaration(route.kind).by_wire
    kept = set(route.takes)
    if route.does is not Does.CREATE or known["id"].writer is Writer.OPERATOR:
        kept.add("version_number")
    if route.of == "companies" and route.does is Does.CREATE:
        kept.discard("version_number")
    return {
        name: value
        for name, value in fields.items()
        if name in kept or name not in known or known[name].writer is not Writer.ENGINE
    }


def read(
    route: Route, app: Application | Operator, ids: tuple[str, ...], asked: Asked, most: int
) -> Answer:
    """Do what a reading route does; a page of a list has about ``most`` bytes."""
    call = getattr(getattr(app, route.of), route.call)
    if route.does is Does.READ:
        return resource_answer(call(*ids, asked.filters))
    items: list[bytes] = []
    size, total = 0, 0
    while size <= most:
        page = call(
            *ids,
            asked.filters,
            sort=asked.sort,
            limit=min(_STEP, max(asked.limit - len(items), 1)),
            offset=asked.offset + len(items),
        )
        encoded = [encode_resource(one) for one in page.items]
        items, total = items + encoded, page.total
        size += sum(map(len, encoded))
        if len(encoded) < page.limit or len(items) >= asked.limit:
            break
    return page_answer(items, total, asked.offset, asked.limit)


def write(
    route: Route,
    app: Application | Operator,
    ids: tuple[str, ...],
    fields: Mapping[str, object],
    key: str | None,
    match: str,
) -> Answer:
    """Do what a writing route does."""
    collection = getattr(app, route.of)
    call = getattr(collection, route.call)
    if match:
        _check_match(route, collection, ids, match)
    match route.does:
        case Does.DELETE:
            call(*ids, **_version(fields))
            return NOTHING
        case Does.ACT:
            return made(call(*ids, fields.get(route.field)))
        case Does.ADD:
            added = call(ids[0], _named(route, fields))
            return made(added.into, added.errors)
        case Does.TELL if route.tells is not None:
            keyed = {"idempotency_key": key} if route.keyed else {}
            return evolve(plain(200, route.tells(call(*ids, fields, **keyed))), headers=UNKEPT)
        case Does.CREATE if route.tells is not None:
            return evolve(plain(200, route.tells(call(*ids, fields))), headers=UNKEPT)
        case Does.TAKE:
            return _taken(route, call, ids, fields)
        case _ if route.keyed:
            return made(call(*ids, fields, idempotency_key=key))
        case _:
            return made(call(*ids, fields))


def attended_id(route: Route, ids: tuple[str, ...], answer: Answer) -> str:
    """The id of the resource that a route made or changed."""
    if route.does is Does.CREATE:
        return str(json.loads(answer.body)["id"])
    return ids[-1]


def _version(fields: Mapping[str, object]) -> dict[str, object]:
    seen = fields.get("version_number")
    return {} if seen in (None, "") else {"version_number": seen}


def _taken(route: Route, call: Any, ids: tuple[str, ...], fields: Mapping[str, object]) -> Answer:
    """Members are taken out of something; one that the path names must have been in it."""
    named = ids[1:] or _named(route, fields)
    taken = call(ids[0], named)
    if ids[1:] and taken.errors:
        raise NotFound("member", ids[1])
    return NOTHING


def _named(route: Route, fields: Mapping[str, object]) -> list[str]:
    """The ids that a body names under a route's field.

    Raises:
        InvalidField: there are none, or something else.
    """
    for name in (route.field, *route.also):
        given = fields.get(name)
        if given is not None and given != "":
            if not isinstance(given, list | str):
                raise InvalidField(name, "must be a list of ids")
            listed = given if isinstance(given, list) else given.split(",")
            return [
                read_text(f"{name}[{at}]", one, most=_LONGEST_ID).strip()
                for at, one in enumerate(listed)
            ]
    if route.does is Does.TAKE and not fields:
        raise NotFound("member", "")  # a client that had no id
    raise InvalidField(route.field, "is needed: a list of ids")


def _check_match(route: Route, collection: Any, ids: tuple[str, ...], match: str) -> None:
    """Compare If-Match with the version; this and the change are in one commit.

    Raises:
        PreconditionFailed: the resource is at none of the versions.
    """
    anything = match.strip() == "*" and not (
        route.does is Does.REPLACE and route.scope is Scope.OPERATOR
    )
    if not ids or anything or route.does is Does.CREATE:
        return
    if not declaration(route.kind).shows_version:
        return
    wanted = [_ETAG.match(one.strip()) for one in match.split(",")]
    of = ids[:1] if route.does in (Does.ADD, Does.TAKE) else ids
    try:
        current = collection.get(*of).version_number
    except NotFound:
        if route.does is Does.REPLACE and route.scope is Scope.OPERATOR:
            raise PreconditionFailed() from None  # what is loaded by it is not there yet
        raise
    if match.strip() != "*" and current not in [int(one[1]) for one in wanted if one is not None]:
        raise PreconditionFailed()

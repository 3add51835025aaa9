"""One row of the table of routes: a verb of a path, and what it asks of the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from attrs import field as attribute
from attrs import frozen

from scg_core.kernel.resource import Resource
from scg_core.tenancy.model import Scope


class Does(StrEnum):
    """What a route does, and so how it is called and what it answers."""

    LIST = "list"  # page(*ids, filters, sort=, limit=, offset=) -> the envelope
    READ = "read"  # get(*ids, filters) -> the resource
    CREATE = "create"  # create(*ids, body) -> {"id"}
    UPDATE = "update"  # update(*ids, body) -> {"id"}
    REPLACE = "replace"  # replace(*ids, body) -> {"id"}
    DELETE = "delete"  # delete(*ids) -> 204
    ACT = "act"  # call(*ids, field) -> {"id"}; the field is the one the row names
    PLAY = "play"  # call(*ids, body) -> {"id"}; the body's fields are those the row names
    ADD = "add"  # call(*ids, ids) -> {"id"} and what could not be added
    TAKE = "take"  # call(*ids, ids) -> 204; the ids are in the path or in the body
    TELL = "tell"  # call(*ids, body) -> what the row's ``tells`` makes of it
    REFUSE = "refuse"  # the specification says "Not allowed": 405


@frozen
class Route:
    """One verb of one path.

    ``of`` is the collection of ``Application``, ``call`` its verb; ``keyed`` takes an
    Idempotency-Key. ``field`` is what ACT, ADD and TAKE read of the body (ACT also of the query),
    ``also`` are other names of it. ``holder``: whoever shows an access token of the contact that
    the path names may do it too. ``tells`` makes an answer of what was done, where the id is not
    all there is to know; ``answers`` are its fields, each with its JSON schema. ``takes`` are the
    fields of a body that is no resource, each with its JSON schema.
    """

    verb: str
    path: str
    does: Does
    kind: type[Resource]
    of: str
    call: str
    summary: str
    scope: Scope = Scope.CUSTOMER
    keyed: bool = False
    field: str = ""
    also: tuple[str, ...] = ()
    holder: bool = False
    plays: tuple[str, ...] = ()
    attended: bool = False
    takes: Mapping[str, Mapping[str, Any]] = attribute(factory=dict, hash=False)
    tells: Callable[[Any], Mapping[str, object]] | None = None
    answers: Mapping[str, Mapping[str, Any]] = attribute(factory=dict, hash=False)

    @property
    def writes(self) -> bool:
        """Whether it may change anything."""
        return self.does not in (Does.LIST, Does.READ)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the path's parameters, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


_VERBS: Final = {
    Does.LIST: ("GET", "page"),
    Does.READ: ("GET", "get"),
    Does.CREATE: ("POST", "create"),
    Does.UPDATE: ("POST", "update"),
    Does.REPLACE: ("PUT", "replace"),
    Does.DELETE: ("DELETE", "delete"),
    Does.REFUSE: ("POST", ""),
    Does.ACT: ("POST", ""),
    Does.PLAY: ("POST", ""),
    Does.TELL: ("POST", ""),
    Does.ADD: ("POST", ""),
    Does.TAKE: ("DELETE", ""),
}


def row(
    path: str,
    does: Does,
    kind: type[Resource],
    of: str,
    summary: str,
    *,
    call: str | None = None,
    keyed: bool = False,
    field: str = "",
    also: tuple[str, ...] = (),
    holder: bool = False,
    plays: tuple[str, ...] = (),
    attended: bool = False,
    takes: Mapping[str, Mapping[str, Any]] | None = None,
    tells: Callable[[Any], Mapping[str, object]] | None = None,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
) -> Route:
    """A row whose verb, and whose call if none is named, follow from what it does."""
    verb, usual = _VERBS[does]
    return Route(
        verb, path, does, kind, of, call or usual, summary, keyed=keyed, field=field, also=also,
        holder=holder, plays=plays, attended=attended, takes=takes or {}, tells=tells,
        answers=answers or {},
    )  # fmt: skip

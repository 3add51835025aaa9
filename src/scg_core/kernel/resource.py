"""A resource is declared once, as one attrs class; everything else is derived from it.

The declaration carries what codec, storage schema, filters, reference pages and (later) routes
need: the name on the wire, who may write a field, whether it may change, be filtered by, how long
it may be, what must be unique. Adding a field is one line in one file.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from enum import Enum, StrEnum
from functools import cached_property
from typing import (
    Any,
    ClassVar,
    Final,
    NewType,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
from attrs import frozen

Micros = NewType("Micros", int)
"""An amount of money in millionths of the company's currency."""

JsonText = NewType("JsonText", str)
"""JSON kept as text: read from text or from the JSON itself, written as text."""

JsonList = NewType("JsonList", str)
"""A text that holds JSON and travels as the array it describes."""

JsonObject = NewType("JsonObject", str)
"""A JSON object kept as text: read from text or from the object itself, written as an object."""

Day = NewType("Day", str)
"""A day of the calendar, written ``YYYY-MM-DD``, without a time zone."""


class Writer(StrEnum):
    """Who sets a field."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    ENGINE = "engine"


class Resource:
    """What every declared class is; the declaration itself is ``declaration(kind)``."""

    __slots__ = ()
    __declaration__: ClassVar[Declaration]


R = TypeVar("R", bound=Resource)


@frozen
class Attribute:
    """One field of a resource and all that is derived from it."""

    name: str
    wire: str
    type: object
    optional: bool
    doc: str
    writer: Writer
    default: object
    aliases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    required: bool = False
    immutable: bool = False
    filterable: bool = False
    length: int | None = None
    hot: bool = False
    hidden: bool = False
    joined: bool = False
    address: bool = False
    masked: bool = False
    derived: bool = False
    blank: bool = False
    most: int = 1_000
    error_code: int = 400


@frozen
class Declaration:
    """A resource's name, its attributes in order, and its keys.

    ``key`` identifies a row in the storage; ``unique`` lists groups of fields whose values no two
    rows may share (rows with a null in the group are exempt); ``indexes`` lists groups of fields
    that the storage indexes, each with an optional condition ``(field, value)``. ``tally`` is a
    field that never changes, by whose values rows are often counted: a storage may keep
    count of them and, if there is a ``state``, of those that are DELETED, which they stay.
    """

    kind: type[Resource]
    name: str
    title: str
    key: str
    attributes: tuple[Attribute, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[Index, ...] = ()
    tally: str | None = None

    def __getitem__(self, name: str) -> Attribute:
        return self.by_name[name]

    @cached_property
    def by_name(self) -> dict[str, Attribute]:
        """The attributes by their Python names."""
        return {attribute.name: attribute for attribute in self.attributes}

    @cached_property
    def by_wire(self) -> dict[str, Attribute]:
        """The attributes that leave the engine, by every name they are known by."""
        return {
            name: attribute
            for attribute in self.attributes
            if not attribute.hidden
            for name in (attribute.wire, *attribute.aliases, *attribute.also)
        }

    @cached_property
    def derived(self) -> tuple[Attribute, ...]:
        """The attributes that are told and not stored."""
        return tuple(a for a in self.attributes if a.derived)

    @property
    def versioned(self) -> bool:
        """Whether updates are checked by ``version_number``."""
        return "version_number" in self.by_name

    @property
    def shows_version(self) -> bool:
        """Whether whoever reads it learns its version, and so may ask for it to be compared."""
        return "version_number" in self.by_wire


@frozen
class Index:
    """Fields that are looked up together; ``only`` keeps it to rows with one value of a field.

    With None as that value it is kept to rows that have any value of the field.

    ``alike`` says of how many rows in a million the first, the first two, ... fields are equal: a
    hint for storages that choose between indexes.
    """

    fields: tuple[str, ...]
    only: tuple[str, str | None] | None = None
    alike: tuple[int, ...] = ()


_METADATA: Final = "scg"


def attribute(
    doc: str,
    *,
    wire: str | None = None,
    aliases: Iterable[str] = (),
    also: Iterable[str] = (),
    writer: Writer = Writer.ENGINE,
    required: bool = False,
    immutable: bool = False,
    filterable: bool = False,
    length: int | None = None,
    hot: bool = False,
    hidden: bool = False,
    joined: bool = False,
    address: bool = False,
    masked: bool = False,
    derived: bool = False,
    blank: bool = False,
    most: int = 1_000,
    error_code: int = 400,
    unprinted: bool = False,
    default: Any = attrs.NOTHING,
) -> Any:
    """Declare one field of a resource.

    ``wire`` is its name outside (the Python name without a trailing underscore if not given),
    ``aliases`` are further names understood, ``also`` names it is additionally written under.
    ``required`` fields must be given at creation. ``length`` is counted in code points (error
    1023). ``hot`` fields change often and are stored apart. ``hidden`` fields never leave. A
    ``joined`` list travels as one text with commas; ``address`` fields hold telephone numbers,
    which filters compare with and without a plus sign. The values in ``masked`` JSON are secrets:
    they leave as asterisks, and asterisks that come back mean unchanged. A ``derived`` field is no
    column: whoever reads the resource fills it in. An empty text in a ``blank`` field means that
    there is none, where clients are read leniently. A list has at ``most`` so many members, each of
    up to ``length`` characters (255 if not given). What is ``unprinted`` is no part of its
    ``repr``. A value that is none of its type is refused with ``error_code``.
    """
    facts = {
        "doc": doc,
        "wire": wire,
        "aliases": tuple(aliases),
        "also": tuple(also),
        "writer": writer,
        "required": required,
        "immutable": immutable,
        "filterable": filterable,
        "length": length,
        "hot": hot,
        "hidden": hidden,
        "joined": joined,
        "address": address,
        "masked": masked,
        "derived": derived,
        "blank": blank,
        "most": most,
        "error_code": error_code,
    }
    return attrs.field(default=default, repr=not unprinted, metadata={_METADATA: facts})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attribute,))
def resource(
    title: str,
    *,
    key: str = "id",
    unique: Iterable[tuple[str, ...]] = (),
    indexes: Iterable[Index] = (),
    tally: str | None = None,
) -> Callable[[type[R]], type[R]]:
    """Make a class a declared resource: frozen, slotted, keyword-only."""

    def declare(kind: type[R]) -> type[R]:
        made = attrs.define(kind, frozen=True, kw_only=True, slots=True)
        hints = get_type_hints(made)
        made.__declaration__ = Declaration(
            kind=made,
            name=title.lower().replace(" ", "_"),
            title=title,
            key=key,
            attributes=tuple(
                _attribute(field, hints[field.name]) for field in attrs.fields(cast(Any, made))
            ),
            unique=tuple(unique),
            indexes=tuple(indexes),
            tally=tally,
        )
        return made

    return declare


def _attribute(field: attrs.Attribute[Any], hint: object) -> Attribute:
    facts = dict(field.metadata[_METADATA])
    inner, optional = _without_none(hint)
    facts["wire"] = facts["wire"] or field.name.rstrip("_")
    return Attribute(name=field.name, type=inner, optional=optional, default=field.default, **facts)


def _without_none(hint: object) -> tuple[object, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in get_args(hint) if part is not type(None)]
        return rest[0], True
    return hint, False


def declaration(kind: type[Resource] | Resource) -> Declaration:
    """The declaration of a resource class or of one of its instances."""
    return kind.__declaration__


def evolve(resource: R, **changes: object) -> R:
    """The same resource with some fields changed."""
    return cast(R, attrs.evolve(cast(Any, resource), **changes))


def stored(resource: R) -> R:
    """The resource without what is told and not stored."""
    told = declaration(resource).derived
    if not any(getattr(resource, a.name) != a.default for a in told):
        return resource
    return evolve(resource, **{a.name: a.default for a in told})


def identity(resource: Resource) -> str:
    """The resource's id."""
    return str(getattr(resource, "id"))  # noqa: B009


def is_enum(hint: object) -> bool:
    """Whether a declared type is an enumeration."""
    return isinstance(hint, type) and issubclass(hint, Enum)

"""From resource declarations to columns: which tables, which types, how values are kept.

A resource with hot attributes is two tables behind one view: the cold one is written once, the
hot one moves. Everything an SQL adapter needs to know of a resource is a ``Table``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

from attrs import frozen

from scg_core.attachments.model import AccessToken, Attachment
from scg_core.calling.model import Bridge, Call, CallMoment, Conference, ConferenceMember
from scg_core.calling.records import VoiceCommand
from scg_core.consent.model import (
    AddressHistory,
    AddressStatus,
    ConsentText,
    Keyword,
    KeywordStamp,
    Suppression,
)
from scg_core.contacts.model import (
    ApplicationToken,
    Contact,
    ContactGroup,
    ExportJob,
    FastAccessRule,
    GroupMember,
    ImportJob,
)
from scg_core.contacts.records import ImportFailure, Walk
from scg_core.events.model import Envelope, Subscription
from scg_core.events.records import EventSequence, Outlet
from scg_core.kernel.resource import (
    Attribute,
    Declaration,
    Resource,
    declaration,
    is_enum,
)
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.records import (
    Expansion,
    Fragment,
    IdempotencyKey,
    InboundPart,
    LoggedReceipt,
    ParkedAnswer,
    ParkedReceipt,
    ReceivedId,
    RecipientPage,
    StickyChoice,
    TrackedLink,
    Translation,
)
from scg_core.senders.model import (
    Channel,
    ChannelMember,
    LimitState,
    SenderId,
    SenderIdClass,
    SenderIdType,
    Tariff,
)
from scg_core.templates.model import MessageTemplate
from scg_core.tenancy.model import ApiToken, Company, CreditAccount, RegisteredApplication

KINDS: Final[tuple[type[Resource], ...]] = (
    Company,
    RegisteredApplication,
    ApiToken,
    CreditAccount,
    Subscription,
    Envelope,
    EventSequence,
    Outlet,
    Attachment,
    AccessToken,
    Contact,
    ContactGroup,
    GroupMember,
    FastAccessRule,
    ApplicationToken,
    ImportJob,
    ExportJob,
    Walk,
    ImportFailure,
    MessageTemplate,
    SenderIdClass,
    SenderIdType,
    SenderId,
    Channel,
    ChannelMember,
    LimitState,
    Tariff,
    StickyChoice,
    AddressStatus,
    AddressHistory,
    Suppression,
    Keyword,
    KeywordStamp,
    ConsentText,
    Call,
    CallMoment,
    Bridge,
    Conference,
    ConferenceMember,
    VoiceCommand,
    MessageRequest,
    Message,
    RecipientPage,
    IdempotencyKey,
    ParkedReceipt,
    LoggedReceipt,
    Fragment,
    ParkedAnswer,
    ReceivedId,
    InboundPart,
    TrackedLink,
    Translation,
    Expansion,
)


_JSON: Final = json.JSONEncoder(ensure_ascii=False)


def quoted(name: str) -> str:
    """An SQL identifier."""
    return f'"{name}"'


def column(attribute: Attribute) -> str:
    """The column of an attribute: its name on the wire."""
    return attribute.wire


def python_type(attribute: Attribute) -> type:
    """The column's type, as sqlite-utils spells it."""
    kind = getattr(attribute.type, "__supertype__", attribute.type)
    if kind in (int, bool):
        return int
    return float if kind is float else str


def encoder(attribute: Attribute) -> Callable[[Any], Any] | None:
    """What makes a stored value of a Python one, or None where they are the same."""
    if attribute.type == tuple[str, ...]:
        return lambda value: None if value is None else _JSON.encode(value)
    if is_enum(attribute.type):
        return lambda value: getattr(value, "value", value)
    return None


def decoder(attribute: Attribute) -> Callable[[Any], Any] | None:
    """What makes a resource's value of a stored one."""
    if attribute.type == tuple[str, ...]:
        return lambda value: None if value is None else tuple(json.loads(value))
    if attribute.type is bool:
        return lambda value: None if value is None else bool(value)
    if is_enum(attribute.type):
        members = {member.value: member for member in attribute.type}  # type: ignore[attr-defined]
        return lambda value: None if value is None else members[value]
    return None


def plain_decoder(attribute: Attribute) -> Callable[[Any], Any] | None:
    """What makes a plain value (enumerations as text) of a stored one."""
    return None if is_enum(attribute.type) else decoder(attribute)


@frozen(eq=False)
class Table:
    """One resource in an SQL store."""

    declared: Declaration

    @cached_property
    def name(self) -> str:
        """The cold table, or the only one."""
        return self.declared.name

    @cached_property
    def stored(self) -> tuple[Attribute, ...]:
        """The attributes that are columns, in order."""
        return tuple(a for a in self.declared.attributes if not a.derived)

    @cached_property
    def hot(self) -> tuple[Attribute, ...]:
        """The attributes kept in the hot table."""
        return tuple(a for a in self.stored if a.hot)

    @cached_property
    def cold(self) -> tuple[Attribute, ...]:
        """The attributes kept in the cold table, the key among them."""
        return tuple(a for a in self.stored if not a.hot)

    @cached_property
    def hot_name(self) -> str:
        """The hot table."""
        return f"{self.name}_state"

    @cached_property
    def source(self) -> str:
        """What to read from: the view over both tables, or the only table."""
        return f"{self.name}s" if self.hot else self.name

    @cached_property
    def key(self) -> Attribute:
        """The attribute that identifies a row."""
        return self.declared[self.declared.key]

    def home(self, attribute: Attribute) -> str:
        """The table an attribute is written to."""
        return self.hot_name if attribute.hot else self.name

    @cached_property
    def columns(self) -> str:
        """All columns in order, for a select."""
        return ", ".join(quoted(column(a)) for a in self.stored)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All Python names in order."""
        return tuple(a.name for a in self.stored)

    @cached_property
    def _decoders(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        pairs = ((a.name, decoder(a)) for a in self.stored)
        return tuple((name, decode) for name, decode in pairs if decode is not None)

    def load(self, row: Sequence[Any]) -> Any:
        """A resource from a row of all columns."""
        values = dict(zip(self.names, row, strict=True))
        for name, decode in self._decoders:
            values[name] = decode(values[name])
        return self.declared.kind(**values)

    def values(self, resource: Resource, attributes: Sequence[Attribute]) -> list[Any]:
        """A resource's stored values of some attributes."""
        encoders = self._encoders
        found = [getattr(resource, attribute.name) for attribute in attributes]
        for position, attribute in enumerate(attributes):
            encode = encoders.get(attribute.name)
            if encode is not None:
                found[position] = encode(found[position])
        return found

    @cached_property
    def _encoders(self) -> dict[str, Callable[[Any], Any]]:
        pairs = ((a.name, encoder(a)) for a in self.stored)
        return {name: encode for name, encode in pairs if encode is not None}


def deleted_of(of: Table) -> str:
    """Under what the DELETED rows of a table are tallied."""
    return f"{of.name} deleted"


_TABLES: Final[dict[str, Table]] = {}


def table(kind: type[Resource]) -> Table:
    """The table of a resource class."""
    declared = declaration(kind)
    if declared.name not in _TABLES:
        _TABLES[declared.name] = Table(declared)
    return _TABLES[declared.name]

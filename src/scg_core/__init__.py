"""scg-engine: business messaging and calling as a library.

Every call into the engine is one transaction and sends nothing. What must leave is filed as
due work in the same transaction; ``engine.run_due(limit)`` does it and returns when to call
again, or ``None``.
"""

from scg_core.attachments.model import Attachment
from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.calling.settings import CallSettings
from scg_core.contacts.model import Contact, ContactGroup
from scg_core.engine import Application, Engine, Operator
from scg_core.events.model import Envelope, Subscription
from scg_core.events.settings import EventSettings
from scg_core.kernel.errors import (
    BrokenInvariant,
    ContentUnavailable,
    Duplicate,
    Forbidden,
    ForeignStorage,
    IllegalTransition,
    InvalidField,
    LeaseLost,
    NotFound,
    ScgError,
    StaleData,
    StorageUnavailable,
    TooBroad,
    TransportUnavailable,
    VoiceRefused,
)
from scg_core.kernel.instant import Instant, from_datetime, to_datetime
from scg_core.messaging.lifecycle import Direction, MessageState, RequestState
from scg_core.messaging.model import Message, MessageRequest
from scg_core.messaging.settings import Settings
from scg_core.senders.lifecycle import SenderState
from scg_core.senders.model import SenderId

__all__ = [
    "Application",
    "Attachment",
    "Bridge",
    "BrokenInvariant",
    "Call",
    "CallSettings",
    "Conference",
    "ConferenceMember",
    "Contact",
    "ContactGroup",
    "ContentUnavailable",
    "Direction",
    "Duplicate",
    "Engine",
    "Envelope",
    "EventSettings",
    "Forbidden",
    "ForeignStorage",
    "IllegalTransition",
    "Instant",
    "InvalidField",
    "LeaseLost",
    "Message",
    "MessageRequest",
    "MessageState",
    "NotFound",
    "Operator",
    "RequestState",
    "ScgError",
    "SenderId",
    "SenderState",
    "Settings",
    "StaleData",
    "StorageUnavailable",
    "Subscription",
    "TooBroad",
    "TransportUnavailable",
    "VoiceRefused",
    "from_datetime",
    "to_datetime",
]

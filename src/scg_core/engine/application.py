"""What one company's application may do."""

from __future__ import annotations

from typing import Final

from scg_core.engine.attachments import AccessTokens, Attachments
from scg_core.engine.calls import Calls
from scg_core.engine.collection import Host
from scg_core.engine.consent import AddressHistories, AddressStatuses, Keywords
from scg_core.engine.contact_tokens import ApplicationTokens, ContactAccessTokens
from scg_core.engine.contacts import Contacts, FastAccess
from scg_core.engine.events import Envelopes, Subscriptions
from scg_core.engine.groups import ContactExports, ContactGroups, ContactImports
from scg_core.engine.messaging import MessageRequests, Messages
from scg_core.engine.rooms import Bridges, ConferenceMembers, Conferences
from scg_core.engine.senders import Channels, SenderIdClasses, SenderIds, SenderIdTypes
from scg_core.engine.templates import MessageTemplates
from scg_core.tenancy.model import Caller


class Application:
    """What one company's application may do."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        self.message_requests: Final = MessageRequests(engine, caller)
        self.messages: Final = Messages(engine, caller)
        self.message_templates: Final = MessageTemplates(engine, caller)
        self.sender_ids: Final = SenderIds(engine, caller)
        self.sender_id_classes: Final = SenderIdClasses(engine, caller)
        self.sender_id_types: Final = SenderIdTypes(engine, caller)
        self.channels: Final = Channels(engine, caller)
        self.keywords: Final = Keywords(engine, caller)
        self.contact_address_statuses: Final = AddressStatuses(engine, caller)
        self.contact_address_history: Final = AddressHistories(engine, caller)
        self.attachments: Final = Attachments(engine, caller)
        self.access_tokens: Final = AccessTokens(engine, caller)
        self.contacts: Final = Contacts(engine, caller)
        self.contact_access_tokens: Final = ContactAccessTokens(engine, caller)
        self.application_tokens: Final = ApplicationTokens(engine, caller)
        self.fast_access: Final = FastAccess(engine, caller)
        self.contact_groups: Final = ContactGroups(engine, caller)
        self.contact_imports: Final = ContactImports(engine, caller)
        self.contact_exports: Final = ContactExports(engine, caller)
        self.calls: Final = Calls(engine, caller)
        self.bridges: Final = Bridges(engine, caller)
        self.conferences: Final = Conferences(engine, caller)
        self.conference_members: Final = ConferenceMembers(engine, caller)
        self.subscriptions: Final = Subscriptions(engine, caller)
        self.envelopes: Final = Envelopes(engine, caller)

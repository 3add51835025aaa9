"""What one company's application may do."""

from __future__ import annotations

from typing import Final

from scg_core.engine.collection import Collection, Host
from scg_core.engine.messaging import MessageRequests, Messages
from scg_core.senders.model import SenderId
from scg_core.tenancy.model import Caller


class Application:
    """What one company's application may do."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        self.message_requests: Final = MessageRequests(engine, caller)
        self.messages: Final = Messages(engine, caller)
        self.sender_ids: Final = SenderIds(engine, caller)


class SenderIds(Collection[SenderId]):
    """The sender ids a company may use."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, SenderId)

"""The classes and types that come with the engine; an operator may load them and add others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DAYTIME: Final = '{"DEFAULT":{"OTH":["08:00-21:00"]}}'

CLASSES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "id": "COMMERCIAL",
        "name": "Commercial",
        "designation": "commercial",
        "description": "Offers and campaigns: by day only, in the recipient's own time.",
        "delivery_window": DAYTIME,
    },
    {
        "id": "NOTIFICATION",
        "name": "Notification",
        "designation": "notifications",
        "description": "What a customer expects to hear: orders, appointments, codes.",
    },
    {
        "id": "ALERT",
        "name": "Alert",
        "designation": "alerts",
        "description": "What cannot wait.",
    },
)

TYPES: Final[tuple[Mapping[str, Any], ...]] = (
    {"id": "SHORTCODE", "name": "Short code", "capabilities": ("SMS", "MMS")},
    {"id": "LONGCODE", "name": "Long code", "capabilities": ("SMS", "MMS", "VOICE")},
    {"id": "TOLLFREE", "name": "Toll-free number", "capabilities": ("SMS", "MMS", "VOICE")},
    {
        "id": "ALPHANUMERIC",
        "name": "Alphanumeric sender",
        "capabilities": ("SMS",),
        "two_way": False,
    },
    {"id": "EMAIL", "name": "Mailbox", "capabilities": ("EMAIL",)},
    {"id": "PUSH", "name": "Application", "capabilities": ("PUSH",)},
    {"id": "VOICE", "name": "Voice number", "capabilities": ("VOICE",)},
    {"id": "FACEBOOK", "name": "Facebook page", "capabilities": ("FACEBOOK",)},
    {"id": "WECHAT", "name": "WeChat account", "capabilities": ("WECHAT",)},
)

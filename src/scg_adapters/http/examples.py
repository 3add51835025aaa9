"""Examples of bodies and ids for the OpenAPI document; a test sends each of them to a server.

Ids are of resources that such a body needs: whoever tries one puts an id of their own in its place.
"""

from __future__ import annotations

from typing import Any, Final


def _id(number: int) -> str:
    return f"0V7K3mWQ9d{number:04}Zr5Jx8bTc2Lh"[:22]


IDS: Final[dict[str, str]] = {
    name: _id(number)
    for number, name in enumerate(
        (
            "MessageRequest_ID", "Message_ID", "Sender_ID", "Channel_ID", "Template_ID",
            "Keyword_ID", "AddressStatus_ID", "Attachment_ID", "AccessToken_ID", "Contact_ID",
            "Rule_ID", "Group_ID", "Call_ID", "Bridge_ID", "Conference_ID", "Member_ID", "Job_ID",
            "Contact_Access_Token_Id", "Contact_Application_Token_Id", "Application_ID",
            "Token_ID", "Tariff_ID", "For_Sale", "Voice_Number", "Second_Call", "Import_File",
            "Subscription_ID", "Envelope_ID",
        ),
        start=1,
    )
} | {"Class_ID": "NOTIFICATION", "Type_ID": "SHORTCODE", "Company_ID": "acme"}  # fmt: skip
"""An id for each parameter of a path, and for what bodies name besides."""

_SPEECH: Final = {"text": "Your parcel arrives today.", "language": "en-US", "gender": "FEMALE"}
_SOUND: Final = {"source_type": "URL", "source": "https://example.com/welcome.mp3"}
_GROUP: Final = {"name": "Texas", "type": "DYNAMIC", "criteria": '{"primary_addr_state": "TX"}'}
_KEYWORD: Final = {"name": "join", "value": "JOIN", "actions": ["OPTIN"]}
_TEMPLATE: Final = {
    "name": "arrival", "designation": "TEMPLATE",
    "pattern": "Dear ${name}, your parcel arrives today.",
}  # fmt: skip
_PUSH: Final = {
    "sender_id_address": "news.app", "message_delivery_provider": "APN", "token": "a1b2c3d4",
}  # fmt: skip
_TALK: Final = {
    f"{of}_{call}": body
    for of in ("calls", "bridges", "conferences", "conference_members")
    for call, body in (("play_tts", _SPEECH), ("play_audio", _SOUND))
}

BODIES: Final[dict[str, dict[str, Any]]] = {
    "message_requests_create": {
        "from": f"sender_id:{IDS['Sender_ID']}", "to": ["+14155550100", "+14155550101"],
        "body": "Your parcel arrives today.", "external_id": "order-4711",
    },
    "message_requests_update": {"state": "CANCELED"},
    "messages_update": {"state": "CONVERTED", "conversion_info_source": "shop"},
    "sender_ids_create": {"address": "55513", "type_id": "SHORTCODE", "class_id": "NOTIFICATION"},
    "sender_ids_purchase": {"parent_id": IDS["For_Sale"]},
    "sender_ids_update": {"name": "alerts"},
    "channels_create": {"name": "campaigns", "priority": "normal"},
    "channels_update": {"description": "for the spring"},
    "channels_replace": {"name": "campaigns in summer", "priority": "low"},
    "channels_add_sender_ids": {"sender_ids": [IDS["Sender_ID"]]},
    "channels_remove_sender_ids": {"sender_ids": [IDS["Sender_ID"]]},
    "message_templates_create": _TEMPLATE,
    "message_templates_update": {"pattern": "Hello ${name}, your parcel is here."},
    "message_templates_replace": {**_TEMPLATE, "name": "departure"},
    "keywords_create": _KEYWORD,
    "keywords_update": {"description": "for the newsletter"},
    "keywords_replace": {"name": "enter", "value": "ENTER", "actions": ["OPTIN"]},
    "contact_address_statuses_create": {
        "address_type": "MDN", "address": "+14155550100", "sender_id": IDS["Sender_ID"],
        "consent_status": "OPTIN",
    },
    "contact_address_statuses_update": {"consent_status": "OPTOUT"},
    "attachments_create": {"name": "leaflet", "type": "image/png", "filename": "leaflet.png"},
    "attachments_update": {"filename": "leaflet-2.png"},
    "attachments_create_token": {"duration": 900},
    "access_tokens_create": {"resource": "ATTACHMENT", "resource_id": IDS["Attachment_ID"]},
    "contacts_create": {
        "external_id": "customer-1", "first_name": "Ann", "primary_mdn": "+14155550100",
        "extended_attributes": '{"tier": "gold"}',
    },
    "contacts_update": {"first_name": "Anne"},
    "contacts_replace": {"external_id": "customer-2", "first_name": "Anne"},
    "fast_access_create": {
        "target_attribute_name": "tier", "target_attribute": "fast_access_3",
        "value_derivation_script": "$..extended_attributes.tier",
    },
    "fast_access_update": {"user_data": "by the shop"},
    "contact_access_tokens_create": {"duration": "6000"},
    "contact_access_tokens_replace": {"duration": "600"},
    "application_tokens_create": _PUSH,
    "application_tokens_update": {"token": "e5f6"},
    "application_tokens_replace": _PUSH,
    "contact_groups_create": _GROUP,
    "contact_groups_update": {"description": "all of them"},
    "contact_groups_replace": {"name": "everybody", "description": "all of them"},
    "contact_groups_add_contacts": {"contacts": [IDS["Contact_ID"]]},
    "contact_imports_create": {"import_attachment_id": IDS["Import_File"]},
    "contact_exports_create": {"contact_group_id": IDS["Group_ID"]},
    "calls_create": {"from": IDS["Voice_Number"], "to": "+14155550123"},
    "calls_update": {"state": "COMPLETED"},
    "calls_play_dtmf": {"dtmf_digits": "12#"},
    "bridges_create": {"call_ids": [IDS["Call_ID"], IDS["Second_Call"]]},
    "bridges_update": {"bridge_audio": False},
    "conferences_create": {},
    "conference_members_create": {"call_id": IDS["Second_Call"]},
    "subscriptions_create": {
        "topics": ["SCG-Message"], "url": "https://example.com/events", "name": "receipts",
    },
    "subscriptions_update": {"throttle": 600},
    "subscriptions_replace": {
        "topics": ["SCG-Message", "SCG-Keyword"], "url": "https://example.com/events",
    },
    "subscriptions_create_for_channel": {
        "topics": ["SCG-Message"], "url": "https://example.com/events",
    },
    "envelopes_update": {"state": "PENDING"},
    **_TALK,
    "operator_companies_create": {"id": "acme-2", "name": "Acme Ltd"},
    "operator_companies_update": {"name": "Acme Limited"},
    "operator_credit_accounts_pay_in": {"amount": 100, "currency": "USD"},
    "operator_applications_create": {
        "company_id": "acme", "application_id": 2, "name": "shop", "requests_per_second": 50,
    },
    "operator_applications_update": {"requests_per_second": 100},
    "operator_api_tokens_create": {
        "company_id": "acme", "application_id": 1, "scope": "customer", "duration": 86400,
    },
    "operator_sender_ids_create": {
        "company_id": "acme", "address": "55514", "type_id": "SHORTCODE",
        "class_id": "NOTIFICATION", "country": "USA", "capabilities": ["SMS"],
    },
    "operator_sender_ids_update": {"name": "alerts"},
    "operator_sender_ids_move": {"event": "DEACTIVATE"},
    "operator_sender_id_classes_create": {
        "id": "ALERTS", "country_peak_throughput": 30, "applicable_countries": ["USA"],
    },
    "operator_sender_id_classes_replace": {"name": "Notifications", "country_peak_throughput": 50},
    "operator_sender_id_types_create": {"id": "TOLLFREE", "capabilities": ["SMS", "VOICE"]},
    "operator_sender_id_types_replace": {"capabilities": ["SMS"]},
    "operator_tariffs_create": {"country": "USA", "kind": "SMS", "price": 0.0075},
    "operator_suppressions_add": {"addresses": ["+14155550199"], "source": "CARRIER"},
    "operator_suppressions_remove": {"addresses": ["+14155550199"]},
    "operator_consent_texts_remove": {"kind": "HELP", "language": "en"},
    "operator_consent_texts_create": {
        "kind": "HELP", "language": "en", "text": "Acme alerts. Reply STOP to end.",
    },
}  # fmt: skip
"""A body for each operation that takes one, by its operationId."""

"""One of everything, for the probes and the contract walk: a route without its entry here fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from scg_adapters.http.routes import Does, Route
from scg_adapters.simulated import NEW_YEAR
from scg_core.attachments.model import AccessToken
from scg_core.calling.model import Call, ConferenceMember
from scg_core.consent.model import AddressStatus, status_id
from scg_core.contacts.model import ApplicationToken, FastAccessRule, GroupMember, member_id
from scg_core.events.lifecycle import EnvelopeState
from scg_core.events.model import Envelope
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import (
    Attribute,
    Day,
    JsonObject,
    JsonText,
    Micros,
    Resource,
    declaration,
    is_enum,
)
from scg_core.messaging.model import Message
from scg_core.senders.model import ChannelMember
from scg_core.tenancy.model import Scope
from tests.http import operator_lives
from tests.http.server import Served
from tests.stories.calls import OURS, VoiceWorld


def _request(served: Served) -> str:
    return served.request()


def _message(served: Served) -> str:
    request = served.request()
    served.settle()
    made = served.call("GET", f"/messaging/message_requests/{request}/messages")
    return str(made.json["list"][0]["id"])


def _sender(served: Served) -> str:
    return _made(served, "/messaging/sender_ids", {"address": f"9{served.number()}"})


def _channel(served: Served) -> str:
    return _made(served, "/messaging/channels", {"name": f"channel {served.number()}"})


def _template(served: Served) -> str:
    return _made(served, "/messaging/message_templates", _template_body(served))


def _template_body(served: Served) -> dict[str, Any]:
    name = f"template{served.number()}"
    return {"name": name, "designation": "TEMPLATE", "pattern": "Hello ${name}"}


def _keyword(served: Served) -> str:
    return _made(served, "/messaging/keywords", _keyword_body(served))


def _keyword_body(served: Served) -> dict[str, Any]:
    return {"name": f"keyword {served.number()}", "value": f"WORD {served.number()}"}


def _status(served: Served) -> str:
    return _made(served, "/consent/contact_address_statuses", _status_body(served))


def _status_body(served: Served) -> dict[str, Any]:
    return {
        "address": f"+1415555{1000 + int(served.number()) % 9000}",
        "address_type": "MDN", "sender_id": served.world.sender.id, "consent_status": "OPTIN",
    }  # fmt: skip


def _made(served: Served, path: str, body: dict[str, Any]) -> str:
    answer = served.call("POST", path, body)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


def for_sale(served: Served) -> str:
    fields = {"address": f"8{served.number()}", "ownership": "PREPROVISIONED"}
    return served.world.engine.operator().add_sender_id("operator", fields).id


def _attachment(served: Served) -> str:
    id = _made(served, "/messaging/attachments", {"name": f"file {served.number()}"})
    served.world.engine.application("acme", 1).attachments.upload(id, b"first_name\nAnn\n")
    return id


def _contact(served: Served) -> str:
    return _made(served, "/contacts", {"external_id": f"x{served.number()}"})


def _rule(served: Served) -> str:
    return _made(served, "/contacts/fast_access", _rule_body(served))


def _rule_body(served: Served) -> dict[str, Any]:
    """A rule for a slot that is free: older ones make room."""
    app = served.world.engine.application("acme", 1)
    for held in app.fast_access.all():
        if held.target_attribute not in ("fast_access_1", "fast_access_2"):  # the samples'
            app.fast_access.delete(held.id)
    return {"target_attribute": f"fast_access_{int(served.number()) % 18 + 3}"}


def _group(served: Served) -> str:
    return _made(served, "/contact_groups", {"name": f"group {served.number()}"})


def _access_token(served: Served) -> str:
    return _made(served, f"/messaging/attachments/{_attachment(served)}/access_tokens", {})


def _token_body(served: Served) -> dict[str, Any]:
    return {
        "sender_id_address": "news.app", "message_delivery_provider": "APN",
        "token": f"t{served.number()}",
    }  # fmt: skip


def _import(served: Served) -> str:
    return _made(served, "/contactimport", {"import_attachment_id": _attachment(served)})


def _export(served: Served) -> str:
    return _made(served, "/contactexport", {})


def voice_number(served: Served) -> str:
    """The id of the company's voice number."""
    world = served.world
    assert isinstance(world, VoiceWorld)
    return str(world.number.id)


def _call_body(served: Served) -> dict[str, Any]:
    return {"from": voice_number(served), "to": "+14155550123"}


def _call(served: Served) -> str:
    return _made(served, "/calling/calls", _call_body(served))


def _bridge(served: Served) -> str:
    return _made(served, "/calling/bridges", {"call_ids": [_call(served), _call(served)]})


def _conference(served: Served) -> str:
    made = _made(served, "/calling/conferences", {})
    _made(served, f"/calling/conferences/{made}/members", {"call_id": _call(served)})
    return made


def _speech(_: Served) -> dict[str, Any]:
    return {"text": "hello"}


def _sound(_: Served) -> dict[str, Any]:
    return {"source_type": "URL", "source": "https://example.com/a.mp3"}


def _subscription_body(served: Served) -> dict[str, Any]:
    return {"topics": ["SCG-Message"], "url": f"https://e{served.number()}.example/events"}


def _subscription(served: Served) -> str:
    return _made(served, "/event_subscriptions", _subscription_body(served))


def _envelope(served: Served, subscription: str) -> str:
    """An event that a receiver has refused."""
    with served.world.engine.transaction("envelope") as unit:
        made = sample(Envelope, int(served.number()))
        made = evolve(made, id=unit.new_id(), company_id="acme", subscription_id=subscription)
        unit.add(evolve(made, state=EnvelopeState.FAILED, due=None, open=None))
    return made.id


_TALK: dict[str, Callable[[Served], dict[str, Any]]] = {
    f"{of} {call}": body
    for of in ("calls", "bridges", "conferences", "conference_members")
    for call, body in (("play_tts", _speech), ("play_audio", _sound))
}

MAKERS: dict[str, Callable[[Served], str]] = {
    "MessageRequest_ID": _request,
    "Message_ID": _message,
    "Sender_ID": _sender,
    "Class_ID": lambda _: "NOTIFICATION",
    "Type_ID": lambda _: "SHORTCODE",
    "Channel_ID": _channel,
    "Template_ID": _template,
    "Keyword_ID": _keyword,
    "AddressStatus_ID": _status,
    "Attachment_ID": _attachment,
    "AccessToken_ID": _access_token,
    "Contact_ID": _contact,
    "Rule_ID": _rule,
    "Group_ID": _group,
    "Call_ID": _call,
    "Bridge_ID": _bridge,
    "Conference_ID": _conference,
    "Subscription_ID": _subscription,
}
"""How the resource behind each path parameter is made, for the company acme."""

JOBS: dict[str, Callable[[Served], str]] = {
    "contact_imports": _import, "contact_exports": _export,
}  # fmt: skip
"""How the job behind a path is made, by collection."""

INSIDE: dict[str, tuple[str, Callable[[Served], dict[str, Any]]]] = {
    "Contact_Access_Token_Id": ("/contacts/{}/access_tokens", lambda _: {}),
    "Contact_Application_Token_Id": ("/contacts/{}/application_tokens", _token_body),
    "Member_ID": ("/calling/conferences/{}/members", lambda served: {"call_id": _call(served)}),
}
"""Where below another resource a path parameter's is made, and what with."""

EVERYBODYS = ("Class_ID", "Type_ID")
"""Path parameters of resources that belong to no company."""

BODIES: dict[str, Callable[[Served], dict[str, Any]]] = {
    "message_requests create": lambda served: {
        "from": served.world.sender.id, "to": ["+14155550100"], "body": "hello",
    },
    "message_requests update": lambda _: {"state": "CANCELED"},
    "messages update": lambda _: {"state": "CONVERTED"},
    "sender_ids create": lambda served: {"address": f"9{served.number()}"},
    "sender_ids purchase": lambda served: {"parent_id": for_sale(served)},
    "sender_ids update": lambda served: {"name": f"name {served.number()}"},
    "channels create": lambda served: {"name": f"channel {served.number()}"},
    "channels update": lambda served: {"description": f"text {served.number()}"},
    "channels replace": lambda served: {"name": f"channel {served.number()}"},
    "channels add_sender_ids": lambda served: {"sender_ids": [_sender(served)]},
    "channels remove_sender_ids": lambda served: {"sender_ids": [_sender(served)]},
    "message_templates create": _template_body,
    "message_templates update": lambda served: {"pattern": f"Hello {served.number()}"},
    "message_templates replace": _template_body,
    "keywords create": _keyword_body,
    "keywords update": lambda served: {"description": f"text {served.number()}"},
    "keywords replace": _keyword_body,
    "contact_address_statuses create": _status_body,
    "contact_address_statuses update": lambda _: {"consent_status": "OPTOUT"},
    "attachments create": lambda served: {"name": f"file {served.number()}"},
    "attachments update": lambda served: {"filename": f"{served.number()}.txt"},
    "attachments create_token": lambda _: {},
    "access_tokens create": lambda served: {"resource_id": _attachment(served)},
    "contacts create": lambda served: {"external_id": f"x{served.number()}"},
    "contacts update": lambda served: {"first_name": f"name {served.number()}"},
    "contacts replace": lambda served: {"external_id": f"x{served.number()}"},
    "fast_access create": _rule_body,
    "fast_access update": lambda served: {"user_data": f"data {served.number()}"},
    "contact_access_tokens create": lambda _: {"duration": "6000"},
    "contact_access_tokens replace": lambda _: {"duration": "60"},
    "application_tokens create": _token_body,
    "application_tokens update": lambda served: {"token": f"t{served.number()}"},
    "application_tokens replace": _token_body,
    "contact_groups create": lambda served: {"name": f"group {served.number()}"},
    "contact_groups update": lambda served: {"description": f"text {served.number()}"},
    "contact_groups replace": lambda served: {"name": f"group {served.number()}"},
    "contact_groups add_contacts": lambda served: {"contacts": [_contact(served)]},
    "contact_imports create": lambda served: {"import_attachment_id": _attachment(served)},
    "contact_exports create": lambda _: {},
    "calls create": _call_body,
    "calls update": lambda served: {"external_id": f"x{served.number()}"},
    "calls play_dtmf": lambda _: {"dtmf_digits": "12#"},
    "bridges create": lambda _: {"bridge_audio": True},
    "bridges update": lambda served: {"external_id": f"x{served.number()}"},
    "conferences create": lambda _: {},
    "conference_members create": lambda served: {"call_id": _call(served)},
    "subscriptions create": _subscription_body,
    "subscriptions update": lambda served: {"name": f"name {served.number()}"},
    "subscriptions replace": _subscription_body,
    "subscriptions create_for_channel": lambda _: {"url": "https://e.example/"},
    "subscriptions rotate_secret": lambda _: {},
    "subscriptions replay_failed": lambda _: {},
    "envelopes update": lambda _: {"state": "PENDING"},
    **_TALK,
}  # fmt: skip
"""A body that each writing route accepts."""

_CHOICES: dict[str, Any] = {
    "conversation_id": "c", "campaign_id": "k", "program_id": "p", "subject": "s",
    "external_id": "e", "body": "other", "consent_requirement": "NONE", "to": ["+14155550101"],
    "src_language": "de", "dst_language": "fr", "content_type": "text/plain",
    "expiry_time": 1_767_312_000_000, "scheduled_delivery_time": 1_767_300_000_000,
    "scheduled_delivery_time_zone": "LOCAL", "test_message_flag": True,
    "pause_before_transmit": True, "pause_expiry_time": 1_767_300_000_000, "price_threshold": 3,
    "sender_id_sort_criteria": ["PRICE"], "contact_delivery_address_priority": ["PUSH"],
    "translate": False,
    "attachments": lambda served: [_attachment(served)], "criteria": '{"state": "TX"}',
}  # fmt: skip
_SENDER: dict[str, Any] = {
    "name": "n", "content_type": "x", "message_templates": lambda served: [_template(served)],
    "two_way_required": "YES",
    "keep_sender_address": "YES", "dr_required": "YES", "consent_managed_by": "SCG",
    "capabilities": ["SMS"], "check_white_list": True,
}  # fmt: skip
_TEMPLATE: dict[str, Any] = {
    "name": lambda served: f"template{served.number()}", "designation": "VALIDATOR",
    "pattern": "Dear ${name}",
}  # fmt: skip
_KEYWORD: dict[str, Any] = {
    "name": lambda served: f"keyword {served.number()}",
    "value": lambda served: f"WORD {served.number()}", "description": "d", "case": "SENSITIVE",
    "sender_id": lambda served: _sender(served), "valid_from": 1_767_000_000_000,
    "valid_to": 1_767_312_000_000, "associated_info": "i", "campaign_id": "c", "type": "COMPANY",
    "actions": ["OPTIN", "STORE"],
    "reply_template": lambda served: served.call(
        "GET", f"/messaging/message_templates/{_template(served)}"
    ).json["name"],
}  # fmt: skip
_CONTACT: dict[str, Any] = {
    **{name: name[:20] for name in (
        "first_name", "last_name", "primary_addr_line1", "primary_addr_line2",
        "primary_addr_city", "primary_addr_zip", "primary_addr_state", "primary_email_addr",
        "primary_addr_country", "primary_social_handle",
    )},
    "external_id": lambda served: f"x{served.number()}",
    "primary_mdn": lambda served: f"+1415555{1000 + int(served.number()) % 9000}",
    "birth_date": "1984-02-29", "first_acquisition_date": 1_767_000_000_000,
    "last_acquisition_date": 1_767_000_000_000,
    "address_list": '[{"priority": 1, "city": "Tampa"}]',
    "customer_account_list": '[{"type": "email", "username": "a@b.cd"}]',
    "customer_device_list": '[{"msisdn": "+14155550100", "status": "VALID_NEW"}]',
    "interest_list": '[{"code": "golf", "score": 0.5}]', "demographic_list": "[]",
    "extended_attributes": '{"Favorite_Color": "red"}', "preferred_language": "es",
    "voice_preference": "PREFER_VOICE",
}  # fmt: skip
_RULE: dict[str, Any] = {
    "target_attribute": lambda served: _rule_body(served)["target_attribute"],
    "target_attribute_name": "tier", "value_derivation_script": "$..tier", "user_data": "u",
}  # fmt: skip
_GROUP: dict[str, Any] = {
    "external_id": lambda served: f"g{served.number()}", "description": "d",
    "name": lambda served: f"group {served.number()}", "type": "STATIC",
    "criteria": '{"state": "TX"}',
}  # fmt: skip
_FILE: dict[str, Any] = {"name": "n", "type": "image/png", "filename": "f.png"}
_TOKEN: dict[str, Any] = {
    "sender_id_address": "other.app", "message_delivery_provider": "GCM",
    "token": lambda served: f"t{served.number()}",
}  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "message_requests create": _CHOICES,
    "messages update": {"state": "CONVERTED"},
    "sender_ids create": {
        **_SENDER, "class_id": "NOTIFICATION", "type_id": "SHORTCODE", "address": "123456",
        "ownership": "PRIVATE",
    },
    "sender_ids update": _SENDER,
    "channels create": {"name": "one", "priority": "high", "description": "d",
                        "ownership": "PRIVATE"},
    "channels update": {"name": "two", "priority": "low", "description": "d"},
    "channels replace": {"name": "three", "priority": "low", "description": "d",
                         "ownership": "PRIVATE"},
    "message_templates create": _TEMPLATE,
    "message_templates update": _TEMPLATE,
    "message_templates replace": _TEMPLATE,
    "keywords create": _KEYWORD,
    "keywords update": _KEYWORD,
    "keywords replace": _KEYWORD,
    "contact_address_statuses create": {"address_type": "MDN", "consent_status": "WHITELIST"},
    "contact_address_statuses update": {"consent_status": "WHITELIST"},
    "attachments create": _FILE,
    "attachments update": _FILE,
    "contacts create": _CONTACT,
    "contacts update": _CONTACT,
    "contacts replace": _CONTACT,
    "fast_access create": _RULE,
    "fast_access update": _RULE,
    "application_tokens create": _TOKEN,
    "application_tokens update": _TOKEN,
    "application_tokens replace": _TOKEN,
    "contact_groups create": _GROUP,
    "contact_groups update": _GROUP,
    "contact_groups replace": _GROUP,
    "contact_exports create": {
        "contact_group_id": lambda served: _group(served),
        "export_attachment_id": lambda served: _made(served, "/messaging/attachments", {}),
    },
    "calls create": {
        "external_id": "e", "from": voice_number, "from_address": OURS, "to": "+1 415 555 0123",
        "answer_timeout": 30_000,
        "bridge_id": lambda served: _made(served, "/calling/bridges", {}),
    },
    "calls update": {
        "external_id": "e", "bridge_id": lambda served: _made(served, "/calling/bridges", {}),
    },
    "bridges create": {"bridge_audio": False},
    "bridges update": {"bridge_audio": False},
    "conferences create": {"external_id": "e", "from": "+14155550199", "hold": True, "mute": True},
    "conference_members create": {
        "external_id": "e", "join_tone": True, "leaving_tone": True, "hold": True, "mute": True,
        "conference_external_id": "c",
    },
}  # fmt: skip
"""For each writing route values of body fields that are read back as they were written, or what
makes such a value."""

ELSEWHERE: dict[str, str] = {
    "message_requests create from": "read back as given: tests of naming",
    "message_requests create application_id": "the token's",
    "sender_ids create parent_id": "makes a copy: test_senders",
    "sender_ids create state": "follows from the type",
    "sender_ids create country": "the operator's",
    "sender_ids create operators": "the operator's",
    "sender_ids create credentials": "masked when read: test_senders",
    "sender_ids update credentials": "masked when read: test_senders",
    "contact_address_statuses update address_type": "never changes: stories of consent",
    "sender_ids purchase parent_id": "the copy's parent: test_senders",
    "calls create direction": "an outgoing call is OUT, whatever is said",
    "calls create failure_code": "the engine's",
    "calls create failure_details": "the engine's",
    "bridges create call_ids": "of calls on the bridge's switch: test_calls, test_clients",
    "bridges update call_ids": "of calls on the bridge's switch: test_calls, test_clients",
    "conferences create state": "a new conference is created",
    "conference_members create state": "a new member is active",
}
"""Body fields that are not read back as written, with why; counters are ignored everywhere."""


def path_of(route: Route, served: Served) -> str:
    """The route's path with resources that exist."""
    ids: list[str] = []
    for name in route.parameters:
        if name in INSIDE:
            below, body = INSIDE[name]
            ids.append(_made(served, below.format(ids[0]), body(served)))
        elif route.scope is Scope.OPERATOR:
            ids.append(operator_lives.MAKERS[name](served))
        elif name == "Envelope_ID":
            ids.append(_envelope(served, ids[0]))
        elif name == "Job_ID":
            ids.append(JOBS[route.of](served))
        else:
            ids.append(MAKERS[name](served))
    if len(ids) > 1 and route.of in ("channels", "contact_groups"):
        above, field = ("/messaging/channels", "sender_ids")
        if route.of == "contact_groups":
            above, field = ("/contact_groups", "contacts")
        served.call("POST", f"{above}/{ids[0]}/{field}", {field: ids[1:]})
    path = route.path
    for name, id in zip(route.parameters, ids, strict=True):
        path = path.replace(f"{{{name}}}", id)
    return path


def unknown_path(route: Route) -> str:
    """The route's path with ids that nobody has."""
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", "0" * 22)
    return path


def body_of(route: Route, served: Served) -> dict[str, Any] | None:
    """A body for the route, if it takes one."""
    if route.does in (Does.LIST, Does.READ, Does.DELETE, Does.REFUSE):
        return None
    if route.does is Does.TAKE and not route.field:
        return None
    bodies = operator_lives.BODIES if route.scope is Scope.OPERATOR else BODIES
    return bodies[f"{route.of} {route.call}"](served)


def within(path: str, served: Served, pair: tuple[Any, Any]) -> str:
    """The path of a sub-collection, with the resource above it, that holds two stored ones."""
    [name] = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parent = MAKERS[name](served)
    storage = served.world.storage
    with storage.transaction("relate") as session:
        match path.rpartition("/")[2]:
            case "messages":
                rows = [(parent, one.seq) for one in pair]
                session.update(Message, ("message_request_id",), ("seq",), rows)
            case "attachments":
                held = session.get(Message, parent)
                assert held is not None
                ids = tuple(one.id for one in pair)
                changes = {"attachments": ids, "version_number": held.version_number + 1}
                session.replace(evolve(held, **changes))
            case "sender_ids":
                for one in pair:
                    id = f"{parent}{one.id}"
                    session.add(ChannelMember(id=id, channel_id=parent, sender_id=one.id))
            case "contacts":
                for one in pair:
                    id = member_id(parent, one.id)
                    session.add(GroupMember(id=id, contact_id=one.id))
            case "calls":
                rows = [(parent, one.id) for one in pair]
                session.update(Call, ("bridge_id",), ("id",), rows)
            case "members":
                rows = [(parent, one.id) for one in pair]
                session.update(ConferenceMember, ("conference_id",), ("id",), rows)
            case "access_tokens":
                rows = [(parent, one.id) for one in pair]
                session.update(AccessToken, ("resource_id",), ("id",), rows)
            case "application_tokens":
                rows = [(parent, one.id) for one in pair]
                session.update(ApplicationToken, ("contact_id",), ("id",), rows)
            case unknown:
                raise AssertionError(f"say how to relate {unknown}")
    return path.replace(f"{{{name}}}", parent)


def sample(kind: type[Resource], variant: int) -> Any:
    """A resource of acme with every attribute set; two variants differ in each."""
    values = {a.name: _value(a, variant) for a in declaration(kind).attributes}
    if "company_id" in values:
        values["company_id"] = "acme"
    if "deleted" in values:
        values["deleted"] = False
    if kind is AddressStatus:  # ids of these are derived
        key = (values["sender_id"], values["address_type"], values["address"])
        values["id"] = status_id("acme", *key)
    if kind is FastAccessRule:
        values["target_attribute"] = f"fast_access_{variant}"
        values["value_derivation_script"] = f"$.x{variant}"
    made = kind(**values)
    if "version_number" in declaration(kind).by_name:
        made = evolve(made, version_number=1)
    return made


def _value(attribute: Attribute, variant: int) -> Any:
    kind: Any = attribute.type
    if attribute.derived:
        return attribute.default
    if is_enum(kind):
        members = [one for one in kind if one.value != "DELETED"]
        return members[variant % len(members)]
    if kind == tuple[str, ...]:
        return (f"{attribute.name[:6]}{variant}",)
    if kind is Instant:
        return NEW_YEAR + variant * 60_000
    if kind is Day:
        return f"1990-01-0{variant}"
    if kind is JsonObject:
        return JsonObject(f'{{"{attribute.name}":{variant}}}')
    if kind is JsonText:
        return JsonText(f'{{"{attribute.name}":{variant}}}')
    if kind is bool:
        return variant % 2 == 1
    if kind is Micros:
        return Micros(variant * 1_500_000)
    if kind in (int, float):
        return kind(1_000_000 + variant)
    return f"{variant}-{attribute.name}"[: attribute.length or 64]


def filter_text(attribute: Attribute, resource: Resource) -> str:
    """How a client writes the resource's own value of an attribute in a filter."""
    value = getattr(resource, attribute.name)
    if is_enum(attribute.type):
        return str(value.value)
    if isinstance(value, tuple):
        return str(value[0])
    if attribute.type is Micros:
        return str(value / 1_000_000)
    return str(value).lower() if isinstance(value, bool) else str(value)

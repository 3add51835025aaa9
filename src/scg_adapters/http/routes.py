"""The routes as a table: what each verb of each path asks of the library.

A row names a collection of ``Application`` and one of its verbs; how path, query and body become
arguments follows from what the row *does*. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scg_adapters.http import calling
from scg_adapters.http.eventing import eventing
from scg_adapters.http.operating import operating
from scg_adapters.http.route import Does, Route, row
from scg_core.attachments.model import AccessToken, Attachment
from scg_core.consent.model import AddressHistory, AddressStatus, Keyword
from scg_core.contacts.model import (
    ApplicationToken,
    Contact,
    ContactGroup,
    ExportJob,
    FastAccessRule,
    ImportJob,
)
from scg_core.kernel.resource import Resource, declaration
from scg_core.messaging.model import Message, MessageRequest
from scg_core.senders.model import Channel, SenderId, SenderIdClass, SenderIdType
from scg_core.templates.model import MessageTemplate

__all__ = ["BASE", "ROUTES", "Does", "Paths", "Route"]

BASE: Final = "/scg-external-api/api/v1"


def _messaging() -> Iterator[Route]:
    requests, messages = "/messaging/message_requests", "/messaging/messages"
    request, message = f"{requests}/{{MessageRequest_ID}}", f"{messages}/{{Message_ID}}"
    yield row(requests, Does.LIST, MessageRequest, "message_requests", "List message requests.")
    yield row(
        requests, Does.CREATE, MessageRequest, "message_requests",
        "Send a message to one or many recipients.", keyed=True,
    )  # fmt: skip
    yield row(request, Does.READ, MessageRequest, "message_requests", "Read a message request.")
    yield row(
        request, Does.UPDATE, MessageRequest, "message_requests",
        "Cancel a message request, or resume a paused one.",
    )  # fmt: skip
    yield row(
        request, Does.DELETE, MessageRequest, "message_requests",
        "Delete a message request, canceling it first if it is not finished.",
    )  # fmt: skip
    yield row(
        f"{request}/messages", Does.LIST, Message, "message_requests",
        "List the messages of a message request.", call="messages",
    )  # fmt: skip
    yield row(
        f"{request}/messages", Does.REFUSE, Message, "message_requests",
        "Not allowed: messages are made by their request.",
    )  # fmt: skip
    yield row(messages, Does.LIST, Message, "messages", "List messages.")
    yield row(
        messages, Does.REFUSE, Message, "messages",
        "Not allowed: create a message request instead.",
    )  # fmt: skip
    yield row(message, Does.READ, Message, "messages", "Read a message.")
    yield row(
        message, Does.UPDATE, Message, "messages",
        "Mark a message CONVERTED, PROCESSED or DELETED.",
    )  # fmt: skip
    yield row(
        message, Does.DELETE, Message, "messages",
        "Delete a message; one still queued does not leave.",
    )  # fmt: skip
    yield row(
        f"{message}/attachments", Does.LIST, Attachment, "messages",
        "List the attachments of a message.", call="attachments",
    )  # fmt: skip
    yield row(
        f"{message}/attachments", Does.REFUSE, Attachment, "messages",
        "Not allowed: attachments are named when the request is made.",
    )  # fmt: skip


def _senders() -> Iterator[Route]:
    senders = "/messaging/sender_ids"
    sender = f"{senders}/{{Sender_ID}}"
    yield row(senders, Does.LIST, SenderId, "sender_ids", "List sender ids.")
    yield row(
        senders, Does.CREATE, SenderId, "sender_ids",
        "Ask for a sender id; with `parent_id` for a copy of a shared one.",
    )  # fmt: skip
    yield row(
        f"{senders}/purchase", Does.ACT, SenderId, "sender_ids",
        "Purchase a preprovisioned sender id.", call="purchase", field="parent_id",
    )  # fmt: skip
    yield row(sender, Does.READ, SenderId, "sender_ids", "Read a sender id.")
    yield row(sender, Does.UPDATE, SenderId, "sender_ids", "Change a sender id.")
    yield row(sender, Does.DELETE, SenderId, "sender_ids", "Give a sender id up.")
    yield from _read_only(
        "/messaging/sender_id_classes", "Class_ID", SenderIdClass, "sender_id_classes"
    )
    yield from _read_only("/messaging/sender_id_types", "Type_ID", SenderIdType, "sender_id_types")


def _channels() -> Iterator[Route]:
    channels = "/messaging/channels"
    channel = f"{channels}/{{Channel_ID}}"
    yield row(channels, Does.LIST, Channel, "channels", "List channels.")
    yield row(channels, Does.CREATE, Channel, "channels", "Make a channel.")
    yield row(channel, Does.READ, Channel, "channels", "Read a channel.")
    yield row(channel, Does.UPDATE, Channel, "channels", "Change what is given of a channel.")
    yield row(channel, Does.REPLACE, Channel, "channels", "Replace a channel.")
    yield row(channel, Does.DELETE, Channel, "channels", "Delete a channel; its sender ids stay.")
    yield row(
        f"{channel}/sender_ids", Does.LIST, SenderId, "channels",
        "List the sender ids of a channel.", call="sender_ids",
    )  # fmt: skip
    yield row(
        f"{channel}/sender_ids", Does.ADD, Channel, "channels", "Add sender ids to a channel.",
        call="add_sender_ids", field="sender_ids", also=("sender_id", "id"),
    )  # fmt: skip
    yield row(
        f"{channel}/sender_ids", Does.TAKE, Channel, "channels",
        "Take the sender ids named in the body out of a channel.",
        call="remove_sender_ids", field="sender_ids", also=("sender_id", "id"),
    )  # fmt: skip
    yield row(
        f"{channel}/sender_ids/{{Sender_ID}}", Does.TAKE, Channel, "channels",
        "Take a sender id out of a channel.", call="remove_sender_ids",
    )  # fmt: skip


def _templates() -> Iterator[Route]:
    templates, of = "/messaging/message_templates", "message_templates"
    template = f"{templates}/{{Template_ID}}"
    kind = MessageTemplate
    yield row(templates, Does.LIST, kind, of, "List message templates.")
    yield row(templates, Does.CREATE, kind, of, "Make a message template.")
    yield row(template, Does.READ, kind, of, "Read a message template.")
    yield row(template, Does.UPDATE, kind, of, "Change what is given of a message template.")
    yield row(template, Does.REPLACE, kind, of, "Replace a message template.")
    yield row(
        template, Does.DELETE, kind, of,
        "Delete a message template; bodies that refer to it fail from then on.",
    )  # fmt: skip


def _words() -> Iterator[Route]:
    keywords, statuses = "/messaging/keywords", "/consent/contact_address_statuses"
    keyword, status = f"{keywords}/{{Keyword_ID}}", f"{statuses}/{{AddressStatus_ID}}"
    yield row(keywords, Does.LIST, Keyword, "keywords", "List keywords, the reserved ones too.")
    yield row(keywords, Does.CREATE, Keyword, "keywords", "Make a keyword.")
    yield row(keyword, Does.READ, Keyword, "keywords", "Read a keyword.")
    yield row(keyword, Does.UPDATE, Keyword, "keywords", "Change what is given of a keyword.")
    yield row(keyword, Does.REPLACE, Keyword, "keywords", "Replace a keyword.")
    yield row(keyword, Does.DELETE, Keyword, "keywords", "Delete a keyword.")
    kind, of = AddressStatus, "contact_address_statuses"
    yield row(statuses, Does.LIST, kind, of, "List how addresses stand with sender ids.")
    yield row(
        statuses, Does.CREATE, kind, of,
        "Say how an address stands, or ask it for a double opt-in.",
    )  # fmt: skip
    yield row(status, Does.READ, kind, of, "Read how an address stands.")
    yield row(status, Does.UPDATE, kind, of, "Set the consent status of an address.")
    yield row(status, Does.DELETE, kind, of, "Forget how an address stands; its history stays.")
    yield row(
        "/consent/contact_address_history", Does.LIST, AddressHistory, "contact_address_history",
        "List what people said and what was changed of their consent.",
    )  # fmt: skip


def _attachments() -> Iterator[Route]:
    attachments, of = "/messaging/attachments", "attachments"
    attachment = f"{attachments}/{{Attachment_ID}}"
    kind = Attachment
    yield row(attachments, Does.LIST, kind, of, "List attachments.")
    yield row(attachments, Does.CREATE, kind, of, "Make an attachment, to be uploaded.")
    yield row(attachment, Does.READ, kind, of, "Read an attachment.")
    yield row(attachment, Does.UPDATE, kind, of, "Change what is given of an attachment.")
    yield row(
        attachment, Does.DELETE, kind, of,
        "Delete an attachment, its content and the tokens that open it.",
    )  # fmt: skip
    yield row(
        f"{attachment}/access_tokens", Does.CREATE, AccessToken, of,
        "Make a token to upload or download the attachment's content with.", call="create_token",
    )  # fmt: skip
    tokens, of = "/access_tokens", "access_tokens"
    token = f"{tokens}/{{AccessToken_ID}}"
    yield row(tokens, Does.LIST, AccessToken, of, "List access tokens that have not expired.")
    yield row(tokens, Does.CREATE, AccessToken, of, "Make a token for an attachment or contact.")
    yield row(token, Does.READ, AccessToken, of, "Read an access token.")
    yield row(token, Does.DELETE, AccessToken, of, "Let an access token open nothing any more.")


def _contacts() -> Iterator[Route]:
    contacts, of = "/contacts", "contacts"
    contact, kind = f"{contacts}/{{Contact_ID}}", Contact
    yield row(contacts, Does.LIST, kind, of, "List contacts.")
    yield row(contacts, Does.CREATE, kind, of, "Make a contact.")
    yield row(contact, Does.READ, kind, of, "Read a contact.", holder=True)
    yield row(contact, Does.UPDATE, kind, of, "Change what is given of a contact.")
    yield row(contact, Does.REPLACE, kind, of, "Replace a contact.")
    yield row(contact, Does.DELETE, kind, of, "Delete a contact; it leaves its groups.")
    rules, rule = "/contacts/fast_access", "/contacts/fast_access/{Rule_ID}"
    yield row(rules, Does.LIST, FastAccessRule, "fast_access", "List fast-access rules.")
    yield row(
        rules, Does.CREATE, FastAccessRule, "fast_access",
        "Make a fast-access rule; contacts are derived in the background.",
    )  # fmt: skip
    yield row(rule, Does.READ, FastAccessRule, "fast_access", "Read a fast-access rule.")
    yield row(
        rule, Does.UPDATE, FastAccessRule, "fast_access",
        "Change what is given of a fast-access rule.",
    )  # fmt: skip
    yield row(
        rule, Does.DELETE, FastAccessRule, "fast_access",
        "Delete a fast-access rule; its slot is emptied in the background.",
    )  # fmt: skip


def _contact_tokens() -> Iterator[Route]:
    tokens, of = "/contacts/{Contact_ID}/access_tokens", "contact_access_tokens"
    token, kind = f"{tokens}/{{Contact_Access_Token_Id}}", AccessToken
    yield row(tokens, Does.LIST, kind, of, "List the access tokens of a contact.")
    yield row(tokens, Does.CREATE, kind, of, "Make a token that lets its holder read a contact.")
    yield row(token, Does.READ, kind, of, "Read an access token of a contact.")
    yield row(token, Does.REPLACE, kind, of, "Let an access token of a contact count anew.")
    yield row(token, Does.DELETE, kind, of, "Let an access token open nothing any more.")
    tokens, of = "/contacts/{Contact_ID}/application_tokens", "application_tokens"
    token, registered = f"{tokens}/{{Contact_Application_Token_Id}}", ApplicationToken
    for path, does, summary in (
        (tokens, Does.LIST, "List the application tokens of a contact."),
        (tokens, Does.CREATE, "Register an application's token with a contact."),
        (token, Does.READ, "Read an application token of a contact."),
        (token, Does.UPDATE, "Change what is given of an application token."),
        (token, Does.REPLACE, "Replace an application token."),
        (token, Does.DELETE, "Forget an application token."),
    ):
        yield row(path, does, registered, of, summary, holder=True)


def _groups() -> Iterator[Route]:
    groups, of = "/contact_groups", "contact_groups"
    group, kind = f"{groups}/{{Group_ID}}", ContactGroup
    yield row(groups, Does.LIST, kind, of, "List contact groups.")
    yield row(groups, Does.CREATE, kind, of, "Make a contact group.")
    yield row(group, Does.READ, kind, of, "Read a contact group; its members are counted.")
    yield row(group, Does.UPDATE, kind, of, "Change what is given of a contact group.")
    yield row(group, Does.REPLACE, kind, of, "Replace a contact group.")
    yield row(group, Does.DELETE, kind, of, "Delete a contact group; its contacts stay.")
    contacts = f"{group}/contacts"
    contact = f"{contacts}/{{Contact_ID}}"
    yield row(contacts, Does.LIST, Contact, of, "List a group's contacts.", call="contacts")
    yield row(
        contacts, Does.ADD, kind, of, "Put contacts in a STATIC group.",
        call="add_contacts", field="contacts", also=("contact_ids", "contact_id", "id"),
    )  # fmt: skip
    yield row(contact, Does.READ, Contact, of, "Read a contact of a group.", call="contact")
    yield row(
        contact, Does.TAKE, kind, of, "Take a contact out of a STATIC group.",
        call="remove_contacts",
    )  # fmt: skip


def _jobs() -> Iterator[Route]:
    for path, kind, of, what in (
        ("/contactimport", ImportJob, "contact_imports", "import"),
        ("/contactexport", ExportJob, "contact_exports", "export"),
    ):
        job = f"{path}/{{Job_ID}}"
        yield row(path, Does.LIST, kind, of, f"List jobs that {what} contacts.")
        yield row(path, Does.CREATE, kind, of, f"Let a job {what} contacts in the background.")
        yield row(job, Does.READ, kind, of, f"Read how far a job that {what}s contacts is.")
        yield row(job, Does.DELETE, kind, of, f"Delete a job that {what}s contacts; it stops.")


def _read_only(path: str, id: str, kind: type[Resource], of: str) -> Iterator[Route]:
    title = declaration(kind).title
    yield row(path, Does.LIST, kind, of, f"List every {title}.")
    yield row(f"{path}/{{{id}}}", Does.READ, kind, of, f"Read a {title}.")


def _table() -> Iterator[Route]:
    yield from _messaging()
    yield from _senders()
    yield from _channels()
    yield from _templates()
    yield from _words()
    yield from _attachments()
    yield from _contacts()
    yield from _contact_tokens()
    yield from _groups()
    yield from _jobs()
    yield from calling.calls()
    yield from calling.bridges()
    yield from calling.conferences()
    yield from eventing()
    yield from operating()


ROUTES: Final[tuple[Route, ...]] = tuple(_table())


class Paths:
    """Finds the routes of a path: literal parts before parameters."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._root: dict[str, object] = {}
        for route in routes:
            node = self._root
            for part in route.path.strip("/").split("/"):
                node = node.setdefault(_ANY if part.startswith("{") else part, {})  # type: ignore[assignment]
            node.setdefault(_HERE, {})[route.verb] = route  # type: ignore[index]

    def find(self, parts: list[str]) -> tuple[dict[str, Route], tuple[str, ...]] | None:
        """The routes of a path by verb, and the values of its parameters."""
        found = _walk(self._root, parts, 0)
        if found is None:
            return None
        node, values = found
        return node, values


_ANY: Final = "{}"
_HERE: Final = "/"


def _walk(
    node: dict[str, object], parts: list[str], at: int
) -> tuple[dict[str, Route], tuple[str, ...]] | None:
    if at == len(parts):
        here = node.get(_HERE)
        return None if here is None else (here, ())  # type: ignore[return-value]
    literal = node.get(parts[at])
    if literal is not None and parts[at] not in (_ANY, _HERE):
        found = _walk(literal, parts, at + 1)  # type: ignore[arg-type]
        if found is not None:
            return found
    any_ = node.get(_ANY)
    if any_ is None:
        return None
    found = _walk(any_, parts, at + 1)  # type: ignore[arg-type]
    return None if found is None else (found[0], (parts[at], *found[1]))

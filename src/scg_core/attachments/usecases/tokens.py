"""Access tokens: their ids are chance, and whoever shows one is let to one resource."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.attachments.model import AccessToken, Attachment, TokenScope
from scg_core.attachments.steps import create_token, expiry_of, refuse_others
from scg_core.kernel.errors import NotFound
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def attachment_token(
    unit: Unit, caller: Caller, attachment_id: str, given: Mapping[str, object], id: str
) -> AccessToken:
    """A token to put or get an attachment's content with.

    Raises:
        NotFound: the company has no such attachment.
        InvalidField: it names the field.
    """
    held = unit.get(Attachment, caller.company_id, attachment_id)
    return create_token(unit, caller, TokenScope.ATTACHMENT, held.id, given, id)


def renew_token(unit: Unit, held: AccessToken, caller: Caller, given: Mapping[str, object]
) -> AccessToken:  # fmt: skip
    """Let a token count for as long again.

    Raises:
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
    """
    unit.check_version(held, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    refuse_others(asked, caller)
    return unit.save(held, expiry_time=expiry_of(unit, asked))


def opened(unit: Unit, token: str, scope: TokenScope) -> AccessToken:
    """What a token opens.

    Raises:
        NotFound: it is none of ours, has expired or opens something else: all alike.
    """
    held = unit.session.get(AccessToken, token)
    if held is None or held.resource is not scope or held.expiry_time <= unit.now:
        raise NotFound(AccessToken.__declaration__.title, "...")
    return held

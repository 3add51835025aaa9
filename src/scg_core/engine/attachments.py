"""A company's attachments, and the tokens that open them to whoever shows one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from scg_core.attachments.model import AccessToken, Attachment, TokenScope
from scg_core.attachments.steps import create_token
from scg_core.attachments.usecases import attachments, tokens
from scg_core.contacts.model import Contact
from scg_core.engine import content
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.query import (
    DEFAULT_LIMIT,
    Condition,
    Page,
    Query,
    above,
    eq,
    filtered,
    listing,
)
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


class Attachments(Collection[Attachment]):
    """A company's attachments."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Attachment)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Attachment:
        """Make an attachment, to be uploaded.

        Raises:
            InvalidField: it names the field.
        """
        with self._engine.transaction("create_attachment") as unit:
            return attachments.create_attachment(unit, self._caller, {**fields, **named})

    def update(
        self, attachment_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Attachment:
        """Change its name, type or filename.

        Raises:
            NotFound: the company has no such attachment.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
        """
        with self._engine.transaction("update_attachment") as unit:
            given = {**fields, **named}
            return attachments.update_attachment(unit, self._caller, attachment_id, given)

    def delete(self, attachment_id: str, /, *, version_number: object = None) -> None:
        """Delete it, its content and the tokens that open it.

        Raises:
            NotFound: the company has no such attachment, or it is deleted already.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_attachment") as unit:
            attachments.delete_attachment(unit, self._caller, attachment_id, version_number)

    def upload(self, attachment_id: str, chunks: Iterable[bytes] | bytes) -> Attachment:
        """Put its content, in place of any before; only while no message carries it.

        Raises:
            NotFound: the company has no such attachment.
            IllegalTransition: a message carries it already.
            InvalidField: the content is too large (1019); nothing is kept.
        """
        given = (chunks,) if isinstance(chunks, bytes) else chunks
        return content.upload(self._engine, self._own(attachment_id), given)

    def download(self, attachment_id: str) -> Iterator[bytes]:
        """Its content, in chunks.

        Raises:
            NotFound: the company has no such attachment, or it has no content.
        """
        return content.download(self._engine, self._own(attachment_id))[1]

    def create_token(
        self, attachment_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> AccessToken:
        """A token that opens its content for ``duration`` seconds: 900 unless given.

        Raises:
            NotFound: the company has no such attachment.
            InvalidField: it names the field.
        """
        with self._engine.transaction("create_token") as unit:
            return tokens.attachment_token(
                unit, self._caller, attachment_id, {**fields, **named},
                self._engine.new_credential(),
            )  # fmt: skip

    def _own(self, attachment_id: str) -> content.Find:
        return lambda unit: unit.get(Attachment, self._caller.company_id, attachment_id)


class AccessTokens:
    """A company's access tokens that have not expired."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> AccessToken:
        """A token for ``resource`` (ATTACHMENT, CONTACT) with the id ``resource_id``.

        Raises:
            InvalidField: it names the field; there is no such resource.
        """
        given = {**fields, **named}
        wanted = codec.read(
            AccessToken,
            {name: given.pop(name) for name in ("resource", "resource_id") if name in given},
            lenient=self._caller.lenient,
        )
        id = wanted.get("resource_id")
        if not id:
            raise InvalidField("resource_id", "is needed: the id of what the token opens")
        scope = wanted.get("resource") or TokenScope.ATTACHMENT
        with self._engine.transaction("create_token") as unit:
            try:
                kind = Attachment if scope is TokenScope.ATTACHMENT else Contact
                unit.get(kind, self._caller.company_id, id)
            except NotFound:
                raise InvalidField("resource_id", f"no {scope.lower()} has the id") from None
            credential = self._engine.new_credential()
            return create_token(unit, self._caller, scope, id, given, credential)

    def get(self, token_id: str, filters: Mapping[str, object] = NONE, /, **named: object
    ) -> AccessToken:  # fmt: skip
        """A token as it is now.

        Raises:
            NotFound: the company has none with this id, or it has expired.
            InvalidField: an unknown filter.
        """
        conditions = filtered(AccessToken, {**filters, **named})
        with self._engine.reading() as unit:
            return live_token(unit, self._caller, token_id, *conditions)

    def page(
        self,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[AccessToken]:
        """Those that meet the filters, a page, and how many there are in all.

        Raises:
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        company = self._caller.company_id
        given = {**filters, **named}
        query = listing(AccessToken, company, given, sort=sort, limit=limit, offset=offset)
        return live_page(self._engine, query)

    def delete(self, token_id: str, /, *, version_number: object = None) -> None:
        """Let a token open nothing any more.

        Raises:
            NotFound: the company has none with this id, or it has expired.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_token") as unit:
            held = live_token(unit, self._caller, token_id)
            unit.check_version(held, version_number)
            unit.session.remove(held)


def live_token(unit: Unit, caller: Caller, token_id: str, *where: Condition) -> AccessToken:
    """A company's token that has not expired.

    Raises:
        NotFound: it has none with this id, or it does not meet the conditions.
    """
    alive = above("expiry_time", unit.now)
    return unit.get(AccessToken, caller.company_id, token_id, (alive, *where))


def live_page(engine: Host, query: Query[AccessToken], contact: str | None = None
) -> Page[AccessToken]:  # fmt: skip
    """A page of tokens that have not expired, of one contact if it is given."""
    with engine.reading() as unit:
        where = [above("expiry_time", unit.now)]
        if contact is not None:
            where.append(eq("resource_id", contact))
        return unit.page(query.also(*where))

"""Clients of six languages, as the wire contract says they write and read; nothing but sockets.

Each has its own way with casing, slashes, empty bodies, whole objects, versions and pages. What a
typed client could not decode fails here as it would there.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from attrs import field, frozen

from tests.http.server import Served

BASE = "/scg-external-api/api/v1"
CONTENT = "/scg-attachment/api/v1/messaging/attachments"

TIMES = frozenset(
    {
        "created_date", "last_updated_date", "sent_date", "delivered_date", "converted_date",
        "expiry_time", "scheduled_delivery_time", "pause_expiry_time", "created_time",
        "completed_time", "activated_time", "answer_time",
    }
)  # fmt: skip
TEXTS = frozenset(
    {
        "credentials", "operators", "extended_attributes", "external_transaction_ids", "failover",
        "failure_code", "address_list", "account_list", "device_list", "voice_preference",
    }
)  # fmt: skip
ARRAYS = frozenset(
    {
        "capabilities", "allowed_mime_types", "blocked_mime_types", "message_templates", "actions",
        "to", "attachments", "call_ids", "social_handles", "sender_id_sort_criteria",
        "contact_delivery_address_priority", "fragments_info",
    }
)  # fmt: skip
NOT_CALLS = frozenset({"to"})  # a call's ``to`` is one text


class Failed(Exception):
    """What a client raises: the status, and the body."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}: {body[:300]!r}")
        self.status = status


@frozen
class Dialect:
    """How one language's client writes and reads."""

    name: str
    base: str = BASE
    content_base: str = CONTENT
    creating: str = "application/json"
    updating: str = "application/json"
    bare: Mapping[str, str] = field(factory=dict)
    internal: bool = False
    only_200: bool = False
    slash: bool = False
    encodes: bool = True
    pages: str = "total"  # to the total, to an empty page, or one page only
    sends_offset: bool = True
    whole: tuple[str, ...] | None = None  # what it drops of a whole object; None: changes only
    raises_version: bool = False
    version_text: bool = False
    typed: bool = False
    token_body: tuple[bytes | None, str | None] = (b"{}", "application/json")
    generic_token: bool = False
    upload: str = "application/octet-stream"
    upload_bearer: bool = True
    extra: Mapping[str, Mapping[str, Any]] = field(factory=dict)


PYTHON = Dialect(
    "python", creating="Application/json", only_200=True, sends_offset=False, whole=(),
    upload="Application/octet-stream",
)  # fmt: skip
NODE = Dialect(
    "node", base=BASE + "/", bare={"Content-Length": "0"}, pages="one",
    whole=("application_id", "created_date"), raises_version=True, generic_token=True,
    upload="multipart",
)  # fmt: skip
RUBY = Dialect(
    "ruby", bare={"Content-Type": "application/json"}, internal=True, pages="empty",
    token_body=(b"", "application/json"),
)  # fmt: skip
PHP = Dialect(
    "php", base=BASE + "/", content_base="/" + CONTENT, creating="Application/json",
    updating="Application/json", bare={"Content-Length": "0"}, internal=True, slash=True,
    encodes=False, pages="empty", token_body=(b"null", "Application/json"), upload_bearer=False,
)  # fmt: skip
CSHARP = Dialect(
    "c#", internal=True, whole=("id", "created_date", "last_updated_date", "last_update_date"),
    version_text=True, typed=True, token_body=(None, None),
    extra={
        "/contacts": {"last_acquisition_date": 0},
        "/messaging/message_requests": {"translate": False},
        "/messaging/sender_ids": {"check_whitelist": False},
    },
)  # fmt: skip
JAVA = Dialect(
    "java", creating="application/json;charset=UTF-8", internal=True, version_text=True,
    typed=True,
    extra={"/messaging/message_requests": {"pause_before_transmit": "false", "failover": ""}},
)  # fmt: skip

DIALECTS = (PYTHON, NODE, RUBY, PHP, CSHARP, JAVA)


class Client:
    """A client of one language, as the company acme."""

    def __init__(self, dialect: Dialect, served: Served) -> None:
        self.dialect = dialect
        self._served = served
        self._versions: dict[str, int] = {}

    def create(self, collection: str, body: Mapping[str, Any]) -> str:
        """The id of what was made."""
        sent = {**self.dialect.extra.get(collection, {}), **body}
        status, answer = self._send("POST", collection, sent, self.dialect.creating)
        if self.dialect.only_200 and status not in (200, 204):
            raise Failed(status, answer)
        return str(json.loads(answer)["id"])

    def read(self, path: str) -> dict[str, Any]:
        """A resource, decoded as strictly as the language does."""
        _, answer = self._send("GET", path, None, None)
        found: dict[str, Any] = json.loads(answer)
        self._decode(path, found)
        return found

    def update(self, path: str, changes: Mapping[str, Any]) -> None:
        """Change some fields: alone, or in the whole object that was read."""
        sent = dict(changes)
        if self.dialect.whole is not None:
            held = self.read(path)
            sent = {k: v for k, v in held.items() if k not in self.dialect.whole} | sent
            if self.dialect.raises_version and path in self._versions:
                sent["version_number"] = self._versions[path]  # what it has counted itself
        elif "version_number" not in sent and self.dialect.version_text:
            version = self.read(path).get("version_number")
            sent |= {} if version is None else {"version_number": str(version)}
        self._accept(path, *self._send("POST", path, sent, self.dialect.updating))

    def replace(self, path: str, body: Mapping[str, Any]) -> None:
        """Put another in its place."""
        self._accept(path, *self._send("PUT", path, dict(body), self.dialect.updating))

    def _accept(self, path: str, status: int, answer: bytes) -> None:
        """An update's answer: JSON if it is a 200; a client that counts versions counts one on."""
        assert status == 204 or json.loads(answer)["id"], answer
        moves = ("/messaging/message_requests", "/calling/", "/consent/")  # by themselves
        if self.dialect.raises_version and not path.startswith(moves):
            held = self.read(path).get("version_number")
            counted = self._versions.get(path, 1) + 1
            self._versions[path] = counted
            assert held in (None, counted), (path, held, counted)

    def delete(self, path: str) -> None:
        """Delete it."""
        self._send("DELETE", path, None, None)

    def act(self, path: str, body: object) -> dict[str, Any]:
        """POST something that is no resource; what is answered, if anything."""
        _, answer = self._send("POST", path, body, self.dialect.updating)
        found: dict[str, Any] = json.loads(answer) if answer else {}
        return found

    def items(self, collection: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """All of a list that meet the filters, page by page as the language reads them."""
        offset = 0
        while True:
            asked = dict(filters)
            if offset or self.dialect.sends_offset:
                asked["offset"] = offset
            path = collection + ("/" if self.dialect.slash else "") + self._query(asked)
            _, answer = self._send("GET", path, None, None)
            page = json.loads(answer)
            for one in page["list"]:
                self._decode(collection, one)
                yield one
            offset += len(page["list"])
            if self.dialect.pages == "one":
                assert len(page["list"]) == page["total"]  # the rest would be empty objects
                return
            if not page["list"] or (self.dialect.pages == "total" and offset >= page["total"]):
                return

    def upload(self, attachment: str, content: bytes) -> None:
        """Put an attachment's content by a token of its own."""
        url = f"{self.dialect.content_base}/{self.token(attachment)}/content"
        headers = self._bearer() if self.dialect.upload_bearer else {}
        if self.dialect.upload == "multipart":
            boundary = "--------------------------061427213423"
            content = b"\r\n".join(
                (
                    b"--" + boundary.encode(),
                    b'Content-Disposition: form-data; name="file-upload"; filename="a.bin"; '
                    b'size="32";',
                    b"Content-Type: application/octet-stream",
                    b"",
                    content,
                    b"--" + boundary.encode() + b"--",
                    b"",
                )
            )
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        else:
            headers["Content-Type"] = self.dialect.upload
        status, answer = self._raw("POST", url, content, headers)
        if not 200 <= status < 300:
            raise Failed(status, answer)

    def download(self, attachment: str) -> bytes:
        """Its content by a fresh token."""
        url = f"{self.dialect.content_base}/{self.token(attachment)}/content"
        status, answer = self._raw("GET", url, None, {"Accept": "Application/octet-stream"})
        if status != 200:
            raise Failed(status, answer)
        return answer

    def token(self, attachment: str) -> str:
        """An access token of an attachment, asked for in the language's way."""
        if self.dialect.generic_token:
            body = {"resource": "ATTACHMENT", "resource_id": attachment}
            return self.create("/access_tokens", body)
        path = f"/messaging/attachments/{attachment}/access_tokens"
        body, kind = self.dialect.token_body
        headers = self._headers() | ({} if kind is None else {"Content-Type": kind})
        if body is None:
            headers["Content-Length"] = "0"
        status, answer = self._raw("POST", self._url(path), body, headers)
        if not 200 <= status < 300:
            raise Failed(status, answer)
        return str(json.loads(answer)["id"])

    def _send(self, verb: str, path: str, body: object, kind: str | None) -> tuple[int, bytes]:
        headers = self._headers()
        data = None
        if kind is None:
            headers |= self.dialect.bare
        else:
            data = json.dumps(body).encode()
            headers["Content-Type"] = kind
        status, answer = self._raw(verb, self._url(path), data, headers)
        if not 200 <= status < 300:
            raise Failed(status, answer)
        return status, answer

    def _raw(
        self, verb: str, url: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._served.port, timeout=20)
        try:
            connection.request(verb, url, data, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _url(self, path: str) -> str:
        return self.dialect.base + path

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._served.tokens['acme']}"}

    def _headers(self) -> dict[str, str]:
        headers = self._bearer()
        if self.dialect.internal:
            headers |= {"int-appId": "1", "int-companyId": "7", "int-txnId": "t"}
        return headers

    def _query(self, asked: Mapping[str, Any]) -> str:
        if not asked:
            return ""
        if self.dialect.encodes:
            return "?" + urlencode(asked, doseq=True)  # a list is a repeated key
        return "?" + "&".join(
            f"{name}={quote(str(one), safe='+:,')}" for name, one in asked.items()
        )

    def _decode(self, path: str, found: Mapping[str, Any]) -> None:
        """What a typed client could not decode is an error; no client minds unknown fields."""
        assert found.get("id"), found
        assert None not in found.values(), found
        if not self.dialect.typed:
            return
        for name, value in found.items():
            if name in TIMES:
                assert type(value) is int, (path, name, value)
            if name in TEXTS:
                assert type(value) is str, (path, name, value)
            if name in ARRAYS and not (name in NOT_CALLS and "/calls" in path):
                assert type(value) is list, (path, name, value)

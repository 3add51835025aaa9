"""Tracked links: who follows one is sent to the address its message's author gave, and is counted.

A link leads to the stored address and nowhere else, whatever else is in the request. What only
looks (HEAD, previews of messengers, prefetching browsers) is sent there too and does not count.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from scg_adapters.http.answers import Answer, NoSuchPath, Overloaded
from scg_adapters.http.desk import Desk
from scg_core.engine import Engine
from scg_core.kernel.ids import is_id

PREVIEWS: Final = (
    "applebot", "bingbot", "bingpreview", "discordbot", "embedly", "facebookcatalog",
    "facebookexternalhit", "facebot", "google-apps-script", "google-pagerenderer",
    "google-read-aloud", "googlebot", "googlemessages", "iframely", "kakaotalk-scrap",
    "line-poker", "linkedinbot", "mastodon", "metainspector", "microsoft office",
    "microsoftpreview", "msteams", "pinterestbot", "preview", "redditbot", "rocket.chat",
    "safelinks", "skypeuripreview", "slack-imgproxy", "slackbot", "snap url preview",
    "telegrambot", "tumblr", "twitterbot", "viberbot", "vkshare", "web/snippet", "whatsapp",
    "yandexbot",
)  # fmt: skip
"""What the User-Agent of a fetcher that nobody sent by a tap has in it, in lower case."""

_LOOKS: Final = ((b"purpose", b"prefetch"), (b"purpose", b"preview"), (b"sec-purpose", b"prefetch"),
                 (b"x-purpose", b"preview"), (b"x-moz", b"prefetch"))  # fmt: skip
_MINUTE: Final = 60.0
_RESERVED: Final = "!#$%&'()*+,/:;=?@[]~"
_PREVIEW: Final = re.compile("|".join((*map(re.escape, PREVIEWS), r"bot/\d")))
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
)


class Links:
    """Serves what tracked links begin with: the path of the engine's ``link_base``."""

    def __init__(self, engine: Engine, desk: Desk) -> None:
        self._engine = engine
        self._desk = desk
        self._taps = Taps()
        base = urlsplit(engine.settings.link_base or "")
        *folders, self._stem = base.path.split("/") if base.path else ("", "")
        self._folders = [one for one in folders if one]
        self.served: bool = bool(base.scheme) and not base.query and not base.fragment

    def token_in(self, parts: list[str]) -> str | None:
        """The token of the link that a path is, or None if it is none."""
        if not self.served or not parts or parts[:-1] != self._folders:
            return None
        token = parts[-1].removeprefix(self._stem)
        return token if parts[-1].startswith(self._stem) and is_id(token) else None

    async def follow(self, token: str, verb: str, headers: dict[bytes, bytes]) -> Answer:
        """Send whoever asks to where a link leads.

        Raises:
            NotFound: no link has this token.
        """
        if verb == "HEAD" or only_looks(headers) or not self._taps.counts(token):
            url = await self._desk.read(lambda: self._engine.link_target(token))
        else:
            try:
                url = await self._desk.write(lambda: self._engine.link_followed(token))
            except Overloaded:  # people come first; the click is one of too many to be counted
                url = await self._desk.read(lambda: self._engine.link_target(token))
        return Answer(302, headers=((b"location", location(url)), *_HEADERS))


class Taps:
    """Lets so many taps a minute count of one link: a program that taps is no person."""

    def __init__(self, most: int = 60, links: int = 10_000) -> None:
        self._most = most
        self._links = links
        self._held: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def counts(self, token: str) -> bool:
        """Whether this tap counts."""
        now = time.monotonic()
        since, many = self._held.pop(token, (now, 0))
        if now - since > _MINUTE:
            since, many = now, 0
        self._held[token] = (since, many + 1)
        if len(self._held) > self._links:
            self._held.popitem(last=False)
        return many < self._most


def only_looks(headers: dict[bytes, bytes]) -> bool:
    """Whether nobody has tapped: a preview is made, or a page is fetched ahead."""
    if any(value in headers.get(name, b"").lower() for name, value in _LOOKS):
        return True
    agent = headers.get(b"user-agent", b"").decode("latin-1").lower()
    return agent.startswith("viber/") or bool(_PREVIEW.search(agent[:1_000]))


def location(url: str) -> bytes:
    """An address as a header may carry it: what is not ASCII is encoded, the rest is as stored.

    Raises:
        NoSuchPath: it leads nowhere.
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc
        if not host.isascii():
            user, at, name = host.rpartition("@")
            name, colon, port = name.partition(":")
            host = f"{quote(user)}{at}{name.encode('idna').decode()}{colon}{port}"
    except ValueError:
        raise NoSuchPath() from None
    tidy = urlunsplit(parts._replace(netloc=host)) if host != parts.netloc else url
    return quote(tidy, safe=_RESERVED).encode("ascii")

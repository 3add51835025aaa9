"""Where events may be delivered: a URL's form, and which network addresses are nobody's business.

An event must not be a way to reach into the network that the engine runs in. What a name resolves
to is checked by the adapter that connects; here are the rule for an address, and what a URL says
by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from scg_core.kernel.errors import InvalidField

LONGEST_URL: Final = 2_048
Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_INSIDE: Final = ("localhost", "local", "internal", "localdomain", "home.arpa", "lan", "intranet")
_PART: Final = re.compile(r"^(?:0[xX][0-9a-fA-F]{0,8}|0[0-7]{0,11}|[1-9][0-9]{0,9})$")
_HOST: Final = re.compile(r"^(?=.{1,253}\.?$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
                          r"(?:\.|$))+$")  # fmt: skip
_NAT64: Final = ip_network("64:ff9b::/96")
_IN_BRACKETS: Final = re.compile(r"^\[[0-9A-Fa-f:.]+\](?::\d*)?$")
_ISATAP: Final = 0x5EFE
_ALSO_PRIVATE: Final = (
    ip_network("100.64.0.0/10"),  # carriers' own networks behind NAT
    ip_network("192.0.0.0/24"),
    ip_network("192.88.99.0/24"),
    ip_network("198.18.0.0/15"),
    ip_network("168.63.129.16/32"),  # a cloud's own, on every machine of it
    ip_network("fec0::/10"),
    ip_network("64:ff9b:1::/48"),  # translated to somebody's own network
    ip_network("3fff::/20"),
    ip_network("2002::/16"),  # may hide any address of version 4
    ip_network("2001::/32"),
)


def read_url(field: str, text: str) -> str:
    """The URL of a receiver, as it is connected to.

    Raises:
        InvalidField: it is no absolute http or https URL, names a user, has a fragment, or is
            longer than 2,048 characters.
    """
    if len(text) > LONGEST_URL:
        raise InvalidField(field, f"has more than {LONGEST_URL} characters")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise InvalidField(field, "must be ASCII without blanks; encode what is not")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidField(field, "is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidField(field, "must be an absolute http or https URL")
    if parts.username is not None or parts.password is not None:
        raise InvalidField(field, "must hold no credentials; check the signature instead")
    if "#" in text:
        raise InvalidField(field, "must have no fragment")
    if port == 0 or not _is_host(parts.netloc, parts.hostname):
        raise InvalidField(field, "names no host and port")
    return text


def _is_host(written: str, host: str) -> bool:
    """Whether it is a name that a resolver could know, or an address as it should be written."""
    if "[" in written or "]" in written or ":" in host:
        return bool(_IN_BRACKETS.match(written)) and is_literal(host)
    last = host.rstrip(".").rpartition(".")[2]
    return is_name(host) and (not last.isdigit() or is_literal(host))


def is_name(host: str) -> bool:
    """Whether it has the form of a host's name."""
    return bool(_HOST.match(host))


def is_literal(host: str) -> bool:
    """Whether it is an address of version 4 or 6 in its usual form."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return "%" not in host


def host_of(url: str) -> str:
    """The host that a URL names."""
    return urlsplit(url).hostname or ""


def is_inside(host: str, allowed: Sequence[Network] = (), names: Sequence[str] = ()) -> bool:
    """Whether a host is, by its name alone, inside the network that the engine runs in.

    ``allowed`` are networks that may be delivered to all the same, ``names`` hosts.
    """
    tidy = host.rstrip(".").lower()
    if tidy in names:
        return False
    literal = _literal(tidy)
    if literal is not None:
        return not is_public(literal, allowed)
    return "." not in tidy or any(tidy.endswith("." + one) for one in _INSIDE)


def is_public(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether an address may be delivered to: it is of the public Internet, or is allowed."""
    if any(address in one for one in allowed if one.version == address.version):
        return True
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped, allowed)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF), allowed)
        if int(address) >> 32 == 0:  # the old way to write an address of version 4 in one of 6
            return False
        if int(address) >> 32 & 0xFDFFFFFF == _ISATAP:  # a tunnel into somebody's own network
            return False
    if any(address in one for one in _ALSO_PRIVATE if one.version == address.version):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
        or address.is_loopback or address.is_link_local
    )  # fmt: skip


def read_address(text: str) -> Address:
    """A network address as resolvers write it, without the scope of its link."""
    return ip_address(text.partition("%")[0])


def _literal(host: str) -> Address | None:
    """The address that a host is written as, in any of the ways that resolvers understand."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    parts = host.rstrip(".").split(".")
    if not 1 <= len(parts) <= 4 or not all(_PART.match(one) for one in parts):
        return None
    numbers = [_number(one) for one in parts]
    last = 256 ** (5 - len(numbers))
    if any(one > 255 for one in numbers[:-1]) or numbers[-1] >= last:
        return None
    value = numbers[-1]
    for at, one in enumerate(numbers[:-1]):
        value += one << (24 - 8 * at)
    return IPv4Address(value)


def _number(text: str) -> int:
    if text[:2].lower() == "0x":
        return int(text[2:] or "0", 16)
    return int(text, 8) if text.startswith("0") else int(text)

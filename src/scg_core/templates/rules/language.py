"""The template language: a small part of Velocity, read once into parts (semantics 9).

``${x}`` a value that must be given, ``$!{x}`` one that may be missing, ``$x`` the same as ``${x}``
(in a message's body only if x is known there), ``\\$`` a dollar sign. ``#set($x="text")`` sets a
value, ``#parse("name")`` puts a template in, ``#track("url")`` and ``#trackurl("url","label")`` a
link that is followed through the engine, ``##`` begins a comment in a template.

There are no conditions, loops, calls or properties: in a template they are errors, in a body plain
text. Reading takes time in proportion to the text, whatever it holds.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from scg_core.kernel.errors import InvalidField

TEMPLATE: Final = 1006
TRACKING: Final = 1020
LONGEST: Final = 64 * 1024
LONGEST_URL: Final = 2048

_NAME: Final = r"[A-Za-z][A-Za-z0-9_]{0,63}(?:\.[A-Za-z][A-Za-z0-9_]{0,63})?"
_TEXT: Final = r'"((?:[^"\\\n]|\\.){0,4096})"'
_MARK: Final = re.compile(r"\\[$#\\]|\$|#")
_REFERENCE: Final = re.compile(rf"\$(!?)(?:\{{({_NAME})\}}|([A-Za-z][A-Za-z0-9_]{{0,63}}))")
_PROPERTY: Final = re.compile(r"\.[A-Za-z]|\(|\[")
_SET: Final = re.compile(
    rf"#set[ \t]*\([ \t]*\$(?:\{{)?([A-Za-z][A-Za-z0-9_]{{0,63}})(?:\}})?[ \t]*=[ \t]*"
    rf"(?:{_TEXT}|(-?\d{{1,18}}(?:\.\d{{1,9}})?))[ \t]*\)(?:[ \t]*\r?\n)?"
)
_PARSE: Final = re.compile(rf"#parse[ \t]*\([ \t]*{_TEXT}[ \t]*\)")
_TRACK: Final = re.compile(rf"#track[ \t]*\([ \t]*{_TEXT}[ \t]*\)")
_TRACKURL: Final = re.compile(rf"#trackurl[ \t]*\([ \t]*{_TEXT}[ \t]*,[ \t]*{_TEXT}[ \t]*\)")
_FOREIGN: Final = re.compile(
    r"#(?:@?\w{1,32}[ \t]*\(|"
    r"(?:if|elseif|else|end|foreach|macro|include|stop|break|define|evaluate)\b)"
)
_URL: Final = re.compile(r"^https?://(?![/?#:@])[^\s\"<>\\^`{|}\x00-\x1f\x7f]+$", re.IGNORECASE)


@frozen
class Value:
    """A place for a value; ``source`` stands there if the value is not known and need not be."""

    name: str
    needed: bool = True
    source: str | None = None


@frozen
class Set:
    """A value is set for what follows."""

    name: str
    text: str


@frozen
class Parse:
    """Another template stands here."""

    name: str


@frozen
class Track:
    """A link that is followed through the engine; with a ``label`` every click counts."""

    url: str
    label: str | None = None


Part = str | Value | Set | Parse | Track
Parts = tuple[Part, ...]


def read_template(text: str) -> Parts:
    """The parts of a template.

    Raises:
        InvalidField: it does not parse (1006, with line and column), or a link cannot be tracked
            (1020).
    """
    return _Reader(text, "pattern", strict=True).read()


def read_body(text: str) -> Parts:
    """The parts of a message's body: what is no part of the language is plain text.

    Raises:
        InvalidField: a link cannot be tracked (1020).
    """
    if "$" not in text and "#" not in text and "\\" not in text:
        return (text,)
    return _Reader(text, "body", strict=False).read()


def check_url(field: str, url: str) -> str:
    """Refuse a link that is not an absolute http or https one, or is too long.

    Raises:
        InvalidField: error 1020.
    """
    if len(url) > LONGEST_URL or not _URL.match(url) or not _leads_somewhere(url):
        rule = f"holds a link to track that is no http(s) address: {url[:64]!r}"
        raise InvalidField(field, rule, TRACKING)
    return url


def _leads_somewhere(url: str) -> bool:
    """Whether its host and port are such that a browser could go there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        literal = "[" in parts.netloc
        return bool(host) and port != 0 and (literal or bool(host.encode("idna")))
    except ValueError:
        return False


class _Reader:
    """Goes through a text once, from mark to mark."""

    def __init__(self, text: str, field: str, *, strict: bool) -> None:
        if len(text) > LONGEST:
            raise InvalidField(field, f"is longer than {LONGEST} characters", TEMPLATE)
        self._text = text
        self._field = field
        self._strict = strict
        self._parts: list[Part] = []
        self._plain: list[str] = []

    def read(self) -> Parts:
        """The parts, neighbouring plain texts as one."""
        at = 0
        while (mark := _MARK.search(self._text, at)) is not None:
            if at != mark.start():
                self._plain.append(self._text[at : mark.start()])
            at = self._marked(mark)
        self._plain.append(self._text[at:])
        self._flush()
        return tuple(self._parts)

    def _marked(self, mark: re.Match[str]) -> int:
        """Read what stands at a mark; where it ends."""
        found = mark[0]
        if len(found) == 2:
            self._plain.append(found[1] if self._strict or found[1] == "$" else found)
            return mark.end()
        return self._dollar(mark.start()) if found == "$" else self._hash(mark.start())

    def _dollar(self, at: int) -> int:
        match = _REFERENCE.match(self._text, at)
        if match is None:
            following = self._text[at + 1 : at + 2]
            if self._strict and following in ("{", "!"):
                self._refuse(at, "is no reference such as ${name}")
            self._plain.append("$")
            return at + 1
        end = match.end()
        optional, braced, bare = match.groups()
        if self._strict and bare and _PROPERTY.match(self._text, end):
            self._refuse(at, "reads a property or calls a method, which templates cannot")
        loose = bare is not None and not self._strict
        source = match[0] if loose else None
        self._add(Value(braced or bare, not optional, source))
        return end

    def _hash(self, at: int) -> int:
        text = self._text
        if self._strict and text.startswith("##", at):
            end = text.find("\n", at)
            return len(text) if end < 0 else end + 1
        initial = text[at + 1 : at + 2]
        if initial == "s" and (match := _SET.match(text, at)) is not None:
            name, quoted, number = match.groups()
            self._add(Set(name, _unquoted(quoted) if quoted is not None else number))
        elif initial == "p" and (match := _PARSE.match(text, at)) is not None:
            self._add(Parse(_unquoted(match[1])))
        elif initial == "t" and (match := _TRACKURL.match(text, at)) is not None:
            url = check_url(self._field, _unquoted(match[1]))
            self._add(Track(url, _unquoted(match[2])))
        elif initial == "t" and (match := _TRACK.match(text, at)) is not None:
            self._add(Track(check_url(self._field, _unquoted(match[1]))))
        else:
            if self._strict and _FOREIGN.match(text, at):
                self._refuse(at, "is a directive that templates do not have")
            self._plain.append("#")
            return at + 1
        return match.end()

    def _add(self, part: Part) -> None:
        if self._plain:
            self._flush()
        self._parts.append(part)

    def _flush(self) -> None:
        text = "".join(self._plain)
        if text:
            self._parts.append(text)
        self._plain = []

    def _refuse(self, at: int, problem: str) -> None:
        line = self._text.count("\n", 0, at) + 1
        column = at - (self._text.rfind("\n", 0, at) + 1) + 1
        shown = self._text[at : at + 16].split("\n")[0]
        rule = f"line {line}, column {column}: {shown!r} {problem}"
        raise InvalidField(self._field, rule, TEMPLATE)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text

"""JSONPath into a contact: a subset of RFC 9535 that also enters JSON kept as text.

Names, indexes, ``*`` and ``..``; no filters, functions, slices or lists of selectors. A walk stops
at the first match, and in any case after 10,000 nodes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from scg_core.kernel.errors import InvalidField

MOST_NODES: Final = 10_000
MOST_STEPS: Final = 32
LONGEST: Final = 1_024
FIELD: Final = "value_derivation_script"
_NAME: Final = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff-]*")
_INDEX: Final = re.compile(r"\[\s*(-?(?:0|[1-9]\d{0,8}))\s*\]")
_STAR: Final = re.compile(r"\[\s*\*\s*\]")
_UNICODE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u")
_QUOTED: Final = re.compile(r"\[\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*\]")


@frozen
class Step:
    """One step of a path: a name, an index, or anything (None); ``deep`` at any depth."""

    key: str | int | None
    deep: bool = False


Path = tuple[Step, ...]


class TooManyNodes(Exception):
    """A walk visited more nodes than it may."""


def parse(script: str) -> Path:
    """The steps of a path.

    Raises:
        InvalidField: it is no path of the subset; the place is named.
    """
    text = script.strip()
    if len(text) > LONGEST:
        raise InvalidField(FIELD, f"has more than {LONGEST} characters")
    if text[:1] != "$":
        raise InvalidField(FIELD, "must begin with $")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        step, at = _step(text, at)
        steps.append(step)
    if not 1 <= len(steps) <= MOST_STEPS:
        raise InvalidField(FIELD, f"must have 1 to {MOST_STEPS} steps")
    return tuple(steps)


def _step(text: str, at: int) -> tuple[Step, int]:
    deep = text.startswith("..", at)
    start = at + 2 if deep else at
    dotted = deep or text.startswith(".", at)
    if dotted and not deep:
        start += 1
    if dotted and text.startswith("*", start):
        return Step(None, deep), start + 1
    name = _NAME.match(text, start) if dotted else None
    if name is not None:
        return Step(name[0], deep), name.end()
    if deep or not dotted:
        found = _bracketed(text, start)
        if found is not None:
            return Step(found[0], deep), found[1]
    rule = "names, indexes, * and .. only: no filters, slices or functions"
    raise InvalidField(FIELD, f"cannot be read at character {start + 1} ({rule})")


def _bracketed(text: str, at: int) -> tuple[str | int | None, int] | None:
    index = _INDEX.match(text, at)
    if index is not None:
        return int(index[1]), index.end()
    star = _STAR.match(text, at)
    if star is not None:
        return None, star.end()
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        return None
    inner = quoted[1] if quoted[1] is not None else quoted[2]
    if _UNICODE.search(inner):
        return None
    return re.sub(r"\\(.)", r"\1", inner), quoted.end()


def first(path: Path, document: Mapping[str, Any], parsed: dict[str, Any] | None = None) -> Any:
    """The first value a path leads to, or None if it leads nowhere.

    ``parsed`` keeps what JSON texts hold, for further paths into the same document.

    Raises:
        TooManyNodes: that would take more than 10,000 nodes.
    """
    try:
        walk = _Walk({} if parsed is None else parsed)
        return next(walk.follow(document, path, 0), None)
    except RecursionError:  # nested almost a thousand deep
        raise TooManyNodes from None


class _Walk:
    """One walk, which counts the nodes it looks at."""

    def __init__(self, parsed: dict[str, Any]) -> None:
        self._visited = 0
        self._parsed = parsed

    def follow(self, node: Any, path: Path, at: int) -> Iterator[Any]:
        """The values that the rest of a path leads to from a node, in order."""
        self._visit()
        if at == len(path):
            yield node
            return
        step = path[at]
        node = self._entered(node)
        for child in _children(node, step.key):
            yield from self.follow(child, path, at + 1)
        if step.deep:
            for child in _children(node, None):
                if isinstance(child, dict | list | str):
                    yield from self.follow(child, path, at)
                else:
                    self._visit()

    def _entered(self, node: Any) -> Any:
        """A node, or what it holds if it is text that is a JSON object or array."""
        if not isinstance(node, str) or node.lstrip()[:1] not in ("{", "["):
            return node
        if node not in self._parsed:
            self._parsed[node] = _read(node)
        return self._parsed[node]

    def _visit(self) -> None:
        self._visited += 1
        if self._visited > MOST_NODES:
            raise TooManyNodes


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _children(node: Any, key: str | int | None) -> Iterator[Any]:
    if isinstance(node, Mapping):
        if key is None:
            yield from node.values()
        elif isinstance(key, str) and key in node:
            yield node[key]
    elif isinstance(node, list):
        if key is None:
            yield from node
        elif isinstance(key, int) and -len(node) <= key < len(node):
            yield node[key]

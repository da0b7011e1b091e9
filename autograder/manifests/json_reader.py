"""Reads JSON into trees of nodes with positions; several objects may follow each other, as kubectl accepts them.

JSON is not quite YAML 1.1 (surrogate pairs, tabs, long keys), so that it has a reader of its own.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final

from autograder.manifests.scalars import as_json_number
from autograder.manifests.tree import Mark, Node, TreeBuilder

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_LITERAL: Final = re.compile(
    r"(?:(true)|(false)|(null)|(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?)(?![\w.+-])", re.ASCII
)
_STRINGS: Final = JSONDecoder()
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LONGEST_INTEGER: Final = 20


class NotJson(Exception):
    """The text is no JSON; it may still be YAML in JSON's clothes."""


def looks_like_json(text: str) -> bool:
    """Whether the first character that is not space is a brace, by which kubectl decides."""
    return text.startswith("{", _after_space(text, 0))


def read_json(text: str, builder: TreeBuilder) -> list[Node]:
    """The root of every object; raises ``NotJson`` if the text is not JSON from end to end."""
    return _Reader(text, builder).documents()


def _after_space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    assert match is not None
    return match.end()


class _Reader:
    """Walks through the tokens and tells the builder."""

    def __init__(self, text: str, builder: TreeBuilder) -> None:
        self._text = text
        self._builder = builder
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._index = 0

    def documents(self) -> list[Node]:
        roots = []
        while self._next_character() == "{":
            self._builder.start()
            self._value()
            assert self._builder.root is not None
            roots.append(self._builder.root)
        if self._index < len(self._text):
            raise NotJson
        return roots

    def _value(self) -> None:
        """Read one value to its end, without recursion."""
        closers: list[str] = []
        while True:
            character = self._next_character()
            if character in ("{", "["):
                closers.append(self._open(character))
                if self._next_character() != closers[-1]:
                    self._key(closers)
                    continue
            else:
                self._scalar(character)
            while closers and self._next_character() == closers[-1]:
                closers.pop()
                self._index += 1
                self._builder.close()
            if not closers:
                return
            self._expect(",")
            self._key(closers)

    def _open(self, character: str) -> str:
        mark = self._mark()
        self._index += 1
        if character == "{":
            self._builder.open_map(mark)
            return "}"
        self._builder.open_list(mark)
        return "]"

    def _key(self, closers: list[str]) -> None:
        if closers[-1] == "}":
            if self._next_character() != '"':
                raise NotJson
            self._string()
            self._next_character()
            self._expect(":")

    def _scalar(self, character: str) -> None:
        if character == '"':
            self._string()
            return
        match = _LITERAL.match(self._text, self._index)
        if match is None:
            raise NotJson
        mark = self._mark()
        self._index = match.end()
        self._builder.scalar(mark, self._literal(match, mark), match[0])

    def _literal(self, match: re.Match[str], mark: Mark) -> Any:
        true, false, _null, whole, fraction, exponent = match.groups()
        if true or false:
            return bool(true)
        if whole is None:
            return None
        exact = fraction is None and exponent is None and len(whole) <= _LONGEST_INTEGER
        number = as_json_number(int(whole) if exact else float(match[0]))
        if isinstance(number, float) and math.isinf(number):
            self._builder.problem(mark, "this number is too large")
        return number

    def _string(self) -> None:
        mark = self._mark()
        try:
            value, end = _STRINGS.raw_decode(self._text, self._index)
        except JSONDecodeError as error:
            raise NotJson from error
        self._index = end
        # A half of a surrogate pair is no character; Go reads it as U+FFFD.
        value = _SURROGATE.sub("\ufffd", value)
        self._builder.scalar(mark, value, value)

    def _next_character(self) -> str:
        self._index = _after_space(self._text, self._index)
        return self._text[self._index : self._index + 1]

    def _expect(self, character: str) -> None:
        if self._next_character() != character:
            raise NotJson
        self._index += 1

    def _mark(self) -> Mark:
        line = bisect_right(self._lines, self._index)
        return line, self._index - self._lines[line - 1] + 1

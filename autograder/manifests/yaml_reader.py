"""Reads YAML with libyaml's parser, event by event, into trees of nodes with positions.

Only events are taken from PyYAML: no constructor runs, no tag can name a Python object, nesting costs no recursion,
and reading stops at the first value beyond the limits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from autograder.manifests.scalars import Scalar, as_json_number, resolve
from autograder.manifests.tree import MERGE, Mark, Node, TreeBuilder
from autograder.manifests.yaml_errors import explain

_SEPARATOR: Final = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_NOT_CONTENT: Final = re.compile(r"\s*(?:[#%].*\s*)*")
_TAG: Final = "tag:yaml.org,2002:"
_STANDARD_TAGS: Final = frozenset(
    _TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")
)


def read_yaml(text: str, builder: TreeBuilder) -> Iterator[Node]:
    """The root of every document, empty ones included; what is wrong is noted with the builder.

    A document that cannot be read does not keep the ones behind the next ``---`` from being read.
    """
    for first_line, part in _parts(text):
        yield from _Reader(part, first_line, builder).documents()


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """The pieces between ``---`` lines, each with the number of lines before it; directives stay with what follows."""
    start = line = 0
    for separator in _SEPARATOR.finditer(text):
        end = separator.start()
        if _NOT_CONTENT.fullmatch(text, start, end):
            continue
        yield line, text[start:end]
        line += text.count("\n", start, end)
        start = end
    yield line, text[start:]


class _Reader:
    """One piece of the text; ``first_line`` lines stand before it."""

    def __init__(self, text: str, first_line: int, builder: TreeBuilder) -> None:
        self._text = text
        self._first_line = first_line
        self._builder = builder
        self._anchors: dict[str, Node] = {}

    def documents(self) -> Iterator[Node]:
        parser = yaml.CBaseLoader(self._text)
        handlers = self._handlers
        try:
            while True:
                event = parser.get_event()
                kind = type(event)
                if kind is yaml.StreamEndEvent:
                    return
                if kind is yaml.DocumentEndEvent:
                    if self._builder.root is not None:
                        yield self._builder.root
                elif kind in handlers:
                    handlers[kind](self, event)
        except yaml.YAMLError as error:
            lines = self._text.split("\n")
            (line, column), message, hint = explain(error, lines)
            self._builder.start()
            self._builder.problem((line + self._first_line, column), message, hint)

    def _start_document(self, event: Any) -> None:
        self._builder.start()
        self._anchors.clear()

    def _open_map(self, event: Any) -> None:
        self._check_tag(event)
        self._anchor(event, self._builder.open_map(self._mark(event)))

    def _open_list(self, event: Any) -> None:
        self._check_tag(event)
        self._anchor(event, self._builder.open_list(self._mark(event)))

    def _close(self, event: Any) -> None:
        self._builder.close()

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        mark = self._mark(event)
        is_key = self._builder.expects_key
        value: Any = text
        if event.tag is not None:
            value = self._tagged(event, mark)
        elif event.implicit[0]:
            value = MERGE if is_key and text == "<<" else resolve(text)
        if not is_key and type(value) in (int, float):
            value = as_json_number(value)
            if not math.isfinite(value):
                self._builder.problem(mark, f"{text} is no number in Kubernetes", "put it in quotes if it is text")
        self._anchor(event, self._builder.scalar(mark, value, text))

    def _tagged(self, event: Any, mark: Mark) -> Scalar:
        """The value of a scalar with an explicit tag, ``!!str 8080``."""
        if not self._check_tag(event) or event.tag in ("!", _TAG + "str", _TAG + "timestamp"):
            return str(event.value)
        value = resolve(event.value)
        found = {bool: "bool", int: "int", float: "float", type(None): "null"}.get(type(value), "str")
        wanted = event.tag.removeprefix(_TAG)
        if wanted == found or (wanted, found) == ("float", "int"):
            return value
        self._builder.problem(mark, f"`{event.value}` does not fit its tag !!{wanted}", "leave the tag out")
        return str(event.value)

    def _alias(self, event: Any) -> None:
        mark = self._mark(event)
        target = self._anchors.get(event.anchor)
        if target is None:
            message = f"`*{event.anchor}` stands for nothing: there is no anchor `&{event.anchor}`"
            hint = f"define it before with `&{event.anchor}`, or put the value in quotes if the star is meant as text"
            self._builder.problem(mark, message, hint)
            self._builder.scalar(mark, None, f"*{event.anchor}")
        elif self._builder.is_open(target):
            self._builder.problem(mark, f"`*{event.anchor}` stands inside of what it stands for", "take it out")
            self._builder.scalar(mark, None, f"*{event.anchor}")
        else:
            self._builder.alias(mark, target)

    def _anchor(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _check_tag(self, event: Any) -> bool:
        tag = event.tag
        if tag is None or tag == "!" or tag in _STANDARD_TAGS:
            return True
        shown = f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
        self._builder.problem(
            self._mark(event), f"the tag `{shown}` is not allowed", "a manifest is plain data; leave the tag out"
        )
        return False

    def _mark(self, event: Any) -> Mark:
        mark = event.start_mark
        return mark.line + 1 + self._first_line, mark.column + 1

    _handlers: Final = {
        yaml.DocumentStartEvent: _start_document,
        yaml.MappingStartEvent: _open_map,
        yaml.SequenceStartEvent: _open_list,
        yaml.MappingEndEvent: _close,
        yaml.SequenceEndEvent: _close,
        yaml.ScalarEvent: _scalar,
        yaml.AliasEvent: _alias,
    }

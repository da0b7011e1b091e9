"""Trees of nodes with positions, which the YAML and the JSON reader build.

The readers report what they meet, in order: a list or map opens, a scalar comes, the list or map closes. The
``TreeBuilder`` makes nodes and plain values of it without recursion, keeps within the limits, refuses duplicate keys
and turns keys into strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from autograder.manifests.problems import FieldPath, Position, Problem
from autograder.manifests.scalars import key_text

Mark: TypeAlias = tuple[int, int]  # line and column, from 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a manifest is read before it is refused; what is within them takes a second at most."""

    size: int = 1 << 20  #: bytes
    documents: int = 1000
    depth: int = 100  #: maps and lists inside each other
    nodes: int = 200_000  #: values of all documents together, aliases expanded
    problems: int = 50  #: further ones are not listed


class Refused(Exception):
    """Reading stops here: a limit is exceeded."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def note(problems: list[Problem], problem: Problem, limits: Limits) -> None:
    """Add a problem to the list; one more than are listed ends the reading."""
    if len(problems) >= limits.problems:
        raise Refused(Problem("error", "there are more problems than these", hint="solve these first"))
    problems.append(problem)


class Node:
    """A value with its place. ``children`` is a dict (map), a list, or ``None`` (scalar).

    ``keys`` are the places of a map's keys, ``raw`` the text of a scalar as written. ``size`` counts the values in
    this one and ``height`` how deep they nest, both with aliases expanded.
    """

    __slots__ = ("children", "height", "keys", "mark", "raw", "size", "value")

    def __init__(self, mark: Mark, value: Any, raw: str | None = None) -> None:
        self.mark = mark
        self.value = value
        self.raw = raw
        self.children: dict[str, Node] | list[Node] | None = None
        self.keys: dict[str, Mark] = {}
        self.size = 1
        self.height = 0

    def child(self, step: str | int) -> Node | None:
        """The entry of a map or list, or ``None``; a number also finds the map key that is written so."""
        children = self.children
        if isinstance(children, dict):
            return children.get(str(step))
        if isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
            return children[step]
        return None


class _Merge:
    """The key ``<<``, written without quotes."""


MERGE: Final = _Merge()


@dataclass(slots=True)
class _Open:
    """A map or list that is not closed yet; in a map, ``key`` waits for its value."""

    node: Node
    key: Node | None = None


class TreeBuilder:
    """Builds one document after the other; problems are added to ``problems`` and never raised, limits raise."""

    def __init__(self, source: str, limits: Limits, problems: list[Problem]) -> None:
        self._source = source
        self._limits = limits
        self._problems = problems
        self._stack: list[_Open] = []
        self._nodes = 0
        self.root: Node | None = None

    def start(self) -> None:
        """Begin the next document."""
        self._stack.clear()
        self.root = None

    def problem(self, mark: Mark, message: str, hint: str = "") -> None:
        """Note an error at ``mark``; too many of them end the reading."""
        note(self._problems, Problem("error", message, self._position(mark), self.path(), hint), self._limits)

    def path(self) -> FieldPath:
        """The field that is being read."""
        path: list[str | int] = []
        for opened in self._stack:
            children = opened.node.children
            if isinstance(children, list):
                path.append(len(children))
            elif opened.key is not None and (name := key_text(opened.key.value)) is not None:
                path.append(name)
        return tuple(path)

    def open_map(self, mark: Mark) -> Node:
        """A map begins."""
        node = Node(mark, {})
        node.children = {}
        return self._open(node)

    def open_list(self, mark: Mark) -> Node:
        """A list begins."""
        node = Node(mark, [])
        node.children = []
        return self._open(node)

    def close(self) -> None:
        """The innermost map or list ends."""
        self._add(self._stack.pop().node)

    def scalar(self, mark: Mark, value: Any, raw: str) -> Node:
        """A string, number, truth value or null (or ``MERGE`` as a key)."""
        self._spend(1, mark)
        node = Node(mark, value, raw)
        self._add(node)
        return node

    def alias(self, mark: Mark, target: Node) -> None:
        """A copy of what stands elsewhere; its positions are those of the original."""
        self._spend(target.size, mark)
        if len(self._stack) + target.height > self._limits.depth:
            self._too_deep(mark)
        node = Node(target.mark, _copy(target.value), target.raw)
        node.children, node.keys = target.children, target.keys
        node.size, node.height = target.size, target.height
        self._add(node)

    def is_open(self, node: Node) -> bool:
        """Whether this map or list is still being read."""
        return any(opened.node is node for opened in self._stack)

    @property
    def expects_key(self) -> bool:
        """Whether the next value is the key of a map."""
        return bool(self._stack) and isinstance(self._stack[-1].node.children, dict) and self._stack[-1].key is None

    def _open(self, node: Node) -> Node:
        self._spend(1, node.mark)
        if len(self._stack) >= self._limits.depth:
            self._too_deep(node.mark)
        self._stack.append(_Open(node))
        return node

    def _add(self, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        opened = self._stack[-1]
        parent = opened.node
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if isinstance(parent.children, list):
            parent.children.append(node)
            parent.value.append(node.value)
        elif opened.key is None:
            opened.key = node
        elif opened.key.value is MERGE:
            self._merge(parent, node)
            opened.key = None
        else:
            self._set(parent, opened.key, node)
            opened.key = None

    def _set(self, parent: Node, key: Node, node: Node) -> None:
        assert isinstance(parent.children, dict)
        text = key_text(key.value)
        if text is None:
            what, hint = _bad_key(key)
            self.problem(key.mark, what, hint)
            return
        first = parent.keys.get(text)
        if first is not None:
            same_line = f"column {first[1]}" if first[0] == key.mark[0] else f"line {first[0]}"
            self.problem(key.mark, f"`{text}` is given twice: first at {same_line}", "keep one of them")
        parent.keys[text] = key.mark
        parent.children[text] = node
        parent.value[text] = node.value

    def _merge(self, parent: Node, merged: Node) -> None:
        """Copy the fields of one or several maps into ``parent``.

        As in go-yaml, they replace fields given before ``<<`` and are replaced by fields given after it; of several
        maps the first wins.
        """
        assert isinstance(parent.children, dict)
        sources = merged.children if isinstance(merged.children, list) else [merged]
        if not all(isinstance(source.children, dict) for source in sources):
            self.problem(
                merged.mark, "`<<` merges maps, and this is not a map", "give it an alias of a map: `<<: *name`"
            )
            return
        values = merged.value if isinstance(merged.value, list) else [merged.value]
        for source, value in zip(reversed(list(sources)), reversed(values), strict=True):
            assert isinstance(source.children, dict)
            parent.children.update(source.children)
            parent.value.update(value)

    def _spend(self, nodes: int, mark: Mark) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.nodes:
            message = (
                f"the manifest has more than {self._limits.nodes:,} values, each alias counted as what it stands for"
            )
            raise Refused(Problem("error", message, self._position(mark), hint="make it smaller"))

    def _too_deep(self, mark: Mark) -> None:
        message = f"maps and lists are nested more than {self._limits.depth} deep here"
        raise Refused(Problem("error", message, self._position(mark), hint="no Kubernetes object needs that"))

    def _position(self, mark: Mark) -> Position:
        return Position(self._source, *mark)


def _bad_key(key: Node) -> tuple[str, str]:
    """Message and hint for a key that cannot be the name of a field."""
    if isinstance(key.children, dict) and key.raw is None:
        return "a map cannot be the name of a field", "put braces that are meant as text in quotes"
    if key.children is not None:
        return "a list cannot be the name of a field", "put brackets that are meant as text in quotes"
    if key.value is None:
        return "there is no name before the colon", "give the field a name"
    return "this number is too large to be the name of a field", "put it in quotes"


def _copy(value: Any) -> Any:
    """A deep copy of plain data, which is no deeper than the limits allow."""
    if isinstance(value, dict):
        return {name: _copy(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_copy(entry) for entry in value]
    return value

"""Manifests: text in, Kubernetes objects with positions out.

``parse`` reads what kubectl reads - YAML, JSON, several documents, ``v1 List`` - and gives the values that kubectl
would send, each with file, line and column. Whatever is wrong becomes a ``Problem``; bad input never raises, and
what it may cost is bounded by ``Limits``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.manifests.decode import bad_character, decode
from autograder.manifests.json_reader import NotJson, looks_like_json, read_json
from autograder.manifests.problems import FieldPath, Position, Problem, parse_path
from autograder.manifests.tree import Limits, Node, Refused, TreeBuilder, note
from autograder.manifests.yaml_reader import read_yaml


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a manifest: ``value`` is plain data as in JSON, ``source`` the name of the file.

    Paths may be given as tuples, ``("spec", "containers", 0, "image")``, or as text, ``spec.containers[0].image``.
    """

    value: dict[str, Any]
    source: str
    _root: Node = field(repr=False, compare=False)

    @property
    def api_version(self) -> str:
        """``apps/v1``; empty if it is missing or no text."""
        return self._text("apiVersion")

    @property
    def kind(self) -> str:
        """``Deployment``; empty if it is missing or no text."""
        return self._text("kind")

    @property
    def name(self) -> str:
        """``metadata.name``; empty if it is missing or no text."""
        return self._text("metadata", "name")

    @property
    def namespace(self) -> str:
        """``metadata.namespace``; empty if it is missing or no text."""
        return self._text("metadata", "namespace")

    def position(self, path: FieldPath | str = ()) -> Position | None:
        """Where the value of the field stands, or ``None`` if there is no such field."""
        node = self._find(path)
        return Position(self.source, *node.mark) if node is not None else None

    def key_position(self, path: FieldPath | str) -> Position | None:
        """Where the name of the field stands; for an entry of a list, the entry."""
        steps = _steps(path)
        parent = self._find(steps[:-1])
        key = parent.keys.get(str(steps[-1])) if parent is not None and steps else None
        return Position(self.source, *key) if key is not None else self.position(steps)

    def nearest_position(self, path: FieldPath | str) -> Position:
        """Where the field stands or, if there is no such field, the innermost one around it that there is."""
        node = self._root
        key = node.mark
        for step in _steps(path):
            child = node.child(step)
            if child is None:
                return Position(self.source, *key)
            key = node.keys.get(str(step), child.mark)
            node = child
        return Position(self.source, *node.mark)

    def raw(self, path: FieldPath | str) -> str | None:
        """A scalar as it is written, without quotes: ``010`` where the value is 8; ``None`` for maps and lists."""
        node = self._find(path)
        return node.raw if node is not None else None

    def _find(self, path: FieldPath | str) -> Node | None:
        node: Node | None = self._root
        for step in _steps(path):
            node = node.child(step) if node is not None else None
        return node

    def _text(self, *path: str) -> str:
        value: Any = self.value
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``parse`` found: the objects that could be read, and everything that is wrong with the text."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


def parse(text: str | bytes, *, source: str = "manifest.yaml", limits: Limits = Limits()) -> Manifest:  # noqa: B008
    """The objects of a manifest and all problems of its text; ``source`` is the file name for positions.

    A document with a syntax error is left out, and the others are read all the same. Beyond the limits nothing is
    read: no documents, and a problem that says which limit.
    """
    problems: list[Problem] = []
    try:
        documents = tuple(_documents(text, source, limits, problems))
    except Refused as refused:
        return Manifest((), (*problems, refused.problem))
    if not documents and not problems:
        problems.append(Problem("error", "the manifest is empty", Position(source, 1, 1)))
    return Manifest(documents, tuple(problems))


def read_beginning(path: Path) -> bytes:
    """As much of a file as ``parse`` needs to see whether it is a manifest or too large for one; raises OSError."""
    with path.open("rb") as file:
        return file.read(Limits().size + 1)


def _documents(text: str | bytes, source: str, limits: Limits, problems: list[Problem]) -> Iterator[Document]:
    decoded = decode(text, source, limits.size)
    if isinstance(decoded, Problem):
        problems.append(decoded)
        return
    count = 0
    for root in _roots(decoded, source, limits, problems):
        for path, node in _objects(root, ()):
            count += 1
            position = Position(source, *node.mark)
            if count > limits.documents:
                message = f"the manifest has more than {limits.documents:,} documents"
                raise Refused(Problem("error", message, position, hint="make it smaller"))
            if isinstance(node.children, dict):
                yield Document(node.value, source, node)
            elif node.value is not None or path:
                note(problems, _not_an_object(node, position, path), limits)


def _roots(text: str, source: str, limits: Limits, problems: list[Problem]) -> Iterator[Node]:
    if looks_like_json(text):
        found: list[Problem] = []
        try:
            roots = read_json(text, TreeBuilder(source, limits, found))
        except NotJson:
            pass  # braces open YAML's flow style too
        else:
            problems.extend(found)
            yield from roots
            return
    bad = bad_character(text, source)
    if bad is not None:
        problems.append(bad)
        return
    yield from read_yaml(text, TreeBuilder(source, limits, problems))


def _objects(root: Node, path: FieldPath) -> Iterator[tuple[FieldPath, Node]]:
    """The root or, for a ``v1 List``, its items."""
    items = root.child("items")
    if items is not None and isinstance(items.children, list) and root.value.get("kind") == "List":
        for index, item in enumerate(items.children):
            yield from _objects(item, (*path, "items", index))
        return
    yield path, root


def _not_an_object(node: Node, position: Position, path: FieldPath) -> Problem:
    if node.children is not None:
        message = "an object is a map of fields (apiVersion, kind, ...), and this is a list"
        hint = "take the dashes out; separate several objects by a line `---`"
    else:
        message = "an object is a map of fields (apiVersion, kind, ...), and this is a single value"
        hint = "write `name: value`, with a space after the colon"
    return Problem("error", message, position, path, hint)


def _steps(path: FieldPath | str) -> FieldPath:
    return parse_path(path) if isinstance(path, str) else path

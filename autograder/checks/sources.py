"""From a live object back to the line of the student's file that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from autograder.checks.paths import resolve
from autograder.checks.verdict import Where
from autograder.clusters.kinds import UnknownKind, kind_named
from autograder.manifests import Document, FieldPath, render_path

START: Final = ("metadata", "name")


class Sources:
    """The documents of an answer, found by the object that each describes; of two for one object the last counts."""

    def __init__(self, documents: Iterable[Document], namespace: str) -> None:
        self.documents = tuple(documents)
        self._namespace = namespace
        self._by_object = {self._key(doc.kind, doc.name, doc.namespace): doc for doc in self.documents}

    def document(self, kind: str, name: str, namespace: str = "") -> Document | None:
        """The document that describes an object, or None (it is not the student's)."""
        return self._by_object.get(self._key(kind, name, namespace))

    def where(self, kind: str, name: str, namespace: str, path: Sequence[str]) -> Where | None:
        """The place of a field or, if it is not written, of the innermost one around it that is."""
        document = self.document(kind, name, namespace)
        return place(document, resolve(document.value, path)) if document else None

    def nearest(self, kind: str) -> Where | None:
        """Where the answer has an object of this kind, so that a wrong name is found; else where it begins."""
        alike = [doc for doc in self.documents if doc.kind == kind] or list(self.documents)
        return place(alike[0], START) if alike else None

    def _key(self, kind: str, name: str, namespace: str) -> tuple[str, str, str]:
        try:
            namespaced = kind_named(kind).namespaced
        except UnknownKind:
            namespaced = True
        return kind, name, (namespace or self._namespace) if namespaced else ""


def place(document: Document, path: FieldPath) -> Where:
    """The place of a field in a document, or of the innermost field around it that is written."""
    position = document.nearest_position(path)
    return Where(position.file, position.line, position.column, render_path(path))

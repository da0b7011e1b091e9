"""Manifests with positions: reading them as kubectl does, and checking them against the schemas of Kubernetes.

    manifest = parse(text, source="pod.yaml")
    problems = [*manifest.problems, *(problem for doc in manifest.documents for problem in check_schema(doc))]

Everything that is wrong is said with file, line, column, field path and a hint in plain English.
"""

from autograder.manifests.check import check_schema
from autograder.manifests.manifest import Document, Manifest, parse, read_beginning
from autograder.manifests.problems import FieldPath, Position, Problem, Severity, parse_path, render_path
from autograder.manifests.schema import Schemas
from autograder.manifests.tree import Limits

__all__ = [
    "Document",
    "FieldPath",
    "Limits",
    "Manifest",
    "Position",
    "Problem",
    "Schemas",
    "Severity",
    "check_schema",
    "parse",
    "parse_path",
    "read_beginning",
    "render_path",
]

"""Applying the documents of an answer, and explaining what the API server refuses.

The server has the last word on what a manifest may say; the schemas are asked only to explain its refusals.
"""

from __future__ import annotations

from typing import Final

from autograder.checks import Result, Where, place
from autograder.clusters import Capability, Cluster, apply
from autograder.clusters.kinds import UnknownKind
from autograder.controlplane.apimachinery.errors import StatusError, StoreError, Unclassified
from autograder.exercises.confinement import trespasses
from autograder.exercises.entries import ACCEPTED, WHY_ACCEPTED, WHY_CONFINED, entry, message_of, where_of
from autograder.exercises.exercise import Exercise
from autograder.manifests import Document, Problem, check_schema, parse_path

#: Seconds of the cluster's time that a new namespace has to get its ServiceAccount.
NAMESPACE_SECONDS: Final = 10


def apply_document(exercise: Exercise, cluster: Cluster, document: Document) -> list[Result]:
    """Apply one document; what came of it if it was refused."""
    forbidden = list(trespasses(exercise, document))
    if forbidden:
        return [entry(ACCEPTED, message, WHY_CONFINED, where=where) for message, where in forbidden]
    try:
        apply(cluster, document.value, exercise.namespaces[0])
    except UnknownKind as unknown:
        return _explained(document, str(unknown), place(document, ("kind",)))
    except StatusError as refusal:
        if refusal.code >= 500 and not _is_of_the_answer(refusal, cluster, document):
            raise
        return _explained(document, refusal.message, _place_of(document, refusal))
    if document.kind == "Namespace":
        _wait_for_account(cluster, document.name)
    return []


def _is_of_the_answer(refusal: StatusError, cluster: Cluster, document: Document) -> bool:
    """Whether an error that the server takes for its own comes of what the answer says.

    For a few mistakes in an object the server passes on what a library of its own says, as an error of its own.  On
    the embedded cluster these can be told from errors of the store.  On others only a ``resourceVersion``, which no
    answer needs, is taken for the reason.
    """
    passed_on = isinstance(refusal, Unclassified) and not isinstance(refusal, StoreError)
    return (passed_on and Capability.FORK in cluster.capabilities) or document.position(
        ("metadata", "resourceVersion")
    ) is not None


def _wait_for_account(cluster: Cluster, namespace: str) -> None:
    """Wait for the ServiceAccount ``default``: without it Pods are refused, and no answer shall lose that race."""

    def is_there() -> bool:
        return any(account["metadata"]["name"] == "default" for account in cluster.list("ServiceAccount", namespace))

    cluster.wait_until(is_there, NAMESPACE_SECONDS)


def _explained(document: Document, refusal: str, where: Where) -> list[Result]:
    """The API server's refusal, and what the schemas say about the same document with its places."""
    problems = [problem for problem in check_schema(document) if problem.severity == "error"]
    subject = f"{document.kind} {document.name}".strip() or "an object"
    said = f"the API server refused {subject}: {refusal}"
    if not problems:
        return [entry(ACCEPTED, said, WHY_ACCEPTED, where=where)]
    return [_refused(problem, said) for problem in problems]


def _place_of(document: Document, refusal: StatusError) -> Where:
    """The field that the first cause of a refusal is about, else the beginning of the document."""
    causes = (refusal.details or {}).get("causes") or []
    fields = [cause["field"] for cause in causes if cause.get("field")]
    return place(document, parse_path(fields[0]) if fields else ())


def _refused(problem: Problem, refusal: str) -> Result:
    return entry(ACCEPTED, f"{message_of(problem)} ({refusal})", WHY_ACCEPTED, where=where_of(problem))

"""What an answer may touch: the exercise's namespaces, a bounded number of objects and Pods, nothing cluster-wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from autograder.checks import Where, place
from autograder.clusters.kinds import UnknownKind, kind_of
from autograder.exercises.exercise import Exercise
from autograder.manifests import Document, FieldPath

#: Where each kind says how many Pods it wants.
REPLICAS: Final[dict[str, tuple[str, ...]]] = {
    "ReplicaSet": ("spec", "replicas"),
    "ReplicationController": ("spec", "replicas"),
    "Deployment": ("spec", "replicas"),
    "StatefulSet": ("spec", "replicas"),
    "Job": ("spec", "parallelism"),
    "CronJob": ("spec", "jobTemplate", "spec", "parallelism"),
    "HorizontalPodAutoscaler": ("spec", "minReplicas"),
}

#: Kinds that rule over others are applied first, whatever their order in the files.
FIRST: Final = ("Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "Secret", "ConfigMap")


class OutOfBounds(Exception):
    """The answer as a whole is larger than the exercise allows."""


def in_order(documents: Sequence[Document]) -> list[Document]:
    """The documents in the order in which they are applied: rules first, otherwise as they are written."""
    return sorted(documents, key=lambda doc: FIRST.index(doc.kind) if doc.kind in FIRST else len(FIRST))


def trespasses(exercise: Exercise, document: Document) -> Iterator[tuple[str, Where]]:
    """What a document asks for that this exercise does not allow, and where."""
    try:
        namespaced = kind_of(document.value).namespaced
    except UnknownKind:
        return  # the API server has the word
    if not namespaced:
        if f"{document.kind}/{document.name}" not in exercise.cluster_objects:
            subject = f"{document.kind} {document.name}" if document.name else f"a {document.kind} without a name"
            asked = sorted(one for one in exercise.cluster_objects if one.startswith(f"{document.kind}/"))
            wish = f"asks for {' and '.join(asked).replace('/', ' ')} only" if asked else "does not ask for it"
            message = f"{subject} belongs to the whole cluster, and this exercise {wish}"
            yield message, place(document, ("kind",))
    elif document.namespace and document.namespace not in exercise.namespaces:
        allowed = " or ".join(exercise.namespaces)
        message = f"the namespace {document.namespace} is not part of this exercise; it is done in {allowed}"
        yield message, place(document, ("metadata", "namespace"))


def check_size(exercise: Exercise, documents: Sequence[Document]) -> None:
    """Raise ``OutOfBounds`` if the answer asks for more objects or Pods than the exercise allows."""
    bounds = exercise.bounds
    if len(documents) > bounds.objects:
        raise OutOfBounds(f"the answer has {len(documents)} objects, and at most {bounds.objects} are judged")
    pods = sum(_pods(document) for document in documents)
    if pods > bounds.pods:
        raise OutOfBounds(f"the answer asks for {pods} Pods, and at most {bounds.pods} are run")


def _pods(document: Document) -> int:
    path: FieldPath | None = REPLICAS.get(document.kind)
    value: Any = document.value
    for step in path or ():
        value = value.get(step) if isinstance(value, dict) else None
    return value if path and type(value) is int and value > 0 else int(document.kind == "Pod")

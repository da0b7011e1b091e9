"""Revisions of a Deployment: which ReplicaSet is the new one, and the annotations that number them.

Pure functions; annotations come back as new dicts.  Source: pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager.deployment.arithmetic import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    by_creation,
    max_surge,
    replicas,
)

POD_TEMPLATE_HASH: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
REVISION_HISTORY: Final = "deployment.kubernetes.io/revision-history"
ROLLBACK_TO: Final = "deprecated.deployment.rollback.to"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
#: What a Deployment and its ReplicaSets do not share.
NOT_COPIED: Final = frozenset((LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, ROLLBACK_TO))
LONGEST_HISTORY: Final = 2000

Annotations = dict[str, str]


def annotations_of(obj: Object) -> Annotations:
    """The annotations of an object; not to be changed."""
    found: Annotations = obj["metadata"].get("annotations", {})
    return found


def with_annotations(obj: Object, annotations: Annotations) -> Object:
    """The object with other annotations."""
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


def same_template(one: Object, other: Object) -> bool:
    """Whether two pod templates are equal but for the hash label."""
    if one["spec"] is not other["spec"] and one["spec"] != other["spec"]:
        return False
    return _without_hash(one) == _without_hash(other)


def _without_hash(template: Object) -> Object:
    """The template's metadata without the hash label."""
    meta: Object = {key: value for key, value in template.get("metadata", {}).items() if key != "labels"}
    labels = template.get("metadata", {}).get("labels", {})
    kept = {key: value for key, value in labels.items() if key != POD_TEMPLATE_HASH}
    return meta | {"labels": kept}


def find_new(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """The oldest ReplicaSet whose template is the Deployment's."""
    template = deployment["spec"]["template"]
    found = [one for one in replica_sets if same_template(one["spec"]["template"], template)]
    return min(found, key=by_creation, default=None)


def revision(obj: Object) -> int:
    """The revision of a ReplicaSet; 0 when it has none that can be read."""
    return integers.read(annotations_of(obj).get(REVISION, "")) or 0


def last_revision(replica_sets: Iterable[Object]) -> int:
    """The revision before the newest one; 0 when there is none."""
    found = sorted((revision(one) for one in replica_sets), reverse=True)
    return found[1] if len(found) > 1 else 0


def annotations_of_new(deployment: Object, annotations: Annotations, new_revision: int) -> Annotations:
    """What the new ReplicaSet's annotations become: the Deployment's, its revision, and the revisions it had before."""
    result = annotations | copied(deployment)
    known = result.get(REVISION)
    current = integers.read(known) if known else 0
    if current is None or current >= new_revision:
        return result
    result[REVISION] = str(new_revision)
    if known is not None:
        result[REVISION_HISTORY] = _longer_history(result.get(REVISION_HISTORY, ""), known)
    return result


def _longer_history(history: str, revision: str) -> str:
    """The history with one more revision; the oldest are dropped when it gets too long."""
    revisions = [*filter(None, history.split(",")), revision]
    while len(",".join(revisions)) > LONGEST_HISTORY:
        revisions = revisions[1:]
    return ",".join(revisions)


def copied(obj: Object) -> Annotations:
    """The annotations that a Deployment and its ReplicaSets share."""
    return {key: value for key, value in annotations_of(obj).items() if key not in NOT_COPIED}


def size_annotations(deployment: Object) -> Annotations:
    """What a ReplicaSet remembers of the Deployment's size, for scaling in proportion."""
    wanted = replicas(deployment)
    return {DESIRED_REPLICAS: str(wanted), MAX_REPLICAS: str(wanted + max_surge(deployment))}


def rollback_to(deployment: Object) -> int | None:
    """The revision that a rollback was asked for by annotation (0: the last one), or None."""
    return integers.read(annotations_of(deployment).get(ROLLBACK_TO, ""))

"""``kubectl apply``, for every kind of cluster: create what is not there, change what is.

As kubectl does, an applied object remembers in an annotation what was applied, so that the next apply can tell a field
that was left out on purpose from one that somebody else set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from autograder.clusters.interface import Cluster, Object
from autograder.clusters.kinds import kind_of
from autograder.controlplane.apimachinery.errors import NotFound

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def apply(cluster: Cluster, obj: Object, namespace: str = "default") -> Object:
    """Bring the object into the cluster and return it as the server has it now; ``UnknownKind`` if nobody serves it."""
    kind = kind_of(obj).kind
    meta = obj.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not isinstance(name, str) or not name:
        return cluster.create(obj, namespace)  # the server says what is wrong with it
    target = meta.get("namespace") or namespace
    try:
        current = cluster.get(kind, name, target)
    except NotFound:
        return cluster.create(_remembering(obj), target)
    previous = json.loads(current["metadata"].get("annotations", {}).get(LAST_APPLIED, "{}"))
    patch = _remembering(obj)
    return cluster.patch(kind, name, {**patch, **_removals(previous, patch)}, target)


def _remembering(obj: Object) -> Object:
    """The object with itself in its annotation; one whose annotations are malformed is left to the server."""
    meta = obj["metadata"]
    annotations = {} if meta.get("annotations") is None else meta["annotations"]
    if not isinstance(annotations, dict):
        return obj
    remembered = json.dumps(obj, separators=(",", ":"), ensure_ascii=False)
    return {**obj, "metadata": {**meta, "annotations": {**annotations, LAST_APPLIED: remembered}}}


def _removals(previous: Mapping[str, Any], wanted: Mapping[str, Any]) -> Object:
    """``wanted`` with null for every map entry that was applied before and is left out now."""
    merged: Object = {}
    for key, before in previous.items():
        if key not in wanted:
            merged[key] = None
        elif isinstance(before, Mapping) and isinstance(wanted[key], Mapping):
            merged[key] = {**wanted[key], **_removals(before, wanted[key])}
    return merged

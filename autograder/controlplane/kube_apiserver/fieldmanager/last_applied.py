"""From ``kubectl apply`` to ``kubectl apply --server-side``: the annotation of the one counts for the other.

What kubectl applied from the client, and what still stands so, it may change from the server without a conflict; and
what it applies from the server goes into the annotation, so that the client may take over again.  Other managers have
no part in that.  Source: apimachinery/pkg/util/managedfields/internal (lastappliedmanager.go, lastappliedupdater.go).
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.field import go_json
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.fieldmanager.paths import Paths, Shape, values
from autograder.controlplane.kube_apiserver.parsing import parse

KUBECTL: Final = "kubectl"
_ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"


def allowed(live: Object, shape: Shape) -> Paths:
    """The fields that kubectl applied from the client and that nobody has changed since."""
    try:
        applied = parse((_annotations(live).get(_ANNOTATION) or "{}").encode())
    except ValueError:
        # Anybody may write the annotation; one that is no configuration allows nothing.
        return frozenset()
    there = dict(values(live, shape))
    return frozenset(path for path, value in values(applied, shape) if path in there and there[path] == value)


def updated(result: Object, config: Object) -> Object:
    """The object with the configuration in its annotation, if it has one."""
    annotations = _annotations(result)
    if not annotations.get(_ANNOTATION):
        return result
    metadata = config.get("metadata") or {}
    if "annotations" in metadata:
        others = {key: text for key, text in (metadata["annotations"] or {}).items() if key != _ANNOTATION}
        metadata = {**metadata, "annotations": others}
        if not others:
            del metadata["annotations"]
        config = {**config, "metadata": metadata}
    text = f"{go_json(config, sort_keys=True)}\n"
    return {**result, "metadata": {**result["metadata"], "annotations": {**annotations, _ANNOTATION: text}}}


def _annotations(obj: Object) -> dict[str, str]:
    return obj.get("metadata", {}).get("annotations") or {}

"""ControllerRevisions: the templates that a DaemonSet or StatefulSet has had, numbered.

Source: pkg/controller/history.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from autograder.controlplane.apimachinery.scheme import CONTROLLERREVISIONS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.kube_controller_manager.hashing import fnv32, safe_encode
from autograder.controlplane.kube_controller_manager.ownership import controller_ref

#: The label by which a pod tells from which revision it was made; revisions of DaemonSets carry it too.
HASH_LABEL: Final = "controller-revision-hash"
#: The label of other revisions.
REVISION_LABEL: Final = "controller.kubernetes.io/hash"
LONGEST_PREFIX: Final = 223


def patch_of(workload: Object) -> Object:
    """What a revision keeps: the template, as a patch that replaces the one of its owner."""
    return {"spec": {"template": {**workload["spec"]["template"], "$patch": "replace"}}}


def template_in(revision: Object) -> Object:
    """The template that a revision keeps."""
    template = revision["data"]["spec"]["template"]
    return {key: value for key, value in template.items() if key != "$patch"}


def keeps_template_of(revision: Object, workload: Object) -> bool:
    """Whether the revision is of the template that the workload has now."""
    return bool(revision["data"] == patch_of(workload))


def revision_hash(data: Object, collisions: int | None = None) -> str:
    """The hash of a revision's data."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return safe_encode(str(fnv32(text.encode() + (b"" if collisions is None else str(collisions).encode()))))


def in_order(revisions: Iterable[Object]) -> list[Object]:
    """Revisions, oldest first."""
    return sorted(
        revisions, key=lambda one: (one["revision"], one["metadata"]["creationTimestamp"], one["metadata"]["name"])
    )


def new_revision(workload: Object, digest: str, number: int, label: str = REVISION_LABEL) -> Object:
    """A revision of the workload's template, with its hash as a label."""
    meta = workload["metadata"]
    labels = {**workload["spec"]["template"].get("metadata", {}).get("labels", {}), label: digest}
    metadata: Object = {
        "name": f"{meta['name'][:LONGEST_PREFIX]}-{digest}",
        "namespace": meta["namespace"],
        "labels": labels,
        "ownerReferences": [controller_ref(workload)],
    }
    if meta.get("annotations"):
        metadata["annotations"] = meta["annotations"]
    return {
        "apiVersion": CONTROLLERREVISIONS.api_version,
        "kind": CONTROLLERREVISIONS.kind,
        "metadata": metadata,
        "data": patch_of(workload),
        "revision": number,
    }


def renumber(client: Client, revision: Object, number: int) -> Object:
    """Give a revision another number; returns it as it now is."""
    if revision["revision"] == number:
        return revision
    return client.update(CONTROLLERREVISIONS, {**revision, "revision": number})

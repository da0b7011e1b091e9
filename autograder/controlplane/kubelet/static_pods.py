"""Static pods: pods that a kubelet reads from a folder of its node, and their mirrors in the API.

Source: pkg/kubelet/config/{file,common}.go and pkg/kubelet/pod/mirror_client.go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver import decoding
from autograder.controlplane.kube_apiserver.defaulting import default

FOLDER: Final = "/etc/kubernetes/manifests/"
#: No manifest is longer than this, in characters, and no node has more of them.
MAX_LENGTH: Final = 200_000
MAX_MANIFESTS: Final = 50

_SUFFIXES: Final = (".yaml", ".yml", ".json")
HASH: Final = "kubernetes.io/config.hash"
SEEN: Final = "kubernetes.io/config.seen"
SOURCE: Final = "kubernetes.io/config.source"
MIRROR: Final = "kubernetes.io/config.mirror"


def read(disk: Mapping[str, str | None], node: str, now: int) -> dict[str, Object]:
    """The pods that the manifests on a node's disk describe, by uid.

    A file that is no Pod manifest is passed over, as the real kubelet does (which says so in its own log only).
    """
    pods = {}
    paths = sorted(path for path in disk if path.startswith(FOLDER) and path.endswith(_SUFFIXES))
    for path in paths[:MAX_MANIFESTS]:
        pod = _pod(disk[path] or "", path, node, now)
        if pod is not None:
            pods[pod["metadata"]["uid"]] = pod
    return pods


def mirror(pod: Object, node: Object) -> Object:
    """The object that shows a static pod in the API."""
    meta = pod["metadata"]
    node_meta = node["metadata"]
    owner = {
        "apiVersion": "v1", "kind": "Node", "name": node_meta["name"], "uid": node_meta["uid"], "controller": True,
    }  # fmt: skip
    annotations = {**meta["annotations"], MIRROR: meta["annotations"][HASH]}
    metadata = {key: value for key, value in meta.items() if key != "uid"}
    return {**pod, "metadata": metadata | {"annotations": annotations, "ownerReferences": [owner]}}


def mirrored(pod: Object) -> str:
    """The uid of the static pod that an object mirrors; '' for an ordinary pod."""
    return (pod["metadata"].get("annotations") or {}).get(MIRROR, "")


@lru_cache(maxsize=64)
def _decoded(text: str, media_type: str) -> Object | None:
    """The Pod of a manifest with its defaults, or None; it must not be changed."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        pod = decoding.decode(
            text.encode(), "core/v1.Pod", kind="Pod", api_version="v1", field_validation="Ignore", media_type=media_type
        ).object
    except (StatusError, ValueError):
        return None
    if not pod["metadata"].get("name") or not pod.get("spec", {}).get("containers"):
        return None
    default("core/v1.Pod", pod)
    return pod


def _pod(text: str, path: str, node: str, now: int) -> Object | None:
    pod = _decoded(text, "application/json" if path.endswith(".json") else "application/yaml")
    if pod is None:
        return None
    uid = hashlib.md5(f"{text}host:{node}file:{path}".encode(), usedforsecurity=False).hexdigest()
    meta, spec = pod["metadata"], pod["spec"]
    annotations = {**(meta.get("annotations") or {}), HASH: uid, SEEN: timestamps.micro_time(now), SOURCE: "file"}
    tolerations = [*(spec.get("tolerations") or ()), {"operator": "Exists", "effect": "NoExecute"}]
    return {
        **pod,
        "metadata": meta | {
            "name": f"{meta['name']}-{node}", "namespace": meta.get("namespace") or "default", "uid": uid,
            "annotations": annotations,
        },
        "spec": spec | {"nodeName": node, "tolerations": tolerations},
    }  # fmt: skip

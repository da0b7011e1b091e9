"""Static pods: pods that a kubelet reads from a folder of its node, and their mirrors in the API.

Source: pkg/kubelet/config/{file,common}.go and pkg/kubelet/pod/mirror_client.go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object

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
    """The pods that the manifests on a node's disk describe, by uid; nobody has validated them yet.

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


def of_mirror(mirror: Object) -> Object:
    """The static pod of a mirror, whose spec the API server has read and completed."""
    meta = mirror["metadata"]
    annotations = {key: value for key, value in meta["annotations"].items() if key != MIRROR}
    own = {key: meta[key] for key in ("name", "namespace", "labels") if key in meta}
    return {**mirror, "metadata": own | {"uid": annotations[HASH], "annotations": annotations}, "status": {}}


def changed(before: Object, pod: Object) -> Object:
    """A static pod with the images and words of its containers as a newer manifest has them.

    Of a manifest that the API server has not judged nothing else is believed.
    """
    listed = pod["spec"].get("containers")
    stated = {str(one.get("name")): one for one in listed if isinstance(one, dict)} if isinstance(listed, list) else {}
    containers = [{**one, **_words(stated.get(one["name"], {}))} for one in before["spec"]["containers"]]
    meta = pod["metadata"]
    own = {name: meta["annotations"][name] for name in (HASH, SEEN, SOURCE)}
    metadata = before["metadata"] | {"uid": meta["uid"], "annotations": before["metadata"]["annotations"] | own}
    return {**before, "metadata": metadata, "spec": {**before["spec"], "containers": containers}, "status": {}}


def _words(container: Object) -> Object:
    """Image, command and arguments of a container, as far as they are what they should be."""
    image = {"image": container["image"]} if isinstance(container.get("image"), str) else {}
    return image | {
        field: container[field] for field in ("command", "args")
        if isinstance(container.get(field), list) and all(isinstance(word, str) for word in container[field])
    }  # fmt: skip


def mirrored(pod: Object) -> str:
    """The uid of the static pod that an object mirrors; '' for an ordinary pod."""
    return (pod["metadata"].get("annotations") or {}).get(MIRROR, "")


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    """What a manifest spells (JSON is YAML too); None for what cannot be read.  It must not be changed."""
    import yaml  # few clusters have manifests, and the import takes long

    if len(text) > MAX_LENGTH:
        return None
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _pod(text: str, path: str, node: str, now: int) -> Object | None:
    pod = _parsed(text)
    if not isinstance(pod, dict) or pod.get("kind") != "Pod":
        return None
    meta, spec = pod.get("metadata"), pod.get("spec")
    if not isinstance(meta, dict) or not isinstance(spec, dict) or not isinstance(meta.get("name"), str):
        return None
    if not isinstance(meta.get("annotations") or {}, dict) or not isinstance(spec.get("tolerations") or [], list):
        return None
    if not isinstance(meta.get("namespace") or "", str):
        return None
    uid = hashlib.md5(f"{text}host:{node}file:{path}".encode(), usedforsecurity=False).hexdigest()
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

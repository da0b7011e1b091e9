"""Who the pods of a StatefulSet are: the name, labels and claims that go with an ordinal.

Source: pkg/controller/statefulset/stateful_set_utils.go.
"""

from __future__ import annotations

import re
from typing import Final

from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager import history
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.pod_control import name_prefix, pod_from_template

POD_NAME_LABEL: Final = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL: Final = "apps.kubernetes.io/pod-index"
_ORDINAL: Final = re.compile(r"(.*)-([0-9]+)", re.ASCII)


def new_pod(stateful_set: Object, template: Object, revision: str, number: int) -> Object:
    """The pod of an ordinal, with its name, host name and claims."""
    name = f"{name_of(stateful_set)}-{number}"
    pod = pod_from_template(template, stateful_set, name=name, generateName=name_prefix(stateful_set))
    own = {POD_NAME_LABEL: name, INDEX_LABEL: str(number), history.HASH_LABEL: revision}
    labels = {**pod["metadata"].get("labels", {}), **own}
    spec = {**pod["spec"], "hostname": name, **compact({"subdomain": stateful_set["spec"].get("serviceName", "")})}
    templates = stateful_set["spec"].get("volumeClaimTemplates", ())
    if templates:
        claimed = {one["metadata"]["name"]: f"{one['metadata']['name']}-{name}" for one in templates}
        others = [one for one in spec.get("volumes", ()) if one["name"] not in claimed]
        volumes = [
            {"name": volume, "persistentVolumeClaim": {"claimName": one}} for volume, one in sorted(claimed.items())
        ]
        spec["volumes"] = volumes + others
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


def claims_of(stateful_set: Object, pod: Object) -> list[Object]:
    """The claims that a pod of the set has, as the templates give them."""
    labels = stateful_set["spec"]["selector"].get("matchLabels", {})
    claims = []
    for template in stateful_set["spec"].get("volumeClaimTemplates", ()):
        meta = template["metadata"]
        metadata = {
            **meta,
            "name": f"{meta['name']}-{pod['metadata']['name']}",
            "namespace": stateful_set["metadata"]["namespace"],
            "labels": {**meta.get("labels", {}), **labels},
        }
        kind = {"apiVersion": "v1", "kind": PERSISTENTVOLUMECLAIMS.kind}
        claims.append({**kind, "metadata": metadata, "spec": template["spec"]})
    return claims


def ordinal(pod: Object) -> int:
    """The number at the end of the pod's name; -1 when there is none."""
    match = _ORDINAL.fullmatch(pod["metadata"]["name"])
    return int(match[2]) if match else -1


def revision_of(pod: Object) -> str:
    """The name of the revision that the pod was made from."""
    revision: str = pod["metadata"].get("labels", {}).get(history.HASH_LABEL, "")
    return revision


def parent_of(pod: Object) -> str:
    """What stands before the number in the pod's name: that of its set; '' when there is none."""
    match = _ORDINAL.fullmatch(pod["metadata"]["name"])
    return match[1] if match else ""


def with_identity(pod: Object) -> Object:
    """The pod with the labels that name it."""
    own = {POD_NAME_LABEL: pod["metadata"]["name"], INDEX_LABEL: str(ordinal(pod))}
    return {**pod, "metadata": {**pod["metadata"], "labels": pod["metadata"].get("labels", {}) | own}}


def is_running_and_ready(pod: Object) -> bool:
    """Whether the next pod in order may be made."""
    return podlib.phase(pod) == "Running" and podlib.is_ready(pod)


def name_of(obj: Object) -> str:
    """The name of any object."""
    name: str = obj["metadata"]["name"]
    return name


def own_references(stateful_set: Object, pod: Object) -> set[tuple[str, str]]:
    """Kind and name of those owners of a claim that the controller looks after."""
    return {(STATEFULSETS.kind, name_of(stateful_set)), (PODS.kind, name_of(pod))}

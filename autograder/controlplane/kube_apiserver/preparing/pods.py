"""Pods: what the server adds to a new one, and what each subresource may change."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.qos import qos_class
from autograder.controlplane.kube_apiserver import apparmor
from autograder.controlplane.kube_apiserver.preparing.keeping import keep

Obj = dict[str, Any]

#: Metadata that is not written through a part of an object.
_OF_THE_WHOLE: Final = ("labels", "annotations", "finalizers", "ownerReferences")


def create_pod(pod: Obj) -> None:
    """Set the status of a new pod, and write the label keys that it matches other pods by into its selectors."""
    pod["status"].setdefault("qosClass", qos_class(pod["spec"]))
    if pod["spec"].get("schedulingGates"):
        gated = "Scheduling is blocked due to non-empty scheduling gates"
        condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": gated}
        pod["status"]["conditions"] = [
            {**condition, "lastProbeTime": None, "lastTransitionTime": pod["metadata"].get("creationTimestamp")}
        ]
    labels = pod["metadata"].get("labels", {})
    for constraint in pod["spec"].get("topologySpreadConstraints", ()):
        _select_label_keys(constraint, "matchLabelKeys", "In", labels)
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = pod["spec"].get("affinity", {}).get(kind, {})
        preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution", ())
        required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", ())
        for term in (*(one["podAffinityTerm"] for one in preferred), *required):
            _select_label_keys(term, "matchLabelKeys", "In", labels)
            _select_label_keys(term, "mismatchLabelKeys", "NotIn", labels)
    apparmor.move_annotations_to_fields(pod)


def _select_label_keys(term: Obj, keys: str, operator: str, labels: dict[str, str]) -> None:
    """Add the pod's own values of some labels to a selector of other pods."""
    selector = term.get("labelSelector")
    if selector is not None:
        present = [key for key in term.get(keys, ()) if key in labels]
        own = [{"key": key, "operator": operator, "values": [labels[key]]} for key in present]
        if own:
            selector["matchExpressions"] = [*selector.get("matchExpressions", ()), *own]


def update_pod_status(new: Obj, old: Obj) -> None:
    """Leave the owners of a pod, its deletion and its quality of service as they were."""
    keep(("deletionTimestamp", "ownerReferences"), new["metadata"], old["metadata"])
    status = new.setdefault("status", {})
    if not status.get("qosClass") and "qosClass" in old.get("status", {}):
        status["qosClass"] = old["status"]["qosClass"]


def only_ephemeral_containers(new: Obj, old: Obj) -> None:
    """``/ephemeralcontainers`` writes these and nothing else."""
    added = new["spec"].get("ephemeralContainers")
    new["spec"] = {name: value for name, value in old["spec"].items() if name != "ephemeralContainers"}
    if added:
        new["spec"]["ephemeralContainers"] = added
    _keep_beside_spec(new, old)


def only_resources(new: Obj, old: Obj) -> None:
    """``/resize`` writes resources and resize policies; other containers than before are validation's to refuse."""
    spec, before = new["spec"], old["spec"]
    if any(len(spec.get(kind) or ()) != len(before.get(kind) or ()) for kind in ("containers", "initContainers")):
        return
    resized = {kind: _resized(spec[kind], before[kind]) for kind in ("containers", "initContainers") if spec.get(kind)}
    whole = {"resources": spec["resources"]} if "resources" in spec else {}
    new["spec"] = {name: value for name, value in before.items() if name != "resources"} | whole | resized
    _keep_beside_spec(new, old)


def _resized(containers: list[Obj], before: list[Obj]) -> list[Obj]:
    if [one["name"] for one in containers] != [one["name"] for one in before]:
        return containers
    parts = ("resources", "resizePolicy")
    return [
        {**was, **{name: container[name] for name in parts if name in container}}
        for container, was in zip(containers, before, strict=True)
    ]


def _keep_beside_spec(new: Obj, old: Obj) -> None:
    new["status"] = old["status"]
    keep(_OF_THE_WHOLE, new["metadata"], old["metadata"])

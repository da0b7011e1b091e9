"""Where daemons may be: which nodes, with which tolerations, and how a pod is told its node.

Source: pkg/controller/daemon/util, pkg/controller/daemon/daemon_controller.go (NodeShouldRunDaemonPod).
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import node_selector
from autograder.controlplane.apimachinery.taints import NO_EXECUTE, NO_SCHEDULE, Taint, tolerated
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager import history, nodes
from autograder.controlplane.kube_controller_manager.fields import compact

GENERATION_LABEL: Final = "pod-template-generation"
GENERATION_ANNOTATION: Final = "deprecated.daemonset.template.generation"

#: What every daemon puts up with: taint key and effect.
TOLERATED: Final = (
    (nodes.NOT_READY, NO_EXECUTE),
    (nodes.UNREACHABLE, NO_EXECUTE),
    (nodes.DISK_PRESSURE, NO_SCHEDULE),
    (nodes.MEMORY_PRESSURE, NO_SCHEDULE),
    (nodes.PID_PRESSURE, NO_SCHEDULE),
    (nodes.UNSCHEDULABLE, NO_SCHEDULE),
)
TOLERATED_ON_HOST_NETWORK: Final = ((nodes.NETWORK_UNAVAILABLE, NO_SCHEDULE),)


def should_run(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """Whether a daemon may start on a node, and whether one that is there may stay."""
    spec = daemon_set["spec"]["template"]["spec"]
    name, labels = node["metadata"]["name"], node["metadata"].get("labels", {})
    if spec.get("nodeName", "") not in ("", name) or not node_selector.required(spec).matches(name, labels):
        return False, False
    tolerations = with_tolerations(spec).get("tolerations", ())
    taints = map(Taint.of, nodes.taints_of(node))
    effects = {taint.effect for taint in taints if not tolerated(tolerations, taint)}
    return not effects & {NO_SCHEDULE, NO_EXECUTE}, NO_EXECUTE not in effects


def with_tolerations(spec: Object) -> Object:
    """A pod spec with the tolerations that every daemon has."""
    wanted = TOLERATED + (TOLERATED_ON_HOST_NETWORK if spec.get("hostNetwork") else ())
    tolerations: list[Object] = list(spec.get("tolerations", ()))
    for key, effect in wanted:
        toleration = {"key": key, "operator": "Exists", "effect": effect}
        kind = _kind_of(toleration)
        same = [one for one in tolerations if _kind_of(one) == kind]
        tolerations = [toleration if one in same else one for one in tolerations]
        if not same:
            tolerations.append(toleration)
    return {**spec, "tolerations": tolerations}


def pod_template(daemon_set: Object, digest: str) -> Object:
    """The template of a daemon: with tolerations and the labels that say which revision it is of."""
    template = daemon_set["spec"]["template"]
    meta = template.get("metadata", {})
    generation = daemon_set["metadata"].get("annotations", {}).get(GENERATION_ANNOTATION)
    labels = {**meta.get("labels", {}), **compact({GENERATION_LABEL: generation}), history.HASH_LABEL: digest}
    return {"metadata": {**meta, "labels": labels}, "spec": with_tolerations(template["spec"])}


def on_node(template: Object, node: str) -> Object:
    """The template of the daemon of one node: its node affinity names the node."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    spec = template["spec"]
    affinity = spec.get("affinity", {})
    node_affinity = affinity.get("nodeAffinity", {})
    required = {node_selector.REQUIRED: {"nodeSelectorTerms": [term]}}
    return {**template, "spec": {**spec, "affinity": {**affinity, "nodeAffinity": {**node_affinity, **required}}}}


def target_node(pod: Object) -> str:
    """The node that a daemon is on or is meant for, or ''."""
    if name := pod["spec"].get("nodeName", ""):
        return str(name)
    required = node_selector.node_affinity(pod["spec"]).get(node_selector.REQUIRED) or {}
    for term in required.get("nodeSelectorTerms", ()):
        for one in term.get("matchFields", ()):
            if one["key"] == "metadata.name" and one["operator"] == "In" and one.get("values"):
                return str(one["values"][0])
    return ""


def _kind_of(toleration: Object) -> tuple[str, str, str, str]:
    """What two tolerations have in common of which one replaces the other."""
    fields = ("key", "effect", "operator", "value")
    key, effect, operator, value = (toleration.get(field, "") for field in fields)
    return key, effect, operator, value
